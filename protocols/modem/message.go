package modem

import (
	"strconv"

	"halley"
	"halley/protocols/internal/cometjson"
)

// noTimezone are the numbers that say that the offset is not used: 80 hexadecimal, signed and unsigned.
const (
	noTimezone         = -128
	noTimezoneUnsigned = 128
)

// The offsets that exist, in quarters of an hour (modem document, Timezone: -12 h to +14 h).
const (
	lowestTimezone  = -12 * 4
	highestTimezone = 14 * 4
)

// externalPower is the bit of AState that says that external power is there; it decides which interval is in force.
const externalPower = 1 << 6

// The numbers of Rssi on the scale of AT+CSQ: 0 is -113 dBm, each step 2 dBm, 31 is the most.
const (
	weakestSignal = -113
	signalStep    = 2
	mostSignal    = 31
)

// The bits of RawKind.
const (
	rawAsync   = 1
	rawRestart = 2
)

// reader decodes the elements of one message.
type reader struct {
	r        *cometjson.Reader
	at       [fields]cometjson.Token
	remarks  cometjson.Remarks
	codePage bool
}

// limits bounds a text that the document counts in characters.
func (m *reader) limits(name string, characters int) cometjson.TextLimits {
	return cometjson.TextLimits{Field: name, Bytes: 4 * characters, Runes: characters, CodePage: m.codePage}
}

// message gives the decoded message. A failure is left in the reader.
func (m *reader) message(version int64) halley.Message {
	out := halley.Message{
		Cache:     halley.Unknown,
		Order:     m.number(orderID, "OrderId", 255, halley.Unknown),
		Config:    int(m.number(config, "NConf", 255, halley.Unknown)),
		State:     int(m.number(state, "AState", 1<<16-1, halley.Unknown)),
		StateMask: int(m.number(stateMask, "AStateMask", 1<<16-1, halley.Unknown)),
		Buffer:    int(m.number(bufferSize, "BufferedModeMaxMessagesCnt", 255, 0)),
		Battery:   int(m.number(battery, "BatteryPercentage", 100, halley.Unknown)),
		Signal:    m.signal(),
	}
	inForce := interval
	switch {
	case version < 4:
	case out.State != halley.Unknown && out.State&externalPower != 0:
		inForce = intervalPower
	default:
		inForce = intervalBattery
	}
	out.Interval = int(m.number(inForce, "Interval", 604_800, 0))
	async := m.number(isAsync, "IsAsync", 1, 0)
	restart := m.number(restarted, "RstOk", 1, 0)
	m.number(evaluationOff, "AlarmsEvalOffDueTimeLimit", 1, 0)
	out.RawKind = int(async*rawAsync + restart*rawRestart)
	switch {
	case restart == 1:
		out.Kind = halley.AfterRestart
	case async == 1:
		out.Kind = halley.Extra
	}
	m.clock(&out)
	out.Readings = m.channels()
	out.Remarks = m.remarks.List()
	return out
}

// number gives a whole number from 0 to highest; otherwise where it is not there, with a remark where it does not fit.
func (m *reader) number(f field, name string, highest, otherwise int64) int64 {
	v, ok := m.at[f].Int(0, highest)
	if ok {
		return v
	}
	if m.at[f].Given() {
		m.remarks.Add(name, "is not a whole number from 0 to "+strconv.FormatInt(highest, 10))
	}
	return otherwise
}

// signal gives the level in dBm; 0 where it is not known.
func (m *reader) signal() int {
	const unknownError, notDetectable = 98, 99
	v := m.number(rssi, "Rssi", notDetectable, notDetectable)
	switch {
	case v <= mostSignal:
		return weakestSignal + signalStep*int(v)
	case v != unknownError && v != notDetectable:
		m.remarks.Add("Rssi", "is not on the scale of AT+CSQ")
	}
	return 0
}

// clock reads the times of the message.
func (m *reader) clock(out *halley.Message) {
	out.Clock = halley.ClockValid
	switch zone, ok := m.at[timezone].Int(noTimezone, noTimezoneUnsigned); {
	case ok && zone >= lowestTimezone && zone <= highestTimezone:
		out.Clock = halley.ClockLocalOrUTC
		out.OffsetMinutes = int(zone) * 15
	case !ok || zone != noTimezone && zone != noTimezoneUnsigned:
		m.remarks.Add("Timezone", "is not from -48 to 56; the clock is taken as UTC")
	}
	seconds, ok := m.at[sampleTime].Hex()
	if !ok {
		m.r.Fail(m.at[sampleTime].At, "Time", "one to eight hexadecimal digits are expected")
		return
	}
	if out.Sample = instant(seconds); !storable(out.Sample, out.OffsetMinutes) {
		m.r.Fail(m.at[sampleTime].At, "Time", "the year is not from 2000 to 2099, so the message cannot be stored")
		return
	}
	if !m.at[timeNow].Given() {
		return
	}
	seconds, ok = m.at[timeNow].Hex()
	if now := instant(seconds); ok && storable(now, out.OffsetMinutes) {
		out.Now = now
		return
	}
	m.remarks.Add("TimeNow", "is not a time of the years 2000 to 2099 and was left out")
}

// instant gives the time that is so many seconds after 2000-01-01, the clock taken as UTC.
func instant(seconds uint32) halley.Millis {
	return halley.EarliestMillis + halley.Millis(seconds)*halley.Second
}

// storable says whether a time can be stored whichever of the two conventions the clock follows.
func storable(t halley.Millis, offsetMinutes int) bool {
	return t.Storable() && (t - halley.Millis(offsetMinutes)*halley.Minute).Storable()
}
