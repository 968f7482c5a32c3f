package oidcsignin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"halley"
	"halley/config"
	"halley/server/access"
)

const (
	// issuerDigits is how much of the issuer's hash stands in a subject; subjectBytes bounds a subject as the issuer gives it.
	issuerDigits = 16
	subjectBytes = 255
)

// claims are what the issuer says of a person.
type claims map[string]any

// outside gives who the claims are about.
func (s *SignIn) outside(ctx context.Context, subject string, said claims) (access.Outside, error) {
	if subject == "" || len(subject) > subjectBytes {
		return access.Outside{}, failed(errors.New("the issuer names no subject, or one that is too long"))
	}
	o := access.Outside{
		Source: halley.OIDC, Subject: subjectHere(s.Config.Issuer, subject),
		Name: said.text(s.Config.NameClaim), FullName: said.text("name"), Email: said.text("email"),
	}
	if verified, ok := said["email_verified"].(bool); ok && !verified {
		o.Email = ""
	}
	if o.Name == "" {
		return o, failed(fmt.Errorf("the issuer says nothing in the claim %q: see [oidc] name-claim", s.Config.NameClaim))
	}
	if len(s.Config.Groups) == 0 {
		return o, nil
	}
	in, ok := said.list(s.Config.GroupsClaim)
	if !ok && said.elsewhere(s.Config.GroupsClaim) {
		return o, failed(errors.New("the person is in more groups than the issuer names: have it name only those of this application"))
	}
	o.Grants = s.roles.Of(ctx, func(m config.Mapping) bool { return in[m.Group] })
	if len(o.Grants) == 0 {
		return o, &halley.Error{
			Kind: halley.Forbidden, Op: opFinish, Code: CodeNoRole,
			Message: "you are known, but in none of the groups that may use Halley: ask its administrator",
		}
	}
	return o, nil
}

// subjectHere names a person of an issuer for ever: another issuer may have the same subjects.
func subjectHere(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer))
	return hex.EncodeToString(sum[:])[:issuerDigits] + ":" + subject
}

// text gives a claim that is a text; "" for every other.
func (c claims) text(name string) string {
	s, _ := c.find(name).(string)
	return strings.TrimSpace(s)
}

// list gives the texts of a claim that is a list of them or one.
func (c claims) list(name string) (in map[string]bool, ok bool) {
	in = make(map[string]bool)
	switch v := c.find(name).(type) {
	case string:
		in[v] = true
	case []any:
		for _, one := range v {
			if s, isText := one.(string); isText {
				in[s] = true
			}
		}
	default:
		return in, false
	}
	return in, true
}

// find gives a claim. A point leads into a claim that holds others, unless a claim has the whole name.
func (c claims) find(name string) any {
	if v, ok := c[name]; ok {
		return v
	}
	outer, inner, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	below, ok := c[outer].(map[string]any)
	if !ok {
		return nil
	}
	return claims(below).find(inner)
}

// elsewhere says that the issuer points to another place for a claim, where it is not asked for.
func (c claims) elsewhere(name string) bool {
	names, _ := c["_claim_names"].(map[string]any)
	_, ok := names[name]
	return ok
}

// complete adds what the issuer says of the person only when it is asked, where something is wanted that the token does not say.
func (s *SignIn) complete(ctx context.Context, known *discovered, token *oauth2.Token, subject string, said claims) error {
	needed := said.text(s.Config.NameClaim) == "" ||
		len(s.Config.Groups) > 0 && said.find(s.Config.GroupsClaim) == nil && !said.elsewhere(s.Config.GroupsClaim)
	if !needed || known.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := known.UserInfo(oidc.ClientContext(ctx, known.client), oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("asking the issuer about the person: %w", err)
	}
	if info.Subject != subject {
		return failed(errors.New("the issuer speaks of somebody else when it is asked about the person"))
	}
	var more claims
	if err = info.Claims(&more); err != nil {
		return fmt.Errorf("reading what the issuer says about the person: %w", err)
	}
	for name, v := range more {
		if _, there := said[name]; !there {
			said[name] = v
		}
	}
	return nil
}
