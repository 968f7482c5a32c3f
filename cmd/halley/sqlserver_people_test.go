package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"
)

// member is a person with a password and an authenticator, signed in.
type member struct {
	api
	name   string
	id     int64
	grants []numbered
	// authenticator is the secret of the authenticator.
	authenticator string
}

// invite makes a person who may see everything, and gives the secret of the link.
func (m *member) invite(ctx context.Context, tb testing.TB, admin *api) (link string) {
	tb.Helper()
	link, err := invited(ctx, admin, m.name)
	if err != nil {
		tb.Fatal(err)
	}
	var list struct {
		People []struct {
			ID     int64
			Name   string
			Grants []numbered
		}
	}
	if err := admin.ask(ctx, http.MethodGet, "/people", &list); err != nil {
		tb.Fatal(err)
	}
	for _, p := range list.People {
		if p.Name == m.name {
			m.id, m.grants = p.ID, p.Grants
		}
	}
	if m.id == 0 || len(m.grants) != 1 {
		tb.Fatalf("%s is not among the people: %+v", m.name, list)
	}
	return link
}

// joins makes the person and signs them in by their link.
func (m *member) joins(ctx context.Context, tb testing.TB, p *program, admin *api) {
	tb.Helper()
	m.api = *newAPI(tb, p, "")
	if err := m.post(ctx, "/links", map[string]string{"secret": m.invite(ctx, tb, admin), "password": pagePassword}, nil); err != nil {
		tb.Fatal(err)
	}
}

// signedIn signs a person without an authenticator in once more.
func (m *member) signedIn(ctx context.Context, tb testing.TB, p *program) *api {
	tb.Helper()
	a := newAPI(tb, p, "")
	if err := m.signsIn(ctx, a, ""); err != nil {
		tb.Fatal(err)
	}
	return a
}

// secure gives a person who is signed in an authenticator.
func (m *member) secure(ctx context.Context, tb testing.TB) {
	tb.Helper()
	var begun struct{ Secret string }
	if err := m.post(ctx, "/me/totp", struct{}{}, &begun); err != nil {
		tb.Fatal(err)
	}
	m.authenticator = begun.Secret
	if err := m.post(ctx, "/me/totp/confirmation", map[string]string{"code": m.code(tb, 0)}, nil); err != nil {
		tb.Fatal(err)
	}
}

// code is what the authenticator shows in so long.
func (m *member) code(tb testing.TB, in time.Duration) string {
	tb.Helper()
	code, err := totp.GenerateCode(m.authenticator, time.Now().Add(in))
	if err != nil {
		tb.Fatal(err)
	}
	return code
}

// codeStep is how long an authenticator shows a code.
const codeStep = 30 * time.Second

// signsIn signs a person in with name and password, and a code where it is not "".
func (m *member) signsIn(ctx context.Context, a *api, code string) error {
	body := map[string]string{"name": m.name, "password": pagePassword}
	if code != "" {
		body["code"] = code
	}
	return a.post(ctx, "/session", body, nil)
}

// isHere wants a person who is signed in to be who it was, with the one role.
func (m *member) isHere(ctx context.Context, t *testing.T, a *api) {
	t.Helper()
	type role struct {
		Role         string
		Organization string
	}
	type self struct {
		Name     string
		PersonID int64 `json:"person_id"`
		Roles    []role
	}
	var got self
	if err := a.ask(ctx, http.MethodGet, "/me", &got); err != nil {
		t.Error(err)
		return
	}
	if diff := cmp.Diff(self{m.name, m.id, []role{{"user", "/"}}}, got); diff != "" {
		t.Errorf("who is signed in (-want +got):\n%s", diff)
	}
}

// comesOver signs a person in on a server to which the store has moved: accounts, passwords, authenticators and grants are there.
func (m *member) comesOver(ctx context.Context, t *testing.T, p *program) {
	t.Helper()
	m.isHere(ctx, t, &m.api) // who was signed in stays signed in
	anew := newAPI(t, p, "")
	if err := m.signsIn(ctx, anew, ""); err == nil || !strings.Contains(err.Error(), "second-factor-needed") {
		t.Errorf("without a code the person was answered %v, want that a second factor is needed", err)
	}
	if err := m.signsIn(ctx, anew, m.code(t, codeStep)); err != nil {
		t.Errorf("with password and code: %v", err)
		return
	}
	m.isHere(ctx, t, anew)
}

// answered asks until the answer to a GET has this beginning of a status, such as "401", within the time that people are told; 200 for
// none. It gives how long that took.
func (a *api) answered(ctx context.Context, tb testing.TB, path, status string) time.Duration {
	tb.Helper()
	ctx, cancel := context.WithTimeout(ctx, failsafe)
	defer cancel()
	began := time.Now()
	for {
		err := a.ask(ctx, http.MethodGet, path, nil)
		if err == nil && status == "200" || err != nil && strings.Contains(err.Error(), ": "+status+" ") {
			return time.Since(began)
		}
		if !pause(ctx, retryEvery) {
			tb.Fatalf("GET %s was never answered %s, but: %v", path, status, err)
		}
	}
}

// on gives the session of a on another server.
func (a *api) on(other *api) *api {
	session := *other
	session.token, session.cookie = "", a.cookie
	return &session
}

// onlyOne does something on several servers at the same time: exactly one of them may do it.
func onlyOne(t *testing.T, what string, servers []*api, do func(a *api) error) (done *api) {
	t.Helper()
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, a := range servers {
		all.Go(func() { errs[i] = do(a) })
	}
	all.Wait()
	for i, err := range errs {
		if err == nil && done != nil {
			t.Fatalf("%s worked twice", what)
		}
		if err == nil {
			done = servers[i]
		}
	}
	if done == nil {
		t.Fatalf("%s worked nowhere: %v", what, errs)
	}
	return done
}

// TestSQLServerPeopleOfTwoServers lets people use two servers of one database: what works once works once over both, and what one of
// them takes away is soon gone on the other.
func TestSQLServerPeopleOfTwoServers(t *testing.T) {
	t.Parallel()
	north := newSite(t, onEngine(t), "north").ready(t)
	south := north.neighbour(t, "south")
	south.token = north.token
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pn, an := north.begin(ctx, t)
	ps, as := south.begin(ctx, t)
	both := func() []*api { return []*api{newAPI(t, pn, ""), newAPI(t, ps, "")} }
	took := map[string]time.Duration{}

	m := &member{name: "olga"}
	link := m.invite(ctx, t, an)
	took["person"] = as.answered(ctx, t, fmt.Sprintf("/people/%d", m.id), "200")
	m.api = *onlyOne(t, "a link", both(), func(a *api) error {
		return a.post(ctx, "/links", map[string]string{"secret": link, "password": pagePassword}, nil)
	})
	took["session here"] = m.on(an).answered(ctx, t, "/me", "200")
	took["session there"] = m.on(as).answered(ctx, t, "/me", "200")
	m.secure(ctx, t)
	for _, a := range both() { // a code is asked for on both before one is used
		for err := m.signsIn(ctx, a, ""); err == nil || !strings.Contains(err.Error(), "second-factor-needed"); err = m.signsIn(ctx, a, "") {
			if !pause(ctx, time.Second) {
				t.Fatalf("no code was asked for: %v", err)
			}
		}
	}
	code := m.code(t, codeStep)
	second := onlyOne(t, "a code", both(), func(a *api) error { return m.signsIn(ctx, a, code) })

	for _, a := range []*api{an, as} {
		second.on(a).answered(ctx, t, "/devices", "200")
		m.on(a).answered(ctx, t, "/devices", "200")
	}
	if err := second.on(an).act(ctx, http.MethodDelete, "/session", struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	took["session's end"] = second.on(as).answered(ctx, t, "/me", "401")
	m.isHere(ctx, t, m.on(as))

	why := map[string]string{"why": "no more with us"}
	if err := as.act(ctx, http.MethodDelete, fmt.Sprintf("/people/%d/grants/%d", m.id, m.grants[0].ID), why, nil); err != nil {
		t.Fatal(err)
	}
	took["grant's end"] = m.on(an).answered(ctx, t, "/devices", "403")
	if err := an.act(ctx, http.MethodPatch, fmt.Sprintf("/people/%d", m.id), map[string]string{"state": "disabled", "why": "gone"}, nil); err != nil {
		t.Fatal(err)
	}
	took["disabling"] = m.on(as).answered(ctx, t, "/me", "401")
	// The session may have ended before that server's copy of the people has followed.
	as.await(t, fmt.Sprintf("/people/%d", m.id), func(v map[string]any) bool { return v["state"] == "disabled" })
	for _, a := range both() {
		// One who may sign in would be asked for a code.
		if err := m.signsIn(ctx, a, ""); err == nil || !strings.Contains(err.Error(), "sign-in-failed") {
			t.Errorf("somebody who is disabled signs in and is answered %v", err)
		}
	}
	pn.stop(t)
	ps.stop(t)
	t.Logf("until it counted on the other server: %v", took)
}
