package halley

import (
	"strconv"
	"strings"
)

// Quality says whether a sample's value can be used and, if not, why; and which marks it carries. It is stored as an integer:
//
//	bits 0-3    the reason, a Reason
//	bits 4-11   the number of a sensor error (0 to 255)
//	bits 12-13  device alarm 1, an AlarmMark
//	bits 14-15  device alarm 2, an AlarmMark
//	bit 16      ClockInvalid
//	bit 17      ServerTime
//	bit 18      Test
//
// The mark "late" is not stored: it follows from the times of the message.
type Quality int32

// Reason is why a sample has no value, or Good.
type Reason uint8

// The reasons. Their numbers are stored and never change.
const (
	Good         Reason = 0
	SensorError  Reason = 1
	AboveRange   Reason = 2
	BelowRange   Reason = 3
	NotReady     Reason = 4
	NotAvailable Reason = 5
)

// AlarmMark is the state of one of the two alarms that a device evaluates itself.
type AlarmMark uint8

// The alarm marks. Their numbers are stored and never change.
const (
	// AlarmNone is no alarm.
	AlarmNone AlarmMark = 0
	// AlarmActive is an alarm whose direction the device does not say.
	AlarmActive AlarmMark = 1
	// AlarmHigh is an alarm above its limit, or on the high state of a binary channel.
	AlarmHigh AlarmMark = 2
	// AlarmLow is an alarm below its limit, or on the low state of a binary channel.
	AlarmLow AlarmMark = 3
)

// The marks that stand alone.
const (
	// ClockInvalid marks a sample whose device said its clock is not valid; its time is computed from the receive time.
	ClockInvalid Quality = 1 << 16
	// ServerTime marks a sample whose device sends no time; its time is when this server received it.
	ServerTime Quality = 1 << 17
	// Test marks a sample of a message that a person sent to try the connection.
	Test Quality = 1 << 18
)

// QualityOf gives the quality with this reason and no marks. The number counts for SensorError only.
func QualityOf(r Reason, number uint8) Quality {
	q := Quality(r)
	if r == SensorError {
		q |= Quality(number) << 4
	}
	return q
}

// WithAlarms gives q with the two device alarms set.
func (q Quality) WithAlarms(a1, a2 AlarmMark) Quality {
	return q&^(0xF<<12) | Quality(a1&3)<<12 | Quality(a2&3)<<14
}

// Reason gives why there is no value, or Good.
func (q Quality) Reason() Reason { return Reason(q & 0xF) }

// Number gives the number of a sensor error, 0 for every other reason.
func (q Quality) Number() uint8 { return uint8(q >> 4 & 0xFF) }

// Alarms gives the states of the two device alarms.
func (q Quality) Alarms() (AlarmMark, AlarmMark) {
	return AlarmMark(q >> 12 & 3), AlarmMark(q >> 14 & 3)
}

// HasValue says whether a sample of this quality has a value.
func (q Quality) HasValue() bool { return q.Reason() == Good }

// reasonWords are the words of docs/api.md, in the order of the reasons.
var reasonWords = [...]string{"good", "error", "above-range", "below-range", "not-ready", "not-available"}

// alarmWords are appended to "alarm1" and "alarm2".
var alarmWords = [...]string{"", "", "-high", "-low"}

// Words gives the reason and then the marks, separated by blanks: "good", "error-53", "good server-time alarm1-high late".
// A sensor error is "error-" and its number in decimal.
func (q Quality) Words(late bool) string {
	var b strings.Builder
	r := q.Reason()
	if int(r) < len(reasonWords) {
		b.WriteString(reasonWords[r])
	} else {
		b.WriteString("not-available")
	}
	if r == SensorError {
		b.WriteString("-" + strconv.Itoa(int(q.Number())))
	}
	a1, a2 := q.Alarms()
	if a1 != AlarmNone {
		b.WriteString(" alarm1" + alarmWords[a1])
	}
	if a2 != AlarmNone {
		b.WriteString(" alarm2" + alarmWords[a2])
	}
	if q&ClockInvalid != 0 {
		b.WriteString(" clock-invalid")
	}
	if q&ServerTime != 0 {
		b.WriteString(" server-time")
	}
	if q&Test != 0 {
		b.WriteString(" test")
	}
	if late {
		b.WriteString(" late")
	}
	return b.String()
}
