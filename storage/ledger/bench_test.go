package ledger_test

import (
	"math/rand/v2"
	"testing"

	"halley"
	"halley/storage/ledger"
)

// fleetLines are the rows of one full batch as the recorder makes them: devices with four channels that report live, rows of each.
func fleetLines(devices, rows int) []line {
	random := rand.New(rand.NewPCG(1, 2))
	channels := []ledger.Channel{
		{Number: 1, Quantity: "temperature", Unit: "°C"},
		{Number: 2, Quantity: "humidity", Unit: "%RH"},
		{Number: 3, Quantity: "dew-point", Unit: "°C"},
		{Number: 4, Quantity: "co2", Unit: "ppm"},
	}
	var lines []line
	for d := range devices {
		device := ledger.Device{ID: halley.DeviceID(d + 1), Family: "wifi", Serial: serialOf(d)}
		phase := random.Int64N(60_000) / 1000 * 1000
		value := [4]int64{random.Int64N(100) + 180, random.Int64N(200) + 400, random.Int64N(80) + 60, random.Int64N(400) + 420}
		for i := range rows {
			at := int64(1_763_700_000_000) + phase + int64(i)*60_000
			r := ledger.Row{At: halley.Millis(at), Layout: int64(d + 1), Channels: channels}
			head := []int64{
				100_000 + int64(i)*int64(devices) + random.Int64N(int64(devices)), 0, 1, 1, at + 1000, at + 900 + random.Int64N(600), int64(i + d), 0,
				0, 0, 60, 0, 3, 1, 255, -60 - random.Int64N(8), 88,
			}
			for j, v := range head {
				r.Head[j] = ledger.Int{N: v, Valid: true}
			}
			for j := range value {
				value[j] += random.Int64N(5) - 2
				f := float64(value[j]) / 10
				if j == 3 {
					f = float64(value[j])
				}
				r.Values[j], r.Qualities[j] = ledger.Float{F: f, Valid: true}, ledger.Int{Valid: true}
			}
			lines = append(lines, line{device, r})
		}
	}
	return lines
}

func serialOf(n int) string {
	b := []byte("19960000")
	for i := len(b) - 1; n > 0; i, n = i-1, n/10 {
		b[i] = byte('0' + n%10)
	}
	return string(b)
}

func BenchmarkEncode(b *testing.B) { benchmarkRows(b, false) }
func BenchmarkHash(b *testing.B)   { benchmarkRows(b, true) }

// benchmarkRows encodes, or hashes, rows of four values.
func benchmarkRows(b *testing.B, hashed bool) {
	lines := fleetLines(100, 50)
	var e ledger.Encoder
	h := ledger.NewHash(nil)
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		for i := range lines {
			if hashed {
				h.Add(lines[i].Device, &lines[i].Row)
			} else {
				e.Add(lines[i].Device, &lines[i].Row)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/row")
	if !hashed {
		b.SetBytes(int64(len(e.Bytes())))
	}
}

func BenchmarkPack(b *testing.B) {
	for _, c := range []struct {
		name          string
		devices, rows int
	}{{"batch of 10 s of a hundred devices", 100, 1}, {"full batch of a hundred devices", 100, 50}, {"full batch of five thousand", 5000, 1}} {
		b.Run(c.name, func(b *testing.B) {
			lines := fleetLines(c.devices, c.rows)
			canonical := encode(lines)
			p, err := ledger.NewPacker()
			if err != nil {
				b.Fatal(err)
			}
			var pack []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(canonical)))
			for b.Loop() {
				if pack, err = p.Pack(pack[:0], canonical); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(canonical))/float64(4*len(lines)), "raw-B/sample")
			b.ReportMetric(float64(len(pack))/float64(4*len(lines)), "B/sample")
		})
	}
}
