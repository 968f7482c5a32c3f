package completeness

import (
	"context"
	"iter"

	"halley"
	"halley/storage"
)

// pageSize is how many heads are read at a time.
const pageSize = 1000

// headsFrom reads all heads of a device from start on, in pages.
func headsFrom(ctx context.Context, s Series, device halley.DeviceID, start halley.Millis) iter.Seq2[storage.Head, error] {
	return func(yield func(storage.Head, error) bool) {
		q := storage.HeadQuery{Device: device, From: start, To: halley.LatestMillis, Limit: pageSize}
		for {
			page, err := s.Heads(ctx, q)
			if err != nil {
				yield(storage.Head{}, err)
				return
			}
			for _, h := range page {
				if !yield(h, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
			last := page[len(page)-1]
			q.After, q.AfterVariant = last.MeasuredAt, last.Variant
		}
	}
}

// warmUp is how far back counting begins before the last message that lies before the period: far enough that a few extra
// messages hide neither the last periodic one nor its phase.
func warmUp(last storage.Head) halley.Millis {
	return max(10*intervalOf(last), halley.Hour)
}

// lookBack gives where counting begins for a period from the given instant: a little before the last message in front of it, or
// the instant itself where there is none.
func lookBack(ctx context.Context, s Series, device halley.DeviceID, from halley.Millis) (halley.Millis, error) {
	last, found, err := lastBefore(ctx, s, device, from)
	if err != nil || !found {
		return from, err
	}
	return last.MeasuredAt - warmUp(last), nil
}

// lastBefore finds the last head of a device before an instant. The contract of a store reads forwards only, so the span in front
// of the instant is doubled until something lies in it and then halved until one page holds it: some thirty reads by key at most.
func lastBefore(ctx context.Context, s Series, device halley.DeviceID, before halley.Millis) (storage.Head, bool, error) {
	for hi, step := before, halley.Hour; hi > halley.EarliestMillis; step *= 2 {
		lo := max(before-step, halley.EarliestMillis)
		page, err := s.Heads(ctx, storage.HeadQuery{Device: device, From: lo, To: hi, Limit: 1})
		if err != nil {
			return storage.Head{}, false, err
		}
		if len(page) > 0 {
			last, err := lastIn(ctx, s, device, halley.Span{From: lo, To: hi})
			return last, true, err
		}
		hi = lo
	}
	return storage.Head{}, false, nil
}

// lastIn finds the last head in a span that holds at least one.
func lastIn(ctx context.Context, s Series, device halley.DeviceID, in halley.Span) (storage.Head, error) {
	for {
		page, err := s.Heads(ctx, storage.HeadQuery{Device: device, From: in.From, To: in.To, Limit: pageSize})
		if err != nil {
			return storage.Head{}, err
		}
		if n := len(page); n > 0 && (n < pageSize || in.To-in.From <= 1) {
			return page[n-1], nil
		}
		middle := in.From + (in.To-in.From)/2
		page, err = s.Heads(ctx, storage.HeadQuery{Device: device, From: middle, To: in.To, Limit: 1})
		if err != nil {
			return storage.Head{}, err
		}
		if len(page) > 0 {
			in.From = middle
		} else {
			in.To = middle
		}
	}
}

// intervalOf gives the sending interval in force, 0 where it is not known.
func intervalOf(h storage.Head) halley.Millis {
	return halley.Millis(max(h.Interval, 0)) * halley.Second
}
