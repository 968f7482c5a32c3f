package cometjson

import (
	"strconv"

	"halley"
	"halley/protocols"
)

// The numbers of Type that say what a channel measures (TAx6xx document, field Type; read off the vendor's examples).
const (
	typeTemperature = 2
	typeInternal    = 3
	typeHumidity    = 6
	typeDewPoint    = 7
	typeBinaryFirst = 10
	typeBinaryLast  = 12
	typeCalculated  = 13
	typeNone        = 255
)

// maxDecimals is the most decimal places a channel shows (both documents, field Dec).
const maxDecimals = 10

// channel is a channel object as it stands in the body.
type channel struct {
	// at is its offset in the body.
	at                        int
	number, enabled, decimals Token
	name, value, shown, unit  Token
	types, alarm, mode        Pair
}

// channels reads the array of channel objects into the message's readings. Disabled channels give none.
func (d *Dialect) channels(r *Reader, msg *halley.Message, remarks *Remarks) {
	if !r.Open('[', "") {
		r.Within("Channels")
		return
	}
	var seen [256]bool
	for n := 0; r.Next(']', &n); {
		if n > protocols.MaxReadings {
			r.Fail(r.pos, "Channels", "there are more than "+strconv.Itoa(protocols.MaxReadings)+" channels")
			return
		}
		c := channel{at: r.At(), types: Pair{typeNone, typeNone}}
		c.read(r, remarks)
		if reading, ok := d.reading(r, &c, remarks); ok {
			if seen[reading.Number] {
				r.Fail(c.at, "Nr", "channel "+strconv.Itoa(reading.Number)+" is there twice")
			}
			seen[reading.Number] = true
			msg.Readings = append(msg.Readings, reading)
		}
		if r.err != nil {
			r.Within("Channels[" + strconv.Itoa(n-1) + "]")
			return
		}
	}
}

// read takes the members of one channel object.
func (c *channel) read(r *Reader, remarks *Remarks) {
	if !r.Open('{', "") {
		return
	}
	for n := 0; r.Next('}', &n); {
		key := r.Key()
		switch string(key) {
		case "Nr":
			c.number = r.Value()
		case "En":
			c.enabled = r.Value()
		case "Quant":
			c.name = r.Value()
		case "Val":
			c.value = r.Value()
		case "ValStr":
			c.shown = r.Value()
		case "Unit":
			c.unit = r.Value()
		case "Dec":
			c.decimals = r.Value()
		case "Type":
			c.types = r.ReadPair("Type", 255, remarks)
		case "Alarm":
			c.alarm = r.ReadPair("Alarm", 1, remarks)
		case "AlarmMode":
			c.mode = r.ReadPair("AlarmMode", 2, remarks)
		case "AlarmLim":
			r.limits(remarks)
		case "BinDesc":
			r.Value()
		default:
			r.unknown(key, remarks)
		}
	}
}

// limits reads the two limits of the alarms. They are the device's configuration and not kept.
func (r *Reader) limits(remarks *Remarks) {
	if r.Peek() != '[' {
		r.Value()
		return
	}
	r.pos++
	for n := 0; r.Next(']', &n); {
		if _, ok := r.Value().Hex(); !ok && r.err == nil {
			remarks.Add("AlarmLim", "is not a list of values of eight hexadecimal digits")
		}
	}
	r.Within("AlarmLim")
}

// unknown passes over the value of a member that no document names.
func (r *Reader) unknown(key []byte, remarks *Remarks) {
	r.Value()
	if r.err == nil {
		remarks.AddUnknown(key)
	}
}

// reading decides on a channel and decodes it. It gives false where the channel has no reading, or after a failure.
func (d *Dialect) reading(r *Reader, c *channel, remarks *Remarks) (halley.Reading, bool) {
	if r.err != nil || !d.isEnabled(c, remarks) {
		return halley.Reading{}, false
	}
	number, ok := c.number.Int(1, 255)
	if !ok {
		r.Fail(c.at, "Nr", "an enabled channel has no number from 1 to 255")
		return halley.Reading{}, false
	}
	bits, ok := c.value.Hex()
	if !ok || len(c.value.Raw) != 8 {
		r.Fail(max(c.at, c.value.At), "Val", "eight hexadecimal digits are expected")
		return halley.Reading{}, false
	}
	about := func() string { return "channel " + strconv.FormatInt(number, 10) }
	v := ValueOf(bits)
	if v.Odd {
		remarks.Add(about(), "the value "+string(c.value.Raw)+" is neither a number nor a documented error")
	}
	if shown := c.shown.Bytes(); !Agrees(shown, v) {
		remarks.Add(about(), "Val is "+v.words()+" but ValStr is "+Shown(shown))
	}
	out := halley.Reading{
		Number:   int(number),
		Name:     c.name.String(TextLimits{Field: "Quant", Bytes: 32}, remarks),
		Unit:     c.unit.String(TextLimits{Field: "Unit", Bytes: 16}, remarks),
		Decimals: c.decimals.Decimals("Dec", remarks),
		Value:    v.Number,
		Quality:  v.Quality.WithAlarms(AlarmMark(c.alarm[0], c.mode[0]), AlarmMark(c.alarm[1], c.mode[1])),
	}
	out.Quantity = d.quantity(c.types[0], out.Unit, out.Name)
	return out, true
}

// isEnabled decides whether a channel is measured. Without En it is "not enabled, no probe" (TAx6xx document) unless the dialect
// says otherwise and there is a value.
func (d *Dialect) isEnabled(c *channel, remarks *Remarks) bool {
	if c.enabled.Given() {
		if v, ok := c.enabled.Int(0, 1); ok {
			return v == 1
		}
		remarks.Add("En", "is neither 0 nor 1")
	}
	if !d.EnabledUnlessSaid {
		return false
	}
	bits, ok := c.value.Hex()
	return ok && len(c.value.Raw) == 8 && ValueOf(bits).Quality.HasValue()
}

// Decimals reads how many decimal places a channel shows, from 0 to 10; 0 with a remark where it says something else.
func (t Token) Decimals(field string, remarks *Remarks) int {
	v, ok := t.Int(0, maxDecimals)
	if !ok && t.Given() {
		remarks.Add(field, "is not from 0 to 10")
	}
	return int(v)
}

// words says what a value is, for a remark.
func (v Value) words() string {
	if v.Quality.HasValue() {
		return strconv.FormatFloat(v.Number, 'g', -1, 64)
	}
	return "error " + strconv.Itoa(int(v.Quality.Number()))
}

// quantity tells what a channel measures from its type, where it has one that says so, and else from its unit. Only a
// calculated channel and one without a type are told apart by name (see QuantityOf).
func (d *Dialect) quantity(kind int64, unit, name string) string {
	if !d.HasTypes {
		return QuantityOf(unit, name)
	}
	switch {
	case kind == typeTemperature || kind == typeInternal:
		return halley.Temperature
	case kind == typeHumidity:
		return halley.Humidity
	case kind == typeDewPoint:
		return halley.DewPoint
	case kind >= typeBinaryFirst && kind <= typeBinaryLast:
		return halley.Binary
	}
	q := QuantityOf(unit, name)
	if q == halley.DewPoint && kind != typeCalculated && kind != typeNone && kind != 0 {
		return halley.Temperature
	}
	return q
}
