package protocoltest

import (
	"bytes"
	"encoding/json"
	"strconv"

	"halley"
)

// uploadForm is an Upload as want.json shows it.
type uploadForm struct {
	Family      halley.Family `json:"family"`
	Serial      string        `json:"serial"`
	Model       string        `json:"model,omitempty"`
	Name        string        `json:"name,omitempty"`
	Form        string        `json:"form,omitempty"`
	CustomerKey halley.Secret `json:"customer_key,omitempty"`
	Messages    []messageForm `json:"messages"`
}

// messageForm is a Message as want.json shows it. Numbers that are Unknown are left out.
type messageForm struct {
	Clock         string            `json:"clock"`
	Sample        string            `json:"sample,omitempty"`
	Now           string            `json:"now,omitempty"`
	OffsetMinutes int               `json:"offset_minutes,omitempty"`
	Order         *int64            `json:"order,omitempty"`
	Kind          string            `json:"kind"`
	RawKind       *int              `json:"raw_kind,omitempty"`
	Cache         *int              `json:"cache,omitempty"`
	Interval      int               `json:"interval,omitempty"`
	Buffer        int               `json:"buffer,omitempty"`
	Config        *int              `json:"config,omitempty"`
	State         *int              `json:"state,omitempty"`
	StateMask     *int              `json:"state_mask,omitempty"`
	Signal        int               `json:"signal,omitempty"`
	Battery       *int              `json:"battery,omitempty"`
	Readings      []json.RawMessage `json:"readings"`
	Remarks       []string          `json:"remarks,omitempty"`
}

// readingForm is a Reading as want.json shows it, on one line. Value is null where the quality has none.
type readingForm struct {
	Number   int      `json:"number"`
	Name     string   `json:"name,omitempty"`
	Quantity string   `json:"quantity"`
	Unit     string   `json:"unit"`
	Decimals int      `json:"decimals"`
	Value    *float64 `json:"value"`
	Quality  string   `json:"quality"`
}

var clockWords = [...]string{"none", "valid", "not-valid", "local-or-utc"}

var kindWords = [...]string{"periodic", "after-restart", "after-configuration", "extra", "test"}

// readable gives the text of want.json.
func readable(up *halley.Upload) string {
	form := uploadForm{
		Family: up.Family, Serial: up.Serial, Model: up.Model, Name: up.Name, Form: up.Form, CustomerKey: up.CustomerKey,
		Messages: []messageForm{},
	}
	for i := range up.Messages {
		form.Messages = append(form.Messages, formOfMessage(&up.Messages[i]))
	}
	return indented(form)
}

func formOfMessage(m *halley.Message) messageForm {
	f := messageForm{
		Clock: word(clockWords[:], int(m.Clock)), Sample: m.Sample.String(), Now: m.Now.String(), OffsetMinutes: m.OffsetMinutes,
		Kind: word(kindWords[:], int(m.Kind)), RawKind: sent(m.RawKind), Cache: sent(m.Cache), Interval: m.Interval,
		Buffer: m.Buffer, Config: sent(m.Config), State: sent(m.State), StateMask: sent(m.StateMask), Signal: m.Signal,
		Battery: sent(m.Battery), Readings: []json.RawMessage{}, Remarks: m.Remarks,
	}
	if m.Order != halley.Unknown {
		f.Order = &m.Order
	}
	for i := range m.Readings {
		f.Readings = append(f.Readings, formOfReading(&m.Readings[i]))
	}
	return f
}

func formOfReading(r *halley.Reading) json.RawMessage {
	f := readingForm{
		Number: r.Number, Name: r.Name, Quantity: r.Quantity, Unit: r.Unit, Decimals: r.Decimals, Quality: r.Quality.Words(false),
	}
	if r.Quality.HasValue() {
		f.Value = &r.Value
	}
	return json.RawMessage(compact(f))
}

func sent(n int) *int {
	if n == halley.Unknown {
		return nil
	}
	return &n
}

func word(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return strconv.Itoa(i)
}

// compact gives v as JSON on one line, without the escapes that HTML needs.
func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(strconv.Quote("cannot be written: " + err.Error()))
	}
	return bytes.TrimSpace(b.Bytes())
}

// indented gives v as JSON on many lines.
func indented(v any) string {
	var b bytes.Buffer
	if err := json.Indent(&b, compact(v), "", "  "); err != nil {
		return "cannot be written: " + err.Error() + "\n"
	}
	return b.String() + "\n"
}
