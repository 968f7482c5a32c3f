// Package completeness says how complete the messages of a device are: how many were expected in a period, how many came, how
// many came late, how many are missing and, where messages or this server's own log prove it, why.
//
// Messages are counted, not samples: expected = received + missing, and what is missing is found by gaps. Only periodic messages
// count; messages out of turn are "extra", tests count nowhere, and neither ever fills a gap. A gap is seen as a row of missing
// messages, evenly spaced, and a period gets those of them that fall into it, so that the numbers of neighbouring periods add up.
//
// The heads of messages are read in a stream and in order; memory does not grow with the period. The package stores nothing and
// reads no clock.
package completeness

import (
	"context"
	"iter"

	"halley"
	"halley/storage"
)

// Cause is why messages are missing. It is stated only where something proves it, else it is Unknown.
type Cause string

// The causes. The list is closed: programs may rely on it.
const (
	// NoNetwork is a device that had no network.
	NoNetwork Cause = "no-network"
	// ServerRefused is a server that answered "not stored".
	ServerRefused Cause = "server-refused"
	// ServerDown is the downtime of this server, or of all servers that shared the database then.
	ServerDown Cause = "server-down"
	// RestartOrOff is a device that restarted and may have been off before: its order numbers began anew.
	RestartOrOff Cause = "restart-or-off"
	// SwitchedOff is a person's mark that the device was switched off.
	SwitchedOff Cause = "switched-off"
	// CacheCleared is a change of the device's configuration, at which it clears its memory.
	CacheCleared Cause = "cache-cleared"
	// Quarantined is messages that wait in quarantine.
	Quarantined Cause = "quarantined"
	// IntervalChanged is a gap over which the interval changed, so that the number is not certain.
	IntervalChanged Cause = "interval-changed"
	// OrderGap is a jump of the device's order numbers: it sent, or meant to send, and the messages are not here.
	OrderGap Cause = "order-gap"
	// Unknown is a cause that nothing proves.
	Unknown Cause = "unknown"
)

// Report is how complete a device's messages are in [From, To).
type Report struct {
	From, To halley.Millis
	// Expected is Received + Missing.
	Expected int64
	// Received counts periodic messages that are there; Late counts those among them that came late (see halley.Late).
	Received, Late int64
	// Missing is the number that is certainly missing. Uncertain is how many more it may be, where the interval changed across a
	// gap.
	Missing, Uncertain int64
	// Duplicates and Conflicts were received on the UTC days of the period and not stored.
	Duplicates, Conflicts int64
	// Extra counts messages out of turn, such as at the start of an alarm.
	Extra int64
	// Gaps are at most MaxGaps, by From. The Messages of those with the cause IntervalChanged add up to Uncertain, of all others
	// to Missing.
	Gaps []Gap
}

// MaxGaps is how many gaps a report lists. Where there are more, neighbours of the same cause are merged into one that spans
// both, so that gaps of different causes may then overlap.
const MaxGaps = 1000

// Gap is a span in which messages are missing: from the message before it to the message after it, cut at the period's edges.
type Gap struct {
	From, To halley.Millis
	// Messages is how many are missing, at least 1.
	Messages int64
	Cause    Cause
	// By, At and Note are of the person who said the cause; empty where messages or the servers' own log prove it, or nothing does.
	By   string
	At   halley.Millis
	Note string
}

// Period is what is asked for.
type Period struct {
	// Family decides the rule.
	Family halley.Family
	// From is included, To is not.
	From, To halley.Millis
	// Now bounds the open end: a message that no later one follows is missing when it is overdue by half an interval.
	Now halley.Millis
	// Downtime and Refused list, by From and without overlaps, when no server was running, and when none that ran could store.
	// They explain gaps of web sensors, which keep no memory, jumps of order numbers and the open end; not the time in which a
	// device itself was off.
	Downtime, Refused []halley.Span
	// Held are the instants, ascending, at which messages were measured that wait in quarantine.
	Held []halley.Millis
	// Marks are causes that people gave, in the order in which they did: a later one counts over an earlier one. They count where
	// nothing is proven, or where a device restarted.
	Marks []storage.GapCause
}

// Series is what the package reads of a store; storage.Series has it.
type Series interface {
	// Heads lists messages without their values; see storage.Series.
	Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error)
	// Tally counts duplicates and conflicts; see storage.Series.
	Tally(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error)
}

// Of gives the report on a device. It reads each message of the period once, in pages, and a few beyond each edge: back to ten
// intervals (at least one hour) before the last message that lies before the period, however long ago that was, and on to the
// first periodic message behind the period, so that gaps across the edges are split rightly. Invalid where From is not before To.
func Of(ctx context.Context, s Series, device halley.DeviceID, p Period) (Report, error) {
	if err := checkPeriod(p.From, p.To); err != nil {
		return Report{}, err
	}
	r, err := count(ctx, s, device, p)
	if err != nil {
		return Report{}, err
	}
	r.Duplicates, r.Conflicts, err = s.Tally(ctx, device, p.From, p.To)
	if err != nil {
		return Report{}, err
	}
	return r, nil
}

func checkPeriod(from, to halley.Millis) error {
	if from < to {
		return nil
	}
	return &halley.Error{
		Kind: halley.Invalid, Op: "count the completeness", Code: "period-empty", Field: "from",
		Message: "give a from that is before to",
	}
}

// count is Of without what is counted by days.
func count(ctx context.Context, s Series, device halley.DeviceID, p Period) (Report, error) {
	start, err := lookBack(ctx, s, device, p.From)
	if err != nil {
		return Report{}, err
	}
	return Count(p, headsFrom(ctx, s, device, start))
}

// maxBeyond bounds how many messages behind the period are read to find a periodic one.
const maxBeyond = 5000

// Count applies the rule of the family to heads, which come by measured-at and variant and may begin before the period and end
// behind it. It stops reading as soon as the gap at the period's end is closed. Duplicates and Conflicts stay 0.
func Count(p Period, heads iter.Seq2[storage.Head, error]) (Report, error) {
	c := newCounter(p)
	beyond := 0
	for h, err := range heads {
		if err != nil {
			return Report{}, err
		}
		c.add(h)
		if h.MeasuredAt >= p.To {
			beyond++
		}
		if c.closed() || beyond > maxBeyond {
			break
		}
	}
	c.finish()
	return c.result(), nil
}

// counter is one family's rule.
type counter interface {
	// add takes the next head.
	add(h storage.Head)
	// closed says that nothing behind what was added can change the report.
	closed() bool
	// finish counts the open end.
	finish()
	result() Report
}

func newCounter(p Period) counter {
	t := tally{period: p, cut: p.To, report: Report{From: p.From, To: p.To}}
	if p.Family == halley.WebSensor {
		return &timerCounter{tally: t}
	}
	return &orderCounter{tally: t}
}
