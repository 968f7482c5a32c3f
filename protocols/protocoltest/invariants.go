package protocoltest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"halley"
	"halley/protocols"
)

// The bounds of the texts that a decoder gives, in bytes of UTF-8. A serial number beyond its bound is an error, for cutting
// it would name another device; the other texts are cut to theirs.
const (
	MaxSerial   = 32
	MaxName     = 128
	MaxModel    = 64
	MaxForm     = 64
	MaxSecret   = 128
	MaxQuantity = 64
	MaxUnit     = 32
	MaxRemark   = 200
	// MaxRemarks is how many remarks a message may hold.
	MaxRemarks = 32
	// MaxWhy is the length of a DecodeError.
	MaxWhy = 300
)

// maxDecimals is how many decimal places a channel may have.
const maxDecimals = 10

// Invariants checks what holds for every upload that a protocol decodes without an error:
//
//   - the family is the protocol's, the serial number has 1 to 32 printable characters, there are 1 to protocols.MaxMessages
//     messages with at most protocols.MaxReadings readings;
//   - texts are valid UTF-8 without NUL and within their bounds; remarks are one line each;
//   - values are finite, never minus zero, and 0 where the quality has no value; channels have numbers 1 to 255, and no two
//     readings of a message have the same number, quantity and unit;
//   - times are 0 or storable. Only those of a clock that is not valid may be any (a clock that lost its time begins in 1970);
//   - a message without a time marks its readings ServerTime, and no other does; ClockInvalid is found under ClockNotValid only,
//     Test in test messages only.
func Invariants(p protocols.Protocol, up *halley.Upload) error {
	errs := []error{partial(up)}
	if up.Family != p.Family() {
		errs = append(errs, fmt.Errorf("family is %q, want %q", up.Family, p.Family()))
	}
	if up.Serial == "" {
		errs = append(errs, errors.New("no serial number, and no error"))
	}
	if len(up.Messages) == 0 {
		errs = append(errs, errors.New("no message, and no error"))
	}
	for i := range up.Messages {
		if err := checkMessage(&up.Messages[i]); err != nil {
			errs = append(errs, fmt.Errorf("message %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// partial checks what also holds for the upload that comes with an error.
func partial(up *halley.Upload) error {
	errs := []error{
		checkText("serial", up.Serial, MaxSerial), checkText("model", up.Model, MaxModel), checkText("name", up.Name, MaxName),
		checkText("form", up.Form, MaxForm), checkText("customer key", up.CustomerKey.Reveal(), MaxSecret),
	}
	for _, c := range up.Serial {
		if !unicode.IsPrint(c) {
			errs = append(errs, fmt.Errorf("serial %q is not printable", up.Serial))
		}
	}
	if len(up.Messages) > protocols.MaxMessages {
		errs = append(errs, fmt.Errorf("%d messages", len(up.Messages)))
	}
	for i := range up.Messages {
		if n := len(up.Messages[i].Readings); n > protocols.MaxReadings {
			errs = append(errs, fmt.Errorf("message %d: %d readings", i, n))
		}
	}
	return errors.Join(errs...)
}

func checkText(field, s string, limit int) error {
	switch {
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8: %q", field, s)
	case strings.ContainsRune(s, 0):
		return fmt.Errorf("%s holds NUL: %q", field, s)
	case len(s) > limit:
		return fmt.Errorf("%s has %d bytes, more than %d", field, len(s), limit)
	}
	return nil
}

func checkMessage(m *halley.Message) error {
	errs := []error{checkTimes(m), checkNumbers(m), checkRemarks(m.Remarks)}
	type identity struct {
		number         int
		quantity, unit string
	}
	seen := map[identity]bool{}
	for i := range m.Readings {
		r := &m.Readings[i]
		id := identity{r.Number, r.Quantity, r.Unit}
		if seen[id] {
			errs = append(errs, fmt.Errorf("two readings of %+v", id))
		}
		seen[id] = true
		if err := errors.Join(checkReading(r), checkMarks(m, r.Quality)); err != nil {
			errs = append(errs, fmt.Errorf("channel %d: %w", r.Number, err))
		}
	}
	return errors.Join(errs...)
}

func checkTimes(m *halley.Message) error {
	var errs []error
	if m.Clock > halley.ClockLocalOrUTC {
		errs = append(errs, fmt.Errorf("clock %d", m.Clock))
	}
	for _, t := range []halley.Millis{m.Sample, m.Now} {
		if t != 0 && m.Clock != halley.ClockNotValid && !t.Storable() {
			errs = append(errs, fmt.Errorf("time %d cannot be stored", t))
		}
	}
	if (m.Clock == halley.ClockNone) != (m.Sample == 0) && m.Clock != halley.ClockNotValid {
		errs = append(errs, fmt.Errorf("clock %d with sample time %d", m.Clock, m.Sample))
	}
	if m.OffsetMinutes < -24*60 || m.OffsetMinutes > 24*60 {
		errs = append(errs, fmt.Errorf("offset of %d minutes", m.OffsetMinutes))
	}
	return errors.Join(errs...)
}

func checkNumbers(m *halley.Message) error {
	bounds := []struct {
		field     string
		value     int64
		low, high int64
	}{
		{"kind", int64(m.Kind), 0, int64(halley.TestMessage)},
		{"order", m.Order, halley.Unknown, math.MaxInt64},
		{"raw kind", int64(m.RawKind), halley.Unknown, math.MaxInt32},
		{"cache", int64(m.Cache), halley.Unknown, math.MaxInt32},
		{"interval", int64(m.Interval), 0, math.MaxInt32},
		{"buffer", int64(m.Buffer), 0, math.MaxInt32},
		{"config", int64(m.Config), halley.Unknown, math.MaxInt32},
		{"state", int64(m.State), halley.Unknown, math.MaxInt32},
		{"state mask", int64(m.StateMask), halley.Unknown, math.MaxInt32},
		{"signal", int64(m.Signal), -1000, 0},
		{"battery", int64(m.Battery), halley.Unknown, 100},
	}
	var errs []error
	for _, b := range bounds {
		if b.value < b.low || b.value > b.high {
			errs = append(errs, fmt.Errorf("%s is %d, not from %d to %d", b.field, b.value, b.low, b.high))
		}
	}
	return errors.Join(errs...)
}

func checkRemarks(remarks []string) error {
	var errs []error
	if len(remarks) > MaxRemarks {
		errs = append(errs, fmt.Errorf("%d remarks", len(remarks)))
	}
	for _, r := range remarks {
		errs = append(errs, checkText("remark", r, MaxRemark))
		if r == "" || strings.ContainsAny(r, "\r\n") {
			errs = append(errs, fmt.Errorf("remark %q is not one line", r))
		}
	}
	return errors.Join(errs...)
}

func checkReading(r *halley.Reading) error {
	errs := []error{checkText("name", r.Name, MaxName), checkText("quantity", r.Quantity, MaxQuantity), checkText("unit", r.Unit, MaxUnit)}
	if r.Number < 1 || r.Number > 255 {
		errs = append(errs, errors.New("number is not from 1 to 255"))
	}
	if r.Decimals < 0 || r.Decimals > maxDecimals {
		errs = append(errs, fmt.Errorf("%d decimals", r.Decimals))
	}
	switch {
	case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
		errs = append(errs, fmt.Errorf("value %v", r.Value))
	case r.Value == 0 && math.Signbit(r.Value):
		errs = append(errs, errors.New("minus zero"))
	case r.Value != 0 && !r.Quality.HasValue():
		errs = append(errs, fmt.Errorf("value %v with quality %s", r.Value, r.Quality.Words(false)))
	}
	if r.Quality.Reason() > halley.NotAvailable {
		errs = append(errs, fmt.Errorf("quality %#x has no known reason", int32(r.Quality)))
	}
	if r.Quality.Number() != 0 && r.Quality.Reason() != halley.SensorError {
		errs = append(errs, fmt.Errorf("quality %#x has a number without a sensor error", int32(r.Quality)))
	}
	return errors.Join(errs...)
}

func checkMarks(m *halley.Message, q halley.Quality) error {
	var errs []error
	if (q&halley.ServerTime != 0) != (m.Clock == halley.ClockNone) {
		errs = append(errs, fmt.Errorf("quality %q under clock %d", q.Words(false), m.Clock))
	}
	if q&halley.ClockInvalid != 0 && m.Clock != halley.ClockNotValid {
		errs = append(errs, fmt.Errorf("quality %q under clock %d", q.Words(false), m.Clock))
	}
	if q&halley.Test != 0 && m.Kind != halley.TestMessage {
		errs = append(errs, fmt.Errorf("quality %q in a message of kind %d", q.Words(false), m.Kind))
	}
	return errors.Join(errs...)
}

// checkDecodeError checks the error that came with the upload of a body.
func checkDecodeError(err error, up *halley.Upload, size int) error {
	de, ok := errors.AsType[*protocols.DecodeError](err)
	if !ok {
		return fmt.Errorf("%T is not a *protocols.DecodeError: %w", err, err)
	}
	errs := []error{checkText("error", de.Error(), MaxWhy)}
	if de.Why == "" || strings.ContainsAny(de.Error(), "\r\n") {
		errs = append(errs, fmt.Errorf("error %q is not one line", de.Error()))
	}
	if de.At < halley.Unknown || de.At > size {
		errs = append(errs, fmt.Errorf("error is at byte %d of %d", de.At, size))
	}
	if key := up.CustomerKey.Reveal(); len(key) >= shortestSecret && strings.Contains(de.Error(), key) {
		errs = append(errs, errors.New("error shows the customer key"))
	}
	return errors.Join(errs...)
}

// shortestSecret is the length from which a secret is looked for: a shorter one is found in any text.
const shortestSecret = 4
