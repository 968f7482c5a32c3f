package sqlkit

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/storage"
)

// Bounds of what is stored, in UTF-16 units for texts, which is how SQL Server counts them.
const (
	maxSerial   = 32
	maxText     = 200
	maxNote     = 4000
	maxReadings = 64
	maxNumber   = 255
	maxDecimals = 10
)

// badText says in plain English why a text cannot be stored; "" where it can.
func badText(s string, most int) string {
	// Most texts are short and plain ASCII: nothing needs to be counted.
	if len(s) > most {
		units := 0
		for _, r := range s {
			units++
			if r > 0xFFFF {
				units++
			}
		}
		if units > most {
			return fmt.Sprintf("the text is longer than %d characters", most)
		}
	}
	if !utf8.ValidString(s) {
		return "the text is not valid UTF-8"
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "the text holds a NUL"
	}
	return ""
}

// badName says why a name that a person gives cannot be taken; "" where it can.
func badName(s string) string {
	if strings.TrimSpace(s) == "" {
		return "the name must not be empty"
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "the name must not hold control characters"
	}
	return badText(s, maxText)
}

// checkBatch finds what cannot be stored before a transaction begins, so that a bad upload costs little.
func checkBatch(b *storage.Batch) error {
	const op = "append a batch"
	invalid := func(field, message string) error {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: field, Message: message}
	}
	switch {
	case b.Node == "" || badText(b.Node, maxText) != "":
		return invalid("node", "a batch needs the name of its node")
	case b.JournalID == "" || badText(b.JournalID, maxText) != "":
		return invalid("journal", "a batch needs the id of its journal")
	case b.FirstSeq == 0 || b.FirstSeq > b.Seq || b.Seq > math.MaxInt64:
		return invalid("range", "the range of a batch begins at 1 and ascends")
	case !b.RecordedAt.Storable():
		return invalid("recorded at", "the time must lie in the years 2000 to 2099")
	case b.Decoder < 1 || b.Decoder > math.MaxInt32:
		return invalid("decoder", "the version of the decoding counts from 1")
	}
	for i := range b.Uploads {
		if why := badUpload(&b.Uploads[i]); why != "" {
			return &storage.EntryError{
				Seq: b.Uploads[i].Seq,
				Err: &halley.Error{Kind: halley.Invalid, Op: op, Message: why},
			}
		}
	}
	if err := checkInterruptions(op, b.Interruptions); err != nil {
		return err
	}
	return checkActs(op, b.Audit)
}

// checkActs holds the acts of a batch to what can be stored.
func checkActs(op string, list []storage.JournaledAct) error {
	for i := range list {
		err := validAudit(&list[i].AuditEntry)
		if list[i].Seq > math.MaxInt64 {
			err = &halley.Error{Kind: halley.Invalid, Op: op, Message: "the sequence number is too large"}
		}
		if err != nil {
			return &storage.EntryError{Seq: list[i].Seq, Err: err}
		}
	}
	return nil
}

// badUpload says why an upload cannot be stored; "" where it can.
func badUpload(u *storage.Upload) string {
	switch {
	case u.Seq > math.MaxInt64:
		return "the sequence number is too large"
	case !u.ReceivedAt.Storable():
		return "the receive time lies outside the years 2000 to 2099"
	case u.Family == "" || badText(string(u.Family), maxSerial) != "":
		return "the device family cannot be stored"
	case u.Serial == "" || badText(u.Serial, maxSerial) != "":
		return "the serial number cannot be stored"
	}
	for _, f := range []struct{ what, text string }{{"model", u.Model}, {"device name", u.Name}} {
		if why := badText(f.text, maxText); why != "" {
			return f.what + ": " + why
		}
	}
	if u.Admission == storage.Announce {
		return ""
	}
	for i := range u.Messages {
		if why := badMessage(&u.Messages[i], u.ReceivedAt); why != "" {
			return fmt.Sprintf("message %d: %s", i+1, why)
		}
	}
	return ""
}

func badMessage(m *halley.Message, received halley.Millis) string {
	if at := m.MeasuredAt(received); !at.Storable() {
		return "it was measured outside the years 2000 to 2099"
	}
	if len(m.Readings) > maxReadings {
		return fmt.Sprintf("it has more than %d readings", maxReadings)
	}
	for _, f := range []struct {
		what  string
		value int
		least int
	}{
		{"kind", m.RawKind, halley.Unknown},
		{"cache reason", m.Cache, halley.Unknown},
		{"interval", m.Interval, 0},
		{"buffer", m.Buffer, 0},
		{"configuration number", m.Config, halley.Unknown},
		{"state", m.State, halley.Unknown},
		{"state mask", m.StateMask, halley.Unknown},
		{"signal", m.Signal, math.MinInt32},
		{"battery", m.Battery, halley.Unknown},
	} {
		if f.value < f.least || f.value > math.MaxUint32 {
			return fmt.Sprintf("its %s %d cannot be stored", f.what, f.value)
		}
	}
	if m.Order < halley.Unknown {
		return fmt.Sprintf("its running number %d cannot be stored", m.Order)
	}
	for i := range m.Readings {
		if why := badReading(m.Readings, i); why != "" {
			return fmt.Sprintf("reading %d: %s", i+1, why)
		}
	}
	return ""
}

func badReading(list []halley.Reading, i int) string {
	r := &list[i]
	switch {
	case r.Number < 1 || r.Number > maxNumber:
		return fmt.Sprintf("the channel number %d is not from 1 to %d", r.Number, maxNumber)
	case r.Decimals < 0 || r.Decimals > maxDecimals:
		return fmt.Sprintf("the number of decimals %d is not from 0 to %d", r.Decimals, maxDecimals)
	case r.Quality < 0:
		return "its quality cannot be stored"
	case r.Quality.HasValue() && (math.IsNaN(r.Value) || math.IsInf(r.Value, 0)):
		return "its value is not a finite number"
	}
	for _, f := range []struct{ what, text string }{{"name", r.Name}, {"quantity", r.Quantity}, {"unit", r.Unit}} {
		if why := badText(f.text, maxText); why != "" {
			return f.what + ": " + why
		}
	}
	for j := range i {
		if o := &list[j]; o.Number == r.Number && o.Quantity == r.Quantity && o.Unit == r.Unit {
			return fmt.Sprintf("channel %d has a value already", r.Number)
		}
	}
	return ""
}
