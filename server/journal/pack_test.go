package journal_test

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/server/journal"
)

func TestDecodingAPackGivesWhatWasEncoded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "entries")
		first := rapid.Uint64Range(1, math.MaxInt64-100).Draw(t, "first")
		want := make([]journal.Entry, n)
		micros := rapid.Int64Range(-1<<50, 1<<52).Draw(t, "micros")
		for i := range want {
			want[i] = journal.Entry{
				Seq: first + uint64(i), ReceivedMicros: micros,
				Kind:           journal.Kind(rapid.Byte().Draw(t, "kind")),
				Family:         halley.Family(rapid.String().Draw(t, "family")),
				Serial:         rapid.String().Draw(t, "serial"),
				EntryPoint:     rapid.Int64().Draw(t, "entry point"),
				Admission:      rapid.Byte().Draw(t, "admission"),
				Quarantine:     rapid.String().Draw(t, "quarantine"),
				OriginalMicros: rapid.Int64().Draw(t, "original micros"),
				OriginalSeq:    rapid.Uint64().Draw(t, "original seq"),
			}
			if body := rapid.SliceOf(rapid.Byte()).Draw(t, "body"); len(body) > 0 {
				want[i].Body = body
			}
			micros += rapid.Int64Range(1, 1<<40).Draw(t, "delta")
		}
		b := journal.EncodeEntries(want)
		got, err := journal.DecodeEntries(b, first, n, want[0].ReceivedMicros)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("decoding gave %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestDecodingRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	entries := []journal.Entry{upload(1), upload(2)}
	entries[0].ReceivedMicros, entries[1].ReceivedMicros = 1_000_000, 1_000_001
	b := journal.EncodeEntries(entries)
	decode := func(b []byte, count int, micros int64) error {
		_, err := journal.DecodeEntries(b, 1, count, micros)
		return err
	}
	if err := decode(b, 2, 1_000_000); err != nil {
		t.Fatalf("decoding what was encoded: %v", err)
	}
	for n := range b {
		if decode(b[:n], 2, 1_000_000) == nil {
			t.Errorf("cut after %d of %d bytes it was decoded", n, len(b))
		}
	}
	cases := map[string]error{
		"a byte too many":  decode(append(slices.Clip(b), 0), 2, 1_000_000),
		"too few entries":  decode(b, 3, 1_000_000),
		"too many entries": decode(b, 1, 1_000_000),
		"no entries":       decode(b, 0, 1_000_000),
		"less than none":   decode(b, -1, 1_000_000),
		"far too many":     decode(b, math.MaxInt, 1_000_000),
		"another time":     decode(b, 2, 1_000_001),
		"another layout":   decode(append([]byte{2}, b[1:]...), 2, 1_000_000),
	}
	for name, err := range cases {
		if err == nil {
			t.Errorf("%s was decoded", name)
		}
	}
}

func FuzzDecodeEntries(f *testing.F) {
	entries := []journal.Entry{upload(1), {Kind: journal.Release, OriginalMicros: -5, OriginalSeq: 9, Quarantine: "new"}}
	entries[0].ReceivedMicros, entries[1].ReceivedMicros = 1_700_000_000_000_000, 1_700_000_000_000_001
	f.Add(journal.EncodeEntries(entries), 2, int64(1_700_000_000_000_000))
	f.Fuzz(func(t *testing.T, b []byte, count int, micros int64) {
		got, err := journal.DecodeEntries(b, 1, count, micros)
		if err == nil && len(got) != count {
			t.Errorf("decoding gave %d entries, want %d", len(got), count)
		}
	})
}

func TestDictionaryIDIsOfTheContentAndNotReserved(t *testing.T) {
	t.Parallel()
	seen := map[uint32]bool{}
	for n := range 1000 {
		id := journal.DictionaryID([]byte{byte(n), byte(n >> 8)})
		if seen[id] || id < 1<<15 || bits.Len32(id) > 31 {
			t.Errorf("the id %d of dictionary %d is reserved or was given before", id, n)
		}
		seen[id] = true
	}
	for id, want := range map[string]uint32{"": 1672594498, "x": 762385986} { // the ids are in files: they never change
		if got := journal.DictionaryID([]byte(id)); got != want {
			t.Errorf("the id of %q is %d, want %d", id, got, want)
		}
	}
}
