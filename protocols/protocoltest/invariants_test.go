package protocoltest_test

import (
	"math"
	"strings"
	"testing"

	"halley"
	"halley/protocols"
	"halley/protocols/protocoltest"
)

// family is a protocol of which the suite needs the name alone.
type family struct{ protocols.Protocol }

func (family) Family() halley.Family { return halley.WiFi }

// upload gives one that keeps all rules.
func upload() halley.Upload {
	return halley.Upload{
		DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "12345678"},
		Messages: []halley.Message{{
			Clock: halley.ClockValid, Sample: halley.EarliestMillis, Now: halley.LatestMillis - 1,
			Readings: []halley.Reading{
				{Number: 1, Quantity: halley.Temperature, Unit: "°C", Value: 20.3},
				{Number: 2, Quantity: halley.Humidity, Unit: "%RH", Quality: halley.QualityOf(halley.SensorError, 7)},
			},
		}},
	}
}

func TestInvariantsHold(t *testing.T) {
	t.Parallel()
	up := upload()
	if err := protocoltest.Invariants(family{}, &up); err != nil {
		t.Errorf("Invariants: %v", err)
	}
	lost := upload()
	lost.Messages[0].Clock, lost.Messages[0].Sample, lost.Messages[0].Now = halley.ClockNotValid, 5000, 0
	lost.Messages[0].Readings[0].Quality |= halley.ClockInvalid
	if err := protocoltest.Invariants(family{}, &lost); err != nil {
		t.Errorf("Invariants of a clock that lost its time: %v", err)
	}
	none := upload()
	none.Messages[0].Clock, none.Messages[0].Sample = halley.ClockNone, 0
	for i := range none.Messages[0].Readings {
		none.Messages[0].Readings[i].Quality |= halley.ServerTime
	}
	if err := protocoltest.Invariants(family{}, &none); err != nil {
		t.Errorf("Invariants without a clock: %v", err)
	}
}

func TestInvariantsObject(t *testing.T) {
	t.Parallel()
	inMessage := func(spoil func(*halley.Message)) func(*halley.Upload) {
		return func(up *halley.Upload) { spoil(&up.Messages[0]) }
	}
	inReading := func(spoil func(*halley.Reading)) func(*halley.Upload) {
		return func(up *halley.Upload) { spoil(&up.Messages[0].Readings[0]) }
	}
	for name, c := range map[string]struct {
		spoil func(*halley.Upload)
		want  string
	}{
		"other family":       {func(up *halley.Upload) { up.Family = halley.Modem }, "family is"},
		"no serial":          {func(up *halley.Upload) { up.Serial = "" }, "no serial number"},
		"long serial":        {func(up *halley.Upload) { up.Serial = strings.Repeat("1", 33) }, "serial has 33 bytes"},
		"serial not printed": {func(up *halley.Upload) { up.Serial = "1\u202e" }, "not printable"},
		"no message":         {func(up *halley.Upload) { up.Messages = nil }, "no message"},
		"many messages":      {func(up *halley.Upload) { up.Messages = make([]halley.Message, 4097) }, "4097 messages"},
		"many readings": {
			inMessage(func(m *halley.Message) { m.Readings = make([]halley.Reading, 65) }), "65 readings",
		},
		"name not UTF-8":    {func(up *halley.Upload) { up.Name = "\xff" }, "name is not UTF-8"},
		"name with NUL":     {func(up *halley.Upload) { up.Name = "a\x00" }, "name holds NUL"},
		"long name":         {func(up *halley.Upload) { up.Name = strings.Repeat("n", 129) }, "name has 129 bytes"},
		"long model":        {func(up *halley.Upload) { up.Model = strings.Repeat("n", 65) }, "model has 65 bytes"},
		"long form":         {func(up *halley.Upload) { up.Form = strings.Repeat("n", 65) }, "form has 65 bytes"},
		"long key":          {func(up *halley.Upload) { up.CustomerKey = halley.Secret(strings.Repeat("n", 129)) }, "key has 129 bytes"},
		"time before 2000":  {inMessage(func(m *halley.Message) { m.Sample = 1 }), "time 1 cannot be stored"},
		"time after 2100":   {inMessage(func(m *halley.Message) { m.Now = halley.LatestMillis }), "cannot be stored"},
		"no sample time":    {inMessage(func(m *halley.Message) { m.Sample = 0 }), "with sample time 0"},
		"unknown clock":     {inMessage(func(m *halley.Message) { m.Clock = 9 }), "clock 9"},
		"wild offset":       {inMessage(func(m *halley.Message) { m.OffsetMinutes = 1441 }), "offset of 1441"},
		"unknown kind":      {inMessage(func(m *halley.Message) { m.Kind = 5 }), "kind is 5"},
		"battery over 100":  {inMessage(func(m *halley.Message) { m.Battery = 101 }), "battery is 101"},
		"negative interval": {inMessage(func(m *halley.Message) { m.Interval = -1 }), "interval is -1"},
		"positive signal":   {inMessage(func(m *halley.Message) { m.Signal = 1 }), "signal is 1"},
		"long remark":       {inMessage(func(m *halley.Message) { m.Remarks = []string{strings.Repeat("r", 201)} }), "remark has 201"},
		"empty remark":      {inMessage(func(m *halley.Message) { m.Remarks = []string{""} }), "not one line"},
		"two-line remark":   {inMessage(func(m *halley.Message) { m.Remarks = []string{"a\nb"} }), "not one line"},
		"many remarks":      {inMessage(func(m *halley.Message) { m.Remarks = make([]string, 33) }), "33 remarks"},
		"channel 0":         {inReading(func(r *halley.Reading) { r.Number = 0 }), "number is not from 1"},
		"channel 256":       {inReading(func(r *halley.Reading) { r.Number = 256 }), "number is not from 1"},
		"channel twice": {
			inMessage(func(m *halley.Message) { m.Readings[1] = m.Readings[0] }), "two readings",
		},
		"11 decimals":       {inReading(func(r *halley.Reading) { r.Decimals = 11 }), "11 decimals"},
		"not a number":      {inReading(func(r *halley.Reading) { r.Value = math.NaN() }), "value NaN"},
		"infinite":          {inReading(func(r *halley.Reading) { r.Value = math.Inf(1) }), "value +Inf"},
		"minus zero":        {inReading(func(r *halley.Reading) { r.Value = math.Copysign(0, -1) }), "minus zero"},
		"value of an error": {inReading(func(r *halley.Reading) { r.Quality = halley.QualityOf(halley.NotReady, 0) }), "with quality"},
		"unknown reason":    {inReading(func(r *halley.Reading) { r.Value, r.Quality = 0, 6 }), "no known reason"},
		"number of no error": {
			inReading(func(r *halley.Reading) { r.Quality = 1 << 4 }), "number without a sensor error",
		},
		"long unit":     {inReading(func(r *halley.Reading) { r.Unit = strings.Repeat("u", 33) }), "unit has 33"},
		"long quantity": {inReading(func(r *halley.Reading) { r.Quantity = strings.Repeat("q", 65) }), "quantity has 65"},
		"server time with a clock": {
			inReading(func(r *halley.Reading) { r.Quality |= halley.ServerTime }), "under clock 1",
		},
		"invalid clock that is valid": {
			inReading(func(r *halley.Reading) { r.Quality |= halley.ClockInvalid }), "under clock 1",
		},
		"test mark of a periodic message": {
			inReading(func(r *halley.Reading) { r.Quality |= halley.Test }), "of kind 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := upload()
			c.spoil(&up)
			err := protocoltest.Invariants(family{}, &up)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Invariants gives %v, want %q in it", err, c.want)
			}
		})
	}
}
