package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
)

func rollupFaultTests() []test {
	return []test{{"rollups that follow from their samples have no fault, whatever came when", noRollupFaults}}
}

func noRollupFaults(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 10)
	check := func(when string) {
		t.Helper()
		for day := range int64(40) {
			faults, err := p.RollupFaults(t.Context(), p.device(t, 1), int64(Start/halley.Day)+day-2)
			must(t, "RollupFaults", err)
			equal(t, "faults of day "+halley.Millis(day*int64(halley.Day)).String()+" "+when, []storage.RollupFault{}, faults)
		}
	}
	for i := range halley.Millis(60) {
		m := d.Message(Start+i*7*halley.Hour, float64(i)/3)
		m.Readings[i%10].Quality = halley.QualityOf(halley.SensorError, 1)
		f.Append(t, d.Upload(0, m))
	}
	f.Append(t, d.Upload(0, d.Message(Start+40*halley.Day, 1)))
	check("as it came")
	p.rollUp(t, 10_000)
	check("after rolling up")
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 99), d.Message(Start+3*halley.Day+1, 98)))
	check("with late data that is marked")
	p.rollUp(t, 1)
	check("with marks half done")
	p.rollUp(t, 10_000)
	check("with late data that counts")
}
