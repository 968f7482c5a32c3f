package fleet

import (
	"halley"
)

// PlannedDevice is what a fleet with losses has planned for a device.
type PlannedDevice struct {
	Serial string        `json:"serial"`
	Family halley.Family `json:"family"`
	// From is when its first message is measured, To one interval after its last; Interval is in seconds.
	From     instant `json:"from"`
	To       instant `json:"to"`
	Interval int     `json:"interval"`
	// Messages is how many reach the server, those out of turn among them.
	Messages int64 `json:"messages"`
	// Losses are by From.
	Losses []PlannedLoss `json:"losses"`
}

// PlannedLoss is a row of messages that the server never gets.
type PlannedLoss struct {
	// From is when the first of them is measured, To when the first message behind them is.
	From instant `json:"from"`
	To   instant `json:"to"`
	// Missing is how many are certainly missing, Uncertain how many more an observer must think possible.
	Missing   int64 `json:"missing"`
	Uncertain int64 `json:"uncertain"`
	// Cause is the word by which an observer can know it from messages and the server's own log.
	Cause string `json:"cause"`
	// What says what happened to the device.
	What string `json:"what"`
}

// instant is written as RFC 3339.
type instant halley.Millis

// MarshalJSON writes the instant.
func (i instant) MarshalJSON() ([]byte, error) {
	return []byte(`"` + halley.Millis(i).String() + `"`), nil
}

// Stop is a span in which the server is stopped.
type Stop struct{ From, To halley.Millis }

// Planned gives what a fleet of finite length with an interval has planned, and what of it is lost while the server is stopped:
// devices without a memory lose what is due then.
func Planned(o Options, stops ...Stop) []PlannedDevice {
	devices := Devices(o)
	list := make([]PlannedDevice, 0, len(devices))
	for i := range devices {
		list = append(list, devices[i].planned(stops))
	}
	return list
}

// planned follows the device's row.
func (d *Device) planned(stops []Stop) PlannedDevice {
	p := d.plan
	out := PlannedDevice{
		Serial: d.Serial, Family: d.Family, Interval: p.interval, From: p.instant(0), To: p.instant(p.total), Messages: p.planned(),
		Losses: []PlannedLoss{},
	}
	remembers := d.line.Protocol.Remembers()
	for tick := int64(0); tick < p.total; {
		s := p.spellOf(tick)
		switch {
		case s.kind != untroubled && tick == s.begin:
			if l := d.loss(&p, s); l.Missing+l.Uncertain > 0 {
				out.Losses = append(out.Losses, l)
			}
			if !remembers {
				out.Messages -= s.back - s.end
			}
			tick = max(s.back, s.begin+1)
		case !remembers && !s.rests(tick) && stopped(stops, p.instant(tick)):
			out.addStopped(&p, tick)
			tick++
		default:
			tick++
		}
	}
	return out
}

// loss gives what is lost in a spell.
func (d *Device) loss(p *plan, s spell) PlannedLoss {
	remembers, reports := d.line.Protocol.Remembers(), d.line.Waited.NoNetwork != halley.Unknown
	l := PlannedLoss{From: p.instant(s.begin), To: p.instant(s.end), Missing: s.end - s.begin, Cause: "order-gap"}
	if !remembers {
		l.To, l.Missing, l.Cause = p.instant(s.back), s.back-s.begin, "unknown"
	}
	switch s.kind {
	case lostOnTheWay:
		l.What = "lost on the way"
	case switchedOff:
		l.What = "switched off"
		if remembers {
			l.Cause = "restart-or-off"
		}
	case kept:
		l.What = "an outage of the network"
	case overflowed:
		l.What = "an outage of the network that is longer than the memory"
		if reports {
			l.Cause = "no-network"
		}
	case reconfigured:
		l.What = "a change of the interval"
		switch {
		case reports:
			l.Cause = "cache-cleared"
		case !remembers:
			// By the longer interval fewer are missing; in between lies what nobody can know.
			n := l.Missing
			l.Missing = (n+1)/2 - 1
			l.Uncertain = n - l.Missing
		}
	case untroubled, troubles:
	}
	// All that waits in the backlog says that there was no network.
	if reports && l.Cause == "order-gap" && s.end < p.backlog {
		l.Cause = "no-network"
	}
	return l
}

// addStopped adds a message that is due while the server is stopped.
func (d *PlannedDevice) addStopped(p *plan, tick int64) {
	d.Messages--
	if n := len(d.Losses); n > 0 && d.Losses[n-1].Cause == "server-down" && d.Losses[n-1].To == p.instant(tick) {
		d.Losses[n-1].To = p.instant(tick + 1)
		d.Losses[n-1].Missing++
		return
	}
	d.Losses = append(d.Losses, PlannedLoss{
		From: p.instant(tick), To: p.instant(tick + 1), Missing: 1, Cause: "server-down", What: "the server was stopped",
	})
}

// instant gives when a tick is measured, in the whole seconds of devices.
func (p *plan) instant(tick int64) instant {
	return instant((p.first + halley.Millis(tick)*p.step).Floor(halley.Second))
}

func stopped(stops []Stop, at instant) bool {
	for _, s := range stops {
		if halley.Millis(at) >= s.From && halley.Millis(at) < s.To {
			return true
		}
	}
	return false
}
