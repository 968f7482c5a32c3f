package websensor

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"halley"
	"halley/protocols"
)

// block is a channel of a P2520 or P-line message: <c1>...</c1> or <c i="1">...</c>.
type block struct {
	number int
	fields [partCount]value
}

// part is a known element of a channel block.
type part uint8

// The elements of a channel block (manual IE-SNC-P2520-02, page 22).
const (
	partNone     part = iota
	partName          // n
	partValue         // v, decimal text
	partFloat         // f, IEEE-754 single in hex, least significant byte first
	partUnit          // u
	partAlarm         // a
	partDecimals      // p
	partEnabled       // e
	partCount
)

func partOf(name []byte) part {
	switch string(name) {
	case "n":
		return partName
	case "v":
		return partValue
	case "f":
		return partFloat
	case "u":
		return partUnit
	case "a":
		return partAlarm
	case "p":
		return partDecimals
	case "e":
		return partEnabled
	}
	return partNone
}

// highestChannel is the highest channel number that a reading may have.
const highestChannel = 255

// blockNumber says whether the element just begun is a channel block, and of which channel; -1 of one without a number.
func (d *decoder) blockNumber(name []byte) (number int, found bool) {
	if len(name) == 0 || name[0] != 'c' {
		return 0, false
	}
	text := name[1:]
	if len(text) == 0 {
		text, _ = d.lex.attribute("i")
		text = trim(text)
	} else if n, rest := digits(text); n == 0 || len(rest) > 0 {
		return 0, false
	}
	// "co2" is no digit behind c, so that T-line elements never come here.
	number, ok := whole(text, highestChannel)
	if !ok || number == 0 {
		return -1, true
	}
	return number, true
}

// block reads a channel block.
func (d *decoder) block(number int) *protocols.DecodeError {
	switch {
	case number < 0:
		return d.lex.fail("a channel has no number from 1 to 255")
	case len(d.blocks) == protocols.MaxReadings:
		return d.lex.fail("there are more than 64 channels")
	}
	for i := range d.blocks {
		if d.blocks[i].number == number {
			return d.lex.fail("the channel comes twice")
		}
	}
	d.blocks = append(d.blocks, block{number: number})
	b := &d.blocks[len(d.blocks)-1]
	return d.children(func() *protocols.DecodeError {
		name := d.lex.name()
		p := partOf(name)
		if p == partNone {
			text, err := d.lex.inner()
			d.remarkUnknown(b.label(), name, text)
			return err
		}
		if b.fields[p].sent {
			return d.lex.fail("the element comes twice")
		}
		text, err := d.lex.leaf()
		b.fields[p] = value{text: text, sent: true}
		return err
	})
}

// label begins a remark about the channel.
func (b *block) label() string { return "channel " + strconv.Itoa(b.number) + ": " }

// convertBlocks makes readings of the channel blocks. A disabled channel is sent, too, and is no reading.
func (d *decoder) convertBlocks() *protocols.DecodeError {
	if len(d.blocks)+len(d.message.Readings) > protocols.MaxReadings {
		return &protocols.DecodeError{At: halley.Unknown, Why: "there are more than 64 channels"}
	}
	taken := d.message.Readings
	for i := range d.blocks {
		b := &d.blocks[i]
		for _, r := range taken {
			if r.Number == b.number {
				return &protocols.DecodeError{At: halley.Unknown, Why: b.label() + "the number is that of another channel"}
			}
		}
		if enabled := b.fields[partEnabled]; enabled.sent && string(enabled.text) != "1" {
			if string(enabled.text) == "0" {
				continue
			}
			d.remarkOn(enabled.text, b.label()+"enabled is not 0 or 1")
		}
		d.message.Readings = append(d.message.Readings, d.blockReading(b))
	}
	return nil
}

func (d *decoder) blockReading(b *block) halley.Reading {
	quantity, unit := d.blockUnit(b)
	v, decimals, quality := d.blockValue(b)
	if p := b.fields[partDecimals]; p.sent {
		if n, ok := whole(p.text, maxDecimals); ok {
			decimals = n
		} else {
			d.remarkOn(p.text, b.label()+"the decimal places are not from 0 to 10")
		}
	}
	if quantity == halley.Temperature || quantity == halley.Humidity {
		decimals = leastDecimals(b, decimals)
	}
	quality |= halley.ServerTime
	return halley.Reading{
		Number: b.number, Name: clean(b.fields[partName].text, maxName), Quantity: quantity, Unit: unit, Decimals: decimals, Value: v,
		Quality: quality.WithAlarms(d.alarm(b.fields[partAlarm].text), halley.AlarmNone),
	}
}

// leastDecimals gives a temperature or humidity one decimal place at least where the message does not say how many it has: an
// error is sent without any.
func leastDecimals(b *block, decimals int) int {
	if b.fields[partDecimals].sent {
		return decimals
	}
	return max(decimals, 1)
}

// blockUnit gives the unit and, where the unit leaves no doubt, the quantity. A P2520 measures currents, which its user may
// convert to any unit; P-line thermometers measure temperature and humidity, and say "C" and "F" for the degrees.
func (d *decoder) blockUnit(b *block) (quantity, unit string) {
	text := b.fields[partUnit].text
	if d.isConverter() {
		unit = clean(text, maxUnit)
	} else {
		unit = unitOf(text)
	}
	switch {
	case unit == "mA":
		return halley.Current, unit
	case d.isConverter():
		return "", unit
	case unit == celsius || unit == fahrenheit:
		return halley.Temperature, unit
	case strings.ReplaceAll(unit, " ", "") == percentRH:
		return halley.Humidity, unit
	}
	return "", unit
}

// isConverter says whether the message is of a P2520.
func (d *decoder) isConverter() bool {
	return d.up.Form == FormP2520 || d.model != nil && d.model.Code == codeP2520
}

// The values that stand for errors in the P-line's other channels: an SNMP integer of a probe that is not there is -11000, ten
// times its value; a scaled Modbus value of the P2520 that is an error is -320000000 or less.
const (
	valueNoProbe       = -1100
	valueNoProbeScaled = -11000
	valueScaledError   = -320_000_000
)

// blockValue gives the value of a channel. The float is the value, in its shortest decimal form, and the text is held against
// it; a text that is no number is an error whatever the float says.
func (d *decoder) blockValue(b *block) (v float64, decimals int, quality halley.Quality) {
	text, float := b.fields[partValue], b.fields[partFloat]
	if text.sent {
		if v, decimals, quality = d.number(text.text); !quality.HasValue() {
			return 0, decimals, quality
		}
	}
	switch single, ok := singleOf(float.text); {
	case ok && (math.IsNaN(float64(single)) || math.IsInf(float64(single), 0)):
		return 0, decimals, halley.QualityOf(halley.SensorError, 0)
	case ok:
		exact := shortest(single)
		if text.sent && differ(v, exact, decimals) {
			d.remarkOn(text.text, b.label()+"the value's text differs from its float "+strconv.FormatFloat(exact, 'g', -1, 64)+", which is kept")
		}
		v = exact
	case !text.sent:
		if float.sent {
			d.remarkOn(float.text, b.label()+"the float is not eight hexadecimal digits")
		}
		return 0, 0, halley.QualityOf(halley.NotAvailable, 0)
	case float.sent:
		d.remarkOn(float.text, b.label()+"the float is not eight hexadecimal digits")
	}
	if quality = d.blockQuality(v); !quality.HasValue() {
		v = 0
	}
	return v, decimals, quality
}

// blockQuality finds the values that stand for errors.
func (d *decoder) blockQuality(v float64) halley.Quality {
	switch {
	case v <= valueScaledError:
		return halley.QualityOf(halley.SensorError, 0)
	case !d.isConverter() && (v == valueNoProbe || v == valueNoProbeScaled):
		return halley.QualityOf(halley.NotAvailable, 0)
	}
	return halley.QualityOf(halley.Good, 0)
}

// singleOf reads an IEEE-754 single of eight hexadecimal digits, the least significant byte first.
func singleOf(text []byte) (float32, bool) {
	var raw [4]byte
	if len(text) != hex.EncodedLen(len(raw)) {
		return 0, false
	}
	if _, err := hex.Decode(raw[:], text); err != nil {
		return 0, false
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(raw[:])), true
}

// shortest gives the double of a single's shortest decimal: 20.3, not 20.299999237060547.
func shortest(single float32) float64 {
	var buffer [24]byte
	v, err := strconv.ParseFloat(string(strconv.AppendFloat(buffer[:0], float64(single), 'g', -1, 32)), 64)
	if err != nil {
		return withoutMinusZero(float64(single))
	}
	return withoutMinusZero(v)
}

// roundingSlack allows for what a device loses when it computes the decimal text with single precision.
const roundingSlack = 1e-6

// differ says whether a value printed with that many decimals cannot come from the exact one.
func differ(printed, exact float64, decimals int) bool {
	half := 0.5 * math.Pow10(-decimals)
	return math.Abs(printed-exact) > half*(1+roundingSlack)+math.Abs(exact)*roundingSlack
}
