package storage_test

import (
	"strings"
	"testing"
	"unicode"

	"halley/storage"
)

func TestNamesThatAreTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, a, b string
		same       bool
	}{
		{"upper and lower case", "Eva Novak", "eVA nOVAK", true},
		{"composed and decomposed letters", "Nov\u00e1kov\u00e1", "Nova\u0301kova\u0301", true},
		{"blanks around", " eva ", "eva", true},
		{"a sharp s in capitals", "Straße", "STRASSE", true},
		{"a sigma at the end of a word", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3", true},
		{"full-width letters", "\uff45\uff56\uff41", "eva", true},
		{"the sign of the ångström", "\u212b", "å", true},
		{"a ligature", "\ufb01lip", "Filip", true},
		{"an accent", "eva", "éva", false},
		{"a blank within", "eva novak", "evanovak", false},
		{"the i without a dot", "\u0131", "i", false},
		{"letters of another alphabet", "eva", "\u0435v\u0430", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if got := storage.NameKey(c.a) == storage.NameKey(c.b); got != c.same {
				t.Errorf("NameKey(%q) = %q and NameKey(%q) = %q, want them the same: %v",
					c.a, storage.NameKey(c.a), c.b, storage.NameKey(c.b), c.same)
			}
		})
	}
}

func FuzzPersonName(f *testing.F) {
	for _, name := range []string{"eva", "Eva Nováková", "Straße", "\u212b", "a\u0301", "\u0130", "\u1e9e", "\u0345", "\u3164", "a\xff", "\ufdfa", "𐐀"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key := storage.NameKey(name)
		kept, why := storage.PersonName(name)
		if (kept == "") != (why != "") {
			t.Fatalf("PersonName(%q) = %q, %q", name, kept, why)
		}
		if why != "" {
			return
		}
		if storage.NameKey(kept) != key || key == "" {
			t.Errorf("%q is kept as %q, and the keys are %q and %q", name, kept, key, storage.NameKey(kept))
		}
		if again, why := storage.PersonName(kept); again != kept || why != "" {
			t.Errorf("%q is kept as %q, which is kept as %q (%s)", name, kept, again, why)
		}
		if strings.ContainsFunc(kept, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%q is kept as %q, which has what is not to be seen", name, kept)
		}
	})
}
