package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAnAccountOfTheCommandsComesAndGoes adds accounts beside a running server, which lets them in, and disables one, whose session
// ends and whose token is named and works on.
func TestAnAccountOfTheCommandsComesAndGoes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serving(t, data)
	halley := func(args ...string) string {
		t.Helper()
		cmd := words(t, append(args, "--data", data)...)
		cmd.Stdin = strings.NewReader(pagePassword + "\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("halley %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	watching := newAPI(t, p, administrator(t, data))
	halley("user", "add", "--name", "maria", "--role", "administrator")
	halley("organization", "add", "--path", "/Acme")
	halley("user", "add", "--name", "caroline", "--role", "administrator", "--organization", "/Acme")
	// The server follows the store, so that by then it knows them.
	watching.answered(t.Context(), t, "/people/2", "200")

	a := newAPI(t, p, "")
	if err := a.post(t.Context(), "/session", map[string]string{"name": "Caroline", "password": pagePassword}, nil); err != nil {
		t.Fatal(err)
	}
	type role struct{ Role, Organization string }
	var me struct {
		Name  string
		Roles []role
	}
	if err := a.ask(t.Context(), http.MethodGet, "/me", &me); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]role{{"administrator", "/Acme"}}, me.Roles); diff != "" || me.Name != "caroline" {
		t.Errorf("%s signed in with roles (-want +got):\n%s", me.Name, diff)
	}
	var made struct{ Token string }
	err := a.post(t.Context(), "/tokens", map[string]any{"name": "door", "role": "guest", "organization_id": 2, "why": "the door shows values"}, &made)
	if err != nil {
		t.Fatal(err)
	}

	said := halley("user", "disable", "--name", "caroline", "--reason", "left")
	if want := "the token door, which caroline made, still works: halley token revoke ends it\n"; said != want {
		t.Errorf("disabling said %q, want %q", said, want)
	}
	a.answered(t.Context(), t, "/me", "401")
	door := newAPI(t, p, made.Token)
	if err := door.ask(t.Context(), http.MethodGet, "/me", nil); err != nil {
		t.Errorf("the token of somebody who was disabled: %v", err)
	}
	halley("token", "revoke", "door", "--reason", "left")
	door.answered(t.Context(), t, "/me", "401")
	if said = halley("user", "disable", "--name", "caroline", "--reason", "left"); said != "" {
		t.Errorf("with no token left, disabling said %q", said)
	}
	p.stop(t)
}
