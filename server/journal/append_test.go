package journal_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
)

func TestAppendKeepsEveryField(t *testing.T) {
	t.Parallel()
	everything := make([]byte, 256)
	for i := range everything {
		everything[i] = byte(i)
	}
	cases := map[string]journal.Entry{
		"an upload": {Kind: journal.Upload, Family: halley.WiFi, Serial: "21961234", Body: []byte(`{"Type":2}`)},
		"an upload through an entry point": {
			Kind: journal.Upload, Family: halley.WebSensor, Serial: "13960009", EntryPoint: 1<<62 + 1, Admission: 1, Body: []byte("<x/>"),
		},
		"a body that names no device": {Kind: journal.Upload, Quarantine: "not-understood", Admission: 2, Body: everything},
		"a release with its first receipt": {
			Kind: journal.Release, Family: halley.Modem, Serial: "1", OriginalMicros: 1_700_000_000_123_456, OriginalSeq: 1<<63 - 1,
			Body: []byte("[]"),
		},
		"a release from before 1970":    {Kind: journal.Release, OriginalMicros: -1, OriginalSeq: 7},
		"an event":                      {Kind: journal.Event, Body: []byte(`{"event":"start"}`)},
		"a kind that came later":        {Kind: 255, EntryPoint: -1, Admission: 255},
		"no body":                       {Kind: journal.Upload, Family: halley.TAx6xx, Serial: "22960001"},
		"texts of the greatest length":  {Kind: journal.Upload, Family: halley.Family(strings.Repeat("f", 1024)), Serial: strings.Repeat("s", 1024), Quarantine: strings.Repeat("q", 1024)},
		"a body of the greatest length": {Kind: journal.Upload, Serial: "1", Body: bytes.Repeat(everything, journal.MaxBodyBytes/256)},
	}
	for name, e := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t, journal.Options{Dir: t.TempDir(), Dictionary: []byte("<x/> a dictionary")})
			before := time.Now().UnixMicro()
			stored, err := j.Append(t.Context(), e)
			if err != nil {
				t.Fatalf("append: %v", err)
			}
			want := e
			want.Seq, want.ReceivedMicros = 1, stored.ReceivedMicros
			if diff := cmp.Diff(want, stored, wholeBodies); diff != "" {
				t.Errorf("what Append returned (-want +got):\n%s", diff)
			}
			if after := time.Now().UnixMicro(); stored.ReceivedMicros < before || stored.ReceivedMicros > after {
				t.Errorf("received at %d, want between %d and %d", stored.ReceivedMicros, before, after)
			}
			if diff := cmp.Diff([]journal.Entry{want}, readAll(t, j, 0, 10), wholeBodies); diff != "" {
				t.Errorf("what Read gave (-want +got):\n%s", diff)
			}
			one, err := j.Entry(t.Context(), 1)
			if diff := cmp.Diff(want, one, wholeBodies); diff != "" || err != nil {
				t.Errorf("what Entry gave: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// wholeBodies compares bodies as a whole: byte by byte takes minutes for large ones.
var wholeBodies = cmp.Comparer(bytes.Equal)

func TestAppendRefusesWhatIsOutOfBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", journal.MaxTextBytes+1)
	cases := map[string]struct {
		entry journal.Entry
		want  halley.Kind
	}{
		"no kind":           {journal.Entry{Serial: "1"}, halley.Invalid},
		"a family too long": {journal.Entry{Kind: journal.Upload, Family: halley.Family(long)}, halley.TooLarge},
		"a serial too long": {journal.Entry{Kind: journal.Upload, Serial: long}, halley.TooLarge},
		"a reason too long": {journal.Entry{Kind: journal.Upload, Quarantine: long}, halley.TooLarge},
		"a body too long":   {journal.Entry{Kind: journal.Upload, Body: make([]byte, journal.MaxBodyBytes+1)}, halley.TooLarge},
	}
	j := open(t, journal.Options{Dir: t.TempDir()})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := j.Append(t.Context(), c.entry)
			if got := halley.KindOf(err); err == nil || got != c.want {
				t.Errorf("append gave %v (kind %d), want kind %d", err, got, c.want)
			}
		})
	}
	if got := j.Last(); got != 0 {
		t.Errorf("the journal holds %d entries, want none", got)
	}
}

func TestAppendOfAnEndedContextStoresNothing(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Append(ctx, upload(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("append gave %v, want the error of the context", err)
	}
	add(t, j, upload(2))
	if diff := cmp.Diff([]string{"00000002"}, serials(readAll(t, j, 0, 10))); diff != "" {
		t.Errorf("the journal holds (-want +got):\n%s", diff)
	}
}

func serials(entries []journal.Entry) []string {
	var list []string
	for i := range entries {
		list = append(list, entries[i].Serial)
	}
	return list
}

func TestAppendByManyIsExactlyOnceAndInOrder(t *testing.T) {
	t.Parallel()
	const callers, each = 200, 20
	j := open(t, journal.Options{Dir: t.TempDir(), FileBytes: 64 << 10})
	acknowledged := make([][]journal.Entry, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				e, err := j.Append(t.Context(), upload(c*each+i))
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				acknowledged[c] = append(acknowledged[c], e)
			}
		})
	}
	wg.Wait()
	want := slices.Concat(acknowledged...)
	slices.SortFunc(want, func(a, b journal.Entry) int { return int(a.Seq) - int(b.Seq) })
	if diff := cmp.Diff(want, readAll(t, j, 0, 100), wholeBodies); diff != "" {
		t.Errorf("the journal holds (-acknowledged +got):\n%s", diff)
	}
	for i := range want {
		if want[i].Seq != uint64(i+1) {
			t.Fatalf("entry %d has sequence number %d", i+1, want[i].Seq)
		}
		if i > 0 && want[i].ReceivedMicros <= want[i-1].ReceivedMicros {
			t.Fatalf("entry %d was received at %d, the one before at %d", i+1, want[i].ReceivedMicros, want[i-1].ReceivedMicros)
		}
	}
	for c := range acknowledged {
		if !slices.IsSortedFunc(acknowledged[c], func(a, b journal.Entry) int { return int(a.Seq) - int(b.Seq) }) {
			t.Errorf("the entries of caller %d are out of order", c)
		}
	}
	if got := j.Waiting(); got != 0 {
		t.Errorf("%d callers wait, want none", got)
	}
}

func TestAppendManyLargeBodiesStayWithinTheGroups(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	body := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16)
	var wg sync.WaitGroup
	for n := range 24 {
		wg.Go(func() {
			e := upload(n)
			e.Body = body
			if _, err := j.Append(t.Context(), e); err != nil {
				t.Errorf("append: %v", err)
			}
		})
	}
	wg.Wait()
	seen := 0
	for _, e := range readAll(t, j, 0, 1) {
		if !bytes.Equal(e.Body, body) {
			t.Errorf("the body of entry %d was changed", e.Seq)
		}
		seen++
	}
	if seen != 24 {
		t.Errorf("the journal holds %d entries, want 24", seen)
	}
}

func TestAppendKeepsNothingOfTheCallersBody(t *testing.T) {
	t.Parallel()
	j := open(t, journal.Options{Dir: t.TempDir()})
	e := upload(1)
	want := string(e.Body)
	add(t, j, e)
	clear(e.Body)
	got, err := j.Entry(t.Context(), 1)
	if err != nil || string(got.Body) != want {
		t.Errorf("the body is %q, %v; want %q", got.Body, err, want)
	}
}

func TestEventOfAClockStepPrecedesTheEntry(t *testing.T) {
	t.Parallel()
	const at = 10 * time.Second // since the journal was opened
	cases := map[string]struct {
		off  time.Duration // how far the wall clock is off
		want bool
	}{
		"two seconds forward are none":  {2 * time.Second, false},
		"two seconds back are none":     {-2 * time.Second, false},
		"more than two seconds forward": {2*time.Second + time.Microsecond, true},
		"more than two seconds back":    {-2*time.Second - time.Microsecond, true},
		"a year back":                   {-365 * 24 * time.Hour, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := open(t, journal.Options{Dir: t.TempDir()})
			opened := journal.Opened(j)
			appendAt(t, j, upload(1), opened.Add(at), at)
			appendAt(t, j, upload(2), opened.Add(2*at+c.off), 2*at)
			appendAt(t, j, upload(3), opened.Add(3*at+c.off), 3*at)
			var got []string
			all := readAll(t, j, 0, 10)
			for i, e := range all {
				got = append(got, fmt.Sprintf("%d %s", e.Kind, e.Body))
				if i > 0 && e.ReceivedMicros <= all[i-1].ReceivedMicros {
					t.Errorf("receive times do not rise: %d after %d", e.ReceivedMicros, all[i-1].ReceivedMicros)
				}
			}
			want := []string{`1 {"Order":1}`, `1 {"Order":2}`, `1 {"Order":3}`}
			if c.want {
				want = slices.Insert(want, 1, fmt.Sprintf(`3 {"event":"clock-step","from":%q,"to":%q}`,
					halley.MillisOf(opened.Add(2*at)), halley.MillisOf(opened.Add(2*at+c.off))))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the journal holds (-want +got):\n%s", diff)
			}
		})
	}
}

func appendAt(t *testing.T, j *journal.Journal, e journal.Entry, wall time.Time, since time.Duration) journal.Entry {
	t.Helper()
	stored, err := journal.AppendAt(t.Context(), j, e, wall, since)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return stored
}

func TestIDIsRandom(t *testing.T) {
	t.Parallel()
	a, b := open(t, journal.Options{Dir: t.TempDir()}).ID(), open(t, journal.Options{Dir: t.TempDir()}).ID()
	if raw, err := hex.DecodeString(a); err != nil || len(raw) != 16 || a == b {
		t.Errorf("the ids are %q and %q, want two of 128 bits", a, b)
	}
}
