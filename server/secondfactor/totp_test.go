package secondfactor_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"halley"
	"halley/server/access"
	"halley/server/secondfactor"
	"halley/server/secondfactor/factortest"
	"halley/storage"
)

const (
	// noon is 2026-11-22T12:00:00Z, the begin of a time step.
	noon halley.Millis   = 1_795_348_800_000
	jana halley.PersonID = 7
	host                 = "https://halley.example:8443"
	// rfcSecret is the secret of the vectors of RFC 6238 for SHA-1, "12345678901234567890", in base32.
	rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

func by(now halley.Millis) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "session", Name: "jana"}, At: now}
}

// newServer gives the factors of one server over a store.
func newServer(store *factortest.Memory) *secondfactor.Factors {
	return secondfactor.New(secondfactor.Options{
		Store: store, Copy: func() secondfactor.Copy { return store.Copy() }, Issuer: "Halley",
		Hosts: []string{"Halley.Example", "192.0.2.7"},
	})
}

func codeAt(t *testing.T, secret string, at halley.Millis) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.UnixMilli(int64(at)))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// setUp gives jana an authenticator at noon and gives its secret and the recovery codes.
func setUp(t *testing.T, f *secondfactor.Factors) (secret string, codes []halley.Secret) {
	t.Helper()
	setup, err := f.BeginTOTP(t.Context(), jana, "jana", noon)
	if err != nil {
		t.Fatal(err)
	}
	codes, err = f.ConfirmTOTP(t.Context(), jana, codeAt(t, setup.Secret.Reveal(), noon), by(noon))
	if err != nil {
		t.Fatal(err)
	}
	return setup.Secret.Reveal(), codes
}

// codeOf gives the code of a failure, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	var e *halley.Error
	if e = asError(err); e == nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", e.Kind, e.Code)
}

var (
	notValid  = fmt.Sprintf("%d code-not-valid", halley.Unauthenticated)
	noPasskey = fmt.Sprintf("%d passkey-not-valid", halley.Unauthenticated)
)

// TestVectorsOfTheStandard holds the codes against appendix B of RFC 6238, cut to six digits.
func TestVectorsOfTheStandard(t *testing.T) {
	t.Parallel()
	for second, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step, ok := secondfactor.Matching(rfcSecret, code, halley.Millis(second)*halley.Second)
		if !ok || step != second/30 {
			t.Errorf("at %d: step %d, %v, want %d", second, step, ok, second/30)
		}
	}
}

func TestCodesOfOneStepEachWay(t *testing.T) {
	t.Parallel()
	code, err := hotp.GenerateCodeCustom(rfcSecret, uint64(noon/30_000), hotp.ValidateOpts{Digits: otp.DigitsSix})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		now  halley.Millis
		want bool
	}{
		"two steps early":       {noon - 30_001, false},
		"one step early":        {noon - 30_000, true},
		"at its begin":          {noon, true},
		"at its end":            {noon + 29_999, true},
		"at the end of slack":   {noon + 59_999, true},
		"after the end of that": {noon + 60_000, false},
	} {
		if _, ok := secondfactor.Matching(rfcSecret, code, tt.now); ok != tt.want {
			t.Errorf("%s: taken %v, want %v", name, ok, tt.want)
		}
	}
}

func TestSetupShowsWhatAuthenticatorsRead(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	setup, err := f.BeginTOTP(t.Context(), jana, "jana novák@brno", noon)
	if err != nil {
		t.Fatal(err)
	}
	uri, err := url.Parse(setup.URI.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	q := uri.Query()
	got := map[string]string{
		"scheme": uri.Scheme, "kind": uri.Host, "label": uri.Path, "secret": q.Get("secret"), "issuer": q.Get("issuer"),
		"digits": q.Get("digits"), "period": q.Get("period"), "algorithm": q.Get("algorithm"),
	}
	want := map[string]string{
		"scheme": "otpauth", "kind": "totp", "label": "/Halley:jana novák@brno", "secret": setup.Secret.Reveal(), "issuer": "Halley",
		"digits": "6", "period": "30", "algorithm": "SHA1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the address of the authenticator (-want +got):\n%s", diff)
	}
	if n := len(setup.Secret.Reveal()); n != 32 {
		t.Errorf("the secret has %d letters, want 32 for 160 bits", n)
	}
	data, ok := strings.CutPrefix(setup.QR.Reveal(), "data:image/png;base64,")
	picture, err := base64.StdEncoding.DecodeString(data)
	if err != nil || !ok {
		t.Fatalf("the picture is no data URI: %v", err)
	}
	if _, err = png.Decode(bytes.NewReader(picture)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	if shown := fmt.Sprintf("%v %+v", setup, setup); strings.Contains(shown, setup.Secret.Reveal()) {
		t.Error("the secret shows where a setup is printed")
	}
}

func TestAuthenticatorCountsOnceConfirmed(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	setup, err := f.BeginTOTP(t.Context(), jana, "jana", noon)
	if err != nil {
		t.Fatal(err)
	}
	secret := setup.Secret.Reveal()
	code := codeAt(t, secret, noon)
	if got := codeOf(f.CheckCode(t.Context(), jana, code, noon)); got != notValid {
		t.Errorf("before it was confirmed: %q", got)
	}
	if _, err = f.ConfirmTOTP(t.Context(), jana, "000000", by(noon)); codeOf(err) != notValid && code != "000000" {
		t.Errorf("a wrong code confirms: %v", err)
	}
	codes, err := f.ConfirmTOTP(t.Context(), jana, code, by(noon))
	if err != nil || len(codes) != 10 {
		t.Fatalf("%d recovery codes, %v", len(codes), err)
	}
	if got := codeOf(f.CheckCode(t.Context(), jana, code, noon)); got != notValid {
		t.Errorf("the code that confirmed signs in: %q", got)
	}
	have, err := f.Of(t.Context(), jana)
	if diff := cmp.Diff(access.Factors{TOTP: true, RecoveryCodes: 10}, have); diff != "" || err != nil {
		t.Errorf("factors %v (-want +got):\n%s", err, diff)
	}
	if _, err = f.BeginTOTP(t.Context(), jana, "jana", noon); halley.KindOf(err) != halley.Conflict {
		t.Errorf("a second authenticator takes the first one's place: %v", err)
	}
	if _, err = f.ConfirmTOTP(t.Context(), jana, code, by(noon)); halley.KindOf(err) != halley.Conflict {
		t.Errorf("confirming twice: %v", err)
	}
	if diff := cmp.Diff([]string{"person.factor", "person.factor"}, store.Audited()); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func TestSetupEnds(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, f *secondfactor.Factors, wrong string) halley.Millis{
		"after ten minutes": func(*testing.T, *secondfactor.Factors, string) halley.Millis { return noon + 10*halley.Minute },
		"after ten wrong codes": func(t *testing.T, f *secondfactor.Factors, wrong string) halley.Millis {
			for range 10 {
				if _, err := f.ConfirmTOTP(t.Context(), jana, wrong, by(noon)); codeOf(err) != notValid {
					t.Fatalf("a wrong code: %v", err)
				}
			}
			return noon
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newServer(&factortest.Memory{})
			setup, err := f.BeginTOTP(t.Context(), jana, "jana", noon)
			if err != nil {
				t.Fatal(err)
			}
			now := spoil(t, f, "no code")
			_, err = f.ConfirmTOTP(t.Context(), jana, codeAt(t, setup.Secret.Reveal(), now), by(now))
			if halley.KindOf(err) != halley.Conflict {
				t.Errorf("the right code: %v, want conflict", err)
			}
		})
	}
}

func TestCodeWorksOnce(t *testing.T) {
	t.Parallel()
	f := newServer(&factortest.Memory{})
	secret, _ := setUp(t, f)
	later := noon + halley.Minute
	spaced := codeAt(t, secret, later)[:3] + " " + codeAt(t, secret, later)[3:]
	for i, tt := range []struct {
		code string
		now  halley.Millis
		want string
	}{
		{codeAt(t, secret, later), later, ""},
		{codeAt(t, secret, later), later, notValid},
		{spaced, later + halley.Second, notValid},
		{codeAt(t, secret, later-30*halley.Second), later, notValid}, // of an earlier step, not used yet
		{codeAt(t, secret, later+30*halley.Second), later, ""},       // of the next one
		{codeAt(t, secret, later+30*halley.Second), later + 30*halley.Second, notValid},
		{"", later + halley.Hour, notValid},
		{"1", later + halley.Hour, notValid},
		{strings.Repeat("1", 5000), later + halley.Hour, notValid},
		{codeAt(t, secret, later+halley.Hour), later + halley.Hour, ""},
	} {
		if got := codeOf(f.CheckCode(t.Context(), jana, tt.code, tt.now)); got != tt.want {
			t.Errorf("attempt %d: %q, want %q", i+1, got, tt.want)
		}
	}
}

// TestCodeWorksOnceOnTwoServers plays the same code to two servers at the same time, many times over.
func TestCodeWorksOnceOnTwoServers(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	servers := []*secondfactor.Factors{newServer(store), newServer(store)}
	secret, _ := setUp(t, servers[0])
	for round := range 50 {
		now := noon + halley.Millis(round+2)*halley.Minute
		code := codeAt(t, secret, now)
		var taken atomic.Int32
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range 6 {
			all.Go(func() {
				<-begin
				if servers[i%2].CheckCode(t.Context(), jana, code, now) == nil {
					taken.Add(1)
				}
			})
		}
		close(begin)
		all.Wait()
		if taken.Load() != 1 {
			t.Fatalf("round %d: the code was taken %d times", round, taken.Load())
		}
	}
}

// TestOvertakenCodeIsLookedAtAgain has another server use a code between reading and noting.
func TestOvertakenCodeIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	one, other := newServer(store), newServer(store)
	secret, _ := setUp(t, one)
	now := noon + halley.Hour
	next := codeAt(t, secret, now+30*halley.Second)
	store.BeforeChange(func() {
		if err := other.CheckCode(t.Context(), jana, codeAt(t, secret, now), now); err != nil {
			t.Error(err)
		}
	})
	if err := one.CheckCode(t.Context(), jana, next, now); err != nil {
		t.Errorf("the next code: %v", err)
	}
	now += halley.Hour
	code := codeAt(t, secret, now)
	store.BeforeChange(func() {
		if err := other.CheckCode(t.Context(), jana, code, now); err != nil {
			t.Error(err)
		}
	})
	if got := codeOf(one.CheckCode(t.Context(), jana, code, now)); got != notValid {
		t.Errorf("the same code: %q", got)
	}
}

func TestCodesWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	secret, codes := setUp(t, f)
	store.Away(true)
	now := noon + halley.Minute
	check := func(f *secondfactor.Factors, code string, now halley.Millis, want string) {
		t.Helper()
		if got := codeOf(f.CheckCode(t.Context(), jana, code, now)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(f, codeAt(t, secret, now), now, "")
	check(f, codeAt(t, secret, now), now, notValid)
	if have, err := f.Of(t.Context(), jana); err != nil || !have.TOTP || have.RecoveryCodes != 10 {
		t.Errorf("factors %v, %v", have, err)
	}
	if err := f.CheckCode(t.Context(), jana, codes[0].Reveal(), now); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("a recovery code: %v, want unavailable", err)
	}
	// A program that began a moment ago does not know what the one before it took.
	anew := secondfactor.New(secondfactor.Options{
		Store: store, Copy: func() secondfactor.Copy { return store.Copy() }, Issuer: "Halley", StartedAt: now,
	})
	check(anew, codeAt(t, secret, now), now, notValid)
	check(anew, codeAt(t, secret, now+halley.Minute), now+halley.Minute, "")
	// Back again, the store has not heard of the code that was used meanwhile, but memory has.
	store.Away(false)
	check(f, codeAt(t, secret, now), now, notValid)
	check(f, codeAt(t, secret, now+2*halley.Minute), now+2*halley.Minute, "")
}

func TestRecoveryCodesWorkOnceEach(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	_, codes := setUp(t, f)
	seen := map[string]bool{}
	for _, c := range codes {
		seen[c.Reveal()] = true
	}
	if len(seen) != 10 {
		t.Fatalf("%d different codes, want 10", len(seen))
	}
	lower := strings.ToLower(strings.ReplaceAll(codes[1].Reveal(), "-", " "))
	for i, tt := range []struct {
		person halley.PersonID
		code   string
		want   string
	}{
		{jana + 1, codes[0].Reveal(), notValid}, // somebody else's
		{jana, codes[0].Reveal(), ""},
		{jana, codes[0].Reveal(), notValid},
		{jana, lower, ""},
		{jana, codes[1].Reveal(), notValid},
		{jana, "AAAA-BBBB-CCCC-DDDD", notValid},
	} {
		if got := codeOf(f.CheckCode(t.Context(), tt.person, tt.code, noon)); got != tt.want {
			t.Errorf("attempt %d: %q, want %q", i+1, got, tt.want)
		}
	}
	anew, err := f.NewRecoveryCodes(t.Context(), jana, by(noon))
	if err != nil {
		t.Fatal(err)
	}
	if got := codeOf(f.CheckCode(t.Context(), jana, codes[2].Reveal(), noon)); got != notValid {
		t.Errorf("a former code: %q", got)
	}
	if got := codeOf(f.CheckCode(t.Context(), jana, anew[9].Reveal(), noon)); got != "" {
		t.Errorf("a new code: %q", got)
	}
	all, err := store.Secrets(t.Context(), jana)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		held, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range anew {
			plain := strings.ReplaceAll(c.Reveal(), "-", "")
			if bytes.Contains(held, []byte(plain)) || bytes.Contains(s.Data, []byte(plain)) {
				t.Error("a recovery code is stored in the clear")
			}
		}
	}
}

func TestOneOfManyUsesOfARecoveryCodeWins(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	servers := []*secondfactor.Factors{newServer(store), newServer(store)}
	_, codes := setUp(t, servers[0])
	var taken atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if servers[i%2].CheckCode(t.Context(), jana, codes[3].Reveal(), noon) == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("the code was taken %d times", taken.Load())
	}
}

func TestRemovedAuthenticatorTakesItsRecoveryCodesAlong(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	secret, _ := setUp(t, f)
	if err := f.RemoveTOTP(t.Context(), jana, by(noon)); err != nil {
		t.Fatal(err)
	}
	have, err := f.Of(t.Context(), jana)
	if diff := cmp.Diff(access.Factors{}, have); diff != "" || err != nil {
		t.Errorf("factors %v (-want +got):\n%s", err, diff)
	}
	now := noon + halley.Hour
	if got := codeOf(f.CheckCode(t.Context(), jana, codeAt(t, secret, now), now)); got != notValid {
		t.Errorf("a code of the removed one: %q", got)
	}
	if err = f.RemoveTOTP(t.Context(), jana, by(noon)); halley.KindOf(err) != halley.NotFound {
		t.Errorf("removing it again: %v", err)
	}
}

func TestBrokenSecretIsAFault(t *testing.T) {
	t.Parallel()
	store := &factortest.Memory{}
	f := newServer(store)
	s := storage.Secret{Kind: storage.SecretTOTP, Key: "7", PersonID: jana, Data: []byte("no JSON")}
	if err := store.SetSecret(t.Context(), s, nil, "", by(noon)); err != nil {
		t.Fatal(err)
	}
	if err := f.CheckCode(t.Context(), jana, "123456", noon); err == nil || halley.KindOf(err) != halley.Internal {
		t.Errorf("error = %v, want an internal one", err)
	}
}
