package websensor

import (
	"bytes"

	"halley"
	"halley/protocols"
)

// field is a known element of a message, or of a channel block.
type field uint8

// The elements of T-, H-, P-line and P2520 messages. Two names of one thing are one field.
const (
	fieldNone   field = iota
	fieldSerial       // passKey, sn
	fieldModel        // device, kind
	fieldName
	fieldTemperature
	fieldHumidity
	fieldComputed
	fieldPressure
	fieldCO2
	fieldAlarms
	fieldLED1
	fieldLED2
	fieldLED3
	fieldComputedType
	fieldTemperatureUnit
	fieldPressureUnit
	fieldInterval // timer, tmr
	fieldCount
)

// fieldOf gives the field of an element by its local name.
func fieldOf(name []byte) field {
	switch string(name) {
	case "passKey", "sn":
		return fieldSerial
	case "device", "kind":
		return fieldModel
	case "name":
		return fieldName
	case "temp":
		return fieldTemperature
	case "relHum":
		return fieldHumidity
	case "compQuant":
		return fieldComputed
	case "pressure":
		return fieldPressure
	case "co2":
		return fieldCO2
	case "alarms":
		return fieldAlarms
	case "lev1":
		return fieldLED1
	case "lev2":
		return fieldLED2
	case "lev3":
		return fieldLED3
	case "compType":
		return fieldComputedType
	case "tempU":
		return fieldTemperatureUnit
	case "pressureU":
		return fieldPressureUnit
	case "timer", "tmr":
		return fieldInterval
	}
	return fieldNone
}

// value is the text of an element, and whether it came at all.
type value struct {
	text []byte
	sent bool
}

// decoder reads one body.
type decoder struct {
	protocol *Protocol
	lex      lexer
	up       halley.Upload
	message  halley.Message
	fields   [fieldCount]value
	blocks   []block
	model    *Model
	// reported says that the message element was met.
	reported bool
}

// Decode reads one message.
func (p *Protocol) Decode(body []byte) (halley.Upload, error) {
	d := decoder{protocol: p, message: emptyMessage()}
	d.up.Family = halley.WebSensor
	text, skipped, err := utf8Body(body)
	if err == nil {
		d.lex.src = text
		err = d.document()
	}
	if err == nil {
		err = d.convert()
	}
	if err != nil {
		if d.up.Serial == "" {
			d.up.Serial = salvagedSerial(body)
		}
		if err.At != halley.Unknown {
			if skipped == halley.Unknown {
				err.At = halley.Unknown
			} else {
				err.At += skipped
			}
		}
		return d.up, err
	}
	d.up.Messages = []halley.Message{d.message}
	return d.up, nil
}

// document reads the whole document: an envelope with a body, or a message alone.
func (d *decoder) document() *protocols.DecodeError {
	for {
		kind, err := d.lex.next()
		if err != nil {
			return err
		}
		switch kind {
		case tokenEOF:
			if !d.reported {
				return &protocols.DecodeError{At: halley.Unknown, Why: "there is no message"}
			}
			return nil
		case tokenStart:
			if string(d.lex.name()) == "Envelope" {
				err = d.envelope()
			} else {
				err = d.report()
			}
			if err != nil {
				return err
			}
		case tokenText, tokenEnd:
		}
	}
}

// envelope reads the children of Envelope: Body counts, Header is passed over like all else.
func (d *decoder) envelope() *protocols.DecodeError {
	return d.children(func() *protocols.DecodeError {
		if string(d.lex.name()) == "Body" {
			return d.children(d.report)
		}
		_, err := d.lex.inner()
		return err
	})
}

// children calls read at each start tag in the element whose start tag was just given, up to and with its end tag.
func (d *decoder) children(read func() *protocols.DecodeError) *protocols.DecodeError {
	for {
		kind, err := d.lex.next()
		switch {
		case err != nil:
			return err
		case kind == tokenEnd:
			return nil
		case kind == tokenStart:
			if err = read(); err != nil {
				return err
			}
		case len(trim(d.lex.text)) > 0:
			d.remarkOn(d.lex.text, "text between elements")
		}
	}
}

// report reads the message element, whatever its name.
func (d *decoder) report() *protocols.DecodeError {
	if d.reported {
		return d.lex.fail("there is a second message")
	}
	d.reported = true
	d.up.Form = formOf(d.lex.name())
	return d.children(d.element)
}

// formOf gives the name of the message element, without copying a known one.
func formOf(name []byte) string {
	switch string(name) {
	case FormTx5xx:
		return FormTx5xx
	case FormTx5xxCO2:
		return FormTx5xxCO2
	case FormP2520:
		return FormP2520
	}
	return clean(name, maxForm)
}

// element reads one child of the message element.
func (d *decoder) element() *protocols.DecodeError {
	name := d.lex.name()
	if number, found := d.blockNumber(name); found {
		return d.block(number)
	}
	f := fieldOf(name)
	if f == fieldNone {
		text, err := d.lex.inner()
		d.remarkUnknown("", name, text)
		return err
	}
	if d.fields[f].sent {
		return d.lex.fail("the element comes twice")
	}
	at := d.lex.pos
	text, err := d.lex.leaf()
	if err != nil {
		return err
	}
	d.fields[f] = value{text: text, sent: true}
	if f == fieldSerial {
		return d.serial(name, text, at)
	}
	return nil
}

// serial takes the serial number as soon as it is read, so that a body that fails later still names its device.
func (d *decoder) serial(name, text []byte, at int) *protocols.DecodeError {
	s := clean(text, maxSerial+1)
	if s == "" || len(s) > maxSerial || !isPrintable(s) {
		return &protocols.DecodeError{At: at, Field: shown(name), Why: "a serial number has 1 to 32 printable characters"}
	}
	d.up.Serial = s
	return nil
}

// salvagedSerial looks for a serial number in a body that is not well-formed before it comes to it, such as one whose device
// name holds a bare "&". It names the device whose body is kept; its values are not read.
func salvagedSerial(body []byte) string {
	for _, name := range []string{"<passKey>", "<sn>"} {
		_, rest, found := bytes.Cut(body, []byte(name))
		if !found {
			continue
		}
		text, rest, closed := bytes.Cut(rest[:min(len(rest), look)], []byte("</"))
		s := string(trim(text))
		if closed && bytes.HasPrefix(rest, []byte(name[1:])) && len(s) <= maxSerial && isPrintable(s) && !bytes.ContainsAny(text, "<&") {
			return s
		}
	}
	return ""
}

// convert makes the message of the elements.
func (d *decoder) convert() *protocols.DecodeError {
	if d.up.Serial == "" {
		return &protocols.DecodeError{At: halley.Unknown, Why: "there is no serial number (passKey or sn)"}
	}
	d.up.Name = clean(d.fields[fieldName].text, maxName)
	d.convertModel()
	d.convertInterval()
	d.convertLEDs()
	d.convertQuantities()
	return d.convertBlocks()
}

func (d *decoder) convertModel() {
	f := d.fields[fieldModel]
	code, ok := whole(f.text, 1<<16)
	d.model = d.protocol.byCode[code]
	switch {
	case !f.sent:
		d.remark("the model code is missing")
	case !ok || d.model == nil:
		d.remarkOn(f.text, "the model code is not known")
	default:
		d.up.Model = d.model.Name
	}
}

// longestInterval is the sending interval that a device can be set to, in seconds (manual IE-SNC-P86xx-01).
const longestInterval = 65535

func (d *decoder) convertInterval() {
	f := d.fields[fieldInterval]
	seconds, ok := whole(f.text, longestInterval)
	switch {
	case ok:
		d.message.Interval = seconds
	case f.sent:
		d.remarkOn(f.text, "the sending interval is not a number of seconds up to 65535")
	}
}

// convertLEDs puts the states of the three CO2 lights into State: bit 0 green (lev1), bit 1 yellow (lev2), bit 2 red (lev3).
func (d *decoder) convertLEDs() {
	for i, f := range [...]field{fieldLED1, fieldLED2, fieldLED3} {
		v := d.fields[f]
		if !v.sent {
			continue
		}
		lit, ok := whole(v.text, 1)
		if !ok {
			d.remarkOn(v.text, "the state of a CO2 light is not 0 or 1")
			continue
		}
		if d.message.State == halley.Unknown {
			d.message.State = 0
		}
		d.message.State |= lit << i
	}
}

// remark adds a remark.
func (d *decoder) remark(what string) {
	switch len(d.message.Remarks) {
	case maxRemarks:
		return
	case maxRemarks - 1:
		what = "there are more differences, which are not listed"
	}
	d.message.Remarks = append(d.message.Remarks, cutAt(what, maxRemark))
}

// remarkOn adds a remark about a text of the body, which it quotes.
func (d *decoder) remarkOn(text []byte, what string) {
	if len(d.message.Remarks) < maxRemarks {
		d.remark(what + ": " + quoted(text))
	}
}

// remarkUnknown keeps an element that no document names.
func (d *decoder) remarkUnknown(where string, name, text []byte) {
	if len(d.message.Remarks) < maxRemarks {
		d.remarkOn(text, where+"unknown element "+shown(name))
	}
}
