package cometjson

import (
	"strconv"

	"halley"
)

// maxApart is the longest distance from Sample to Now that is believed under a clock that is not valid: the largest memory
// (2,688 messages) at the longest interval (65,535 s) is 2,039 days. Beyond it the clock was set between the two.
const maxApart = 2040 * halley.Day

// noSignal is what Rssi says where there is none (WiFi document, field Rssi).
const noSignal = -99

// maxSerial is how long a serial number may be; a longer one is an error, for cutting it would name another device.
const maxSerial = 32

// envelope is the message object as it stands in the body.
type envelope struct {
	jsonType, version, order, kind, cache, serial, name, model Token
	reg, mask, config, interval                                Token
	now, sample, isValid, signal                               Token
	hasTime, hasChannels                                       bool
}

// Decode reads one message object. On failure the upload holds what was read so far.
func (d *Dialect) Decode(body []byte) (halley.Upload, error) {
	r := NewReader(body)
	var e envelope
	var remarks Remarks
	msg := halley.Message{Battery: halley.Unknown}
	d.read(r, &e, &msg, &remarks)
	r.End()
	up := halley.Upload{DeviceKey: halley.DeviceKey{Family: d.Family}}
	d.identify(r, &e, &up, &remarks)
	d.fill(r, &e, &msg, &remarks)
	if r.err != nil {
		return up, r.err
	}
	msg.Remarks = remarks.List()
	up.Messages = []halley.Message{msg}
	return up, nil
}

// read takes the members of the message object, in any order; of members with one name the last counts.
func (d *Dialect) read(r *Reader, e *envelope, msg *halley.Message, remarks *Remarks) {
	if !r.Open('{', "") {
		return
	}
	for n := 0; r.Next('}', &n); {
		key := r.Key()
		switch string(key) {
		case "JsonType":
			e.jsonType = r.Value()
		case "JsonVersion":
			e.version = r.Value()
		case "OrderId":
			e.order = r.Value()
		case "MsgType":
			e.kind = r.Value()
		case "MsgCache":
			e.cache = r.Value()
		case "Sn":
			e.serial = r.Value()
		case "Desc":
			e.name = r.Value()
		case "Kind":
			e.model = r.Value()
		case "NConf":
			e.config = r.Value()
		case "Interval":
			e.interval = r.Value()
		case "ConfID", "LocalIP", "LocalIPv4":
			r.Value() // kept in the raw body alone
		case "AState":
			e.readState(r, remarks)
		case "Time":
			e.readTime(r, remarks)
		case "Rssi":
			e.readSignal(r, remarks)
		case "Channels":
			e.hasChannels = true
			msg.Readings = make([]halley.Reading, 0, 4)
			d.channels(r, msg, remarks)
		default:
			r.unknown(key, remarks)
		}
	}
}

// object reads an object of tokens. Anything else is passed over with a remark.
func (r *Reader) object(field string, remarks *Remarks, member func(key []byte) *Token) {
	if r.Peek() != '{' {
		if t := r.Value(); t.Given() && r.err == nil {
			remarks.Add(field, "is not an object")
		}
		r.Within(field)
		return
	}
	r.pos++
	for n := 0; r.Next('}', &n); {
		key := r.Key()
		if t := member(key); t != nil {
			*t = r.Value()
			continue
		}
		r.unknown(key, remarks)
	}
	r.Within(field)
}

func (e *envelope) readState(r *Reader, remarks *Remarks) {
	r.object("AState", remarks, func(key []byte) *Token {
		switch string(key) {
		case "Reg":
			return &e.reg
		case "Mask":
			return &e.mask
		}
		return nil
	})
}

func (e *envelope) readTime(r *Reader, remarks *Remarks) {
	e.hasTime = true
	r.object("Time", remarks, func(key []byte) *Token {
		switch string(key) {
		case "Now":
			return &e.now
		case "Sample":
			return &e.sample
		case "IsValid":
			return &e.isValid
		}
		return nil
	})
}

func (e *envelope) readSignal(r *Reader, remarks *Remarks) {
	var now Token // the signal at sampling is kept, that at transmission is not
	r.object("Rssi", remarks, func(key []byte) *Token {
		switch string(key) {
		case "Now":
			return &now
		case "Sample":
			return &e.signal
		}
		return nil
	})
}

// identify says which device it is, also where the rest of the body could not be read.
func (d *Dialect) identify(r *Reader, e *envelope, up *halley.Upload, remarks *Remarks) {
	up.Serial = e.serial.Serial(r, "Sn")
	up.Name = e.name.String(TextLimits{Field: "Desc", Bytes: 64}, remarks)
	if kind, ok := e.model.Int(0, 255); ok {
		up.Model = d.modelName(kind)
	}
	// Recognizing looks at the first JsonType at any depth, so that the one that counts is looked at here.
	if v, ok := e.jsonType.Int(0, 255); r.err == nil && (!ok || v != d.JSONType) {
		r.Fail(e.jsonType.At, "JsonType", "it is not "+strconv.FormatInt(d.JSONType, 10))
	}
}

// Serial reads a serial number: 1 to 32 letters, digits, dots, underscores and hyphens, or a number, which is padded to 8
// digits.
func (t Token) Serial(r *Reader, field string) string {
	if !t.Given() {
		r.Fail(halley.Unknown, field, "the message has no serial number")
		return ""
	}
	if v, ok := t.Int(0, 999_999_999_999_999); ok && t.Kind == Number {
		s := strconv.FormatInt(v, 10)
		return "00000000"[min(len(s), 8):] + s
	}
	s := t.Bytes()
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	if t.Kind != Text || len(s) == 0 || len(s) > maxSerial {
		r.Fail(t.At, field, "the serial number is not a text of 1 to 32 characters")
		return ""
	}
	for _, c := range s {
		letter := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && c != '-' && c != '.' && c != '_' {
			r.Fail(t.At, field, "the serial number holds other characters than letters, digits, dots, underscores and hyphens")
			return ""
		}
	}
	return string(s)
}

// fill completes the message from the tokens of its object.
func (d *Dialect) fill(r *Reader, e *envelope, msg *halley.Message, remarks *Remarks) {
	if r.err != nil {
		return
	}
	if !e.hasChannels {
		r.Fail(halley.Unknown, "Channels", "the message has no channels")
		return
	}
	if v, ok := e.version.Int(0, 255); e.version.Given() && (!ok || v != 1) {
		remarks.Add("JsonVersion", "it is not 1; this version is not known")
	}
	msg.Order = number(e.order, "OrderId", 1<<32-1, remarks)
	msg.Config = int(number(e.config, "NConf", 255, remarks))
	msg.State = int(number(e.reg, "AState.Reg", 1<<16-1, remarks))
	msg.StateMask = int(number(e.mask, "AState.Mask", 1<<16-1, remarks))
	msg.Cache = int(number(e.cache, "MsgCache", 255, remarks))
	msg.Interval = max(0, int(number(e.interval, "Interval", 1<<16-1, remarks)))
	msg.RawKind = int(number(e.kind, "MsgType", 255, remarks))
	msg.Signal = e.signalOf(remarks)
	kind, known := d.kindOf(int64(msg.RawKind))
	if msg.Kind = kind; !known {
		remarks.Add("MsgType", "this number is not known; the message is taken as periodic")
	}
	e.clock(r, msg, remarks)
	marks := halley.Quality(0)
	if msg.Clock == halley.ClockNotValid {
		marks |= halley.ClockInvalid
	}
	if msg.Kind == halley.TestMessage {
		marks |= halley.Test
	}
	for i := range msg.Readings {
		msg.Readings[i].Quality |= marks
	}
}

// number gives a whole number from 0 to highest; Unknown where it is not there, and with a remark where it does not fit.
func number(t Token, field string, highest int64, remarks *Remarks) int64 {
	v, ok := t.Int(0, highest)
	if ok {
		return v
	}
	if t.Given() {
		remarks.Add(field, "is not a whole number from 0 to "+strconv.FormatInt(highest, 10))
	}
	return halley.Unknown
}

// signalOf gives the signal at sampling in dBm; 0 where it is not known.
func (e *envelope) signalOf(remarks *Remarks) int {
	v, ok := e.signal.Int(-200, 0)
	if !ok && e.signal.Given() {
		remarks.Add("Rssi.Sample", "is not a level in dBm")
	}
	if v == noSignal {
		return 0
	}
	return int(v)
}

// clock reads the times of the message.
func (e *envelope) clock(r *Reader, msg *halley.Message, remarks *Remarks) {
	sample, sampleRead := e.stamp(e.sample, "Time.Sample", remarks)
	now, nowRead := e.stamp(e.now, "Time.Now", remarks)
	valid, ok := e.isValid.Int(0, 1)
	if !ok {
		if e.isValid.Given() {
			remarks.Add("Time.IsValid", "is neither 0 nor 1; the clock is taken as valid")
		}
		valid = 1
	}
	if valid == 1 {
		e.validClock(r, msg, sample, sampleRead)
		if nowRead && now.Storable() {
			msg.Now = now
		} else if e.now.Given() {
			remarks.Add("Time.Now", "is not a time of the years 2000 to 2099 and was left out")
		}
		return
	}
	msg.Clock = halley.ClockNotValid
	switch apart := now - sample; {
	case !sampleRead || !nowRead:
		remarks.Add("Time", "the clock is not valid and its times cannot be read; the time of receiving counts")
		msg.Sample = sample
	case apart > maxApart || apart < 0:
		remarks.Add("Time", "the clock is not valid and was set between Sample and Now; the time of receiving counts")
		msg.Sample = sample
	default:
		msg.Sample, msg.Now = sample, now
	}
}

func (e *envelope) validClock(r *Reader, msg *halley.Message, sample halley.Millis, read bool) {
	msg.Clock = halley.ClockValid
	switch {
	case !e.sample.Given():
		r.Fail(halley.Unknown, "Time.Sample", "the message has no time")
	case !read:
		r.Fail(e.sample.At, "Time.Sample", "a time such as 2026-11-21T14:16:00+01:00 is expected")
	case !sample.Storable():
		r.Fail(e.sample.At, "Time.Sample", "the year is not from 2000 to 2099, so the message cannot be stored")
	default:
		msg.Sample = sample
	}
}

// stamp reads one time; false where it is not there or cannot be read.
func (*envelope) stamp(t Token, field string, remarks *Remarks) (halley.Millis, bool) {
	if t.Kind != Text {
		return 0, false
	}
	s, ok := parseStamp(t.Bytes())
	if !ok {
		return 0, false
	}
	if !s.zone {
		remarks.Add(field, "has no offset from UTC and was taken as UTC")
	}
	return s.at, true
}
