package modem

import (
	"slices"
	"strconv"

	"halley"
	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

// maxElements is how many elements a message may have. The largest version known has 22.
const maxElements = 32

// firstText is the element from which on texts count: behind it come Desc, Time and CustomerUid, in every version. TimeNow is
// before it.
const firstText = 4

// decoder reads one body.
type decoder struct {
	r       *cometjson.Reader
	layouts []layout
	up      halley.Upload
}

// Decode reads all messages of a body.
func (p *Protocol) Decode(body []byte) (halley.Upload, error) {
	d := decoder{r: cometjson.NewReader(body), layouts: p.layouts}
	d.up.Family = halley.Modem
	d.value()
	for d.r.Err() == nil && !d.r.Done() {
		d.value()
	}
	if err := d.r.Err(); err != nil {
		d.up.Messages = nil
		return d.up, err
	}
	return d.up, nil
}

// value reads a message, or an array of messages.
func (d *decoder) value() {
	if !d.r.Open('[', "") {
		return
	}
	if d.r.Peek() != '[' {
		d.message()
		return
	}
	for n := 0; d.r.Next(']', &n); {
		if d.r.Open('[', "") {
			d.message()
		}
	}
}

// message reads the elements of a message, whose bracket has been read, and decodes it.
func (d *decoder) message() {
	if len(d.up.Messages) == protocols.MaxMessages {
		d.r.Fail(d.r.At(), "", "there are more than "+strconv.Itoa(protocols.MaxMessages)+" messages")
		return
	}
	var elements [maxElements]cometjson.Token
	count, texts := 0, 0
	start := d.r.At()
	for n := 0; d.r.Next(']', &n); {
		if n > maxElements {
			d.r.Fail(d.r.At(), "", "the message has more elements than any known version")
			return
		}
		count = n
		if n > firstText && d.r.Peek() == '"' {
			texts++
			if texts == 1 && d.names(elements[:n-1]) {
				d.identify(elements[n-2])
			}
		}
		elements[n-1] = d.r.Value()
		if texts == 3 && elements[n-1].Kind == cometjson.Text {
			d.up.CustomerKey = customerKey(elements[n-1])
		}
	}
	if d.r.Err() != nil {
		return
	}
	m := reader{r: d.r}
	d.decode(&m, start, elements[:count])
}

// names says whether the last of the elements so far, behind which the first text stands, is the serial number. It stands before
// Desc in every version; where Desc is not a text, this is another number. The layouts before version 4 are not documented, so
// that there the place in any layout will do.
func (d *decoder) names(elements []cometjson.Token) bool {
	version, _ := elements[1].Int(1, 255)
	if l, ok := own(d.layouts, version); ok && version >= 4 {
		return len(elements) == l.place(serial)+1
	}
	return slices.ContainsFunc(d.layouts, func(l layout) bool { return len(elements) == l.place(serial)+1 })
}

// identify takes the serial number, also where the rest cannot be read. A second message must be of the same logger.
func (d *decoder) identify(t cometjson.Token) {
	if t.Kind != cometjson.Number {
		return
	}
	s := t.Serial(d.r, "Sn")
	switch {
	case s == "":
	case d.up.Serial == "":
		d.up.Serial = s
	case d.up.Serial != s:
		d.r.Fail(t.At, "Sn", "the body holds messages of two loggers")
	}
}

// customerKey gives the secret as the device sends it. It is not cut to the documented 16 characters: a longer one is another.
func customerKey(t cometjson.Token) halley.Secret {
	var none cometjson.Remarks
	return halley.Secret(t.String(cometjson.TextLimits{Bytes: 128, Silent: true}, &none))
}

// decode turns the elements of one message into a message of the upload.
func (d *decoder) decode(m *reader, start int, elements []cometjson.Token) {
	if len(elements) < 2 {
		d.r.Fail(start, "", "the message has no elements")
		return
	}
	if v, ok := elements[0].Int(0, 255); !ok || v != 1 {
		d.r.Fail(elements[0].At, "JsonType", "it is not 1")
		return
	}
	version, ok := elements[1].Int(1, 255)
	if !ok {
		d.r.Fail(elements[1].At, "JsonVersion", "it is not a number from 1 to 255")
		return
	}
	l, form, ok := choose(d.layouts, version, elements, &m.remarks)
	if !ok {
		d.r.Fail(start, "", "the "+strconv.Itoa(len(elements))+" elements fit no version from 1 to "+strconv.Itoa(newest))
		return
	}
	if d.up.Serial == "" {
		d.r.Fail(start, "Sn", "the message has no serial number")
		return
	}
	for i, f := range l.order {
		m.at[f] = elements[i]
	}
	m.codePage = version < 2
	d.up.Form = form
	d.up.Name = m.at[description].String(m.limits("Desc", 32), &m.remarks)
	d.up.Messages = append(d.up.Messages, m.message(l.version))
}
