package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/server/backup"
)

// TestAMachineIsLostAndRestoredElsewhere backs a server up while devices of all families send, takes its data folder away and
// restores it elsewhere, where the devices go on. Nothing that was acknowledged before the backup's end may be missing; with the old
// journal at hand, nothing at all.
func TestAMachineIsLostAndRestoredElsewhere(t *testing.T) {
	t.Parallel()
	for name, oldJournal := range map[string]bool{"from the backup alone": false, "with the old journal at hand": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := newLostSite(t)
			ctx, cancel := context.WithTimeout(t.Context(), failsafe)
			defer cancel()
			p := site.serve(t, site.data)
			senders := newSenders(8, site.board)
			crowd := atWork(ctx, senders)
			pause(ctx, underLoad)
			end := site.backup(t)
			pause(ctx, underLoad)
			site.board.set("")
			p.kill()
			args := []string{"restore", "--from", site.backups, "--data", site.restored, "--identity", site.key}
			if oldJournal {
				args = append(args, "--journal", site.lose(t))
			} else if err := os.RemoveAll(site.data); err != nil {
				t.Fatal(err)
			}
			said := site.run(t, args...)
			p = site.serve(t, site.restored)
			pause(ctx, underLoad)
			crowd.rest(t)
			newAPI(t, p, site.token).flush(ctx, t)
			p.stop(t)
			soundDatabases(t, site.restored)
			if oldJournal {
				o := account(t, site.restored, senders)
				t.Logf("%v\n%s", o, said)
				return
			}
			accountBefore(t, site.restored, senders, end)
		})
	}
}

// lostSite is a server that will be lost, with encrypted backups.
type lostSite struct {
	data, backups, restored, key, config, token string
	board                                       *board
}

func newLostSite(t *testing.T) *lostSite {
	t.Helper()
	dir := t.TempDir()
	s := &lostSite{
		data: filepath.Join(dir, "data"), backups: filepath.Join(dir, "backups"), restored: filepath.Join(dir, "restored"),
		key: filepath.Join(dir, "key"), board: newBoard(""),
	}
	said := s.run(t, "backup", "key", s.key)
	_, public, _ := strings.Cut(said, "public key: ")
	public, _, _ = strings.Cut(public, "\n")
	s.config = configured(t, "[recorder]\nevery = \"100ms\"\nsamples = 500\n[backup]\nrecipients = [\""+public+"\"]\n")
	s.token = administrator(t, s.data)
	return s
}

func (s *lostSite) serve(t *testing.T, data string) *program {
	t.Helper()
	p := serving(t, data, "--config", s.config)
	s.board.set(p.devices)
	return p
}

// run runs a command and gives what it said.
func (s *lostSite) run(t *testing.T, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := words(t, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("halley %s: %v: %s", strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

// backup makes one beside the running server and gives its end.
func (s *lostSite) backup(t *testing.T) time.Time {
	t.Helper()
	s.run(t, "backup", "--data", s.data, "--to", s.backups, "--config", s.config)
	list, err := filepath.Glob(filepath.Join(s.backups, "*", "manifest.json"))
	if err != nil || len(list) != 1 {
		t.Fatalf("the folder holds %v, %v", list, err)
	}
	text, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	var m backup.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.Journal.Last == 0 || !m.Encrypted() {
		t.Fatalf("the backup is %+v", m)
	}
	return m.End
}

// lose takes everything away but the journal, and says where that is.
func (s *lostSite) lose(t *testing.T) string {
	t.Helper()
	found := filepath.Join(filepath.Dir(s.data), "found")
	if err := os.Mkdir(found, 0o700); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(s.data, "journal-*"))
	if err != nil || len(list) == 0 {
		t.Fatalf("the journal is %v, %v", list, err)
	}
	for _, name := range list {
		if err := os.Rename(name, filepath.Join(found, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(s.data); err != nil {
		t.Fatal(err)
	}
	return found
}

// accountBefore makes sure that every message is there, once, that was acknowledged before an instant, and that those which are
// missing were acknowledged by the machine that is lost.
func accountBefore(t *testing.T, data string, senders []*sender, end time.Time) {
	t.Helper()
	stored := storedMessages(t, data, senders)
	before, missing, lost, later := 0, 0, 0, 0
	for _, s := range senders {
		got := stored[halley.DeviceKey{Family: s.family(), Serial: s.serial}]
		for n := range s.next {
			if _, refused := s.lost[n]; refused {
				continue
			}
			count := got[n]
			inTime := s.answered[n].Before(end)
			switch {
			case inTime && count == 0:
				missing++
				t.Errorf("%s %s: message %d was acknowledged %v before the backup's end and is missing", s.family(), s.serial, n, end.Sub(s.answered[n]))
			case count > 1:
				t.Errorf("%s %s: message %d is %d times in the store", s.family(), s.serial, n, count)
			case inTime:
				before++
			case count == 0:
				lost++
			default:
				later++
			}
		}
	}
	if before == 0 || later == 0 {
		t.Errorf("%d messages were acknowledged before the backup's end, %d are stored of those after it: the test shows nothing", before, later)
	}
	t.Logf("acknowledged before the end %d, of which missing %d; acknowledged later: stored %d, lost with the machine %d", before+missing, missing, later, lost)
}

// TestABackupThatIsKilledIsNone kills a backup at a moment within it: nothing looks complete, and the next one works.
func TestABackupThatIsKilledIsNone(t *testing.T) {
	t.Parallel()
	site := newLostSite(t)
	p := site.serve(t, site.data)
	senders := newSenders(4, site.board)
	crowd := atWork(t.Context(), senders)
	pause(t.Context(), underLoad)
	text, err := os.ReadFile(site.config)
	if err != nil {
		t.Fatal(err)
	}
	stuck := configured(t, string(text)+"scratch = \""+filepath.ToSlash(filepath.Join(t.TempDir(), "scratch"))+"\"\n")
	for range 3 {
		cmd := words(t, "backup", "--data", site.data, "--to", site.backups, "--config", stuck)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pause(t.Context(), 30*time.Millisecond)
		_ = cmd.Process.Kill()
		if cmd.Wait() == nil {
			t.Log("it was faster than the kill")
		}
	}
	list, err := filepath.Glob(filepath.Join(site.backups, "halley-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		if _, err := os.Stat(filepath.Join(name, "manifest.json")); err != nil {
			t.Errorf("%s looks like a backup and has no manifest", name)
		}
	}
	pause(t.Context(), time.Second) // the second is in a backup's name
	site.run(t, "backup", "--data", site.data, "--to", site.backups, "--config", stuck)
	said := site.run(t, "backup", "drill", "--data", site.data, "--from", site.backups, "--identity", site.key, "--config", stuck)
	if !strings.HasPrefix(said, "restore proven: ") {
		t.Errorf("the drill says %q", said)
	}
	crowd.rest(t)
	p.stop(t)
}
