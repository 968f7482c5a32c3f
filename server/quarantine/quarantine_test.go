package quarantine_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/quarantine"
)

var (
	first  = halley.DeviceKey{Family: halley.WiFi, Serial: "20960050"}
	second = halley.DeviceKey{Family: halley.WebSensor, Serial: "10960051"}
)

func open(t *testing.T, file string, b quarantine.Budget) *quarantine.Store {
	t.Helper()
	s, err := quarantine.Open(t.Context(), file, b)
	if err != nil {
		t.Fatalf("opening the quarantine: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the quarantine: %v", err)
		}
	})
	return s
}

func fresh(t *testing.T, b quarantine.Budget) *quarantine.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "quarantine.db"), b)
}

var roomy = quarantine.Budget{Devices: 10, DeviceBytes: 1 << 20, Bytes: 1 << 20}

func upload(key halley.DeviceKey, seq uint64, reason quarantine.Reason, body string) quarantine.Upload {
	return quarantine.Upload{
		Key: key, JournalID: "j", Seq: seq, ReceivedMicros: int64(seq) * 1_000_000, Reason: reason, Note: "why", Body: []byte(body),
	}
}

func keep(t *testing.T, s *quarantine.Store, uploads ...quarantine.Upload) {
	t.Helper()
	if err := s.Keep(t.Context(), uploads); err != nil {
		t.Fatalf("keeping %d uploads: %v", len(uploads), err)
	}
}

func list(t *testing.T, s *quarantine.Store, key halley.DeviceKey) []quarantine.Upload {
	t.Helper()
	got, err := s.Uploads(t.Context(), key, 0, 100)
	if err != nil {
		t.Fatalf("listing uploads: %v", err)
	}
	return got
}

func TestKeepIsRepeatable(t *testing.T) {
	t.Parallel()
	s := fresh(t, roomy)
	u := upload(first, 7, quarantine.NewDevice, "body")
	keep(t, s, u)
	keep(t, s, u, upload(first, 8, quarantine.NewDevice, "x"))
	want := []quarantine.Upload{u, upload(first, 8, quarantine.NewDevice, "x")}
	want[0].ID, want[1].ID = 1, 2
	if diff := cmp.Diff(want, list(t, s, first)); diff != "" {
		t.Errorf("uploads of the device after keeping one twice (-want +got):\n%s", diff)
	}
	held := map[halley.DeviceKey]quarantine.Held{first: {
		Uploads: 2, Bytes: 5, FirstMicros: 7_000_000, LastMicros: 8_000_000, Reasons: map[quarantine.Reason]int{quarantine.NewDevice: 2},
	}}
	if diff := cmp.Diff(held, s.Held()); diff != "" {
		t.Errorf("what is held (-want +got):\n%s", diff)
	}
}

func TestHeldSurvivesReopening(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "quarantine.db")
	s, err := quarantine.Open(t.Context(), file, roomy)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, s, upload(first, 1, quarantine.NewDevice, "a"), upload(second, 2, quarantine.ClockJump, "bb"), upload(first, 3, quarantine.Suspended, "c"))
	before := s.Held()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, file, roomy)
	if diff := cmp.Diff(before, again.Held()); diff != "" {
		t.Errorf("what is held after reopening (-want +got):\n%s", diff)
	}
	if u := again.Usage(); u.Uploads != 3 || u.HeldBytes != 4 || u.HeldDevices != 2 {
		t.Errorf("usage after reopening: got %d uploads, %d bytes, %d devices; want 3, 4, 2", u.Uploads, u.HeldBytes, u.HeldDevices)
	}
}

func TestTheFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "quarantine.db"), roomy)
	keep(t, s, upload(first, 1, quarantine.NewDevice, "a"))
	if runtime.GOOS == "windows" {
		return // there the folder's own list of rights keeps others out
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the rights %v, %v; want 0600", f.Name(), info.Mode(), err)
		}
	}
}

func TestRemoveFreesTheBudget(t *testing.T) {
	t.Parallel()
	s := fresh(t, roomy)
	keep(t, s, upload(first, 1, quarantine.NewDevice, "a"), upload(first, 2, quarantine.NewDevice, "b"))
	all := list(t, s, first)
	for range 2 { // removing what is gone changes nothing
		if err := s.Remove(t.Context(), all[:1]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all[1:], list(t, s, first)); diff != "" {
		t.Errorf("uploads left (-want +got):\n%s", diff)
	}
	if u := s.Usage(); u.Uploads != 1 || u.HeldBytes != 1 {
		t.Errorf("usage: got %d uploads with %d bytes, want 1 with 1", u.Uploads, u.HeldBytes)
	}
	newest, err := s.Newest(t.Context(), first)
	if err != nil || newest.Seq != 2 {
		t.Errorf("newest upload: got seq %d, %v; want 2", newest.Seq, err)
	}
}

func TestNewestOfNothingIsNotFound(t *testing.T) {
	t.Parallel()
	if _, err := fresh(t, roomy).Newest(t.Context(), first); halley.KindOf(err) != halley.NotFound {
		t.Errorf("newest upload of an unknown device: got %v, want NotFound", err)
	}
}

func TestReserve(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		budget quarantine.Budget
		kept   []quarantine.Upload
		key    halley.DeviceKey
		reason quarantine.Reason
		size   int
		want   bool
	}{
		"room":                      {budget: roomy, key: first, reason: quarantine.NewDevice, size: 10, want: true},
		"device over its bytes":     {budget: quarantine.Budget{Devices: 9, DeviceBytes: 10, Bytes: 100}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "12345")}, key: first, reason: quarantine.NewDevice, size: 6},
		"device just at its bytes":  {budget: quarantine.Budget{Devices: 9, DeviceBytes: 10, Bytes: 100}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "12345")}, key: first, reason: quarantine.NewDevice, size: 5, want: true},
		"all over the bytes":        {budget: quarantine.Budget{Devices: 9, DeviceBytes: 10, Bytes: 12}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "1234567")}, key: second, reason: quarantine.NewDevice, size: 6},
		"one new device too many":   {budget: quarantine.Budget{Devices: 1, DeviceBytes: 10, Bytes: 100}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "1")}, key: second, reason: quarantine.NewDevice, size: 1},
		"more of the one device":    {budget: quarantine.Budget{Devices: 1, DeviceBytes: 10, Bytes: 100}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "1")}, key: first, reason: quarantine.NewDevice, size: 1, want: true},
		"known device is not count": {budget: quarantine.Budget{Devices: 1, DeviceBytes: 10, Bytes: 100}, kept: []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "1")}, key: second, reason: quarantine.Suspended, size: 1, want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t, tt.budget)
			keep(t, s, tt.kept...)
			if got := s.Reserve(tt.key, tt.reason, tt.size); got != tt.want {
				t.Errorf("Reserve(%v, %s, %d) = %v, want %v", tt.key, tt.reason, tt.size, got, tt.want)
			}
			if refused := s.Usage().Refused; (refused == 1) == tt.want {
				t.Errorf("refused uploads: got %d after an answer of %v", refused, tt.want)
			}
		})
	}
}

func TestReservedRoomCounts(t *testing.T) {
	t.Parallel()
	s := fresh(t, quarantine.Budget{Devices: 1, DeviceBytes: 10, Bytes: 10})
	if !s.Reserve(first, quarantine.NewDevice, 10) {
		t.Fatal("the first upload found no room")
	}
	if s.Reserve(first, quarantine.NewDevice, 1) || s.Reserve(second, quarantine.NewDevice, 1) {
		t.Error("room was given twice")
	}
	s.Cancel(first, quarantine.NewDevice, 10)
	if !s.Reserve(second, quarantine.NewDevice, 10) {
		t.Error("cancelled room was not given again")
	}
	keep(t, s, upload(second, 1, quarantine.NewDevice, "0123456789"))
	if s.Reserve(second, quarantine.NewDevice, 1) {
		t.Error("room was given beyond what is kept")
	}
}

func TestReasonsHaveTexts(t *testing.T) {
	t.Parallel()
	seen := map[string]quarantine.Reason{}
	for _, r := range []quarantine.Reason{
		quarantine.NewDevice, quarantine.NoEntryPoint, quarantine.WrongEntryPoint, quarantine.WrongCustomerKey, quarantine.Suspended,
		quarantine.Retired, quarantine.TwoSenders, quarantine.TooFast, quarantine.ClockJump, quarantine.NotUnderstood, quarantine.RefusedByStore,
	} {
		text := r.Text()
		if other, ok := seen[text]; ok || text == quarantine.Reason("").Text() {
			t.Errorf("%s has the text of %q: %s", r, other, text)
		}
		seen[text] = r
	}
}

func TestAnUploadIsKnownWhateverIDItsJournalGoesBy(t *testing.T) {
	t.Parallel()
	s := fresh(t, roomy)
	keep(t, s, upload(first, 1, quarantine.NewDevice, "one"), upload(second, 2, quarantine.TwoSenders, "two"))
	want := s.Held()
	again := []quarantine.Upload{upload(first, 1, quarantine.NewDevice, "one"), upload(second, 2, quarantine.TwoSenders, "two")}
	for i := range again {
		again[i].JournalID = "renewed"
	}
	keep(t, s, again...)
	if diff := cmp.Diff(want, s.Held()); diff != "" {
		t.Errorf("held after the journal was recorded again (-want +got):\n%s", diff)
	}
	other := upload(first, 1, quarantine.NewDevice, "another")
	other.ReceivedMicros++
	keep(t, s, other)
	if got := list(t, s, first); len(got) != 2 {
		t.Errorf("an upload of another time under the same number: %d are kept, want 2", len(got))
	}
}

func TestReleasedUploadsAreForgotten(t *testing.T) {
	t.Parallel()
	s := fresh(t, roomy)
	keep(t, s, upload(first, 1, quarantine.NewDevice, "one"), upload(first, 2, quarantine.TooFast, "two"), upload(second, 3, quarantine.NewDevice, "three"))
	wrongTime := upload(first, 2, "", "")
	wrongTime.ReceivedMicros++
	gone := []quarantine.Upload{
		upload(first, 1, "", ""), upload(first, 3, "", ""), upload(second, 1, "", ""), upload(second, 3, "", ""), wrongTime,
	}
	for range 2 {
		if err := s.Forget(t.Context(), gone); err != nil {
			t.Fatalf("forget: %v", err)
		}
		want := map[halley.DeviceKey]quarantine.Held{
			first: {Uploads: 1, Bytes: 3, FirstMicros: 1_000_000, LastMicros: 2_000_000, Reasons: map[quarantine.Reason]int{quarantine.TooFast: 1}},
		}
		if diff := cmp.Diff(want, s.Held()); diff != "" {
			t.Errorf("held (-want +got):\n%s", diff)
		}
		if got := list(t, s, first); len(got) != 1 || string(got[0].Body) != "two" {
			t.Errorf("kept: %+v, want the second", got)
		}
	}
}

// schema1 is how the quarantine began.
const schema1 = `
CREATE TABLE upload (
	upload_id       INTEGER PRIMARY KEY,
	journal_id      TEXT    NOT NULL,
	seq             INTEGER NOT NULL,
	received_micros INTEGER NOT NULL,
	family          TEXT    NOT NULL,
	serial          TEXT    NOT NULL,
	reason          TEXT    NOT NULL,
	note            TEXT    NOT NULL,
	body            BLOB    NOT NULL,
	UNIQUE (journal_id, seq)
) STRICT;
CREATE INDEX upload_device ON upload (family, serial, upload_id);
PRAGMA user_version = 1;
INSERT INTO upload VALUES
	(4, 'j', 1, 1000000, 'wifi', '20960050', 'new-device', 'why', x'6f6e65'),
	(9, 'j', 2, 2000000, 'wifi', '20960050', 'too-fast', 'why', x'74776f');
`

func TestAnOlderQuarantineIsTakenOver(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "quarantine.db")
	db, err := sql.Open("sqlite", file)
	if err == nil {
		_, err = db.ExecContext(t.Context(), schema1)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatalf("making the older quarantine: %v", err)
	}
	one, two := upload(first, 1, quarantine.NewDevice, "one"), upload(first, 2, quarantine.TooFast, "two")
	one.ID, two.ID = 4, 9
	for range 2 {
		s := open(t, file, roomy)
		if diff := cmp.Diff([]quarantine.Upload{one, two}, list(t, s, first)); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		renewed := one
		renewed.JournalID = "renewed"
		keep(t, s, renewed)
		if got := s.Held()[first].Uploads; got != 2 {
			t.Errorf("%d uploads are held, want 2", got)
		}
	}
}
