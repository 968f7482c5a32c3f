package ledger

import "context"

// DayFinder is what a Source may offer besides, so that days without rows need not be asked for one by one.
type DayFinder interface {
	// LedgerNextDay gives the first UTC day on which a device may have rows of message, at or after a day; ok is false where there is
	// none.
	LedgerNextDay(ctx context.Context, d Device, from int64) (day int64, ok bool, err error)
}
