package viewerapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
	viewerapi "halley/viewer-api"
)

// kept gives results as a store lists them.
func kept(all ...storage.Proof) func(storage.ProofKind, int64, int) ([]storage.Proof, error) {
	return func(kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
		var list []storage.Proof
		for _, p := range slices.Backward(all) {
			if p.Kind == kind && (before == 0 || p.ID < before) && len(list) < limit {
				list = append(list, p)
			}
		}
		return list, nil
	}
}

func proof(t *testing.T, id int64, kind storage.ProofKind, ok bool, summary any) storage.Proof {
	t.Helper()
	text, err := json.Marshal(summary)
	if err != nil {
		t.Fatal(err)
	}
	return storage.Proof{ID: id, At: at + halley.Millis(id)*1000, Node: "line-2", Kind: kind, OK: ok, Summary: string(text)}
}

func TestTheProofIsNullWhereNothingWasProven(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	checkJSON(t, k.get(t, "/api/v1/proof"), `{"verification":null,"checkpoint":null,"backup":null,"drill":null,"set_back":[]}`)
}

func TestTheFirstVerificationIsSeenWhileItRuns(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.proofNow = func() viewerapi.ProofNow {
		return viewerapi.ProofNow{Verifying: true, Progress: 0.25, BackupConfigured: true, DrillOverdue: true}
	}
	k := newKit(t, p)
	checkJSON(t, k.get(t, "/api/v1/proof"), `{"verification":{"at":null,"ok":false,"from":null,"to":null,"samples":0,"batches":0,"checkpoints":0,
		"outside":false,"anchor_at":null,"finding_count":0,"findings":[],"problem":"","running":true,"progress":0.25},
		"checkpoint":null,
		"backup":{"at":null,"end_at":null,"ok":false,"name":"","to":"","bytes":0,"encrypted":false,"problem":"","configured":true,"overdue":false},
		"drill":{"at":null,"ok":false,"backup":"","backup_at":null,"samples":0,"problem":"","overdue":true,"findings":[]},"set_back":[]}`)
}

func TestTheProofIsMadeOfTheNewestResults(t *testing.T) {
	t.Parallel()
	p := fleet()
	old := proof(t, 1, storage.ProofSetBack, false, storage.SetBackSummary{What: "store", Text: "long ago"})
	old.At = halley.MillisOf(time.Now().Add(-31 * 24 * time.Hour))
	recent := proof(t, 2, storage.ProofSetBack, false, storage.SetBackSummary{What: "journal", Text: "Set back."})
	recent.At = halley.MillisOf(time.Now().Add(-29 * 24 * time.Hour).Truncate(time.Second))
	finding := storage.FindingSummary{What: "changed", Text: "A value was changed."}
	other := proof(t, 9, storage.ProofSent, false, storage.SentSummary{To: "syslog://log", Problem: "of another server"})
	other.Node = "line-3"
	p.proofs = kept(old, recent,
		proof(t, 3, storage.ProofVerify, true, storage.VerifySummary{Samples: 1}),
		proof(t, 4, storage.ProofVerify, false, storage.VerifySummary{
			From: at, To: at + halley.Day, Samples: 5, Batches: 4, Checkpoints: 3, Outside: true, AnchorAt: at, FindingCount: 7,
			Findings: []storage.FindingSummary{finding}, Problem: "It broke off.",
		}),
		proof(t, 5, storage.ProofBackup, true, storage.BackupSummary{Name: "b1", To: "/mnt/b", Bytes: 12, Encrypted: true, EndAt: at}),
		proof(t, 6, storage.ProofDrill, false, storage.DrillSummary{Backup: "b1", BackupAt: at, Samples: 9, Findings: []storage.FindingSummary{finding}, Problem: "No."}),
		proof(t, 7, storage.ProofSent, false, storage.SentSummary{To: "file:/mnt/a", Problem: "Full."}),
		proof(t, 8, storage.ProofSent, true, storage.SentSummary{To: "file:/mnt/a"}), other,
	)
	p.checkpoint = func(node string) (ledger.Checkpoint, bool, error) {
		return ledger.Checkpoint{Node: node, At: at}, true, nil
	}
	p.proofNow = func() viewerapi.ProofNow {
		return viewerapi.ProofNow{Node: "line-2", Places: []string{"file:/mnt/a", "syslog://log"}, BackupConfigured: true, BackupOverdue: true}
	}
	k := newKit(t, p)
	checkJSON(t, k.get(t, "/api/v1/proof"), `{"verification":{"at":"2026-11-21T13:16:04.000Z","ok":false,"from":"2026-11-21T13:16:00.000Z",
		"to":"2026-11-22T13:16:00.000Z","samples":5,"batches":4,"checkpoints":3,"outside":true,"anchor_at":"2026-11-21T13:16:00.000Z",
		"finding_count":7,"findings":[{"what":"changed","text":"A value was changed."}],"problem":"It broke off.","running":false,"progress":0},
		"checkpoint":{"at":"2026-11-21T13:16:00.000Z","node":"line-2","sent":[
			{"to":"file:/mnt/a","at":"2026-11-21T13:16:08.000Z","ok":true,"problem":""},{"to":"syslog://log","at":null,"ok":false,"problem":""}]},
		"backup":{"at":"2026-11-21T13:16:05.000Z","end_at":"2026-11-21T13:16:00.000Z","ok":true,"name":"b1","to":"/mnt/b","bytes":12,
			"encrypted":true,"problem":"","configured":true,"overdue":true},
		"drill":{"at":"2026-11-21T13:16:06.000Z","ok":false,"backup":"b1","backup_at":"2026-11-21T13:16:00.000Z","samples":9,"problem":"No.",
			"overdue":false,"findings":[{"what":"changed","text":"A value was changed."}]},
		"set_back":[{"at":"`+recent.At.String()+`","what":"journal","text":"Set back."}]}`)
}

func TestAVerificationIsBegunByAnAdministrator(t *testing.T) {
	t.Parallel()
	var got [][2]halley.Millis
	var who []string
	p := fleet()
	p.verify = func(from, to halley.Millis, c halley.Change) error {
		got, who = append(got, [2]halley.Millis{from, to}), append(who, c.Actor.Name)
		if len(got) > 3 {
			return &halley.Error{Kind: halley.Conflict, Op: "verify", Code: "verification-running", Message: "wait"}
		}
		return nil
	}
	k := newKit(t, p)
	const target = "/api/v1/proof/verifications"
	ask := func(body string, wrong bool) answer {
		return k.do(t, request{method: http.MethodPost, target: target, body: body, token: k.admin, wrong: wrong})
	}
	for _, body := range []string{"", `{"from":"2026-11-21T13:16:00Z","to":"2026-11-22T13:16:00Z"}`, `{"to":"2026-11-21T13:16:00Z"}`} {
		if a := ask(body, false); a.status != http.StatusAccepted || a.body != "" {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	want := [][2]halley.Millis{{0, 0}, {at, at + halley.Day}, {halley.EarliestMillis, at}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"administrator", "administrator", "administrator"}, who); diff != "" {
		t.Errorf("by whom (-want +got):\n%s", diff)
	}
	checkProblem(t, ask("{}", false), http.StatusConflict, "verification-running", "")
	checkProblem(t, ask(`{"from":"2026-11-22T13:16:00Z","to":"2026-11-21T13:16:00Z"}`, false), http.StatusBadRequest, "not-valid", "from")
	checkProblem(t, ask(`{"to":"soon"}`, true), http.StatusBadRequest, "not-valid", "to")
	checkProblem(t, k.do(t, request{method: http.MethodPost, target: target, token: k.reader}), http.StatusForbidden, "permission-missing", "")
}

func TestKeptResultsAreListedByPages(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.proofs = kept(
		proof(t, 1, storage.ProofVerify, true, struct{}{}), proof(t, 2, storage.ProofSent, true, storage.SentSummary{To: "x"}),
		proof(t, 3, storage.ProofVerify, false, struct{}{}),
	)
	k := newKit(t, p)
	ids := func(target string) (list []int64, next *int64) {
		var page struct {
			Results []struct{ ID int64 }
			Next    *int64
		}
		if err := json.Unmarshal([]byte(k.get(t, target).body), &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Results {
			list = append(list, r.ID)
		}
		return list, page.Next
	}
	tests := map[string]struct {
		query string
		want  []int64
		next  int64
	}{
		"all":          {"", []int64{3, 2, 1}, 0},
		"one kind":     {"?kind=verify", []int64{3, 1}, 0},
		"a page":       {"?limit=2", []int64{3, 2}, 2},
		"the next one": {"?limit=2&before=2", []int64{1}, 0},
	}
	for name, tc := range tests {
		got, next := ids("/api/v1/proof/results" + tc.query)
		if diff := cmp.Diff(tc.want, got); diff != "" || (next == nil) != (tc.next == 0) || next != nil && *next != tc.next {
			t.Errorf("%s: next %v (-want +got):\n%s", name, next, diff)
		}
	}
	checkJSON(t, k.get(t, "/api/v1/proof/results?kind=sent"),
		`{"results":[{"id":2,"at":"2026-11-21T13:16:02.000Z","node":"line-2","kind":"sent","ok":true,"summary":{"checkpoint":0,"at":0,"to":"x","problem":""}}],"next":null}`)
	checkProblem(t, k.do(t, request{target: "/api/v1/proof/results?kind=x", token: k.reader, wrong: true}), http.StatusBadRequest, "not-valid", "kind")
}
