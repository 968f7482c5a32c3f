package secondfactor

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"halley"
)

// loopbackName is the one name besides those of the configuration at which passkeys work: this machine itself.
const loopbackName = "localhost"

// site gives what makes and checks passkeys for the viewer at an origin, such as "https://halley.example:8443". A passkey belongs to a
// host name: at an address of numbers, or without TLS, browsers make none. Conflict where the origin is not such a one.
func (f *Factors) site(origin string) (*webauthn.WebAuthn, error) {
	host, ok := f.host(origin)
	if !ok {
		return nil, &halley.Error{
			Kind: halley.Conflict, Op: "use a passkey", Code: codeNotHere,
			Message: "passkeys work where the viewer is opened by https at a name that [viewer] hosts lists: open it there",
		}
	}
	site, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: f.Issuer, RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementDiscouraged, UserVerification: protocol.VerificationPreferred,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("using passkeys at %s: %w", host, err)
	}
	return site, nil
}

// Hosted says whether passkeys work at an origin.
func (f *Factors) Hosted(origin string) bool {
	_, ok := f.host(origin)
	return ok
}

// host gives the name in an origin; ok is false where no passkey can work there.
func (f *Factors) host(origin string) (name string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	name = strings.ToLower(u.Hostname())
	if _, err = netip.ParseAddr(name); err == nil || name == "" {
		return "", false
	}
	return name, name == loopbackName || slices.Contains(f.Hosts, name)
}

// account is a person as the library asks for one.
type account struct {
	person      Person
	credentials []webauthn.Credential
}

// WebAuthnID gives the handle that authenticators keep. It says nothing about the person.
func (a account) WebAuthnID() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "halley person %d", a.person.ID))
	return sum[:]
}

// WebAuthnName gives the name of the account.
func (a account) WebAuthnName() string { return a.person.Name }

// WebAuthnDisplayName gives the name of the person, or of the account where it is not known.
func (a account) WebAuthnDisplayName() string {
	if a.person.FullName != "" {
		return a.person.FullName
	}
	return a.person.Name
}

// WebAuthnCredentials gives the passkeys that may answer.
func (a account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }

// sortByAge sorts passkeys in the order in which they were added.
func sortByAge(list []held) {
	slices.SortStableFunc(list, func(a, b held) int {
		if a.addedAt != b.addedAt {
			return int(min(max(a.addedAt-b.addedAt, -1), 1))
		}
		return strings.Compare(string(a.Credential.ID), string(b.Credential.ID))
	})
}

var _ webauthn.User = account{}
