package config

// OIDC says how people sign in with an issuer of OpenID Connect.
type OIDC struct {
	// Issuer is its address, exactly as it calls itself; empty for none.
	Issuer string `toml:"issuer"`
	// Button is what the button for it says.
	Button string `toml:"button"`
	// ClientID is what the issuer calls this server, and ClientSecretFile a file with the secret it gave.
	ClientID         string `toml:"client-id"`
	ClientSecretFile string `toml:"client-secret-file"`
	// Certificate is a file with the certificate of the issuer or of its authority; empty for what the system trusts.
	Certificate string `toml:"certificate"`
	// Hosts are further hosts, HOST or HOST:PORT, at which the issuer has its keys and tokens. No other one is connected to.
	Hosts []string `toml:"hosts"`
	// Scopes are asked for besides "openid".
	Scopes []string `toml:"scopes"`
	// NameClaim holds what the account is called here, GroupsClaim the names of the person's groups.
	NameClaim   string `toml:"name-claim"`
	GroupsClaim string `toml:"groups-claim"`
	// Groups are "GROUP -> ROLE@PATH"; empty where roles are granted here.
	Groups []string `toml:"groups"`
}

func oidcDefaults() OIDC {
	return OIDC{
		Button: "Company sign-in", Hosts: []string{}, Scopes: []string{"profile", "email"},
		NameClaim: "preferred_username", GroupsClaim: "groups", Groups: []string{},
	}
}

// Mappings gives OIDC.Groups, read.
func (o *OIDC) Mappings() []Mapping { return mappings(o.Groups) }

// oidcSettings are the keys of [oidc].
func oidcSettings() []setting {
	return []setting{
		text("oidc.issuer", func(c *Config) *string { return &c.OIDC.Issuer }, oidcIssuer),
		text("oidc.button", func(c *Config) *string { return &c.OIDC.Button }, notEmpty("say what the button for it says")),
		text("oidc.client-id", func(c *Config) *string { return &c.OIDC.ClientID }, anyText),
		text("oidc.client-secret-file", func(c *Config) *string { return &c.OIDC.ClientSecretFile }, anyText),
		text("oidc.certificate", func(c *Config) *string { return &c.OIDC.Certificate }, anyText),
		texts("oidc.hosts", func(c *Config) *[]string { return &c.OIDC.Hosts }, oidcHost),
		texts("oidc.scopes", func(c *Config) *[]string { return &c.OIDC.Scopes }, notEmpty("leave out an empty scope")),
		text("oidc.name-claim", func(c *Config) *string { return &c.OIDC.NameClaim }, notEmpty("name a claim")),
		text("oidc.groups-claim", func(c *Config) *string { return &c.OIDC.GroupsClaim }, anyText),
		texts("oidc.groups", func(c *Config) *[]string { return &c.OIDC.Groups }, mapping),
	}
}

// oidcIssuer accepts https://HOST/..., and http:// on this machine, or nothing.
func oidcIssuer(s string) string {
	if s == "" {
		return ""
	}
	u, why := serviceURL(s, "https", "http")
	if why == "" && u.Scheme == "http" && !Loopback(u.Hostname()) {
		why = "an issuer on another machine is reached by https; " + quoted(s) + " is not"
	}
	return why
}

// oidcHost accepts HOST and HOST:PORT.
func oidcHost(s string) string {
	if hostName(s) == "" || hostPort(s) == "" {
		return ""
	}
	return "write HOST or HOST:PORT; " + quoted(s) + " is neither"
}

// oidcTogether finds what does not go with what in [oidc].
func oidcTogether(o *OIDC) []Mistake {
	if o.Issuer == "" {
		return nil
	}
	var found []Mistake
	if o.ClientID == "" {
		found = append(found, Mistake{Key: "oidc.issuer", Why: "an issuer needs to know this server: set oidc.client-id as well"})
	}
	if len(o.Groups) > 0 && o.GroupsClaim == "" {
		found = append(found, Mistake{Key: "oidc.groups", Why: "say in which claim the issuer names groups: set oidc.groups-claim as well"})
	}
	return found
}
