package modem_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
	"halley/protocols/modem"
	"halley/protocols/protocoltest"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	protocoltest.Run(t, func() protocols.Protocol { return modem.New() }, protocoltest.Options{
		Generate: generate,
		TooMany:  [][]byte{tooManyChannels(), tooManyMessages()},
	})
}

func FuzzDecode(f *testing.F) {
	for _, c := range oneAfterAnother() {
		f.Add([]byte(c.body))
	}
	protocoltest.Fuzz(f, fuzzed{modem.New()})
}

// fuzzed gives no customer key where the fuzzer chose one, such as "2,0,", that is found elsewhere in the body as well: the suite
// looks for the key in the whole redacted body and would take the other place for a leak.
type fuzzed struct{ *modem.Protocol }

func (p fuzzed) Decode(body []byte) (halley.Upload, error) {
	up, err := p.Protocol.Decode(body)
	if n := bytes.Count(body, []byte(up.CustomerKey.Reveal())); n > max(1, len(up.Messages)) {
		up.CustomerKey = ""
	}
	return up, err
}

// oneAfterAnother are bodies of several values with the numbers of their messages. They are no golden cases: cut between two
// values, such a body is a whole one of fewer messages.
func oneAfterAnother() []valuesCase {
	numbered := func(n string) string { return strings.Replace(withChannels("[]", ""), "118", n, 1) }
	return []valuesCase{
		{"two messages", numbered("1") + numbered("2"), []int64{1, 2}},
		{"three messages on lines", numbered("1") + "\r\n" + numbered("2") + "\r\n" + numbered("3") + "\r\n", []int64{1, 2, 3}},
		{"an array and a message", "[" + numbered("1") + "," + numbered("2") + "] " + numbered("3"), []int64{1, 2, 3}},
		{"a message and an array", numbered("1") + "\n[" + numbered("2") + "]", []int64{1, 2}},
	}
}

type valuesCase struct {
	name, body string
	want       []int64
}

func TestValuesOneAfterAnotherAreAllRead(t *testing.T) {
	t.Parallel()
	for _, c := range oneAfterAnother() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			up, err := modem.New().Decode([]byte(c.body))
			if err != nil {
				t.Fatalf("Decode(%s): %v", c.body, err)
			}
			var got []int64
			for _, m := range up.Messages {
				got = append(got, m.Order)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("orders of %s (-want +got):\n%s", c.body, diff)
			}
			if err := protocoltest.Invariants(modem.New(), &up); err != nil {
				t.Error(err)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	p := modem.New()
	body := p.Sample()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

// withChannels gives a message of version 6 with the text of its array of channels and its CustomerUid.
func withChannels(channels, customer string) string {
	return `[1,6,21,"320B5AD1",118,0,19270042,"Van",1,"320B5AD0",4,600,3600,0,1,65535,192,12,0,"` + customer + `",97,` + channels + `]`
}

func tooManyChannels() []byte {
	var list []string
	for n := range protocols.MaxReadings + 1 {
		list = append(list, `[`+strconv.Itoa(n+1)+`,1,"Door",["a","b"],0,[0,0],[0,0]]`)
	}
	return []byte(withChannels("["+strings.Join(list, ",")+"]", ""))
}

func tooManyMessages() []byte {
	return []byte(strings.Repeat(withChannels("[]", "")+"\n", protocols.MaxMessages+1))
}

// generate draws what a logger can send.
func generate(t *rapid.T) halley.Upload {
	version := rapid.IntRange(1, 6).Draw(t, "version")
	up := halley.Upload{
		DeviceKey:   halley.DeviceKey{Family: halley.Modem, Serial: rapid.StringMatching(`[0-9]{8}`).Draw(t, "serial")},
		Name:        drawText(t, "name", 32),
		Form:        "json-" + strconv.Itoa(version),
		CustomerKey: halley.Secret(drawText(t, "customer", 16)),
	}
	for range rapid.IntRange(1, 4).Draw(t, "messages") {
		up.Messages = append(up.Messages, drawMessage(t, version))
	}
	return up
}

func drawMessage(t *rapid.T, version int) halley.Message {
	m := halley.Message{
		Order: rapid.Int64Range(halley.Unknown, 255).Draw(t, "order"), Cache: halley.Unknown,
		Interval:  rapid.IntRange(0, 604800).Draw(t, "interval"),
		Config:    rapid.IntRange(halley.Unknown, 255).Draw(t, "config"),
		State:     rapid.IntRange(halley.Unknown, 65535).Draw(t, "state"),
		StateMask: halley.Unknown, Battery: halley.Unknown,
		RawKind: rapid.IntRange(0, 1).Draw(t, "async"),
	}
	m.Kind = []halley.MessageKind{halley.Periodic, halley.Extra}[m.RawKind]
	second := rapid.Int64Range(86400, 3155760000-86400*2)
	m.Sample = halley.EarliestMillis + halley.Millis(second.Draw(t, "sample"))*halley.Second
	m.Clock = halley.ClockValid
	if rapid.Bool().Draw(t, "has offset") {
		m.Clock = halley.ClockLocalOrUTC
		m.OffsetMinutes = 15 * rapid.IntRange(-48, 56).Draw(t, "offset")
	}
	if version >= 3 {
		m.Buffer = rapid.IntRange(0, 255).Draw(t, "buffer")
		m.StateMask = rapid.IntRange(halley.Unknown, 65535).Draw(t, "state mask")
	}
	if version >= 4 {
		m.Signal = rapid.SampledFrom([]int{0, -113, -111, -71, -53, -51}).Draw(t, "signal")
		if rapid.Bool().Draw(t, "restarted") {
			m.Kind = halley.AfterRestart
			m.RawKind += 2
		}
	}
	if version >= 5 {
		m.Battery = rapid.IntRange(halley.Unknown, 100).Draw(t, "battery")
	}
	if version >= 6 && rapid.Bool().Draw(t, "has now") {
		m.Now = halley.EarliestMillis + halley.Millis(second.Draw(t, "now"))*halley.Second
	}
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 255), 0, 8, rapid.ID[int]).Draw(t, "numbers") {
		r := drawReading(t)
		r.Number = n
		m.Readings = append(m.Readings, r)
	}
	return m
}

// drawReading draws a channel whose quantity is what its unit and name say.
func drawReading(t *rapid.T) halley.Reading {
	r := rapid.SampledFrom([]halley.Reading{
		{Name: "Temperature", Quantity: halley.Temperature, Unit: "°C"},
		{Name: "Rosný bod", Quantity: halley.DewPoint, Unit: "°C"},
		{Name: "Rel. humidity", Quantity: halley.Humidity, Unit: "%"},
		{Name: "", Quantity: halley.CO2, Unit: "ppm"},
		{Name: "Wind \"N\"", Quantity: "Wind \"N\"", Unit: "m/s"},
		{Name: "Door", Quantity: halley.Binary},
		{},
	}).Draw(t, "channel")
	switch {
	case r.Quantity == halley.Binary:
		r.Value = float64(rapid.IntRange(0, 1).Draw(t, "state"))
	case rapid.IntRange(0, 3).Draw(t, "has value") > 0:
		r.Value = drawValue(t)
		r.Decimals = rapid.IntRange(0, 10).Draw(t, "decimals")
	default:
		r.Quality = halley.QualityOf(halley.SensorError, rapid.Uint8().Draw(t, "error"))
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

// drawText draws a text of at most so many characters without NUL.
func drawText(t *rapid.T, label string, characters int) string {
	s := rapid.StringN(0, characters, -1).Draw(t, label)
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

func TestEveryModelIsSentAndReadBack(t *testing.T) {
	t.Parallel()
	p := modem.New()
	for _, model := range modem.Models() {
		up := halley.Upload{
			DeviceKey: halley.DeviceKey{Family: halley.Modem, Serial: "00000001"}, Name: model.Name, Form: "json-6",
			Messages: []halley.Message{{
				Sample: 1_800_000_000_000, Now: 1_800_000_001_000, Clock: halley.ClockLocalOrUTC, OffsetMinutes: 60, Cache: halley.Unknown,
				Kind: halley.Periodic, Interval: 60, State: 192, Readings: model.Channels,
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
	good := halley.Message{Sample: 1_800_000_000_000, Clock: halley.ClockValid}
	cases := []struct {
		name   string
		change func(*halley.Upload, *halley.Message)
		want   string
	}{
		{"a serial number with letters", func(up *halley.Upload, _ *halley.Message) { up.Serial = "A0000001" }, "8 digits"},
		{"a serial number of nine digits", func(up *halley.Upload, _ *halley.Message) { up.Serial = "100000000" }, "8 digits"},
		{"a form that is no number", func(up *halley.Upload, _ *halley.Message) { up.Form = "xml" }, "no form"},
		{"a form of the future", func(up *halley.Upload, _ *halley.Message) { up.Form = "json-7" }, "no form"},
		{"a restart before version 4", func(up *halley.Upload, m *halley.Message) {
			up.Form = "json-3"
			m.Kind = halley.AfterRestart
		}, "does not tell a restart"},
		{"a test message", func(_ *halley.Upload, m *halley.Message) { m.Kind = halley.TestMessage }, "no messages of kind"},
		{"a clock that is not valid", func(_ *halley.Upload, m *halley.Message) { m.Clock = halley.ClockNotValid }, "send a time"},
		{"no time", func(_ *halley.Upload, m *halley.Message) { m.Sample = 0 }, "send a time"},
		{"half a second", func(_ *halley.Upload, m *halley.Message) { m.Sample += 500 }, "not a second"},
		{"an offset of ten minutes", func(_ *halley.Upload, m *halley.Message) { m.OffsetMinutes = 10 }, "offset of 10 minutes"},
		{"a quality that the family has not", func(_ *halley.Upload, m *halley.Message) {
			m.Readings = []halley.Reading{{Number: 1, Quality: halley.QualityOf(halley.AboveRange, 0)}}
		}, "channel 1 cannot be"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := good
			up := halley.Upload{DeviceKey: halley.DeviceKey{Family: halley.Modem, Serial: "00000001"}}
			c.change(&up, &m)
			up.Messages = []halley.Message{m}
			if _, err := modem.New().Encode(&up); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Encode gives %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestRecognizesArraysOfTypeOne(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body string
		want bool
	}{
		{`[1,6,`, true},
		{"\xef\xbb\xbf [ \n[ 1 , 6", true},
		{`[1,`, false},
		{`[1`, false},
		{`[12,6]`, false},
		{`[2,6,`, false},
		{`[[[1,6`, false},
		{`["1",6`, false},
		{`{"JsonType":1,`, false},
		{`1,6,`, false},
	}
	for _, c := range cases {
		if got := modem.New().Recognizes([]byte(c.body)); got != c.want {
			t.Errorf("Recognizes(%q) gives %v, want %v", c.body, got, c.want)
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
		{protocols.Stored, 200, "OK"},
		{protocols.Unavailable, 503, protocols.Unavailable.Reason()},
		{protocols.Refused, 403, protocols.Refused.Reason()},
		{protocols.NotUnderstood, 400, protocols.NotUnderstood.Reason()},
	}
	for _, c := range cases {
		got := modem.New().Reply(nil, c.outcome)
		want := protocols.Reply{Status: c.status, ContentType: "text/plain", Body: []byte(c.want)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Reply(%d) (-want +got):\n%s", c.outcome, diff)
		}
	}
}

func TestRedactMasksOnlyTheCustomerKey(t *testing.T) {
	t.Parallel()
	plain := withChannels(`[[1,0,"Temperature","41aa6666","°C",1,[0,0],["00000000","00000000"],[0,0]]]`, "")
	secret := strings.Replace(plain, `0,"",97`, `0,"topsecret",97`, 1)
	hidden := strings.Replace(plain, `0,"",97`, `0,"***",97`, 1)
	cases := []struct{ name, body, want string }{
		{"nothing where there is none", plain, plain},
		{"one", secret, hidden},
		{"in each message of an array", "[" + secret + "," + secret + "]", "[" + hidden + "," + hidden + "]"},
		{"in values one after another", secret + "\n" + secret, hidden + "\n" + hidden},
		{"one that is cut", secret[:strings.Index(secret, "topsecret")+6], hidden[:strings.Index(hidden, "***")+3]},
		{"one with an escaped quote", strings.Replace(secret, "topsecret", `top\"secret`, 1), hidden},
		{"every text behind what cannot be read", secret + `x ["topsecret","a\"b",1,"`, hidden + `x ["***","***",1,"`},
		{"one in another place", `[1,6,0,0,0,"Van",0,"topsecret"]`, `[1,6,0,0,0,"Van",0,"***"]`},
		{"one in a nest", `[[[1,6,"topsecret"]]]`, `[[[1,6,"***"]]]`},
		{"no body of another family", `{"a":"topsecret"}`, `{"a":"topsecret"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := string(modem.New().Redact([]byte(c.body))); got != c.want {
				t.Errorf("Redact(%s)\ngives %s\nwant  %s", c.body, got, c.want)
			}
		})
	}
}

func TestNoErrorOrRemarkShowsTheCustomerKey(t *testing.T) {
	t.Parallel()
	const secret = "k7dq2m9x4wz1p5vt"
	body := []byte(withChannels(`[[1,0,"T","41aa6666","C",1,[0,0],["00000000","00000000"],[0,0]]]`, secret))
	for i := range body {
		for _, b := range []byte(`"[],0x`) {
			spoiled := bytes.Clone(body)
			spoiled[i] = b
			up, err := modem.New().Decode(spoiled)
			texts := []string{up.Name, up.Serial}
			if err != nil {
				texts = append(texts, err.Error())
			}
			for _, m := range up.Messages {
				texts = append(texts, m.Remarks...)
			}
			if strings.Contains(strings.Join(texts, "\n"), secret[4:]) {
				t.Fatalf("with %q at %d the secret shows in %q", b, i, texts)
			}
		}
	}
}

func TestTheClockIsUTCOrLocalByTheTimeOfReceiving(t *testing.T) {
	t.Parallel()
	up, err := modem.New().Decode(modem.New().Sample())
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	m := up.Messages[0]
	if m.Clock != halley.ClockLocalOrUTC || m.OffsetMinutes != 60 {
		t.Fatalf("clock %d with offset %d, want %d with 60", m.Clock, m.OffsetMinutes, halley.ClockLocalOrUTC)
	}
	if got := m.MeasuredAt(m.Now + 5*halley.Second); got != m.Sample {
		t.Errorf("received at the clock taken as UTC: measured at %s, want %s", got, m.Sample)
	}
	if got, want := m.MeasuredAt(m.Now-halley.Hour), m.Sample-halley.Hour; got != want {
		t.Errorf("received an hour before: measured at %s, want %s", got, want)
	}
}
