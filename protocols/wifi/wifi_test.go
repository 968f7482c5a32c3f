package wifi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
	"halley/protocols/protocoltest"
	"halley/protocols/wifi"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	protocoltest.Run(t, func() protocols.Protocol { return wifi.New() }, protocoltest.Options{
		Generate:    generate,
		LooksStored: looksStored,
		TooMany:     [][]byte{tooManyChannels()},
	})
}

func FuzzDecode(f *testing.F) { protocoltest.Fuzz(f, wifi.New()) }

func BenchmarkDecode(b *testing.B) {
	p := wifi.New()
	body := p.Sample()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

// looksStored reads an answer as the device does: status 200 and a Result that is true.
func looksStored(r protocols.Reply) bool {
	var answer struct{ Result bool }
	return r.Status == 200 && json.Unmarshal(r.Body, &answer) == nil && answer.Result
}

func tooManyChannels() []byte {
	one := `{"Nr":1,"En":0},`
	body := `{"JsonType":2,"Sn":"20960042","Time":{"Sample":"2026-11-21T14:00:00Z"},"Channels":[`
	return []byte(body + strings.Repeat(one, protocols.MaxReadings) + one[:len(one)-1] + "]}")
}

// generate draws what a WiFi sensor can send.
func generate(t *rapid.T) halley.Upload {
	models := wifi.Models()
	m := halley.Message{
		Order:     rapid.Int64Range(halley.Unknown, math.MaxUint32).Draw(t, "order"),
		RawKind:   rapid.IntRange(0, 4).Draw(t, "raw kind"),
		Cache:     rapid.IntRange(halley.Unknown, 7).Draw(t, "cache"),
		Interval:  rapid.IntRange(0, 65535).Draw(t, "interval"),
		Config:    rapid.IntRange(halley.Unknown, 255).Draw(t, "config"),
		State:     rapid.IntRange(halley.Unknown, 65535).Draw(t, "state"),
		StateMask: rapid.IntRange(halley.Unknown, 65535).Draw(t, "state mask"),
		Signal:    -rapid.IntRange(0, 98).Draw(t, "signal"),
		Battery:   halley.Unknown,
		Clock:     rapid.SampledFrom([]halley.Clock{halley.ClockValid, halley.ClockNotValid}).Draw(t, "clock"),
	}
	m.Kind = [...]halley.MessageKind{
		halley.AfterRestart, halley.AfterConfiguration, halley.Periodic, halley.Extra, halley.TestMessage,
	}[m.RawKind]
	latest := halley.LatestMillis - 1
	m.Sample = halley.Millis(rapid.Int64Range(int64(halley.EarliestMillis), int64(latest)).Draw(t, "sample"))
	m.Now = min(latest, m.Sample+halley.Millis(rapid.Int64Range(0, int64(2000*halley.Day)).Draw(t, "distance")))
	var marks halley.Quality
	if m.Clock == halley.ClockNotValid {
		marks |= halley.ClockInvalid
	}
	if m.Kind == halley.TestMessage {
		marks |= halley.Test
	}
	numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 255), 0, 8, rapid.ID[int]).Draw(t, "numbers")
	for _, n := range numbers {
		r := drawReading(t)
		r.Number = n
		r.Quality |= marks
		m.Readings = append(m.Readings, r)
	}
	return halley.Upload{
		DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: rapid.StringMatching(`[0-9A-Za-z._-]{1,32}`).Draw(t, "serial")},
		Model:     models[rapid.IntRange(0, len(models)-1).Draw(t, "model")].Name,
		Name:      drawText(t, "name", 64),
		Messages:  []halley.Message{m},
	}
}

// drawReading draws a channel whose quantity is what its unit and name say.
func drawReading(t *rapid.T) halley.Reading {
	r := rapid.SampledFrom([]halley.Reading{
		{Name: "Temperature", Quantity: halley.Temperature, Unit: "°C"},
		{Name: "Dew point 2", Quantity: halley.DewPoint, Unit: "°F"},
		{Name: "Relative humidity", Quantity: halley.Humidity, Unit: "%RH"},
		{Name: "Cellar", Quantity: halley.Pressure, Unit: "hPa"},
		{Name: "", Quantity: halley.CO2, Unit: "ppm"},
		{Name: "Specific humidity", Quantity: halley.SpecificHumidity, Unit: "g/kg"},
		{Name: "Ratio", Quantity: halley.MixingRatio, Unit: "g/kg"},
		{Name: "\"Wind\"\\", Quantity: "\"Wind\"\\", Unit: "m/s"},
		{},
	}).Draw(t, "channel")
	r.Decimals = rapid.IntRange(0, 10).Draw(t, "decimals")
	r.Quality = halley.QualityOf(halley.SensorError, rapid.Uint8().Draw(t, "error"))
	if rapid.IntRange(0, 3).Draw(t, "has value") > 0 {
		r.Quality = halley.QualityOf(halley.Good, 0)
		r.Value = drawValue(t)
	}
	alarm := rapid.SampledFrom([]halley.AlarmMark{halley.AlarmNone, halley.AlarmActive, halley.AlarmHigh, halley.AlarmLow})
	r.Quality = r.Quality.WithAlarms(alarm.Draw(t, "alarm 1"), alarm.Draw(t, "alarm 2"))
	return r
}

// drawValue draws the float64 of the shortest decimal of a single.
func drawValue(t *rapid.T) float64 {
	f := rapid.Float32().Filter(func(f float32) bool { return !math.IsInf(float64(f), 0) && f == f }).Draw(t, "value")
	v, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		t.Fatalf("ParseFloat: %v", err)
	}
	return v + 0
}

// drawText draws a text of at most limit bytes without NUL.
func drawText(t *rapid.T, label string, limit int) string {
	s := rapid.StringN(0, limit/4, limit).Draw(t, label)
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

func TestEveryModelIsSentAndReadBack(t *testing.T) {
	t.Parallel()
	p := wifi.New()
	for _, model := range wifi.Models() {
		up := halley.Upload{
			DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "00000001"}, Model: model.Name, Name: "Simulated",
			Messages: []halley.Message{{
				Sample: 1_800_000_000_000, Now: 1_800_000_001_000, Clock: halley.ClockValid, Kind: halley.Periodic, RawKind: 2,
				Battery: halley.Unknown, Readings: model.Channels,
			}},
		}
		body, err := p.Encode(&up)
		if err != nil {
			t.Errorf("Encode for %s: %v", model.Name, err)
			continue
		}
		got, err := p.Decode(body)
		if diff := cmp.Diff(up, got); err != nil || diff != "" {
			t.Errorf("%s, error %v (-want +got):\n%s", model.Name, err, diff)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	good := halley.Message{Sample: 1_800_000_000_000, Clock: halley.ClockValid, Kind: halley.Periodic}
	change := func(f func(*halley.Message)) []halley.Message {
		m := good
		f(&m)
		return []halley.Message{m}
	}
	cases := []struct {
		name string
		up   halley.Upload
		want string
	}{
		{"two messages", halley.Upload{Messages: []halley.Message{good, good}}, "2 messages"},
		{"a model of another family", halley.Upload{Model: "TA3610", Messages: []halley.Message{good}}, "no model"},
		{"a kind without a number", halley.Upload{Messages: change(func(m *halley.Message) { m.Kind = 9 })}, "no number"},
		{"a message without a time", halley.Upload{Messages: change(func(m *halley.Message) { m.Clock = halley.ClockNone })}, "send a time"},
		{"a quality that the family has not", halley.Upload{Messages: change(func(m *halley.Message) {
			m.Readings = []halley.Reading{{Number: 1, Quality: halley.QualityOf(halley.NotReady, 0)}}
		})}, "channel 1 cannot be \"not-ready\""},
		{"an infinite value", halley.Upload{Messages: change(func(m *halley.Message) {
			m.Readings = []halley.Reading{{Number: 1, Value: math.Inf(1)}}
		})}, "channel 1 cannot be"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.up.Serial = "00000001"
			if _, err := wifi.New().Encode(&c.up); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Encode gives %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestRecognizesOnlyItsOwnType(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body string
		want bool
	}{
		{`{"JsonType":2,`, true},
		{" \n{ \"JsonType\" : 2 ", true},
		{`{"JsonType":"2"`, true},
		{`{"JsonType":2`, false},
		{`{"JsonType":25,`, false},
		{`{"JsonType":5,`, false},
		{`{"jsontype":2,`, false},
		{`{"Sn":"20960042"}`, false},
		{`[{"JsonType":2}]`, false},
		{`{"Desc":"JsonType","JsonType":2}`, true},
		{`{"Desc":"\"JsonType\":2","JsonType":5}`, false},
		{`{"JsonType":`, false},
	}
	for _, c := range cases {
		if got := wifi.New().Recognizes([]byte(c.body)); got != c.want {
			t.Errorf("Recognizes(%s) gives %v, want %v", c.body, got, c.want)
		}
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		outcome protocols.Outcome
		status  int
		want    string
	}{
		{protocols.Stored, 200, `{"Result":true,"Message":"stored"}`},
		{protocols.Unavailable, 503, `{"Result":false,"Message":"` + protocols.Unavailable.Reason() + `"}`},
		{protocols.Refused, 200, `{"Result":false,"Message":"` + protocols.Refused.Reason() + `"}`},
		{protocols.NotUnderstood, 400, `{"Result":false,"Message":"` + protocols.NotUnderstood.Reason() + `"}`},
	}
	for _, c := range cases {
		got := wifi.New().Reply(nil, c.outcome)
		want := protocols.Reply{Status: c.status, ContentType: "application/json", Body: []byte(c.want)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Reply(%d) (-want +got):\n%s", c.outcome, diff)
		}
	}
}

func TestRemembersAndKeepsNoSecrets(t *testing.T) {
	t.Parallel()
	p := wifi.New()
	if !p.Remembers() || p.Family() != halley.WiFi {
		t.Errorf("Remembers %v, Family %q, want true and %q", p.Remembers(), p.Family(), halley.WiFi)
	}
	if body := p.Sample(); !bytes.Equal(p.Redact(body), body) {
		t.Errorf("Redact changes %s", fmt.Sprintf("%q", body))
	}
}
