package ledger_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/ledger"
	"halley/storage"
	chains "halley/storage/ledger"
)

// sent gives the kept results of sending, newest first.
func (r *rig) sent(t *testing.T) (ok []bool, list []storage.SentSummary) {
	t.Helper()
	proofs, err := r.store.Proofs(t.Context(), storage.ProofSent, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		var s storage.SentSummary
		if err := json.Unmarshal([]byte(p.Summary), &s); err != nil {
			t.Fatal(err)
		}
		ok, list = append(ok, p.OK), append(list, s)
	}
	return ok, list
}

func TestCheckpointsAreLeftInAFolder(t *testing.T) {
	t.Parallel()
	folder, away := t.TempDir(), t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("file:"+away))
	r.checkpoint(t, "start")
	r.SendAll(t.Context())
	note(t, r.store, "something")
	r.checkpoint(t, "hour")
	r.SendAll(t.Context())
	r.SendAll(t.Context()) // nothing waits
	r.Look(t.Context())
	list, err := r.store.Checkpoints(t.Context(), 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d checkpoints, %v", len(list), err)
	}
	got, found, err := ledger.NewestIn(filepath.Join(away, "halley-line-2"))
	if err != nil || !found {
		t.Fatalf("found %v, %v", found, err)
	}
	got.ID = list[1].ID
	if diff := cmp.Diff(list[1], got); diff != "" {
		t.Errorf("the newest outside (-want +got):\n%s", diff)
	}
	public, err := os.ReadFile(filepath.Join(away, "halley-line-2", "ledger-line-2-"+r.keys.Public().ID+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := chains.ParseKeys(public); err != nil || len(keys) != 1 || keys[0].ID != r.keys.Public().ID {
		t.Errorf("the public key outside: %v, %v", keys, err)
	}
	ok, results := r.sent(t)
	want := []storage.SentSummary{
		{Checkpoint: list[1].ID, At: list[1].At, To: "file:" + away}, {Checkpoint: list[0].ID, At: list[0].At, To: "file:" + away},
	}
	if diff := cmp.Diff(want, results); diff != "" || !ok[0] || !ok[1] {
		t.Errorf("results %v (-want +got):\n%s", ok, diff)
	}
}

func TestAFolderThatIsNotThereIsNotMade(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	away := filepath.Join(t.TempDir(), "share")
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("file:"+away))
	r.checkpoint(t, "start")
	r.SendAll(t.Context())
	r.SendAll(t.Context())
	r.Look(t.Context())
	if _, err := os.Stat(away); err == nil {
		t.Error("the folder was made")
	}
	ok, results := r.sent(t)
	if len(ok) != 1 || ok[0] || !strings.Contains(results[0].Problem, away) {
		t.Errorf("results of two tries: %v, %+v; want the first failure", ok, results)
	}
	if r.Offered()[0] == nil {
		t.Error("the checkpoint does not wait any more")
	}
	if err := os.Mkdir(away, 0o700); err != nil {
		t.Fatal(err)
	}
	r.SendAll(t.Context())
	r.Look(t.Context())
	if ok, _ := r.sent(t); len(ok) != 2 || !ok[0] || r.Offered()[0] != nil {
		t.Errorf("results when it is there: %v", ok)
	}
}

func TestAnEMailGoesForTheFirstCheckpointAndForEachDay(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("mailto:qa@example.org"))
	for _, kind := range []string{"start", "hour", "day", "hour", "start"} {
		note(t, r.store, kind)
		r.checkpoint(t, kind)
		r.SendAll(t.Context())
	}
	if n := len(r.post.sent); n != 2 {
		t.Fatalf("%d e-mails were sent, want those of the first start and the day", n)
	}
	m := r.post.sent[1]
	if diff := cmp.Diff([]string{"qa@example.org"}, m.To); diff != "" || !strings.Contains(m.Subject, "line-2") {
		t.Errorf("to %v, subject %q", m.To, m.Subject)
	}
	list, err := chains.ParseCheckpoints(m.Attachments[0].Content)
	if err != nil || len(list) != 1 || list[0].Kind != "day" {
		t.Errorf("attached: %+v, %v", list, err)
	}
	if !strings.Contains(m.Text, strings.TrimSpace(string(publicText(r)))) {
		t.Errorf("the public key is not in the text:\n%s", m.Text)
	}
	r.Look(t.Context())
	next := newRig(t, folder, r.store, outside("mailto:qa@example.org"))
	next.checkpoint(t, "start")
	next.SendAll(t.Context())
	if n := len(next.post.sent); n != 0 {
		t.Errorf("%d e-mails after another start, want none before the next day", n)
	}
}

func publicText(r *rig) []byte {
	k := r.keys.Public()
	return k.Text()
}

func TestAnEMailThatFailsIsSentWithTheNextCheckpoint(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("mailto:qa@example.org"))
	r.post.fail = &halley.Error{Kind: halley.Unavailable, Message: "the mail server does not answer", Err: errors.New("timeout")}
	r.checkpoint(t, "day")
	r.SendAll(t.Context())
	r.post.fail = nil
	note(t, r.store, "more")
	r.checkpoint(t, "hour") // is newer, and nothing was ever sent
	r.SendAll(t.Context())
	r.Look(t.Context())
	ok, results := r.sent(t)
	if diff := cmp.Diff([]bool{true, false}, ok); diff != "" || results[1].Problem != "the mail server does not answer" {
		t.Errorf("results %+v (-want +got):\n%s", results, diff)
	}
}

func TestACheckpointInSyslogCanBeTakenOutAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("syslog://"+server.LocalAddr().String()))
	r.checkpoint(t, "start")
	r.SendAll(t.Context())
	b := make([]byte, 8192)
	n, _, err := server.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(b[:n]))
	text, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if err != nil {
		t.Fatalf("%q: %v", b[:n], err)
	}
	list, err := chains.ParseCheckpoints(text)
	if err != nil || len(list) != 1 {
		t.Fatalf("%q: %v", text, err)
	}
	if _, err := list[0].Check(r.keys.Public().Public); err != nil {
		t.Error(err)
	}
}
