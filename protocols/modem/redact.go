package modem

import (
	"bytes"

	"halley/protocols/internal/cometjson"
)

// masked takes the place of a secret.
const masked = "***"

// span is a part of a body, from the first byte to the one behind the last.
type span struct{ from, to int }

// redactor finds what is secret in a body, reading it as the decoder does.
type redactor struct {
	r     *cometjson.Reader
	spans []span
	// unread is where reading ended early; -1 where it did not.
	unread int
}

// Redact replaces CustomerUid, the third text behind the serial number, in every message. Where the body cannot be read to its
// end, every text in the rest is replaced, for any may be the secret.
func (*Protocol) Redact(body []byte) []byte {
	d := redactor{r: cometjson.NewReader(body), unread: -1}
	if d.r.Peek() != '[' {
		return body
	}
	for d.unread < 0 && !d.r.Done() {
		d.value()
	}
	if d.unread >= 0 {
		d.rest(body)
	}
	return replace(body, d.spans)
}

func (d *redactor) value() {
	d.r.Open('[', "")
	if d.r.Peek() != '[' {
		d.message()
		return
	}
	for n := 0; d.unread < 0 && d.r.Next(']', &n); {
		d.r.Open('[', "")
		d.message()
	}
	d.failed()
}

func (d *redactor) message() {
	texts := 0
	for n := 0; d.r.Next(']', &n); {
		at := d.r.At()
		if n > firstText && d.r.Peek() == '"' {
			texts++
		}
		t := d.r.Value()
		if n == 1 && t.Kind != cometjson.Number {
			d.unread = at
			return
		}
		// The second text is Time, unless the message has another shape than the documents know.
		_, hex := t.Hex()
		if t.Kind == cometjson.Text && len(t.Raw) > 0 && (texts > 2 || texts == 2 && !hex) {
			d.spans = append(d.spans, span{t.At + 1, t.At + 1 + len(t.Raw)})
		}
	}
	d.failed()
}

// failed notes where reading ended early.
func (d *redactor) failed() {
	if err := d.r.Err(); err != nil && d.unread < 0 {
		d.unread = err.At
	}
}

// rest takes every text from where reading ended.
func (d *redactor) rest(body []byte) {
	for i := d.unread; i < len(body); i++ {
		if body[i] != '"' {
			continue
		}
		from := i + 1
		for i = from; i < len(body) && body[i] != '"'; i++ {
			if body[i] == '\\' {
				i++
			}
		}
		if to := min(i, len(body)); to > from {
			d.spans = append(d.spans, span{from, to})
		}
	}
}

// replace gives a copy of body with the spans, which are in order, masked; body itself where there are none.
func replace(body []byte, spans []span) []byte {
	if len(spans) == 0 {
		return body
	}
	var out bytes.Buffer
	done := 0
	for _, s := range spans {
		out.Write(body[done:s.from])
		out.WriteString(masked)
		done = s.to
	}
	out.Write(body[done:])
	return out.Bytes()
}
