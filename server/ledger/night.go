package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"halley"
	"halley/config"
	"halley/storage"
	form "halley/storage/ledger"
)

const (
	// catchUp is how long after a start a verification is done that was due while the server did not run.
	catchUp = 10 * time.Minute
	// tryAgain is when a verification is tried again that could not be done, tries how often.
	tryAgain = 10 * time.Minute
	tries    = 3
	// shares is in how many nights all is verified.
	shares = 30
	// leastDays is how many of the last UTC days are verified each night, mostDays how many where late data reach further back;
	// what lies before is verified with its share.
	leastDays = 3
	mostDays  = 31
)

// night is the verification that is done by itself each day.
type night struct {
	verifier *verifier
	// daily is when it is due, in the zone of this machine.
	daily config.TimeOfDay
	// at is when it is done next; zero for never.
	at time.Time
	// failures counts the tries of this night that failed.
	failures int
}

func (v *verifier) newNight() *night {
	n := &night{verifier: v}
	var on bool
	if n.daily, on = config.ParseTimeOfDay(v.ledger.opts.Config.VerifyAt); !on {
		return n
	}
	n.at = time.Now().Add(catchUp)
	if next := n.daily.Next(time.Now()); next.Before(n.at) {
		n.at = next
	}
	return n
}

// begin verifies where that is due and no other server has done it.
func (n *night) begin(ctx context.Context) {
	v := n.verifier
	n.at = n.daily.Next(time.Now())
	done, err := n.done(ctx)
	if err == nil && done || !v.begin() {
		n.failures = 0
		return
	}
	if err == nil {
		err = n.verify(ctx)
	}
	v.end()
	switch {
	case err == nil || ctx.Err() != nil || halley.KindOf(err) == halley.Conflict:
		n.failures = 0
	case n.failures+1 < tries:
		n.failures++
		n.at = time.Now().Add(tryAgain)
	default:
		n.failures = 0
		v.ledger.opts.Log.Warn("the database could not be verified; it is tried again at the next time of day", "err", err)
	}
}

// done says whether it was done since the last time of day.
func (n *night) done(ctx context.Context) (bool, error) {
	last, _, err := n.last(ctx, storage.VerifyRecent)
	return last.At >= halley.MillisOf(n.daily.Last(time.Now())), err
}

// last gives the newest result of a purpose that was done to the end; an ID of 0 says that there is none.
func (n *night) last(ctx context.Context, purpose string) (storage.Proof, storage.VerifySummary, error) {
	list, err := n.verifier.ledger.opts.Store.Proofs(ctx, storage.ProofVerify, 0, recent)
	if err != nil {
		return storage.Proof{}, storage.VerifySummary{}, fmt.Errorf("reading former verifications: %w", err)
	}
	for _, p := range list {
		var s storage.VerifySummary
		if json.Unmarshal([]byte(p.Summary), &s) == nil && s.Purpose == purpose && s.Problem == "" {
			return p, s, nil
		}
	}
	return storage.Proof{}, storage.VerifySummary{}, nil
}

// verify does the share of this night and then what was recorded since the last time, whose result is the newest then.
func (n *night) verify(ctx context.Context) error {
	v := n.verifier
	lease, err := v.take(ctx)
	if err != nil {
		return err
	}
	return v.under(ctx, lease, func(ctx context.Context) error {
		first, last, ok, err := v.ledger.opts.Store.LedgerDays(ctx)
		if err != nil {
			return fmt.Errorf("reading the first and the last day: %w", err)
		}
		before, _, err := n.last(ctx, storage.VerifyRecent)
		if err != nil {
			return err
		}
		if !ok || before.ID == 0 {
			return v.do(ctx, task{purpose: storage.VerifyRecent, change: by("[ledger] verify-at")})
		}
		_, former, err := n.last(ctx, storage.VerifyShare)
		if err != nil {
			return err
		}
		from, to := share(first, last, former)
		if err := v.do(ctx, task{from: startOf(from), to: startOf(to), purpose: storage.VerifyShare, change: by("[ledger] verify-at")}); err != nil {
			return err
		}
		since, err := n.touched(ctx, before.At, last)
		if err != nil {
			return err
		}
		return v.do(ctx, task{from: startOf(max(since, first)), to: startOf(last + 1), purpose: storage.VerifyRecent, change: by("[ledger] verify-at")})
	})
}

// startOf gives the first instant of a UTC day; never 0, which stands for all.
func startOf(day int64) halley.Millis { return max(halley.Millis(day)*halley.Day, 1) }

// share gives the UTC days [from, to) that are the next share of all from first to last, behind the former one.
func share(first, last int64, former storage.VerifySummary) (from, to int64) {
	days := (last - first + 1 + shares - 1) / shares
	from = first
	if next := form.DayOf(former.To); former.To > 0 && next > first && next <= last {
		from = next
	}
	return from, min(from+days, last+1)
}

// touched gives the oldest UTC day of which something was recorded since an instant, within bounds.
func (n *night) touched(ctx context.Context, since halley.Millis, last int64) (int64, error) {
	store := n.verifier.ledger.opts.Store
	oldest := last - leastDays + 1
	after, err := batchAt(ctx, store, since-halley.Hour)
	if err != nil {
		return 0, err
	}
	for {
		const page = 1000
		batches, err := store.LedgerBatches(ctx, after, page)
		if err != nil {
			return 0, fmt.Errorf("reading batches: %w", err)
		}
		for i := range batches {
			if len(batches[i].Parts) > 0 {
				oldest = min(oldest, batches[i].Parts[0].Day)
			}
			after = batches[i].ID
		}
		if len(batches) == 0 || oldest <= last-mostDays {
			return max(oldest, last-mostDays+1), nil
		}
	}
}

// batchAt gives a batch behind which all were recorded since an instant.
func batchAt(ctx context.Context, store storage.Ledger, since halley.Millis) (int64, error) {
	heads, err := store.LedgerHeads(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the ends of the chains: %w", err)
	}
	newest := int64(0)
	for _, h := range heads.Batches {
		newest = max(newest, h.ID)
	}
	after := sort.Search(int(newest), func(id int) bool {
		if err != nil {
			return true
		}
		var next []form.Batch
		next, err = store.LedgerBatches(ctx, int64(id), 1)
		return err != nil || len(next) == 0 || next[0].RecordedAt >= since
	})
	if err != nil {
		return 0, fmt.Errorf("reading batches: %w", err)
	}
	return int64(after), nil
}
