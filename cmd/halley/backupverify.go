package main

import (
	"context"
	"time"

	"halley/server/ledger"
	"halley/storage"
	"halley/storage/ledger/verify"
)

// drillPause is how long the verification of a drill rests after each short piece of work: devices come first.
const drillPause = 2 * time.Millisecond

// mostDrillFindings is how many findings the result of a drill keeps.
const mostDrillFindings = 20

// verifyRestored verifies a store that was restored for trial, from the first batch to the last.
func verifyRestored(ctx context.Context, s storage.Store) (storage.VerifySummary, error) {
	r, err := verify.Run(ctx, verify.Options{Source: s, Pause: func(ctx context.Context) error {
		t := time.NewTimer(drillPause)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	if err != nil {
		return storage.VerifySummary{}, err
	}
	sum := ledger.Summary(&r, mostDrillFindings)
	sum.Version = version
	return sum, nil
}
