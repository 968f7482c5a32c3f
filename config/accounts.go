package config

import (
	"fmt"
	"slices"

	"halley"
)

// Accounts says how people sign in.
type Accounts struct {
	// PasswordLength is the least that a password has, in characters.
	PasswordLength int `toml:"password-length"`
	// PasswordDigit, PasswordUpper, PasswordLower and PasswordSpecial say that one such character must be in it.
	PasswordDigit   bool `toml:"password-digit"`
	PasswordUpper   bool `toml:"password-upper"`
	PasswordLower   bool `toml:"password-lower"`
	PasswordSpecial bool `toml:"password-special"`
	// SecondFactorRoles are the roles whose people must set up a second factor.
	SecondFactorRoles []string `toml:"second-factor-roles"`
	// SignOut is after how many minutes without activity people are signed out who chose nothing else, SignOutAtMost the longest that
	// they may choose: 15, 30, 60 or 120.
	SignOut       int `toml:"sign-out"`
	SignOutAtMost int `toml:"sign-out-at-most"`
	// ConfirmCritical asks for the password anew before changes of people, rights, tokens and devices.
	ConfirmCritical bool `toml:"confirm-critical"`
}

func accountsDefaults() Accounts {
	return Accounts{
		PasswordLength: 8, PasswordDigit: true, PasswordUpper: true, PasswordSpecial: true,
		SecondFactorRoles: []string{}, SignOut: 60, SignOutAtMost: 120,
	}
}

// Roles gives SecondFactorRoles as roles.
func (a *Accounts) Roles() []halley.Role {
	roles := make([]halley.Role, len(a.SecondFactorRoles))
	for i, r := range a.SecondFactorRoles {
		roles[i] = halley.Role(r)
	}
	return roles
}

// The bounds of PasswordLength.
const (
	leastPasswordLength = 8
	mostPasswordLength  = 64
)

// accountsSettings are the keys of [accounts].
func accountsSettings() []setting {
	return []setting{
		whole("accounts.password-length", func(c *Config) *int { return &c.Accounts.PasswordLength },
			between(leastPasswordLength, mostPasswordLength)),
		yesNo("accounts.password-digit", func(c *Config) *bool { return &c.Accounts.PasswordDigit }),
		yesNo("accounts.password-upper", func(c *Config) *bool { return &c.Accounts.PasswordUpper }),
		yesNo("accounts.password-lower", func(c *Config) *bool { return &c.Accounts.PasswordLower }),
		yesNo("accounts.password-special", func(c *Config) *bool { return &c.Accounts.PasswordSpecial }),
		texts("accounts.second-factor-roles", func(c *Config) *[]string { return &c.Accounts.SecondFactorRoles }, personRole),
		whole("accounts.sign-out", func(c *Config) *int { return &c.Accounts.SignOut }, signOutMinutes),
		whole("accounts.sign-out-at-most", func(c *Config) *int { return &c.Accounts.SignOutAtMost }, signOutMinutes),
		yesNo("accounts.confirm-critical", func(c *Config) *bool { return &c.Accounts.ConfirmCritical }),
	}
}

func signOutMinutes(n int) string {
	if slices.Contains([]int{15, 30, 60, 120}, n) {
		return ""
	}
	return fmt.Sprintf("write 15, 30, 60 or 120; %d is none", n)
}

// personRole accepts a role that people can have. Whether a custom one is there is not known here.
func personRole(s string) string {
	switch {
	case s == string(halley.Reader):
		return "the role " + quoted(s) + ` is for programs alone: write "` + string(halley.GuestAdministrator) + `"`
	case halley.Role(s).WellFormed():
		return ""
	}
	return `write the name of a role, such as "administrator"; ` + quoted(s) + " is none"
}

// accountsTogether finds a default that nobody may choose.
func accountsTogether(a *Accounts) []Mistake {
	if a.SignOut > a.SignOutAtMost {
		return []Mistake{{Key: "accounts.sign-out", Why: fmt.Sprintf(
			"%d minutes is more than accounts.sign-out-at-most, which is %d", a.SignOut, a.SignOutAtMost)}}
	}
	return nil
}
