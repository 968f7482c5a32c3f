package secondfactor_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/secondfactor"
	"halley/server/secondfactor/factortest"
)

func asError(err error) *halley.Error {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e
	}
	return nil
}

func now() halley.Millis { return halley.MillisOf(time.Now()) }

// withPasskey gives jana a passkey at the viewer's address.
func withPasskey(t *testing.T, f *secondfactor.Factors) *factortest.Authenticator {
	t.Helper()
	a, err := factortest.NewAuthenticator(host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = add(t, f, a); err != nil {
		t.Fatal(err)
	}
	return a
}

// add adds a passkey for jana.
func add(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) (secondfactor.Passkey, error) {
	t.Helper()
	options, err := f.PasskeyOptions(t.Context(), secondfactor.Person{ID: jana, Name: "jana"}, host, now())
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.Make(options)
	if err != nil {
		t.Fatal(err)
	}
	n := secondfactor.NewPasskey{PersonID: jana, Name: "blue key", Credential: made, Origin: host}
	return f.AddPasskey(t.Context(), n, by(now()))
}

// begin begins a proof of jana.
func begin(t *testing.T, f *secondfactor.Factors) (options json.RawMessage, state []byte) {
	t.Helper()
	options, state, err := f.BeginPasskey(t.Context(), jana, host)
	if err != nil {
		t.Fatal(err)
	}
	return options, state
}

func use(t *testing.T, a *factortest.Authenticator, options json.RawMessage) json.RawMessage {
	t.Helper()
	answer, err := a.Use(options)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// prove signs in with a passkey.
func prove(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
	t.Helper()
	options, state := begin(t, f)
	return f.FinishPasskey(t.Context(), jana, state, use(t, a, options), host)
}

func TestPasskeyProves(t *testing.T) {
	t.Parallel()
	for name, still := range map[string]bool{"with a counter": false, "without a counter": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &factortest.Memory{}
			f := newServer(store)
			a := withPasskey(t, f)
			a.Still = still
			for range 3 {
				if err := prove(t, f, a); err != nil {
					t.Fatal(err)
				}
			}
			have, err := f.Of(t.Context(), jana)
			if diff := cmp.Diff(access.Factors{Passkeys: 1}, have); diff != "" || err != nil {
				t.Errorf("factors %v (-want +got):\n%s", err, diff)
			}
			list, err := f.Passkeys(t.Context(), jana)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			want := secondfactor.Passkey{ID: a.ID(), Name: "blue key", Host: "halley.example", AddedAt: list[0].AddedAt}
			if diff := cmp.Diff(want, list[0]); diff != "" {
				t.Errorf("passkey (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"person.factor"}, store.Audited()); diff != "" {
				t.Errorf("audit (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOptionsAskForASecondFactor looks at what browsers are asked for.
func TestOptionsAskForASecondFactor(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	options, err := f.PasskeyOptions(t.Context(), secondfactor.Person{ID: jana, Name: "jana", FullName: "Jana Nováková"}, host, noon)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		PublicKey struct {
			RP                     struct{ ID, Name string }
			User                   struct{ ID, Name, DisplayName string }
			Attestation            string
			AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		}
	}
	if err = json.Unmarshal(options, &got); err != nil {
		t.Fatal(err)
	}
	k := got.PublicKey
	have := []string{
		k.RP.ID, k.RP.Name, k.User.Name, k.User.DisplayName,
		k.AuthenticatorSelection.ResidentKey, k.AuthenticatorSelection.UserVerification,
	}
	want := []string{"halley.example", "Halley", "jana", "Jana Nováková", "discouraged", "preferred"}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("options (-want +got):\n%s\n%s", diff, options)
	}
	if k.Attestation != "" && k.Attestation != "none" {
		t.Errorf("attestation %q is asked for", k.Attestation)
	}
}

func TestPasskeysWorkAtNamedAddressesByHTTPS(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	for origin, want := range map[string]bool{
		"https://halley.example:8443": true, "https://halley.example": true, "https://localhost:8443": true, "https://HALLEY.example": true,
		"http://halley.example:8443": false, "https://192.0.2.7:8443": false, "https://[::1]:8443": false, "https://other.example": false,
		"https://evil.halley.example": false, "https://halley.example.evil.org": false, "https://halley.example:8443/path": false,
		"https://jana@halley.example": false, "null": false, "": false, "halley.example": false, "https://halley.example?x": false,
	} {
		if got := f.Hosted(origin); got != want {
			t.Errorf("%q: offered %v, want %v", origin, got, want)
		}
		_, err := f.PasskeyOptions(t.Context(), secondfactor.Person{ID: jana, Name: "jana"}, origin, noon)
		if (err == nil) != want || err != nil && halley.KindOf(err) != halley.Conflict {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

// TestAttacksOnPasskeys answers a challenge in ways that must not be taken.
func TestAttacksOnPasskeys(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error{
		"an answer at another origin": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			a.Origin = "https://evil.example"
			return prove(t, f, a)
		},
		"an answer at a name that begins alike": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			a.Origin = "https://halley.example.evil.org:8443"
			return prove(t, f, a)
		},
		"a signature for another site": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			a.RPID = "evil.example"
			return prove(t, f, a)
		},
		"another key under the same id": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			other, err := factortest.NewAuthenticator(host)
			if err != nil {
				t.Fatal(err)
			}
			id := a.Clone()
			raw, err := rawID(id)
			if err != nil {
				t.Fatal(err)
			}
			other.SetID(raw)
			return prove(t, f, other)
		},
		"the answer to another challenge": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			former, _ := begin(t, f)
			_, state := begin(t, f)
			return f.FinishPasskey(t.Context(), jana, state, use(t, a, former), host)
		},
		"the state of somebody else": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			options, state := begin(t, f)
			return f.FinishPasskey(t.Context(), jana+1, state, use(t, a, options), host)
		},
		"the same answer again": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			a.Still = true // so that the counter does not give it away
			options, state := begin(t, f)
			answer := use(t, a, options)
			if err := f.FinishPasskey(t.Context(), jana, state, answer, host); err != nil {
				t.Fatal(err)
			}
			return f.FinishPasskey(t.Context(), jana, state, answer, host)
		},
		"a second answer to the same challenge": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			options, state := begin(t, f)
			if err := f.FinishPasskey(t.Context(), jana, state, use(t, a, options), host); err != nil {
				t.Fatal(err)
			}
			return f.FinishPasskey(t.Context(), jana, state, use(t, a, options), host)
		},
		"a removed passkey": func(t *testing.T, f *secondfactor.Factors, a *factortest.Authenticator) error {
			options, state := begin(t, f)
			if err := f.RemovePasskey(t.Context(), jana, a.ID(), by(now())); err != nil {
				t.Fatal(err)
			}
			return f.FinishPasskey(t.Context(), jana, state, use(t, a, options), host)
		},
		"no answer": func(t *testing.T, f *secondfactor.Factors, _ *factortest.Authenticator) error {
			_, state := begin(t, f)
			return f.FinishPasskey(t.Context(), jana, state, json.RawMessage(`{}`), host)
		},
		"null": func(t *testing.T, f *secondfactor.Factors, _ *factortest.Authenticator) error {
			_, state := begin(t, f)
			return f.FinishPasskey(t.Context(), jana, state, json.RawMessage(`null`), host)
		},
	}
	for name, attack := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newServer(&factortest.Memory{})
			if got := codeOf(attack(t, f, withPasskey(t, f))); got != noPasskey {
				t.Errorf("%q, want %q", got, noPasskey)
			}
		})
	}
}

func TestPasskeyCopyIsNoticed(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	a := withPasskey(t, f)
	clone := a.Clone()
	for range 3 {
		if err := prove(t, f, a); err != nil {
			t.Fatal(err)
		}
	}
	if got := codeOf(prove(t, f, clone)); got != noPasskey {
		t.Fatalf("the copy: %q", got)
	}
	list, err := f.Passkeys(t.Context(), jana)
	if err != nil || len(list) != 1 || !list[0].Copied {
		t.Errorf("passkeys %v, %v, want one that is marked as copied", list, err)
	}
	if options, state, err := f.BeginPasskey(t.Context(), jana, host); options != nil || state != nil || err != nil {
		t.Errorf("the passkey is asked for on: %s, %v", options, err)
	}
	if diff := cmp.Diff([]string{"person.factor", "person.factor"}, store.Audited()); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func TestPasskeysWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	a := withPasskey(t, f)
	store.Away(true)
	clone := a.Clone()
	for range 2 {
		if err := prove(t, f, a); err != nil {
			t.Fatal(err)
		}
	}
	if got := codeOf(prove(t, f, clone)); got != noPasskey {
		t.Errorf("a copy while the store is away: %q", got)
	}
	a.Still = true
	options, state := begin(t, f)
	answer := use(t, a, options)
	_ = f.FinishPasskey(t.Context(), jana, state, answer, host)
	if got := codeOf(f.FinishPasskey(t.Context(), jana, state, answer, host)); got != noPasskey {
		t.Errorf("the same answer again while the store is away: %q", got)
	}
	store.Away(false)
	a.Still = false
	if err := prove(t, f, a); err != nil {
		t.Errorf("when the store is back: %v", err)
	}
	if got := codeOf(prove(t, f, clone)); got != noPasskey {
		t.Errorf("the copy when the store is back: %q", got)
	}
}

func TestPasskeyIsAskedForWhereItWorks(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	withPasskey(t, f)
	for origin, want := range map[string]bool{
		host: true, "https://halley.example": true, "https://localhost:8443": false, "https://192.0.2.7:8443": false,
		"http://halley.example": false, "": false,
	} {
		options, state, err := f.BeginPasskey(t.Context(), jana, origin)
		if err != nil || (options != nil) != want || (state != nil) != want {
			t.Errorf("%q: asked for %v, %v, want %v", origin, options != nil, err, want)
		}
	}
}

func TestOneAnswerOnTwoServers(t *testing.T) {
	t.Parallel()
	for range 20 {
		store := &factortest.Memory{}
		servers := []*secondfactor.Factors{newServer(store), newServer(store)}
		a := withPasskey(t, servers[0])
		a.Still = true
		options, state := begin(t, servers[0])
		answer := use(t, a, options)
		var taken atomic.Int32
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if servers[i%2].FinishPasskey(t.Context(), jana, state, answer, host) == nil {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 {
			t.Fatalf("the answer was taken %d times", taken.Load())
		}
	}
}

func TestProofEndsAfterTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newServer(&factortest.Memory{})
		a := withPasskey(t, f)
		options, state := begin(t, f)
		answer := use(t, a, options)
		timer := time.NewTimer(10 * time.Minute)
		<-timer.C
		if got := codeOf(f.FinishPasskey(t.Context(), jana, state, answer, host)); got != noPasskey {
			t.Errorf("%q, want %q", got, noPasskey)
		}
	})
}

func TestPasskeysThatCannotBeAdded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(a *factortest.Authenticator)
		want  halley.Kind
	}{
		"made at another origin":  {func(a *factortest.Authenticator) { a.Origin = "https://evil.example" }, halley.Invalid},
		"made for another site":   {func(a *factortest.Authenticator) { a.RPID = "evil.example" }, halley.Invalid},
		"with an id without end":  {func(a *factortest.Authenticator) { a.SetID([]byte(strings.Repeat("x", 301))) }, halley.Invalid},
		"with an empty id":        {func(a *factortest.Authenticator) { a.SetID(nil) }, halley.Invalid},
		"that somebody has added": {func(a *factortest.Authenticator) { a.SetID([]byte("taken")) }, halley.Conflict},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newServer(&factortest.Memory{})
			first, err := factortest.NewAuthenticator(host)
			if err != nil {
				t.Fatal(err)
			}
			first.SetID([]byte("taken"))
			if _, err = add(t, f, first); err != nil {
				t.Fatal(err)
			}
			a, err := factortest.NewAuthenticator(host)
			if err != nil {
				t.Fatal(err)
			}
			tt.spoil(a)
			if _, err = add(t, f, a); halley.KindOf(err) != tt.want || err == nil {
				t.Errorf("error = %v, want kind %d", err, tt.want)
			}
		})
	}
}

func TestAnswerThatNobodyAskedForAddsNothing(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	a := withPasskey(t, f)
	n := secondfactor.NewPasskey{PersonID: jana, Name: "again", Credential: json.RawMessage(`{}`), Origin: host}
	if _, err := f.AddPasskey(t.Context(), n, by(now())); halley.KindOf(err) != halley.Conflict {
		t.Errorf("without being asked: %v", err)
	}
	if err := f.RemovePasskey(t.Context(), jana+1, a.ID(), by(now())); halley.KindOf(err) != halley.NotFound {
		t.Errorf("somebody else's passkey is removed: %v", err)
	}
}

func TestTenPasskeysAreEnough(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	for range 10 {
		withPasskey(t, f)
	}
	_, err := f.PasskeyOptions(t.Context(), secondfactor.Person{ID: jana, Name: "jana"}, host, now())
	if halley.KindOf(err) != halley.Conflict {
		t.Errorf("an eleventh: %v", err)
	}
}

func rawID(a *factortest.Authenticator) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(a.ID())
}
