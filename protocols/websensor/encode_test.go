package websensor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/protocols"
	"halley/protocols/websensor"
)

func TestModelsAreOrderedAndDifferent(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	last := 0
	for _, m := range websensor.Models() {
		if m.Code <= last {
			t.Errorf("code %d of %s comes after %d", m.Code, m.Name, last)
		}
		if names[m.Name] {
			t.Errorf("%s comes twice", m.Name)
		}
		names[m.Name], last = true, m.Code
	}
}

func TestEveryModelWithAFormEncodesItsUpload(t *testing.T) {
	t.Parallel()
	p := websensor.New()
	forms := map[string]int{}
	for _, m := range websensor.Models() {
		up := m.Upload("00000001")
		body, err := p.Encode(&up)
		if m.Form == "" {
			if err == nil {
				t.Errorf("%s has no form and is encoded", m.Name)
			}
			continue
		}
		forms[m.Form]++
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		got, err := p.Decode(body)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if diff := cmp.Diff(up, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", m.Name, diff)
		}
		if len(got.Messages[0].Readings) == 0 {
			t.Errorf("%s has no readings", m.Name)
		}
	}
	want := map[string]int{websensor.FormTx5xx: 14, websensor.FormTx5xxCO2: 10, websensor.FormP2520: 1}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("models of a form (-want +got):\n%s", diff)
	}
}

func TestEncodeRefusesWhatTheFormCannotExpress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		model string
		spoil func(*halley.Upload)
		field string
	}{
		"no message":            {"T3510", func(up *halley.Upload) { up.Messages = nil }, "messages"},
		"two messages":          {"T3510", func(up *halley.Upload) { up.Messages = append(up.Messages, up.Messages[0]) }, "messages"},
		"unknown model":         {"T3510", func(up *halley.Upload) { up.Model = "T9999" }, "model"},
		"H-line":                {"T3510", func(up *halley.Upload) { up.Model = "H3531" }, "model"},
		"form of another model": {"T3510", func(up *halley.Upload) { up.Form = websensor.FormP2520 }, "form"},
		"sample time":           {"T3510", func(up *halley.Upload) { up.Messages[0].Sample = halley.EarliestMillis }, "messages"},
		"order":                 {"T3510", func(up *halley.Upload) { up.Messages[0].Order = 1 }, "messages"},
		"kind":                  {"T3510", func(up *halley.Upload) { up.Messages[0].Kind = halley.Extra }, "messages"},
		"state without lights":  {"T3510", func(up *halley.Upload) { up.Messages[0].State = 1 }, "messages"},
		"name of a T-line":      {"T3510", func(up *halley.Upload) { up.Name = "x" }, "serial"},
		"customer key":          {"T3510", func(up *halley.Upload) { up.CustomerKey = "x" }, "serial"},
		"serial with blanks":    {"T3510", func(up *halley.Upload) { up.Serial = " 1" }, "serial"},
		"no serial":             {"T3510", func(up *halley.Upload) { up.Serial = "" }, ""},
		"other family":          {"T3510", func(up *halley.Upload) { up.Family = halley.WiFi }, "serial"},
		"alarm 2":               {"T3510", reading0(func(r *halley.Reading) { r.Quality = r.Quality.WithAlarms(0, halley.AlarmHigh) }), "readings"},
		"no server time":        {"T3510", reading0(func(r *halley.Reading) { r.Quality = 0 }), "readings"},
		"error value":           {"T3510", reading0(func(r *halley.Reading) { r.Value = 9999 }), "readings"},
		"more decimals":         {"T3510", reading0(func(r *halley.Reading) { r.Value = 1.25 }), "readings"},
		"channel 9":             {"T3510", reading0(func(r *halley.Reading) { r.Number = 9 }), "readings"},
		"channel name":          {"T3510", reading0(func(r *halley.Reading) { r.Name = "x" }), "readings"},
		"value beyond a single": {"P2520", reading0(func(r *halley.Reading) { r.Value = 0.1 + 1e-12 }), "readings"},
		"name with blanks":      {"P2520", func(up *halley.Upload) { up.Name = "x " }, "serial"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := modelNamed(t, c.model).Upload("00000001")
			c.spoil(&up)
			_, err := websensor.New().Encode(&up)
			he, ok := errors.AsType[*halley.Error](err)
			if !ok || he.Kind != halley.Invalid || he.Field != c.field {
				t.Errorf("Encode gives %v, want an invalid %s", err, c.field)
			}
		})
	}
}

func reading0(spoil func(*halley.Reading)) func(*halley.Upload) {
	return func(up *halley.Upload) { spoil(&up.Messages[0].Readings[0]) }
}

func modelNamed(t *testing.T, name string) websensor.Model {
	t.Helper()
	models := websensor.Models()
	i := slices.IndexFunc(models, func(m websensor.Model) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("no model %s", name)
	}
	return models[i]
}

func TestReply(t *testing.T) {
	t.Parallel()
	p := websensor.New()
	for form, want := range map[string]string{
		websensor.FormTx5xx:    `<InsertTx5xxSampleResponse xmlns="http://cometsystem.cz/schemas/soapTx5xx_v2.xsd"/>`,
		websensor.FormTx5xxCO2: `<InsertTx5xxCO2SampleResponse xmlns="http://cometsystem.cz/schemas/soapTx5xxCO2.xsd"/>`,
		websensor.FormP2520:    `<InsertP2520SampleResponse xmlns="http://cometsystem.cz/schemas/soapP2520.xsd"/>`,
		"InsertHx5xxSample":    `<InsertHx5xxSampleResponse xmlns="http://tempuri.org/"/>`,
		"":                     `<InsertSampleResponse xmlns="http://tempuri.org/"/>`,
		"ž":                    `<InsertSampleResponse xmlns="http://tempuri.org/"/>`,
		"1a":                   `<InsertSampleResponse xmlns="http://tempuri.org/"/>`,
		`a"/><b`:               `<InsertSampleResponse xmlns="http://tempuri.org/"/>`,
	} {
		body := string(p.Reply(&halley.Upload{Form: form}, protocols.Stored).Body)
		if !strings.Contains(body, "<soap:Body>"+want+"</soap:Body>") {
			t.Errorf("form %q is answered %q, want %q in it", form, body, want)
		}
	}
	for outcome, want := range map[protocols.Outcome]int{
		protocols.Stored: 200, protocols.Unavailable: 503, protocols.Refused: 403, protocols.NotUnderstood: 400,
	} {
		if got := p.Reply(nil, outcome).Status; got != want {
			t.Errorf("outcome %q has status %d, want %d", outcome.Reason(), got, want)
		}
	}
}

func TestFamilyHasNoMemory(t *testing.T) {
	t.Parallel()
	p := websensor.New()
	if p.Family() != halley.WebSensor || p.Remembers() {
		t.Errorf("family %q, remembers %v", p.Family(), p.Remembers())
	}
}

// TestDecodeIsCheap holds the acknowledged path to its budget.
func TestDecodeIsCheap(t *testing.T) {
	p := websensor.New()
	body := p.Sample()
	got := testing.AllocsPerRun(100, func() {
		if _, err := p.Decode(body); err != nil {
			t.Error(err)
		}
	})
	if got > 12 {
		t.Errorf("decoding the sample takes %v allocations, want at most 12", got)
	}
}
