package passwords_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"halley"
	"halley/server/passwords"
)

var cheap = passwords.Parameters{MemoryKiB: 8, Passes: 1, Lanes: 1}

func TestHashIsInPHCFormAndFitsItsPasswordAlone(t *testing.T) {
	t.Parallel()
	h := passwords.New(passwords.Standard())
	hash, err := h.Hash(t.Context(), "", "Caf\u00e9-to-Zlin.60")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "Zlin") {
		t.Errorf("hash %q", hash)
	}
	if again, _ := h.Hash(t.Context(), "", "Caf\u00e9-to-Zlin.60"); again == hash {
		t.Error("two hashes of one password have the same salt")
	}
	for password, want := range map[halley.Secret]bool{
		"Caf\u00e9-to-Zlin.60": true, "Cafe\u0301-to-Zlin.60": true, "caf\u00e9-to-Zlin.60": false, "": false,
	} {
		ok, weaker, err := h.Verify(t.Context(), "", hash, password)
		if ok != want || weaker || err != nil {
			t.Errorf("%d bytes: fits %v, weaker %v, %v, want %v", len(password), ok, weaker, err, want)
		}
	}
}

// The hash is what the reference program gives: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1.
func TestHashOfAnotherProgramIsRead(t *testing.T) {
	t.Parallel()
	h := passwords.New(passwords.Standard())
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, weaker, err := h.Verify(t.Context(), "", hash, "password")
	if !ok || weaker || err != nil {
		t.Errorf("fits %v, weaker %v, %v", ok, weaker, err)
	}
}

func TestWhatIsNoHashFitsNothingAndIsTheSameWork(t *testing.T) {
	t.Parallel()
	h := passwords.New(cheap)
	for _, hash := range []string{
		"", "plain", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=8,t=1,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=8,t=1,p=1$!!$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=+8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	} {
		before := h.Work()
		ok, weaker, err := h.Verify(t.Context(), "", hash, "password")
		if ok || weaker || err != nil || h.Work() != before+1 {
			t.Errorf("%q: fits %v, weaker %v, %v after %d hashes", hash, ok, weaker, err, h.Work()-before)
		}
	}
}

func TestWeakerHashIsSeen(t *testing.T) {
	t.Parallel()
	weak, err := passwords.New(cheap).Hash(t.Context(), "", "x")
	if err != nil {
		t.Fatal(err)
	}
	ok, weaker, err := passwords.New(passwords.Parameters{MemoryKiB: 16, Passes: 1, Lanes: 1}).Verify(t.Context(), "", weak, "x")
	if !ok || !weaker || err != nil {
		t.Errorf("fits %v, weaker %v, %v", ok, weaker, err)
	}
}

// However many come, a bounded number waits, and of one place not all of them.
func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := passwords.New(cheap)
		release := passwords.Occupy(h)
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		wait := func(from string, n int) {
			for range n {
				all.Go(func() { _, _ = h.Hash(ctx, from, "x") })
			}
			synctest.Wait()
		}
		refused := func(from string) bool {
			_, _, err := h.Verify(ctx, from, "", "x")
			busy, ok := errors.AsType[*passwords.BusyError](err)
			return ok && halley.KindOf(err) == halley.TooMany && busy.RetryAfter() > 0
		}
		wait("a", 16)
		if !refused("a") {
			t.Error("the seventeenth of one place was let in")
		}
		wait("b", 16)
		wait("c", 16)
		wait("d", 16)
		if !refused("e") {
			t.Error("the sixty-fifth of all was let in")
		}
		leave()
		all.Wait()
		release()
		if _, err := h.Hash(t.Context(), "a", "x"); err != nil {
			t.Errorf("once there is room: %v", err)
		}
	})
}

func TestRule(t *testing.T) {
	t.Parallel()
	usual := passwords.Rule{Length: 8, Digit: true, Upper: true, Special: true}
	tests := map[string]struct {
		rule     passwords.Rule
		password halley.Secret
		want     string // in the message; "" for a password that may be
	}{
		"three words":                        {usual, "Tram-to-Holesov.58", ""},
		"letters of other alphabets":         {usual, "Žluťoučký-kůň7", ""},
		"a word with a number of one's own":  {usual, "Sunshine#4711", ""},
		"a phrase without a rule":            {passwords.Rule{Length: 8}, "ferry over morava", ""},
		"too short":                          {usual, "Aa1-", "at least 8 characters"},
		"too short and without all else":     {usual, "abc", "at least 8 characters, and a digit, an upper-case letter and a special"},
		"no digit":                           {usual, "Tram-to-Holesov", "lacks a digit"},
		"no upper case":                      {usual, "tram-to-holesov.58", "lacks an upper-case letter"},
		"no lower case where it is asked":    {passwords.Rule{Length: 8, Lower: true}, "TRAM.TO.58", "lacks a lower-case letter"},
		"no special character":               {usual, "Tramtoholesov58", "lacks a special character"},
		"too long":                           {usual, halley.Secret("Aa1-" + strings.Repeat("tramvaj", 40)), "at most 200"},
		"a character that cannot be typed":   {usual, "Tram-to\x00Holesov.58", "can be typed"},
		"a common one":                       {passwords.Rule{}, "password", "many people use"},
		"a common one for the rule":          {usual, "Password1!", "many people use"},
		"with signs for letters":             {usual, "P@ssw0rd!", "many people use"},
		"with a year":                        {usual, "Summer2026!", "many people use"},
		"with a year before":                 {usual, "2026-Sommer", "many people use"},
		"with a row of digits":               {usual, "Welcome12345#", "many people use"},
		"a row of keys":                      {usual, "Qwertz123!", "many people use"},
		"of another language":                {usual, "Heslo-123", "many people use"},
		"full width letters":                 {usual, "Ｐａｓｓｗｏｒｄ1!", "many people use"},
		"two characters again and again":     {usual, "Aa1Aa1Aa1", "lacks a special"},
		"three characters again and again":   {passwords.Rule{Length: 8}, "abcabcaabb", "many people use"},
		"the name":                           {usual, "Dvorak-2026", "your name"},
		"the name and the full name":         {usual, "JanaDvorak1!", "your name"},
		"the name with signs for letters":    {usual, "Dv0r@k#1", "your name"},
		"the name in something of one's own": {usual, "Dvorak-likes-Tea-58", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.rule.Check(tt.password, "dvorak", "Jana Dvorak")
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*halley.Error](err)
			if !ok || e.Code != "password-refused" || e.Field != "password" || !strings.Contains(e.Message, tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
	if err := usual.Check("Halley-2026!"); err == nil {
		t.Error("the product's own name was taken")
	}
}
