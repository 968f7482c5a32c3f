package halley

// Unknown stands for a whole number that the device did not send.
const Unknown = -1

// Clock says what a message's times are worth.
type Clock uint8

// The clocks.
const (
	// ClockNone is a message without a time: it gets the receive time.
	ClockNone Clock = iota
	// ClockValid is a device time in UTC or with its offset.
	ClockValid
	// ClockNotValid is a device that says its clock is not valid: only the distance from Sample to Now can be used.
	ClockNotValid
	// ClockLocalOrUTC is a device that gives its wall clock and an offset and does not say whether the clock includes it
	// (modem loggers).
	ClockLocalOrUTC
)

// MessageKind says why the device sent a message.
type MessageKind uint8

// The kinds of message. Their numbers are stored and never change.
const (
	// Periodic is sent by the device's interval.
	Periodic MessageKind = 0
	// AfterRestart is the first after a restart.
	AfterRestart MessageKind = 1
	// AfterConfiguration is the first after a change of the device's configuration.
	AfterConfiguration MessageKind = 2
	// Extra is sent out of turn, such as at the start of an alarm.
	Extra MessageKind = 3
	// TestMessage is sent by a person to try the connection.
	TestMessage MessageKind = 4
)

// Message is one decoded report: when measured, what was read, and the state of the device.
type Message struct {
	// Sample is the device's time of measuring, as it sent it; 0 without a clock. Under ClockLocalOrUTC it is the wall clock
	// taken as UTC.
	Sample Millis
	// Now is the device's time of sending; 0 where it gives none.
	Now   Millis
	Clock Clock
	// OffsetMinutes is the device's offset from UTC under ClockLocalOrUTC.
	OffsetMinutes int
	// Order is the device's running number; Unknown where it has none.
	Order int64
	Kind  MessageKind
	// RawKind is the family's own number for Kind, part of the message's identity; Unknown where it has none.
	RawKind int
	// Cache is the family's own number of the reason why the message waited in the device; 0 is sent directly, Unknown where
	// the family reports none.
	Cache int
	// Interval is the sending interval in force, in seconds; 0 where it is not known.
	Interval int
	// Buffer is how many messages the device collects before it sends; 0 or 1 is not buffered.
	Buffer int
	// Config is the device's configuration number; Unknown where it has none.
	Config int
	// State and StateMask are the family's own status words; Unknown where it has none.
	State, StateMask int
	// Signal is the radio signal at sampling in dBm (below 0); 0 where it is not known.
	Signal int
	// Battery is the charge in percent; Unknown where it is not known.
	Battery  int
	Readings []Reading
	// Remarks are differences that decoding noticed and did not resolve, in plain English.
	Remarks []string
}

// Reading is one channel's value inside a message, before it has a channel's identity.
type Reading struct {
	// Number is the device's own number of the channel, from 1 to 255.
	Number   int
	Name     string
	Quantity string
	Unit     string
	Decimals int
	// Value is finite; 0 where Quality has no value.
	Value   float64
	Quality Quality
}

// localOrUTCSlack is how far the device's clock may be from the receive time, under either convention, to decide between them.
const localOrUTCSlack = 10 * Minute

// MeasuredAt gives when the message was measured, for a message received at the given instant:
//   - without a clock: the receive time;
//   - with a valid clock: Sample;
//   - with a clock that is not valid: the receive time less the distance from Sample to Now, never after the receive time
//     (WiFi and TAx6xx documents, Time.IsValid);
//   - under ClockLocalOrUTC: Sample taken as UTC where Now taken as UTC is within ten minutes of the receive time, else as
//     local time with the offset (modem document: "the most natural reading").
//
// It depends on nothing else, so that recording a message again gives the same instant.
func (m *Message) MeasuredAt(received Millis) Millis {
	switch m.Clock {
	case ClockValid:
		return m.Sample
	case ClockNotValid:
		return received - max(m.Now-m.Sample, 0)
	case ClockLocalOrUTC:
		return m.Sample - m.localOffset(received)
	case ClockNone:
	}
	return received
}

// SentAt gives when the device sent the message, in UTC where that can be known; 0 where it gives no such time.
func (m *Message) SentAt(received Millis) Millis {
	if m.Clock == ClockLocalOrUTC && m.Now != 0 {
		return m.Now - m.localOffset(received)
	}
	return m.Now
}

func (m *Message) localOffset(received Millis) Millis {
	if m.Now != 0 {
		if d := m.Now - received; d > -localOrUTCSlack && d < localOrUTCSlack {
			return 0
		}
	}
	return Millis(m.OffsetMinutes) * Minute
}

// Late says whether a message measured at one instant and received at another came late: more than two intervals, at least
// one minute, and for a buffered device more than the time its buffer takes to fill besides.
func Late(measured, received Millis, interval, buffer int) bool {
	// In floating point, for the product of what a device may say of both is beyond a whole number.
	limit := max(2*float64(interval)*float64(Second), float64(Minute))
	if buffer > 1 {
		limit += float64(interval) * float64(Second) * float64(buffer)
	}
	return float64(received-measured) > limit
}
