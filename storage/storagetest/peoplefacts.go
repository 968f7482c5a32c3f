package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func peopleVersions(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	key := fmt.Sprint(who.ID)
	secret := func(kind storage.SecretKind, key string) storage.Secret {
		return storage.Secret{Kind: kind, Key: key, PersonID: who.ID, At: Start}
	}
	var grant halley.Grant
	var role halley.CustomRole
	session := storage.Session{Hash: p.journal(1), PersonID: who.ID, ExpiresAt: Start + 200*halley.Day}
	for _, c := range []struct {
		name string
		step int64
		do   func() error
	}{
		{"a grant", 1, func() (err error) {
			grant, err = p.AddGrant(t.Context(), halley.Grant{PersonID: who.ID, Role: halley.Guest, OrganizationID: 1}, By("eva"))
			return err
		}},
		{"its end", 1, func() error { return p.EndGrant(t.Context(), grant.ID, By("eva")) }},
		{"a role", 1, func() (err error) {
			role, err = p.AddRole(t.Context(), halley.CustomRole{
				Name: p.role("cook"), OrganizationID: 1, Permissions: []halley.Permission{halley.PermitStatusRead},
			}, By("eva"))
			return err
		}},
		{"a change of a role", 1, func() error {
			_, err := p.ChangeRole(t.Context(), role.ID, nil, true, By("eva"))
			return err
		}},
		{"a password", 1, func() error { return p.SetSecret(t.Context(), secret(storage.SecretPassword, key), nil, "", By("eva")) }},
		{"a shared secret", 1, func() error { return p.SetSecret(t.Context(), secret(storage.SecretTOTP, key), nil, "", By("eva")) }},
		{"a code that was used", 0, func() error {
			return p.SetSecret(t.Context(), secret(storage.SecretTOTP, key), []byte{}, "", By("eva"))
		}},
		{"a passkey", 1, func() error {
			return p.SetSecret(t.Context(), secret(storage.SecretPasskey, p.name("a")), nil, "", By("eva"))
		}},
		{"an identity", 1, func() error {
			return p.SetSecret(t.Context(), secret(storage.SecretIdentity, p.name("a")), nil, "", By("eva"))
		}},
		{"a removal", 1, func() error { return p.RemoveSecret(t.Context(), storage.SecretIdentity, p.name("a"), "", By("eva")) }},
		{"a recovery code", 0, func() error {
			return p.SetSecret(t.Context(), secret(storage.SecretRecovery, p.name("a")), nil, "", By("eva"))
		}},
		{"its use", 0, func() error { return p.RemoveSecret(t.Context(), storage.SecretRecovery, p.name("a"), "", By("eva")) }},
		{"a link", 0, func() error {
			return p.SetSecret(t.Context(), secret(storage.SecretLink, p.name("a")), nil, "", By("eva"))
		}},
		{"its use", 0, func() error { return p.RemoveSecret(t.Context(), storage.SecretLink, p.name("a"), "", By("eva")) }},
		{"a session", 0, func() error { return p.SaveSession(t.Context(), session) }},
		{"the end of a session", 0, func() error { return p.DeleteSession(t.Context(), session.Hash) }},
		{"a sign-in", 0, func() error { return p.NoteSignIn(t.Context(), who.ID, Start) }},
		{"details", 1, func() error {
			_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{Email: new("b@example.com")}, By("eva"))
			return err
		}},
		{"a state", 1, func() error {
			_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, By("eva"))
			return err
		}},
		{"a deletion", 1, func() error { return p.DeletePerson(t.Context(), who.ID, By("eva")) }},
		{"a person", 1, func() error {
			_, err := p.AddPerson(t.Context(), NewPerson(p.name("adam")), By("eva"))
			return err
		}},
	} {
		last := version(t, p)
		must(t, c.name, c.do())
		equal(t, "steps of the version with "+c.name, c.step, version(t, p)-last)
	}
}

func ledgerOfPeople(t *testing.T, p *plot) {
	who := p.person(t, "eva", halley.Grant{Role: halley.User, OrganizationID: 1})
	key := fmt.Sprint(who.ID)
	data := "xSECRETx"
	must(t, "SetSecret", p.SetSecret(t.Context(),
		storage.Secret{Kind: storage.SecretPassword, Key: key, PersonID: who.ID, Data: []byte(data), At: Start}, nil, "person.password", By("eva")))
	must(t, "SetSecret", p.SetSecret(t.Context(),
		storage.Secret{Kind: storage.SecretIdentity, Key: "oidc:main|xSUBJECTx", PersonID: who.ID, At: Start}, nil, "person.factor", By("eva")))
	_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{FullName: new("xNAMEx"), Email: new("xMAILx@example.com")}, By("eva"))
	must(t, "ChangePerson", err)
	must(t, "SaveSession", p.SaveSession(t.Context(),
		storage.Session{Hash: "xHASHx", PersonID: who.ID, Data: []byte("xSESSIONx"), ExpiresAt: Start + 200*halley.Day}))
	role, err := p.AddRole(t.Context(), halley.CustomRole{
		Name: p.role("cook"), OrganizationID: 1, Permissions: []halley.Permission{halley.PermitStatusRead},
	}, By("eva"))
	must(t, "AddRole", err)
	_, err = p.ChangeRole(t.Context(), role.ID, nil, true, By("eva"))
	must(t, "ChangeRole", err)
	must(t, "DeletePerson", p.DeletePerson(t.Context(), who.ID, By("eva")))
	_, err = p.AddReview(t.Context(), halley.Review{UpTo: p.acts(t)[0].ID, Note: "seen"}, By("eva"))
	must(t, "AddReview", err)
	CheckLedger(t, p)

	tables := map[string]int{}
	EachFact(t, p, func(r ledger.FactRow) {
		tables[r.Table]++
		text := fmt.Sprintf("%q", r.Values)
		for _, private := range []string{"xNAMEx", "xMAILx", "Nováková", "eva@example.com", data, "xSUBJECTx", "xHASHx", "xSESSIONx"} {
			if strings.Contains(text, private) {
				t.Errorf("the ledger has %s in a row of %s: %s", private, r.Table, text)
			}
		}
	})
	for _, table := range []string{"person", "person_description", "role", "role_description", "role_grant", "role_grant_end", "audit_review"} {
		if tables[table] == 0 {
			t.Errorf("the ledger has no row of %s", table)
		}
	}
}

// EachFact hands over each row of the facts' chain, decoded.
func EachFact(t testing.TB, s storage.Store, do func(ledger.FactRow)) {
	t.Helper()
	unpacker, err := ledger.NewUnpacker()
	must(t, "NewUnpacker", err)
	for after := int64(0); ; {
		list, err := s.LedgerFacts(t.Context(), after, 100)
		must(t, "LedgerFacts", err)
		if len(list) == 0 {
			return
		}
		for i := range list {
			after = list[i].ID
			canonical, err := unpacker.Unpack(nil, list[i].Pack)
			must(t, "Unpack", err)
			must(t, "DecodeFacts", ledger.DecodeFacts(canonical, func(r ledger.FactRow) error {
				do(r)
				return nil
			}))
		}
	}
}
