package websensor

import (
	"bytes"

	"halley"
)

// The channel numbers of T- and H-line devices, in the order of the words in "alarms".
const (
	channelTemperature = 1
	channelHumidity    = 2
	channelComputed    = 3
	// channelFourth is pressure, or CO2 where the message has it.
	channelFourth = 4
	// channelFifth is pressure where a message has CO2 as well; no document describes such a message.
	channelFifth = 5
)

// The units that the messages imply, and those that "C" and "F" stand for. The units of computed quantities are not sent; these
// are the customary ones.
const (
	celsius      = "°C"
	fahrenheit   = "°F"
	percentRH    = "%RH"
	ppm          = "ppm"
	gramsPerCube = "g/m³"
	gramsPerKilo = "g/kg"
	kiloJoules   = "kJ/kg"
)

// The error values (manual IE-SNC-Tx5xx-28, error codes; SDK text soap-co2.txt).
const (
	// valueAbove stands for "over the upper limit"; not of CO2, where it is a concentration that a sensor can measure.
	valueAbove = 9999
	// valueBelow stands for "under the lower limit" and for failures inside of the device.
	valueBelow = -9999
	// valueNotReady stands for "not measured yet", in the first seconds after a start.
	valueNotReady = -9998
)

// channel describes one quantity of the message for measure.
type channel struct {
	field          field
	number         int
	quantity, unit string
	// decimals is the least number of decimal places: an error value is sent without any.
	decimals int
	// absent says that the device has no such quantity, so that an error value is no reading.
	absent bool
}

// convertQuantities makes readings of the elements of T- and H-line messages.
func (d *decoder) convertQuantities() {
	d.message.Readings = make([]halley.Reading, 0, channelFourth)
	known := d.model != nil && d.model.describesQuantities()
	var model Model
	if known {
		model = *d.model
	}
	d.measure(channel{
		field: fieldTemperature, number: channelTemperature, quantity: halley.Temperature, unit: d.temperatureUnit(), decimals: 1,
		absent: known && !model.Temperature,
	})
	d.measure(channel{
		field: fieldHumidity, number: channelHumidity, quantity: halley.Humidity, unit: percentRH, decimals: 1,
		absent: known && !model.Humidity,
	})
	if quantity, unit, ok := d.computedQuantity(); ok {
		d.measure(channel{
			field: fieldComputed, number: channelComputed, quantity: quantity, unit: unit, decimals: 1,
			absent: known && !model.Computed,
		})
	}
	pressure := channelFourth
	if d.fields[fieldCO2].sent {
		pressure = channelFifth
		d.measure(channel{
			field: fieldCO2, number: channelFourth, quantity: halley.CO2, unit: ppm, absent: known && !model.CO2,
		})
	}
	unit, absent := d.pressureUnit()
	d.measure(channel{
		field: fieldPressure, number: pressure, quantity: halley.Pressure, unit: unit, decimals: 1,
		absent: absent || known && !model.Pressure,
	})
	d.applyAlarms()
}

// measure adds the reading of one channel.
func (d *decoder) measure(c channel) {
	f := d.fields[c.field]
	if !f.sent {
		return
	}
	v, decimals, quality := d.number(f.text)
	if quality.HasValue() {
		switch {
		case v == valueAbove && c.field != fieldCO2:
			quality = halley.QualityOf(halley.AboveRange, 0)
		case v == valueBelow:
			quality = halley.QualityOf(halley.BelowRange, 0)
		case v == valueNotReady:
			quality = halley.QualityOf(halley.NotReady, 0)
		}
	}
	if !quality.HasValue() {
		if c.absent {
			return
		}
		v = 0
	}
	d.message.Readings = append(d.message.Readings, halley.Reading{
		Number: c.number, Quantity: c.quantity, Unit: c.unit, Decimals: max(decimals, c.decimals), Value: v,
		Quality: quality | halley.ServerTime,
	})
}

// number reads a value: a number, "n/a", or a word for an error. What is none of these is a sensor error, with a remark.
func (d *decoder) number(text []byte) (v float64, decimals int, quality halley.Quality) {
	v, decimals, ok := decimal(text)
	if ok {
		return v, decimals, halley.QualityOf(halley.Good, 0)
	}
	if notAvailable(text) {
		return 0, 0, halley.QualityOf(halley.NotAvailable, 0)
	}
	number, ok := errorNumber(text)
	if !ok {
		d.remarkOn(text, "a value is not a number")
	}
	return 0, 0, halley.QualityOf(halley.SensorError, number)
}

func (d *decoder) temperatureUnit() string {
	f := d.fields[fieldTemperatureUnit]
	if !f.sent && (d.fields[fieldTemperature].sent || d.fields[fieldComputed].sent) {
		d.remark("the unit of temperature is missing")
	}
	return unitOf(f.text)
}

// unitOf gives the unit of a temperature; one that the documents do not name is kept as sent.
func unitOf(text []byte) string {
	switch {
	case string(text) == "C":
		return celsius
	case string(text) == "F":
		return fahrenheit
	case notAvailable(text):
		return ""
	}
	return clean(text, maxUnit)
}

// pressureUnit gives the unit of pressure as sent; absent says that the device has no pressure.
func (d *decoder) pressureUnit() (unit string, absent bool) {
	f := d.fields[fieldPressureUnit]
	switch string(f.text) {
	case "hPa":
		return "hPa", false
	case "n/a":
		return "", true
	}
	if notAvailable(f.text) {
		if !f.sent && d.fields[fieldPressure].sent {
			d.remark("the unit of pressure is missing")
		}
		return "", f.sent
	}
	return clean(f.text, maxUnit), false
}

// computedQuantity gives what compType names; ok is false where the device computes nothing.
func (d *decoder) computedQuantity() (quantity, unit string, ok bool) {
	f := d.fields[fieldComputedType]
	switch string(f.text) {
	case "Absolute humidity":
		return halley.AbsoluteHumidity, gramsPerCube, true
	case "Specific humidity":
		return halley.SpecificHumidity, gramsPerKilo, true
	case "Mixing proportion":
		return halley.MixingRatio, gramsPerKilo, true
	case "Specific enthalpy":
		return halley.SpecificEnthalpy, kiloJoules, true
	case "Dew point":
		return halley.DewPoint, unitOf(d.fields[fieldTemperatureUnit].text), true
	}
	switch {
	case !f.sent:
		if d.fields[fieldComputed].sent {
			d.remark("the computed quantity is not named")
		}
		return computed, "", true
	case notAvailable(f.text):
		return "", "", false
	}
	d.remarkOn(f.text, "the computed quantity is not known")
	return clean(f.text, maxQuantity), "", true
}

// computed is the quantity of a computed value whose message does not name it.
const computed = "computed"

// applyAlarms marks the readings by the words of "alarms", one for each of the four channels.
func (d *decoder) applyAlarms() {
	f := d.fields[fieldAlarms]
	if !f.sent {
		return
	}
	if bytes.Count(f.text, []byte(",")) != channelFourth-1 {
		d.remarkOn(f.text, "the alarms are not four words")
		return
	}
	rest := f.text
	for number := 1; number <= channelFourth; number++ {
		word, after, _ := bytes.Cut(rest, []byte(","))
		rest = after
		mark := d.alarm(trim(word))
		for i := range d.message.Readings {
			if r := &d.message.Readings[i]; r.Number == number {
				r.Quality = r.Quality.WithAlarms(mark, halley.AlarmNone)
			}
		}
	}
}

// alarm reads an alarm word of the T-line or of a channel block.
func (d *decoder) alarm(word []byte) halley.AlarmMark {
	switch string(word) {
	case "hi":
		return halley.AlarmHigh
	case "lo":
		return halley.AlarmLow
	case "no", "", "n/a":
	default:
		d.remarkOn(word, "an alarm word is not known")
	}
	return halley.AlarmNone
}
