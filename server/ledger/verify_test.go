package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/ledger"
	"halley/storage"
	chains "halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// verifications gives the kept results of verifications, newest first.
func verifications(t *testing.T, store storage.Store) (ok []bool, list []storage.VerifySummary) {
	t.Helper()
	proofs, err := store.Proofs(t.Context(), storage.ProofVerify, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		var s storage.VerifySummary
		if err := json.Unmarshal([]byte(p.Summary), &s); err != nil {
			t.Fatal(err)
		}
		ok, list = append(ok, p.OK), append(list, s)
	}
	return ok, list
}

// work runs the ledger until the context that it gives is cancelled.
func (r *rig) work(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func TestAVerificationThatIsAskedForIsKept(t *testing.T) {
	t.Parallel()
	folder, away := t.TempDir(), t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")), outside("file:"+away))
	r.checkpoint(t, "start")
	r.SendAll(t.Context())
	anchor, _, err := ledger.NewestIn(filepath.Join(away, "halley-line-2"))
	if err != nil {
		t.Fatal(err)
	}
	var asked verify.Options
	release := make(chan struct{})
	r.SetEngine(func(ctx context.Context, o verify.Options) (verify.Result, error) {
		asked = o
		o.Tell(verify.Progress{Done: 1, Total: 4})
		<-release
		return verify.Run(ctx, o)
	})
	r.work(t)
	anna := halley.Change{Actor: halley.Actor{Kind: "session", Name: "anna"}, At: 1}
	from, to := 10*halley.Day+5, 12*halley.Day+1
	if err := r.Verify(t.Context(), from, to, anna); err != nil {
		t.Fatal(err)
	}
	until(t, "it has come to a quarter", func() bool { _, p := r.Verification(); return p == 0.25 })
	if err := r.Verify(t.Context(), 0, 0, anna); halley.KindOf(err) != halley.Conflict {
		t.Errorf("a second one: %v, want Conflict", err)
	}
	other := newRig(t, t.TempDir(), r.store)
	if err := other.Verify(t.Context(), 0, 0, anna); halley.KindOf(err) != halley.Conflict {
		t.Errorf("one of another server: %v, want Conflict", err)
	}
	if running, _ := other.Verification(); running {
		t.Error("the other server verifies")
	}
	close(release)
	until(t, "it has ended", func() bool { running, _ := r.Verification(); return !running })
	until(t, "it is kept", func() bool { ok, _ := verifications(t, r.store); return len(ok) == 1 })
	ok, list := verifications(t, r.store)
	got := list[0]
	want := storage.VerifySummary{
		From: from, To: to, Outside: true, AnchorAt: got.AnchorAt, Facts: got.Facts, Checkpoints: got.Checkpoints, Millis: got.Millis,
		Findings: []storage.FindingSummary{}, Version: "test",
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok[0] || got.AnchorAt < anchor.At || got.Facts == 0 || got.Checkpoints == 0 {
		t.Errorf("kept, ok %v (-want +got):\n%s", ok[0], diff)
	}
	if asked.From != 10 || asked.To != 13 || len(asked.Keys) != 1 || len(asked.Anchors) != 1 || len(asked.Copies) != 1 || asked.Remembered == nil || asked.Rollups == nil {
		t.Errorf("the engine was asked for %d to %d with %d keys and %d anchors", asked.From, asked.To, len(asked.Keys), len(asked.Anchors))
	}
}

func TestAVerificationThatCannotBeDoneIsKeptWithItsProblem(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, folder, openStore(t, filepath.Join(folder, "halley.db")))
	r.SetEngine(func(context.Context, verify.Options) (verify.Result, error) {
		return verify.Result{Samples: 3}, &halley.Error{Kind: halley.Unavailable, Message: "the database is away", Err: errors.New("x")}
	})
	r.work(t)
	if err := r.Verify(t.Context(), 0, 0, halley.Change{At: 1}); err != nil {
		t.Fatal(err)
	}
	until(t, "it is kept", func() bool { ok, _ := verifications(t, r.store); return len(ok) == 1 })
	ok, list := verifications(t, r.store)
	if ok[0] || list[0].Problem != "the database is away" || list[0].Samples != 3 {
		t.Errorf("kept: %v, %+v", ok, list)
	}
	if diff := cmp.Diff([]string{"verification-failed"}, r.codes()); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestEachNightVerifiesAShareAndWhatIsNew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	day := chains.DayOf(halley.MillisOf(time.Now()))
	store := &days{Store: openStore(t, filepath.Join(folder, "halley.db")), first: day - 299, last: day}
	r := newRig(t, folder, nil, func(o *ledger.Options) { o.Store = store })
	r.store = store
	var spans [][2]int64
	r.SetEngine(func(_ context.Context, o verify.Options) (verify.Result, error) {
		spans = append(spans, [2]int64{o.From, o.To})
		return verify.Result{}, nil
	})
	r.Night(t.Context())
	r.Look(t.Context())
	r.Night(t.Context()) // was done already
	if diff := cmp.Diff([][2]int64{{0, 0}}, spans); diff != "" {
		t.Errorf("the first night (-want +got):\n%s", diff)
	}
	_, list := verifications(t, store)
	if len(list) != 1 || list[0].Purpose != storage.VerifyRecent {
		t.Errorf("kept: %+v", list)
	}
	store.ago = 24 * time.Hour
	spans = nil
	r.Night(t.Context())
	r.Look(t.Context())
	want := [][2]int64{{day - 299, day - 289}, {day - 2, day + 1}}
	if diff := cmp.Diff(want, spans); diff != "" {
		t.Errorf("the second night (-want +got):\n%s", diff)
	}
	spans = nil
	store.ago = 48 * time.Hour
	r.Night(t.Context())
	if len(spans) != 2 || spans[0] != [2]int64{day - 289, day - 279} {
		t.Errorf("the third night: %v", spans)
	}
}

// days is a store with samples of these days, whose results are older than they say.
type days struct {
	storage.Store
	first, last int64
	ago         time.Duration
}

func (d *days) LedgerDays(context.Context) (first, last int64, ok bool, err error) {
	return d.first, d.last, true, nil
}

func (d *days) Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
	list, err := d.Store.Proofs(ctx, kind, before, limit)
	for i := range list {
		list[i].At -= halley.Millis(d.ago.Milliseconds())
	}
	return list, err
}

func TestSharesFollowEachOther(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		first, last int64
		former      halley.Millis
		from, to    int64
	}{
		"the first":             {100, 399, 0, 100, 110},
		"the next":              {100, 399, 110 * halley.Day, 110, 120},
		"the last is shorter":   {100, 395, 390 * halley.Day, 390, 396},
		"then the first again":  {100, 399, 400 * halley.Day, 100, 110},
		"after a removal":       {300, 399, 110 * halley.Day, 300, 304},
		"a day where few exist": {100, 102, 101 * halley.Day, 101, 102},
	}
	for name, tc := range tests {
		if from, to := ledger.Share(tc.first, tc.last, tc.former); from != tc.from || to != tc.to {
			t.Errorf("%s: %d to %d, want %d to %d", name, from, to, tc.from, tc.to)
		}
	}
}

func TestALaterCleanVerificationOfTheRangeClosesAFinding(t *testing.T) {
	t.Parallel()
	result := func(id int64, from, to halley.Millis, findings int64, problem string) storage.Proof {
		if from > 0 {
			from, to = halley.EarliestMillis+from, min(halley.EarliestMillis+to, halley.LatestMillis)
		}
		text, err := json.Marshal(storage.VerifySummary{From: from, To: to, FindingCount: findings, Problem: problem})
		if err != nil {
			t.Fatal(err)
		}
		return storage.Proof{ID: id, Kind: storage.ProofVerify, Summary: string(text), OK: findings == 0 && problem == ""}
	}
	tests := map[string]struct {
		newestFirst []storage.Proof
		want        []int64
	}{
		"it is open":                       {[]storage.Proof{result(1, 10, 20, 1, "")}, []int64{1}},
		"closed by the same range":         {[]storage.Proof{result(2, 10, 20, 0, ""), result(1, 10, 20, 1, "")}, nil},
		"closed by all":                    {[]storage.Proof{result(2, 0, 0, 0, ""), result(1, 10, 20, 1, "")}, nil},
		"not by a part":                    {[]storage.Proof{result(2, 10, 19, 0, ""), result(1, 10, 20, 1, "")}, []int64{1}},
		"not by one that was not done":     {[]storage.Proof{result(2, 0, 0, 0, "away"), result(1, 10, 20, 1, "")}, []int64{1}},
		"not by an earlier one":            {[]storage.Proof{result(2, 10, 20, 1, ""), result(1, 0, 0, 0, "")}, []int64{2}},
		"a later finding stands for it":    {[]storage.Proof{result(2, 0, 0, 3, ""), result(1, 10, 20, 1, "")}, []int64{2}},
		"one that broke off counts too":    {[]storage.Proof{result(1, 10, 20, 1, "away")}, []int64{1}},
		"all is not closed by a long span": {[]storage.Proof{result(2, 1, halley.LatestMillis, 0, ""), result(1, 0, 0, 1, "")}, []int64{1}},
	}
	for name, tc := range tests {
		if diff := cmp.Diff(tc.want, ledger.OpenFindings(tc.newestFirst)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// fake is a store of a ledger in memory that may be away.
type fake struct {
	ledger.Store
	mu     sync.Mutex
	away   bool
	facts  int64
	list   []chains.Checkpoint
	proofs []storage.Proof
}

func (f *fake) ask() error {
	if f.away {
		return &halley.Error{Kind: halley.Unavailable, Message: "the database is away"}
	}
	return nil
}

func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fake) LedgerKeys(context.Context) ([]chains.Key, error) { return nil, nil }

func (f *fake) AddLedgerKey(context.Context, chains.Key, halley.Change) error { return nil }

func (f *fake) LedgerHeads(context.Context) (chains.Heads, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return chains.Heads{Fact: chains.Head{ID: f.facts, Digest: chains.Digest{1}}}, f.ask()
}

func (f *fake) NewestCheckpoint(context.Context, string) (c chains.Checkpoint, found bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.list); n > 0 {
		c, found = f.list[n-1], true
	}
	return c, found, f.ask()
}

func (f *fake) AddCheckpoint(_ context.Context, c chains.Checkpoint) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, c)
	return int64(len(f.list)), f.ask()
}

func (f *fake) Proofs(context.Context, storage.ProofKind, int64, int) ([]storage.Proof, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.proofs, f.ask()
}

func TestCheckpointsAreMadeWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &fake{facts: 1}
		r := newRig(t, t.TempDir(), nil, func(o *ledger.Options) { o.Config.VerifyAt, o.Store = "", store })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		pass := func(d time.Duration) {
			time.Sleep(d) //nolint:forbidigo // fake time inside a bubble
			synctest.Wait()
		}
		pass(90 * time.Minute) // from midnight: the first hour adds nothing to the start
		store.set(func(f *fake) { f.facts = 2 })
		pass(time.Hour)
		store.set(func(f *fake) { f.away = true })
		pass(48 * time.Hour)
		store.set(func(f *fake) { f.away = false })
		pass(2 * time.Hour)
		store.set(func(f *fake) { f.facts = 3 })
		cancel()
		<-done
		r.Stop(t.Context())
		var got []string
		for _, c := range store.list {
			got = append(got, c.Kind+" "+c.At.Time().Format("02 15:04"))
		}
		want := []string{"start 01 00:00", "hour 01 02:00", "day 03 02:30", "stop 03 04:30"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("checkpoints (-want +got):\n%s", diff)
		}
	})
}
