package websensor_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
	"halley/protocols/protocoltest"
	"halley/protocols/websensor"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	protocoltest.Run(t, func() protocols.Protocol { return websensor.New() }, protocoltest.Options{
		Generate: generate,
		TooMany:  [][]byte{tooManyChannels()},
	})
}

func FuzzDecode(f *testing.F) { protocoltest.Fuzz(f, websensor.New()) }

// tooManyChannels is a P-line message with one channel too many.
func tooManyChannels() []byte {
	var b bytes.Buffer
	b.WriteString("<Envelope><Body><m><sn>15960321</sn>")
	for i := 1; i <= protocols.MaxReadings+1; i++ {
		fmt.Fprintf(&b, `<c i="%d"><v>1</v></c>`, i)
	}
	b.WriteString("</m></Body></Envelope>")
	return b.Bytes()
}

// generate draws an upload of any model whose message form is known.
func generate(t *rapid.T) halley.Upload {
	var models []websensor.Model
	for _, m := range websensor.Models() {
		if m.Form != "" {
			models = append(models, m)
		}
	}
	model := rapid.SampledFrom(models).Draw(t, "model")
	up := model.Upload(rapid.OneOf(rapid.StringMatching(`[0-9]{8}`), rapid.StringMatching(`[!-~]{1,32}`)).Draw(t, "serial"))
	m := &up.Messages[0]
	m.Interval = rapid.IntRange(0, 65535).Draw(t, "interval")
	if model.Form == websensor.FormP2520 {
		generateConverter(t, &up)
		return up
	}
	if model.CO2 {
		m.State = rapid.IntRange(halley.Unknown, 7).Draw(t, "state")
	}
	degrees := rapid.SampledFrom([]string{"°C", "°F"}).Draw(t, "degrees")
	for i := range m.Readings {
		r := &m.Readings[i]
		switch r.Number {
		case 1:
			r.Unit = degrees
		case 3:
			r.Quantity, r.Unit = generateComputed(t, degrees)
		case 4:
			if r.Quantity == halley.Pressure {
				r.Unit = rapid.SampledFrom([]string{"hPa", "PSI", "inHg", "mBar", "oz/in^2", "mmHg", "inH2O", "kPa"}).Draw(t, "pressure unit")
			}
		}
		generateSensorValue(t, r)
	}
	if rapid.Bool().Draw(t, "all readings") || len(m.Readings) == 0 {
		return up
	}
	m.Readings = m.Readings[:len(m.Readings)-1]
	return up
}

func generateComputed(t *rapid.T, degrees string) (quantity, unit string) {
	units := map[string]string{
		halley.AbsoluteHumidity: "g/m³", halley.SpecificHumidity: "g/kg", halley.MixingRatio: "g/kg", halley.SpecificEnthalpy: "kJ/kg",
		halley.DewPoint: degrees,
	}
	quantity = rapid.SampledFrom([]string{
		halley.AbsoluteHumidity, halley.SpecificHumidity, halley.MixingRatio, halley.SpecificEnthalpy, halley.DewPoint,
	}).Draw(t, "computed")
	return quantity, units[quantity]
}

// generateSensorValue draws value, decimals and quality of a T-line channel.
func generateSensorValue(t *rapid.T, r *halley.Reading) {
	least := r.Decimals
	reason := rapid.SampledFrom([]halley.Reason{
		halley.Good, halley.Good, halley.Good, halley.AboveRange, halley.BelowRange, halley.NotReady, halley.NotAvailable, halley.SensorError,
	}).Draw(t, "reason")
	if reason == halley.AboveRange && r.Quantity == halley.CO2 {
		reason = halley.Good
	}
	number := uint8(0)
	switch reason {
	case halley.Good:
		r.Decimals = rapid.IntRange(least, 10).Draw(t, "decimals")
		scale := math.Pow10(min(r.Decimals, 6))
		r.Value = float64(rapid.IntRange(-9000*int(scale), 9000*int(scale)).Draw(t, "value")) / scale
	case halley.SensorError:
		number = rapid.Byte().Draw(t, "number")
	case halley.AboveRange, halley.BelowRange, halley.NotReady, halley.NotAvailable:
	}
	r.Quality = (halley.QualityOf(reason, number) | halley.ServerTime).WithAlarms(generateAlarm(t), halley.AlarmNone)
}

func generateAlarm(t *rapid.T) halley.AlarmMark {
	return rapid.SampledFrom([]halley.AlarmMark{halley.AlarmNone, halley.AlarmHigh, halley.AlarmLow}).Draw(t, "alarm")
}

// generateConverter draws the two channels of a P2520; one that is disabled is not there.
func generateConverter(t *rapid.T, up *halley.Upload) {
	text := rapid.StringN(0, 30, 60).Filter(func(s string) bool {
		return s == strings.Trim(s, " \t\r\n") && !strings.ContainsRune(s, 0)
	})
	up.Name = text.Draw(t, "name")
	m := &up.Messages[0]
	var kept []halley.Reading
	for _, r := range m.Readings {
		r.Name = text.Draw(t, "channel")
		r.Decimals = rapid.IntRange(0, 10).Draw(t, "decimals")
		if unit := rapid.SampledFrom([]string{"mA", "°C", "m³/h", "<&>", ""}).Draw(t, "unit"); unit != "mA" {
			r.Quantity, r.Unit = "", unit
		}
		quality := halley.QualityOf(rapid.SampledFrom([]halley.Reason{halley.Good, halley.SensorError, halley.NotAvailable}).Draw(t, "reason"),
			rapid.Byte().Draw(t, "number"))
		if quality.HasValue() {
			r.Value = singleDecimal(rapid.Float32Range(-3e8, math.MaxFloat32).Draw(t, "value"))
		}
		r.Quality = (quality | halley.ServerTime).WithAlarms(generateAlarm(t), halley.AlarmNone)
		if rapid.IntRange(0, 5).Draw(t, "enabled") > 0 {
			kept = append(kept, r)
		}
	}
	m.Readings = kept
}

// singleDecimal gives the double of a single's shortest decimal.
func singleDecimal(f float32) float64 {
	var v float64
	if _, err := fmt.Sscan(fmt.Sprint(f), &v); err != nil || v == 0 {
		return 0
	}
	return v
}
