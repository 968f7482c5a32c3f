package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"halley"
	"halley/protocols/internal/cometjson"
)

// Encode gives the body for an upload: one message as it is, several as an array of messages. Upload.Form says which version,
// the newest where it is empty; what a version has no place for is not sent. The model is not sent, for its codes are not
// known: Kind is 0. A kind, clock or quality that these loggers cannot express is an error.
func (p *Protocol) Encode(up *halley.Upload) ([]byte, error) {
	if up.Serial == "" || len(up.Messages) == 0 {
		return nil, fmt.Errorf("encoding for %s: no serial number or no message", halley.Modem)
	}
	number, err := strconv.ParseUint(up.Serial, 10, 32)
	if err != nil || number > 99_999_999 {
		return nil, fmt.Errorf("encoding for %s: the serial number is not of 8 digits", halley.Modem)
	}
	version := int64(newest)
	if up.Form != "" {
		if version, err = strconv.ParseInt(strings.TrimPrefix(up.Form, formPrefix), 10, 8); err != nil || version < 1 {
			return nil, fmt.Errorf("encoding for %s: there is no form %q", halley.Modem, up.Form)
		}
	}
	l, ok := own(p.layouts, version)
	if !ok {
		return nil, fmt.Errorf("encoding for %s: there is no form %q", halley.Modem, up.Form)
	}
	var w cometjson.Writer
	if len(up.Messages) > 1 {
		w.Put("[")
	}
	for i := range up.Messages {
		if i > 0 {
			w.Put(",")
		}
		e := encoder{w: &w, up: up, m: &up.Messages[i], serial: int64(number), version: version}
		if err := e.message(l); err != nil {
			return nil, fmt.Errorf("encoding for %s: %w", halley.Modem, err)
		}
	}
	if len(up.Messages) > 1 {
		w.Put("]")
	}
	return w.Bytes(), nil
}

// encoder writes one message.
type encoder struct {
	w       *cometjson.Writer
	up      *halley.Upload
	m       *halley.Message
	serial  int64
	version int64
}

func (e *encoder) message(l layout) error {
	if err := e.check(l); err != nil {
		return err
	}
	for i, f := range l.order {
		separator := ","
		if i == 0 {
			separator = "["
		}
		e.element(f, separator)
	}
	for i := range e.m.Readings {
		if i > 0 {
			e.w.Put(",")
		}
		if err := e.channel(&e.m.Readings[i]); err != nil {
			return err
		}
	}
	e.w.Put("]]")
	return nil
}

// check refuses what cannot be expressed.
func (e *encoder) check(l layout) error {
	switch e.m.Kind {
	case halley.Periodic, halley.Extra:
	case halley.AfterRestart:
		if !slices.Contains(l.order, restarted) {
			return fmt.Errorf("version %d does not tell a restart", e.version)
		}
	default:
		return fmt.Errorf("there are no messages of kind %d", e.m.Kind)
	}
	if e.m.Clock != halley.ClockValid && e.m.Clock != halley.ClockLocalOrUTC {
		return fmt.Errorf("these loggers send a time")
	}
	if z := e.m.OffsetMinutes / 15; e.m.OffsetMinutes%15 != 0 || z < lowestTimezone || z > highestTimezone {
		return fmt.Errorf("an offset of %d minutes does not exist", e.m.OffsetMinutes)
	}
	for _, t := range []halley.Millis{e.m.Sample, e.m.Now} {
		if t != 0 && (!t.Storable() || t%halley.Second != 0) {
			return fmt.Errorf("the time %s is not a second of the years 2000 to 2099", t)
		}
	}
	if e.m.Sample == 0 {
		return fmt.Errorf("these loggers send a time")
	}
	return nil
}

// element writes one element of a message and what stands before it.
func (e *encoder) element(f field, before string) {
	m := e.m
	switch f {
	case jsonType:
		e.w.Int(before, 1)
	case jsonVersion:
		e.w.Int(before, e.version)
	case rssi:
		e.w.Int(before, csq(m.Signal))
	case timeNow:
		e.time(before, m.Now)
	case orderID:
		e.known(before, m.Order)
	case isAsync:
		e.w.Int(before, e.async())
	case serial:
		e.w.Int(before, e.serial)
	case description:
		e.w.Text(before, e.up.Name)
	case kind, evaluationOff:
		e.w.Int(before, 0)
	case sampleTime:
		e.time(before, m.Sample)
	case timezone:
		e.w.Int(before, zone(m))
	case interval, intervalPower, intervalBattery:
		e.w.Int(before, int64(m.Interval))
	case restarted:
		e.w.Int(before, flag(m.Kind == halley.AfterRestart))
	case bufferSize:
		e.w.Int(before, int64(m.Buffer))
	case stateMask:
		e.known(before, int64(m.StateMask))
	case state:
		e.known(before, int64(m.State))
	case config:
		e.known(before, int64(m.Config))
	case customer:
		e.w.Text(before, e.up.CustomerKey.Reveal())
	case battery:
		e.known(before, int64(m.Battery))
	case channels:
		e.w.Put(before + "[")
	case fields:
	}
}

// async gives IsAsync: of a message after a restart RawKind may say it besides.
func (e *encoder) async() int64 {
	return flag(e.m.Kind == halley.Extra || e.m.Kind == halley.AfterRestart && e.m.RawKind == rawAsync|rawRestart)
}

func (e *encoder) known(before string, v int64) {
	if v == halley.Unknown {
		e.w.Put(before + "null")
		return
	}
	e.w.Int(before, v)
}

// time writes seconds since 2000-01-01 as eight hexadecimal digits; null where there is no time.
func (e *encoder) time(before string, t halley.Millis) {
	if t == 0 {
		e.w.Put(before + "null")
		return
	}
	e.w.Put(before)
	e.w.Put(fmt.Sprintf("\"%08X\"", int64((t-halley.EarliestMillis)/halley.Second)))
}

func (e *encoder) channel(r *halley.Reading) error {
	e.w.Int("[", int64(r.Number))
	a1, a2 := r.Quality.Alarms()
	if r.Quantity == halley.Binary && r.Unit == "" && r.Quality.HasValue() {
		e.w.Text(",1,", r.Name)
		e.w.Int(",[\"off\",\"on\"],", flag(r.Value != 0))
	} else {
		e.w.Text(",0,", r.Name)
		if !e.w.Value(",", r) {
			return fmt.Errorf("channel %d cannot be %q", r.Number, r.Quality.Words(false))
		}
		e.w.Text(",", r.Unit)
		e.w.Int(",", int64(r.Decimals))
	}
	e.w.Alarms(",", a1, a2, false)
	if r.Quantity != halley.Binary || r.Unit != "" || !r.Quality.HasValue() {
		e.w.Put(",[\"00000000\",\"00000000\"]")
	}
	e.w.Alarms(",", a1, a2, true)
	e.w.Put("]")
	return nil
}

func zone(m *halley.Message) int64 {
	if m.Clock == halley.ClockValid {
		return noTimezone
	}
	return int64(m.OffsetMinutes) / 15
}

// csq gives the number on the scale of AT+CSQ for a level in dBm.
func csq(dBm int) int64 {
	const notDetectable = 99
	if dBm == 0 {
		return notDetectable
	}
	return int64(min(max((dBm-weakestSignal)/signalStep, 0), mostSignal))
}

func flag(set bool) int64 {
	if set {
		return 1
	}
	return 0
}
