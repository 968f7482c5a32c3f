package verify

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"time"

	"halley"
	"halley/storage/ledger"
)

// What says in a word what is wrong.
type What string

// What can be wrong.
const (
	// Changed is a sample, a message, a part or a batch that is not as it was recorded.
	Changed What = "changed"
	// Missing was recorded and is not there.
	Missing What = "missing"
	// Added is there and was never recorded.
	Added What = "added"
	// Moved is one missing and one added of the same values in one part.
	Moved What = "moved"
	// Reordered are batches that do not lie in the order in which they were recorded.
	Reordered What = "reordered"
	// Truncated is a chain whose end is gone.
	Truncated What = "truncated"
	// Checkpoint is a checkpoint that is not what was signed, or contradicts the chains.
	Checkpoint What = "checkpoint"
	// Setting is a row that decides what a sample means and is not as it was recorded.
	Setting What = "setting"
	// Audit is the same of a row of the audit trail.
	Audit What = "audit"
	// Rollup is a derived figure that does not follow from its samples.
	Rollup What = "rollup"
)

// Finding is something that is not as it was recorded.
type Finding struct {
	What What
	// Device and Channel say where, as far as they apply: an empty Serial is no device, HasChannel says that there is a channel.
	Device     ledger.Device
	Channel    ledger.Channel
	HasChannel bool
	// At is the instant of the sample, 0 where that does not apply; Batch is the batch, 0 likewise.
	At    halley.Millis
	Batch int64
	// Text says in plain words what is wrong and where, in one line, without What.
	Text string
}

// Remembered is what is known outside the source of a batch that was recorded.
type Remembered struct {
	Node, JournalID   string
	FirstSeq, LastSeq uint64
	Batch             int64
	Digest            ledger.Digest
}

// RollupFault is a rollup that does not follow from its samples, over [From, To).
type RollupFault struct {
	Channel  ledger.Channel
	From, To halley.Millis
}

// Progress says how far a verification is: Done of Total in a step, 0 of 0 where that is not known.
type Progress struct {
	// Step says in words what is checked.
	Step        string
	Done, Total int64
}

// Options say what to verify, against what.
type Options struct {
	Source ledger.Source
	// From and To bound the UTC days of measured-at whose samples are checked, half-open; both 0 for all. Chains, facts and
	// checkpoints are checked whole.
	From, To int64
	// Keys are trusted, because they were not read from the source. A node that has one among them must have signed with one of them;
	// of another node the keys that the source itself names are taken, and a note says so.
	Keys []ledger.Key
	// Anchors are checkpoints that were kept outside; Copies were kept apart from the source but on the same machine, so that they do
	// not make a Result Outside.
	Anchors, Copies []ledger.Checkpoint
	// Remembered is what the node's journal knows of recorded batches; nil for nothing.
	Remembered iter.Seq2[Remembered, error]
	// Only leaves out findings that concern another device; nil reports all. The parts are checked whole all the same.
	Only func(ledger.Device) bool
	// Rollups gives the rollups of a device on a UTC day that do not follow from its samples; nil checks none.
	Rollups func(ctx context.Context, d ledger.Device, day int64) ([]RollupFault, error)
	// Tell is told now and then how far it is; nil tells nobody.
	Tell func(Progress)
	// Pause is called between short pieces of work, so that a server can let others go first; nil goes on at once.
	Pause func(ctx context.Context) error
}

// MaxFindings is how many findings a Result holds.
const MaxFindings = 1000

// Result says what was checked and what was found.
type Result struct {
	// From and To are the UTC days that were checked, half-open; equal where there was nothing.
	From, To int64
	// Samples, Batches, Facts and Checkpoints were checked. Uncovered batches were recorded before the ledger began.
	Samples, Batches, Facts, Checkpoints, Uncovered int64
	// Findings are the first MaxFindings, Count is how many there are.
	Findings []Finding
	Count    int64
	// Notes say what a reader must know and is no finding.
	Notes []string
	// Outside says that a checkpoint kept outside was checked against; AnchorAt is when the newest of them was made.
	Outside  bool
	AnchorAt halley.Millis
	// Signed says that signatures were checked against trusted keys.
	Signed bool
}

// Line says in one line, for programs too, what was checked: the last line of a verification that found nothing.
func (r *Result) Line() string {
	from, to := "none", "none"
	if r.To > r.From {
		from, to = ledger.DayText(r.From), ledger.DayText(r.To)
	}
	return fmt.Sprintf("verified samples=%d batches=%d from=%s to=%s", r.Samples, r.Batches, from, to)
}

// Run verifies. The error says why it could not come to the end; the Result holds what was found until then.
func Run(ctx context.Context, o Options) (Result, error) {
	r, err := newRun(o)
	if err != nil {
		return Result{}, err
	}
	for _, step := range []func(context.Context) error{
		r.readTombstones, r.readFacts, r.readCheckpoints, r.readAnchors, r.readRemembered, r.readBatches, r.judgeHeads,
		// Before the samples: one setting may make thousands of them read otherwise, and must not be lost behind them.
		r.compareTables, r.readDays,
	} {
		if err := step(ctx); err != nil {
			return r.ordered(), err
		}
	}
	return r.ordered(), nil
}

// run is one verification.
type run struct {
	Options
	result  Result
	unpack  *ledger.Unpacker
	batches *batchPages
	keys    keyring
	// secret makes sums over tables that nobody can aim at.
	secret [32]byte
	told   time.Time

	tombstones []ledger.Tombstone
	facts      factChain
	tables     map[string]*tableSum
	newer      map[string]struct{}
	heads      headClaims
	// bound is the last batch that was there when the chains were read; lastOf is the last of each node.
	bound  int64
	lastOf map[string]ledger.Head
	// wrong are the fact tables whose rows are not what was recorded; renamed are the channels that samples are said to be of since.
	wrong   map[string]bool
	renamed map[rename]bool
	// days has, for each UTC day, the sum over the parts that the batches have of it.
	days map[int64]*rowSum
}

// ordered gives the result with the rollups behind all else: that they do not follow is mostly the consequence of what stands before.
func (r *run) ordered() Result {
	slices.SortStableFunc(r.result.Findings, func(x, y Finding) int {
		switch {
		case x.What == y.What || x.What != Rollup && y.What != Rollup:
			return 0
		case y.What == Rollup:
			return -1
		}
		return 1
	})
	return r.result
}

func newRun(o Options) (*run, error) {
	unpack, err := ledger.NewUnpacker()
	if err != nil {
		return nil, err
	}
	r := &run{
		Options: o, unpack: unpack, batches: &batchPages{source: o.Source}, tables: map[string]*tableSum{}, newer: map[string]struct{}{},
		lastOf: map[string]ledger.Head{}, wrong: map[string]bool{}, renamed: map[rename]bool{}, days: map[int64]*rowSum{}, heads: newHeadClaims(),
	}
	if _, err := rand.Read(r.secret[:]); err != nil {
		return nil, fmt.Errorf("drawing a random number: %w", err)
	}
	r.result.Signed = len(o.Keys) > 0
	return r, nil
}

// find takes note of a finding.
func (r *run) find(f Finding) {
	if r.Only != nil && f.Device.Serial != "" && !r.Only(f.Device) {
		return
	}
	r.result.Count++
	if len(r.result.Findings) < MaxFindings {
		r.result.Findings = append(r.result.Findings, f)
	}
}

func (r *run) findf(what What, batch int64, format string, args ...any) {
	r.find(Finding{What: what, Batch: batch, Text: fmt.Sprintf(format, args...)})
}

// note takes note of what is no finding, once.
func (r *run) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.result.Notes, text) && len(r.result.Notes) < MaxFindings {
		r.result.Notes = append(r.result.Notes, text)
	}
}

// tellEvery is how often progress is told.
const tellEvery = 200 * time.Millisecond

// breathe lets others go first and tells how far it is.
func (r *run) breathe(ctx context.Context, step string, done, total int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	if r.Tell != nil {
		if now := time.Now(); now.Sub(r.told) >= tellEvery || done == total {
			r.told = now
			r.Tell(Progress{Step: step, Done: done, Total: total})
		}
	}
	if r.Pause != nil {
		return r.Pause(ctx)
	}
	return nil
}

func (r *run) readTombstones(ctx context.Context) error {
	stones, err := r.Source.Tombstones(ctx)
	if err != nil {
		return fmt.Errorf("reading tombstones: %w", err)
	}
	known, err := r.Source.LedgerKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading public keys: %w", err)
	}
	r.keys = newKeyring(r.Keys, known)
	for i := range stones {
		t := &stones[i]
		key, trusted, found := r.keys.byID(t.KeyID)
		if !found {
			r.findf(Checkpoint, 0, "the tombstone of the days %s to %s is signed with a key that is not known (%s)",
				ledger.DayText(t.FromDay), ledger.DayText(t.ToDay-1), t.KeyID)
			continue
		}
		if _, err := t.Check(key.Public); err != nil {
			r.findf(Checkpoint, 0, "the tombstone of the days %s to %s is not what was signed", ledger.DayText(t.FromDay), ledger.DayText(t.ToDay-1))
			continue
		}
		if !trusted && len(r.Keys) > 0 {
			r.note("a tombstone is signed with a key that only the database itself names (%s)", t.KeyID)
		}
		r.tombstones = append(r.tombstones, *t)
		r.note("the samples of the days %s to %s were removed at %s by a retention rule (proposed by %s, carried out by %s: %s)",
			ledger.DayText(t.FromDay), ledger.DayText(t.ToDay-1), t.At, t.ProposedBy, t.CarriedOutBy, t.Why)
	}
	return nil
}

// removed says whether a tombstone that holds covers a day.
func (r *run) removed(day int64) bool {
	return slices.ContainsFunc(r.tombstones, func(t ledger.Tombstone) bool { return day >= t.FromDay && day < t.ToDay })
}
