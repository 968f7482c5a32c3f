package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/storage"
)

// fakeFactors knows what a test says; its code is "123456", its passkey says "yes".
type fakeFactors struct{ of access.Factors }

func (f *fakeFactors) Of(context.Context, halley.PersonID) (access.Factors, error) { return f.of, nil }

func (f *fakeFactors) CheckCode(_ context.Context, _ halley.PersonID, code string, _ halley.Millis) error {
	if code == "123456" {
		return nil
	}
	return &halley.Error{Kind: halley.Unauthenticated}
}

func (f *fakeFactors) BeginPasskey(_ context.Context, _ halley.PersonID, origin string) (json.RawMessage, []byte, error) {
	return json.RawMessage(`{"for":"` + origin + `"}`), []byte("state"), nil
}

func (f *fakeFactors) FinishPasskey(_ context.Context, _ halley.PersonID, state []byte, answer json.RawMessage, _ string) error {
	if string(state) == "state" && string(answer) == `"yes"` {
		return nil
	}
	return &halley.Error{Kind: halley.Unauthenticated}
}

// factored is an Access whose people have these factors, and the role administrator needs one.
func factored(t *testing.T, f access.Factors) (*access.Access, *accesstest.Memory, *fakeFactors) {
	t.Helper()
	factors := &fakeFactors{of: f}
	a, store := assembled(t, func(o *access.Options) {
		o.Factors, o.NeedSecondFactor = factors, []halley.Role{halley.Administrator}
	})
	return a, store, factors
}

func TestSecondFactorIsAskedForOnceThePasswordIsRight(t *testing.T) {
	t.Parallel()
	a, store, _ := factored(t, access.Factors{TOTP: true, Passkeys: 1, RecoveryCodes: 3})
	store.Person(t, "jana", administrator)
	checkUnauthenticated(t, try(t, a, "jana", "wrong", office), "sign-in-failed")
	err := try(t, a, "jana", accesstest.Password, office)
	checkUnauthenticated(t, err, "second-factor-needed")
	needed, ok := errors.AsType[*access.SecondFactorError](err)
	if !ok || needed.Pending == "" {
		t.Fatalf("error = %v", err)
	}
	want := &access.SecondFactorError{
		Factors: []string{"totp", "passkey", "recovery"}, Pending: needed.Pending, Passkey: json.RawMessage(`{"for":"https://localhost:8443"}`),
	}
	if diff := cmp.Diff(want, needed); diff != "" {
		t.Errorf("what is needed (-want +got):\n%s", diff)
	}
	c := access.Credentials{Name: "jana", Password: accesstest.Password, Code: "000000"}
	_, err = a.SignIn(t.Context(), http.Header{}, c, office)
	checkUnauthenticated(t, err, "code-not-valid")
	c.Password, c.Code = "wrong", "123456"
	_, err = a.SignIn(t.Context(), http.Header{}, c, office)
	checkUnauthenticated(t, err, "sign-in-failed")
	c.Password = accesstest.Password
	caller, err := a.SignIn(t.Context(), http.Header{}, c, office)
	if err != nil || caller.Must != "" {
		t.Errorf("with the code: %+v, %v", caller, err)
	}
}

func TestPasskeyFinishesTheSignInOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store, _ := factored(t, access.Factors{Passkeys: 1})
		jana := store.Person(t, "jana", administrator)
		pending := func() string {
			needed, ok := errors.AsType[*access.SecondFactorError](try(t, a, "jana", accesstest.Password, office))
			if !ok {
				t.Fatal("no second factor was asked for")
			}
			return needed.Pending
		}
		finish := func(pending, answer string) error {
			_, err := a.FinishSecondFactor(t.Context(), http.Header{}, pending, json.RawMessage(answer), office)
			return err
		}
		one := pending()
		checkUnauthenticated(t, finish(one, `"no"`), "code-not-valid")
		if err := finish(one, `"yes"`); err != nil {
			t.Fatal(err)
		}
		checkUnauthenticated(t, finish(one, `"yes"`), "sign-in-failed")
		checkUnauthenticated(t, finish("made up", `"yes"`), "sign-in-failed")
		worn := pending()
		for range 5 {
			checkUnauthenticated(t, finish(worn, `"no"`), "code-not-valid")
		}
		checkUnauthenticated(t, finish(worn, `"yes"`), "sign-in-failed")
		old := pending()
		wait(t, 5*time.Minute)
		checkUnauthenticated(t, finish(old, `"yes"`), "sign-in-failed")
		gone := pending()
		if _, err := store.ChangePerson(t.Context(), jana.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, halley.Change{}); err != nil {
			t.Fatal(err)
		}
		checkUnauthenticated(t, finish(gone, `"yes"`), "sign-in-failed")
	})
}

// Whoever knows the password cannot go through a million codes from a thousand addresses.
func TestCodesAreBoundedForEachPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, store, _ := factored(t, access.Factors{TOTP: true})
		store.Person(t, "jana", administrator)
		wrong, slowed := 0, 0
		for i := range 200 {
			v := access.Visitor{Address: "10.0.0." + string(rune('0'+i%10)) + string(rune('0'+i/10%10))}
			_, err := a.SignIn(t.Context(), http.Header{}, access.Credentials{Name: "jana", Password: accesstest.Password, Code: "000000"}, v)
			if halley.KindOf(err) == halley.Unauthenticated {
				wrong++
			}
			if halley.KindOf(err) == halley.TooMany {
				slowed++
			}
		}
		if wrong != 10 || slowed != 190 {
			t.Errorf("%d codes were looked at and %d not, want 10 and 190", wrong, slowed)
		}
	})
}

func TestRoleThatNeedsASecondFactorMayOnlySetOneUp(t *testing.T) {
	t.Parallel()
	a, store, factors := factored(t, access.Factors{})
	store.Person(t, "jana", administrator)
	store.Person(t, "guest one", halley.Grant{Role: halley.Guest})
	cookie := signIn(t, a, "jana", office)
	caller, err := find(t, a, cookie)
	if err != nil || caller.Must != access.MustSecondFactor || len(caller.Rights.Permissions()) != 0 {
		t.Errorf("caller %+v, %v", caller, err)
	}
	factors.of.Passkeys = 1
	if caller, err = find(t, a, cookie); err != nil || caller.Must != "" || !caller.Rights.Holds(halley.PermitPersonChange) {
		t.Errorf("once there is one: %+v, %v", caller, err)
	}
	factors.of.Passkeys = 0
	if caller, err = find(t, a, signIn(t, a, "guest one", office)); err != nil || caller.Must != "" {
		t.Errorf("a guest: %+v, %v", caller, err)
	}
}

func TestLinkDoesNotReplaceTheSecondFactor(t *testing.T) {
	t.Parallel()
	a, store, _ := factored(t, access.Factors{TOTP: true})
	secret := link(t, store, store.Person(t, "jana", administrator))
	h := http.Header{}
	_, err := a.UseLink(t.Context(), h, secret, chosen, office)
	checkUnauthenticated(t, err, "second-factor-needed")
	if len(h) != 0 || len(store.Keys()) != 0 {
		t.Error("a session began")
	}
	if _, err := a.SignIn(t.Context(), h, access.Credentials{Name: "jana", Password: chosen, Code: "123456"}, office); err != nil {
		t.Error(err)
	}
}

// directoryService takes one name and password.
type directoryService struct{ who access.Outside }

func (d *directoryService) Check(_ context.Context, name string, password halley.Secret) (access.Outside, error) {
	if name != d.who.Name || password != "in the directory" {
		return access.Outside{}, &halley.Error{Kind: halley.Unauthenticated}
	}
	return d.who, nil
}

func TestSomebodyOfTheDirectoryServiceGetsAnAccount(t *testing.T) {
	t.Parallel()
	user := halley.Grant{Role: halley.User, OrganizationID: halley.RootOrganization}
	guest := halley.Grant{Role: halley.Guest, OrganizationID: halley.RootOrganization}
	service := &directoryService{who: access.Outside{
		Source: halley.LDAP, Subject: "guid-1", Name: "eva", FullName: "Eva N.", Email: "eva@acme.local", Grants: []halley.Grant{user},
	}}
	a, store := assembled(t, func(o *access.Options) { o.Elsewhere = service })
	store.Person(t, "jana", administrator)
	roles := func() []halley.Role {
		p, _ := store.Directory().PersonNamed("eva")
		var list []halley.Role
		for _, g := range store.Directory().Grants(p.ID) {
			list = append(list, g.Role)
		}
		return list
	}
	for _, tt := range []struct {
		grants []halley.Grant
		want   []halley.Role
	}{
		{[]halley.Grant{user}, []halley.Role{halley.User}},
		{[]halley.Grant{user}, []halley.Role{halley.User}},
		{[]halley.Grant{guest}, []halley.Role{halley.Guest}},
		{nil, []halley.Role{halley.Guest}},
		{[]halley.Grant{}, nil},
	} {
		service.who.Grants = tt.grants
		if err := try(t, a, "eva", "in the directory", office); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, roles()); diff != "" {
			t.Errorf("roles with %v (-want +got):\n%s", tt.grants, diff)
		}
	}
	p, _ := store.Directory().PersonNamed("eva")
	if d := store.Directory().Detail(p.ID); p.Source != halley.LDAP || d.FullName != "Eva N." || d.Email != "eva@acme.local" {
		t.Errorf("account %+v, %+v", p, d)
	}
	if n := len(store.Directory().People()); n != 2 {
		t.Errorf("there are %d accounts, want 2", n)
	}
	if _, err := store.ChangePerson(t.Context(), p.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, halley.Change{}); err != nil {
		t.Fatal(err)
	}
	checkUnauthenticated(t, try(t, a, "eva", "in the directory", office), "sign-in-failed")
}

// An account of one source is never taken over by another, nor by another person of the same.
func TestNameIsNotTakenOver(t *testing.T) {
	t.Parallel()
	a, store := assembled(t)
	store.Person(t, "jana", administrator)
	outside := func(source halley.SignInSource, subject, name string) error {
		_, err := a.SignInOutside(t.Context(), http.Header{}, access.Outside{Source: source, Subject: subject, Name: name}, office)
		return err
	}
	if err := outside(halley.OIDC, "issuer 1", "eva"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a local account":          outside(halley.OIDC, "issuer 2", "Jana"),
		"another subject":          outside(halley.OIDC, "issuer 2", "EVA"),
		"another source":           outside(halley.LDAP, "issuer 1", "eva"),
		"a name that cannot be":    outside(halley.OIDC, "issuer 3", "<script>"),
		"the root administrator's": outside(halley.LDAP, "guid", "jana"),
	} {
		if halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("%s: %v, want refused", name, err)
		}
	}
	if err := outside(halley.OIDC, "issuer 1", "another name by now"); err != nil {
		t.Errorf("the same subject under another name: %v", err)
	}
	if n := len(store.Directory().People()); n != 2 {
		t.Errorf("there are %d accounts, want 2", n)
	}
}
