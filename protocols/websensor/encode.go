package websensor

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"reflect"
	"strconv"
	"strings"

	"halley"
)

const opEncode = "encode a Web Sensor message"

// Encode gives the body that a T-line device or a P2520 would send. What the form cannot express is refused: the upload must
// have exactly one message, as Model.Upload makes it.
func (p *Protocol) Encode(up *halley.Upload) ([]byte, error) {
	model := p.byName[up.Model]
	switch {
	case len(up.Messages) != 1:
		return nil, refuse("messages", "a Web Sensor sends exactly one message a request")
	case model == nil || model.Form == "":
		return nil, refuse("model", "the message form of this model is not known")
	case model.Form != up.Form:
		return nil, refuse("form", "this model sends "+model.Form)
	}
	w := writer{}
	w.begin(up.Form)
	if up.Form == FormP2520 {
		w.converter(up, model.Code)
	} else {
		w.sensor(up, model)
	}
	w.end(up.Form)
	return w.b, p.checkEncoded(w.b, up)
}

func refuse(field, message string) error {
	return &halley.Error{Kind: halley.Invalid, Op: opEncode, Field: field, Message: message}
}

// checkEncoded reads the body back: whatever the form cannot hold shows as a difference.
func (p *Protocol) checkEncoded(body []byte, up *halley.Upload) error {
	got, err := p.Decode(body)
	if err != nil {
		return &halley.Error{Kind: halley.Invalid, Op: opEncode, Message: "the message cannot be read back", Err: err}
	}
	want, have := up.Messages[0], got.Messages[0]
	for i := range max(len(want.Readings), len(have.Readings)) {
		if i >= len(want.Readings) || i >= len(have.Readings) || want.Readings[i] != have.Readings[i] {
			return refuse("readings", "this form cannot express reading "+strconv.Itoa(i))
		}
	}
	want.Readings, have.Readings = nil, nil
	if len(want.Remarks) == 0 {
		want.Remarks = nil
	}
	if !reflect.DeepEqual(want, have) {
		return refuse("messages", "this form has no time, order, kind, cache, configuration, signal, battery or remarks")
	}
	if got.DeviceKey != up.DeviceKey || got.Name != up.Name || got.CustomerKey != up.CustomerKey {
		return refuse("serial", "this form cannot express the serial number, the name or a customer key")
	}
	return nil
}

// writer builds a body.
type writer struct{ b []byte }

func (w *writer) begin(form string) {
	w.b = make([]byte, 0, 1280)
	w.b = append(w.b, `<?xml version="1.0" encoding="utf-8"?>`+"\n"...)
	w.b = append(w.b, `<soap:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`...)
	w.b = append(w.b, ` xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soap="`+envelopeSpace+"\">\n<soap:Body>\n<"...)
	w.b = append(w.b, form...)
	w.b = append(w.b, ` xmlns="`...)
	w.b = append(w.b, spaceOf(form)...)
	w.b = append(w.b, "\">\n"...)
}

func (w *writer) end(form string) {
	w.b = append(w.b, "</"...)
	w.b = append(w.b, form...)
	w.b = append(w.b, ">\n</soap:Body>\n</soap:Envelope>\n"...)
}

// element writes one element with its text.
func (w *writer) element(name, text string) {
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
	w.text(text)
	w.b = append(w.b, "</"...)
	w.b = append(w.b, name...)
	w.b = append(w.b, ">\n"...)
}

// text writes text with its special characters replaced.
func (w *writer) text(s string) {
	if !strings.ContainsAny(s, "<>&\r\"'") {
		w.b = append(w.b, s...)
		return
	}
	for i := range len(s) {
		switch s[i] {
		case '<':
			w.b = append(w.b, "&lt;"...)
		case '>':
			w.b = append(w.b, "&gt;"...)
		case '&':
			w.b = append(w.b, "&amp;"...)
		case '\r':
			w.b = append(w.b, "&#13;"...)
		default:
			w.b = append(w.b, s[i])
		}
	}
}

// sensor writes the elements of a T-line message.
func (w *writer) sensor(up *halley.Upload, model *Model) {
	m := &up.Messages[0]
	w.element("passKey", up.Serial)
	w.element("device", strconv.Itoa(model.Code))
	w.quantity("temp", reading(m, channelTemperature), model.Temperature)
	w.quantity("relHum", reading(m, channelHumidity), model.Humidity)
	w.quantity("compQuant", reading(m, channelComputed), model.Computed)
	if model.CO2 {
		w.quantity("co2", reading(m, channelFourth), true)
	} else {
		w.quantity("pressure", reading(m, channelFourth), model.Pressure)
	}
	w.alarms(m)
	if model.CO2 && m.State != halley.Unknown {
		w.element("lev1", strconv.Itoa(m.State&1))
		w.element("lev2", strconv.Itoa(m.State>>1&1))
		w.element("lev3", strconv.Itoa(m.State>>2&1))
	}
	w.element("compType", computedType(reading(m, channelComputed)))
	w.element("tempU", degrees(m))
	if !model.CO2 {
		w.element("pressureU", pressureUnit(reading(m, channelFourth)))
	}
	w.element("timer", strconv.Itoa(m.Interval))
}

// reading gives the reading of a channel, or nil.
func reading(m *halley.Message, number int) *halley.Reading {
	for i := range m.Readings {
		if m.Readings[i].Number == number {
			return &m.Readings[i]
		}
	}
	return nil
}

// quantity writes a value. A model without the quantity sends the error value; one that has it leaves out only what the upload
// does not have.
func (w *writer) quantity(name string, r *halley.Reading, has bool) {
	switch {
	case r != nil:
		w.element(name, valueText(r))
	case !has:
		w.element(name, strconv.Itoa(valueBelow))
	}
}

// valueText gives a value, or the number or word that stands for its error.
func valueText(r *halley.Reading) string {
	switch r.Quality.Reason() {
	case halley.Good:
		return numberText(r.Value, r.Decimals)
	case halley.AboveRange:
		return errorText(valueAbove, r)
	case halley.BelowRange:
		return errorText(valueBelow, r)
	case halley.NotReady:
		return errorText(valueNotReady, r)
	case halley.SensorError:
		return "error " + strconv.Itoa(int(r.Quality.Number()))
	case halley.NotAvailable:
	}
	return "n/a"
}

// errorText gives an error value: without decimals, as devices send it, where the channel's number of them is the least that the
// decoder gives.
func errorText(v float64, r *halley.Reading) string {
	least := 1
	if r.Quantity == halley.CO2 {
		least = 0
	}
	if r.Decimals <= least {
		return numberText(v, 0)
	}
	return numberText(v, r.Decimals)
}

// numberText gives a value with at least that many decimals; a value that needs more shows them all, which reading it back
// finds.
func numberText(v float64, decimals int) string {
	short := strconv.FormatFloat(v, 'f', -1, 64)
	long := strconv.FormatFloat(v, 'f', max(0, min(decimals, maxDecimals)), 64)
	if len(short) > len(long) {
		return short
	}
	return long
}

func (w *writer) alarms(m *halley.Message) {
	words := make([]string, 0, channelFourth)
	for number := 1; number <= channelFourth; number++ {
		words = append(words, alarmWord(reading(m, number)))
	}
	w.element("alarms", strings.Join(words, ","))
}

func alarmWord(r *halley.Reading) string {
	if r != nil {
		switch a1, _ := r.Quality.Alarms(); a1 {
		case halley.AlarmHigh:
			return "hi"
		case halley.AlarmLow:
			return "lo"
		case halley.AlarmNone, halley.AlarmActive:
		}
	}
	return "no"
}

// computedType gives the word for a computed quantity.
func computedType(r *halley.Reading) string {
	if r == nil {
		return "n/a"
	}
	switch r.Quantity {
	case halley.AbsoluteHumidity:
		return "Absolute humidity"
	case halley.SpecificHumidity:
		return "Specific humidity"
	case halley.MixingRatio:
		return "Mixing proportion"
	case halley.SpecificEnthalpy:
		return "Specific enthalpy"
	case halley.DewPoint:
		return "Dew point"
	}
	return r.Quantity
}

// degrees gives the word for the unit of temperature and dew point.
func degrees(m *halley.Message) string {
	for i := range m.Readings {
		if m.Readings[i].Unit == fahrenheit {
			return "F"
		}
	}
	return "C"
}

func pressureUnit(r *halley.Reading) string {
	if r == nil || r.Unit == "" {
		return "n/a"
	}
	return r.Unit
}

// converter writes the elements of a P2520 message. A channel without a reading is one that is disabled.
func (w *writer) converter(up *halley.Upload, code int) {
	m := &up.Messages[0]
	w.element("name", up.Name)
	w.element("sn", up.Serial)
	w.element("tmr", strconv.Itoa(m.Interval))
	w.element("kind", strconv.Itoa(code))
	for number := 1; number <= 2; number++ {
		name := "c" + strconv.Itoa(number)
		w.b = append(w.b, '<')
		w.b = append(w.b, name...)
		w.b = append(w.b, ">\n"...)
		w.block(reading(m, number))
		w.b = append(w.b, "</"...)
		w.b = append(w.b, name...)
		w.b = append(w.b, ">\n"...)
	}
}

// block writes the elements of a channel block.
func (w *writer) block(r *halley.Reading) {
	enabled := "1"
	if r == nil {
		enabled = "0"
		r = &halley.Reading{Name: "Channel", Unit: "mA", Decimals: 2}
	}
	w.element("n", r.Name)
	if r.Quality.HasValue() {
		w.element("v", strconv.FormatFloat(r.Value, 'f', max(0, min(r.Decimals, maxDecimals)), 64))
		w.element("f", singleText(r.Value))
	} else {
		w.element("v", valueText(r))
		w.element("f", singleText(math.Inf(-1)))
	}
	w.element("u", r.Unit)
	w.element("a", alarmWord(r))
	w.element("p", strconv.Itoa(r.Decimals))
	w.element("e", enabled)
}

// singleText gives an IEEE-754 single in hexadecimal digits, the least significant byte first.
func singleText(v float64) string {
	var raw [4]byte
	binary.LittleEndian.PutUint32(raw[:], math.Float32bits(float32(v)))
	return strings.ToUpper(hex.EncodeToString(raw[:]))
}
