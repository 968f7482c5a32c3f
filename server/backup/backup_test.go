package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/backup"
	"halley/storage"
)

func TestABackupIsRestoredWithWhatTheJournalHoldsBeyondTheStore(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{false, true} {
		t.Run(map[bool]string{false: "in the clear", true: "encrypted"}[encrypted], func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			public, private := keys(t)
			if encrypted {
				s.options.Recipients = []string{public}
			}
			s.receive(20)
			s.record()
			s.receive(5)
			to := place(t, filepath.Join(t.TempDir(), "backups"))
			r := s.mustBackup(to)
			if r.Summary.Seq != 25 || r.Summary.Encrypted != encrypted || r.Summary.Bytes == 0 || r.Summary.JournalID != s.journal.ID() {
				t.Errorf("the summary is %+v", r.Summary)
			}
			s.receive(3) // behind the backup's end
			o, e := restoreOptions(t, to)
			if encrypted {
				o.Identities = private
			}
			got, err := backup.Restore(t.Context(), o)
			must(t, err)
			if got.Recorded != 20 || got.Last != 25 || got.Samples != 20 || !strings.HasPrefix(got.Node, "alpha-r") {
				t.Errorf("restored %+v", got)
			}
			if last := reread(t, o.Data); last != 25 {
				t.Errorf("the restored journal ends at %d, not at 25", last)
			}
			origin, found, err := backup.OriginOf(o.Data)
			if err != nil || !found || origin.Node != got.Node || origin.OldNode != "alpha" || origin.Backup != r.Summary.Name {
				t.Errorf("the folder says of itself %+v, %v, %v", origin, found, err)
			}
			if len(e.landed) != 1 || len(e.landed[0].proofs) != 1 || e.landed[0].proofs[0].Kind != storage.ProofRestore || e.landed[0].proofs[0].Node != got.Node {
				t.Errorf("the store was told %+v", e.landed)
			}
		})
	}
}

func TestABackupHoldsWhatItShouldAndNoKeyThatSigns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receive(1)
	s.record()
	to := place(t, filepath.Join(t.TempDir(), "backups"))
	s.mustBackup(to)
	o, _ := restoreOptions(t, to)
	_, err := backup.Restore(t.Context(), o)
	must(t, err)
	got := files(t, o.Data)
	got = slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "journal-") })
	want := []string{
		"halley.lock", "keys/ledger-alpha.pub", "keys/self-signed.pem", "quarantine.db", "restored/halley.toml",
		"restored/settings.txt", "restored.json", "store",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the restored folder (-want +got):\n%s", diff)
	}
}

func TestWhatIsWrongIsSaidAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	damage := func(piece string) func(*testing.T, string, *backup.RestoreOptions) {
		return func(t *testing.T, dir string, _ *backup.RestoreOptions) {
			file := filepath.Join(dir, piece)
			text, err := os.ReadFile(file)
			must(t, err)
			text[len(text)/2] ^= 1
			must(t, os.WriteFile(file, text, 0o600))
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string, o *backup.RestoreOptions)
		code  string
		text  string
	}{
		"a damaged store":         {damage("store.zst.age"), backup.CodeDamaged, "store.zst.age is damaged"},
		"a damaged journal":       {damage("journal.tar.zst.age"), backup.CodeDamaged, "journal.tar.zst.age is damaged"},
		"a damaged configuration": {damage("configuration.tar.zst.age"), backup.CodeDamaged, "configuration.tar.zst.age is damaged"},
		"damaged keys":            {damage("keys.tar.zst.age"), backup.CodeDamaged, "keys.tar.zst.age is damaged"},
		"a damaged manifest":      {damage("manifest.json"), backup.CodeDamaged, "manifest.json is damaged"},
		"a piece that is cut": {func(t *testing.T, dir string, _ *backup.RestoreOptions) {
			must(t, os.Truncate(filepath.Join(dir, "keys.tar.zst.age"), 10))
		}, backup.CodeDamaged, "keys.tar.zst.age is damaged"},
		"a piece that is missing": {func(t *testing.T, dir string, _ *backup.RestoreOptions) {
			must(t, os.Remove(filepath.Join(dir, "journal.tar.zst.age")))
		}, backup.CodeDamaged, "its file journal.tar.zst.age is missing"},
		"the wrong key": {func(t *testing.T, _ string, o *backup.RestoreOptions) {
			_, o.Identities = keys(t)
		}, backup.CodeKey, "the key does not open this backup"},
		"no key": {func(_ *testing.T, _ string, o *backup.RestoreOptions) { o.Identities = nil }, backup.CodeKey, "the backup is encrypted"},
		"a place that is away": {func(t *testing.T, dir string, _ *backup.RestoreOptions) {
			must(t, os.RemoveAll(filepath.Dir(dir)))
		}, backup.CodeTarget, "is not there"},
		"a folder that is not empty": {func(t *testing.T, _ string, o *backup.RestoreOptions) {
			must(t, os.MkdirAll(o.Data, 0o700))
			must(t, os.WriteFile(filepath.Join(o.Data, "file"), nil, 0o600))
		}, "not-empty", "is not empty"},
		"another server's name": {func(_ *testing.T, _ string, o *backup.RestoreOptions) { o.Choice.Node = "beta" }, backup.CodeNone, "server beta"},
		"the old server's name": {func(_ *testing.T, _ string, o *backup.RestoreOptions) { o.Node = "alpha" }, "node-name", "a name that the old one did not have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			public, private := keys(t)
			s.options.Recipients = []string{public}
			s.receive(3)
			s.record()
			folder := filepath.Join(t.TempDir(), "backups")
			to := place(t, folder)
			r := s.mustBackup(to)
			o, _ := restoreOptions(t, to)
			o.Identities = private
			c.spoil(t, filepath.Join(folder, r.Summary.Name), &o)
			_, err := backup.Restore(t.Context(), o)
			if codeOf(err) != c.code || !strings.Contains(backup.Problem(err), c.text) {
				t.Errorf("it says %q (%v)", codeOf(err), err)
			}
			if left := files(t, filepath.Dir(o.Data)); c.code != "not-empty" && len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

func TestABackupThatFailsIsNotThere(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"store.zst", "journal.tar.zst", "configuration.tar.zst", "keys.tar.zst"} {
		t.Run(piece, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.receive(10)
			s.record()
			folder := filepath.Join(t.TempDir(), "backups")
			good := place(t, folder)
			r := s.backup(&faulty{Target: good, piece: piece, after: 5, err: errors.New("no more")})
			if r.Err == nil || r.Summary.Problem == "" || r.Summary.Name != "" {
				t.Errorf("the result is %+v", r)
			}
			if left := files(t, folder); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
			if left := files(t, s.options.Scratch); len(left) > 0 {
				t.Errorf("it leaves the temporary files %v", left)
			}
			o, _ := restoreOptions(t, good)
			if _, err := backup.Restore(t.Context(), o); codeOf(err) != backup.CodeNone {
				t.Errorf("restoring says %v", err)
			}
		})
	}
}

func TestOnePlaceThatIsAwayDoesNotKeepTheOthersFromTheirs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receive(1)
	s.record()
	away, err := backup.OpenTarget(backup.Place{At: filepath.Join(t.TempDir(), "share", "halley")})
	must(t, err)
	results := backup.Write(t.Context(), s.options, []backup.Target{away, place(t, filepath.Join(t.TempDir(), "backups"))})
	if codeOf(results[0].Err) != backup.CodeTarget || !strings.Contains(results[0].Summary.Problem, "see that the share is mounted") {
		t.Errorf("the one that is away says %v", results[0].Err)
	}
	if results[1].Err != nil {
		t.Errorf("the other one says %v", results[1].Err)
	}
}

func TestAFailingStoreFailsTheBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.engine.fail = &halley.Error{Kind: halley.Unavailable, Message: "the database is away"}
	r := s.backup(place(t, filepath.Join(t.TempDir(), "backups")))
	if r.Summary.Problem != "the database is away" {
		t.Errorf("the problem is %q", r.Summary.Problem)
	}
}

func TestABackupThatIsBrokenOffLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receive(3)
	folder := filepath.Join(t.TempDir(), "backups")
	ctx, cancel := context.WithCancel(t.Context())
	to := &faulty{Target: place(t, folder), piece: "journal.tar.zst", after: 1 << 30}
	s.options.CopyFile = func(context.Context, string, string) error { cancel(); return ctx.Err() }
	r := backup.Write(ctx, s.options, []backup.Target{to})[0]
	if !errors.Is(r.Err, context.Canceled) || r.Summary.Problem != "it was broken off" {
		t.Errorf("it says %v, %q", r.Err, r.Summary.Problem)
	}
	if left := append(files(t, filepath.Dir(folder)), files(t, s.options.Scratch)...); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
}

func TestAnEarlierStateIsRestored(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	to := place(t, filepath.Join(t.TempDir(), "backups"))
	s.receive(10)
	s.record()
	first := s.mustBackup(to)
	s.receive(10)
	middle := s.lastReceived()
	s.receive(10)
	s.record()
	r := s.backupUnderNewName(to)
	must(t, r.Err)
	o, _ := restoreOptions(t, to)
	o.Choice.Until = middle.Time()
	got, err := backup.Restore(t.Context(), o)
	must(t, err)
	if got.Manifest.Name != first.Summary.Name || got.JournalFrom != r.Summary.Name || got.Recorded != 10 || got.Last != 20 || got.LastAt > middle || got.Aside == "" {
		t.Errorf("restored %+v; want the store of %s, the journal of %s up to entry 20", got, first.Summary.Name, r.Summary.Name)
	}
	if last := reread(t, o.Data); last != 20 {
		t.Errorf("the restored journal ends at %d", last)
	}
	if aside := files(t, filepath.Join(o.Data, got.Aside)); len(aside) == 0 {
		t.Error("nothing lies aside")
	}
	o, _ = restoreOptions(t, to)
	o.Choice.Until = time.Now().Add(-24 * time.Hour)
	if _, err := backup.Restore(t.Context(), o); codeOf(err) != "until-too-early" {
		t.Errorf("a state before the first backup: %v", err)
	}
}

// lastReceived is when the newest entry was received; the next ones are received in another millisecond.
func (s *site) lastReceived() halley.Millis {
	s.t.Helper()
	e, err := s.journal.Entry(s.t.Context(), s.journal.Last())
	must(s.t, err)
	for halley.MillisOf(time.Now()) <= e.ReceivedAt()+1 {
		continue
	}
	return e.ReceivedAt()
}

// backupUnderNewName tries until the second in the name is another.
func (s *site) backupUnderNewName(to backup.Target) backup.Result {
	s.t.Helper()
	for {
		r := s.backup(to)
		if e, ok := errors.AsType[*halley.Error](r.Err); !ok || e.Kind != halley.Conflict {
			return r
		}
	}
}

func TestTheOldJournalGivesWhatCameAfterTheBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receive(10)
	s.record()
	s.receive(2)
	to := place(t, filepath.Join(t.TempDir(), "backups"))
	s.mustBackup(to)
	s.receive(30)
	o, _ := restoreOptions(t, to)
	o.Journal = s.data
	got, err := backup.Restore(t.Context(), o)
	must(t, err)
	if got.Recorded != 10 || got.Last != 42 {
		t.Errorf("restored %+v", got)
	}
	if last := reread(t, o.Data); last != 42 {
		t.Errorf("the restored journal ends at %d", last)
	}
	other := newSite(t)
	other.receive(50)
	o, _ = restoreOptions(t, to)
	o.Journal = other.data
	if _, err := backup.Restore(t.Context(), o); codeOf(err) != "other-journal" {
		t.Errorf("with another server's journal: %v", err)
	}
}

func TestTheRuleRemovesOnlyThisServersCompleteBackups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receive(1)
	s.record()
	folder := filepath.Join(t.TempDir(), "backups")
	to := place(t, folder)
	s.options.Node = "beta"
	beta := s.mustBackup(to)
	s.options.Node = "alpha"
	first := s.mustBackup(to)
	must(t, os.MkdirAll(filepath.Join(folder, "halley-alpha-notes"), 0o700))
	must(t, os.WriteFile(filepath.Join(folder, "halley-alpha-notes", "manifest.json"), []byte("{}"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, first.Summary.Name, "note.txt"), nil, 0o600))
	s.options.Rule = backup.Rule{Daily: 1}
	second := s.backupUnderNewName(to)
	must(t, second.Err)
	if diff := cmp.Diff([]string{first.Summary.Name}, second.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	list, err := to.List(t.Context())
	must(t, err)
	slices.Sort(list)
	want := []string{second.Summary.Name, "halley-alpha-notes", beta.Summary.Name}
	slices.Sort(want)
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(folder, first.Summary.Name, "note.txt")); err != nil {
		t.Errorf("what somebody put there is gone: %v", err)
	}
}

func TestDrills(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		encrypted, key bool
		spoil          func(*engine)
		found          storage.VerifySummary
		want           string
	}{
		"a backup in the clear is proven":         {found: storage.VerifySummary{Samples: 7, Batches: 2}},
		"an encrypted one is, with the key":       {encrypted: true, key: true, found: storage.VerifySummary{Samples: 7, Batches: 2}},
		"an encrypted one is not, without":        {encrypted: true, want: "That it can be restored is not proven"},
		"one in which verifying finds something":  {found: storage.VerifySummary{FindingCount: 3}, want: "found 3 things"},
		"one that could not be verified entirely": {found: storage.VerifySummary{Problem: "it was broken off"}, want: "it was broken off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			public, private := keys(t)
			if c.encrypted {
				s.options.Recipients = []string{public}
			}
			s.receive(3)
			s.record()
			to := place(t, filepath.Join(t.TempDir(), "backups"))
			r := s.mustBackup(to)
			o := backup.DrillOptions{
				From: to, Node: "alpha", Scratch: filepath.Join(t.TempDir(), "scratch"), Store: &engine{},
				Verify: func(context.Context, storage.Store) (storage.VerifySummary, error) { return c.found, nil },
			}
			if c.key {
				o.Identities = private
			}
			d := backup.Drill(t.Context(), o)
			if c.want == "" && (d.Err != nil || d.Summary.Samples != c.found.Samples) {
				t.Errorf("the drill says %v, %+v", d.Err, d.Summary)
			}
			if !strings.Contains(d.Summary.Problem, c.want) || d.Summary.Backup != r.Summary.Name || d.Summary.BackupAt != r.Summary.EndAt {
				t.Errorf("the drill says %+v, want %q", d.Summary, c.want)
			}
			if _, err := os.Stat(o.Scratch); err == nil {
				if left := files(t, o.Scratch); len(left) > 0 {
					t.Errorf("it leaves %v", left)
				}
			}
		})
	}
}
