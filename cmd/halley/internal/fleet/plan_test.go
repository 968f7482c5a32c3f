package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
)

// noon is 2026-11-21T12:00:00Z.
const noon = halley.Millis(1_795_262_400_000)

func deviceOf(t *testing.T, o Options, index int) *Device {
	t.Helper()
	o.First, o.Start = 1, noon
	if o.Devices == 0 {
		o.Devices = index + 1
	}
	return &Devices(o)[index]
}

func items(p plan, most int) []item {
	var out []item
	for it, ok := p.next(noon); ok && len(out) < most; it, ok = p.next(noon) {
		out = append(out, it)
	}
	return out
}

// Every model of every family must be able to say all that the curves, faults and alarms give it, to the last digit.
func TestWhatEveryModelSaysIsReadBack(t *testing.T) {
	t.Parallel()
	for _, line := range Lines() {
		t.Run(string(line.Protocol.Family()), func(t *testing.T) {
			t.Parallel()
			o := Options{Lines: []Line{line}, Devices: len(line.Models), Messages: 50, Errors: 0.3, Alarms: 1, Seed: 7}
			for i := range line.Models {
				d := deviceOf(t, o, i)
				if d.Model != line.Models[i].Name {
					t.Fatalf("device %d is a %s, want a %s", i, d.Model, line.Models[i].Name)
				}
				for _, it := range items(d.plan, 400) {
					checkReadBack(t, d, it)
				}
			}
		})
	}
}

func checkReadBack(t *testing.T, d *Device, it item) {
	t.Helper()
	up := d.compose(&it, noon)
	body, err := d.line.Protocol.Encode(up)
	if err != nil {
		t.Fatalf("%s, message %d: %v", d.Model, it.tick, err)
	}
	got, err := d.line.Protocol.Decode(body)
	if err != nil {
		t.Fatalf("%s, message %d: %v", d.Model, it.tick, err)
	}
	// Modem loggers say no model, and which form it was is only known after reading.
	ignored := cmpopts.IgnoreFields(halley.Upload{}, "Model", "Form")
	if d.Family != halley.Modem {
		ignored = cmpopts.IgnoreFields(halley.Upload{}, "Form")
	}
	if diff := cmp.Diff(*up, got, ignored, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s, message %d (-sent +read)\n%s\n%s", d.Model, it.tick, diff, body)
	}
}

func TestFaultsAndAlarmsHappenAsOftenAsAsked(t *testing.T) {
	t.Parallel()
	for _, line := range Lines() {
		var messages, faults, alarms, extra float64
		for i := range 20 {
			d := deviceOf(t, Options{Lines: []Line{line}, Messages: 1000, Errors: 0.1, Alarms: 0.5}, i)
			for _, it := range items(d.plan, 2000) {
				up := d.compose(&it, noon)
				messages++
				for _, r := range up.Messages[0].Readings {
					if !r.Quality.HasValue() {
						faults++
					}
					if a, _ := r.Quality.Alarms(); a != halley.AlarmNone {
						alarms++
					}
				}
				if it.kind == halley.Extra {
					extra++
				}
			}
		}
		if share := faults / messages; share < 0.07 || share > 0.12 {
			t.Errorf("%s: %v of all messages have a fault, want 0.1", line.Protocol.Family(), share)
		}
		// Half of the blocks have an alarm of 2 to 13 messages, whose first is announced.
		if share := alarms / messages; share < 0.1 || share > 0.22 {
			t.Errorf("%s: %v of all messages are in alarm", line.Protocol.Family(), share)
		}
		if share := extra / messages * block; share < 0.4 || share > 0.6 {
			t.Errorf("%s: %v of all blocks announce an alarm, want 0.5", line.Protocol.Family(), share)
		}
	}
}

func TestValuesAreSmoothAndPlausible(t *testing.T) {
	t.Parallel()
	limits := map[string]struct{ low, high, step float64 }{
		halley.Temperature: {-35, 45, 0.6}, halley.Humidity: {2, 98, 2}, halley.DewPoint: {-45, 40, 1.5},
		halley.Pressure: {950, 1060, 2}, halley.CO2: {400, 1200, 50}, halley.Current: {4, 20, 1}, halley.Binary: {0, 1, 1},
	}
	for _, line := range Lines() {
		for i := range 2 * len(line.Models) {
			d := deviceOf(t, Options{Lines: []Line{line}, Messages: 1500, Seed: 3}, i)
			before := map[int]float64{}
			for tick := range int64(1500) {
				for _, r := range d.appendReadings(nil, tick) {
					l, ok := limits[r.Quantity]
					if !ok {
						t.Fatalf("%s measures %q", d.Model, r.Quantity)
					}
					last, seen := before[r.Number]
					if r.Value < l.low || r.Value > l.high || seen && math.Abs(r.Value-last) > l.step {
						t.Fatalf("%s: %s is %v after %v", d.Model, r.Quantity, r.Value, last)
					}
					before[r.Number] = r.Value
				}
			}
		}
	}
}

func TestADewPointIsNeverAboveItsTemperature(t *testing.T) {
	t.Parallel()
	d := deviceOf(t, Options{Lines: LinesOf("wifi"), Messages: 1}, 2)
	for tick := range int64(2000) {
		r := d.appendReadings(nil, tick)
		if r[2].Quantity != halley.DewPoint || r[2].Value > r[0].Value {
			t.Fatalf("%+v", r)
		}
	}
	if got := dewPoint(9.1, nil); got != 9.1 {
		t.Errorf("without temperature: %v", got)
	}
	if got := round(dewPoint(0, []halley.Reading{{Quantity: halley.Temperature, Value: 20}, {Quantity: halley.Humidity, Value: 50}}), 1); got != 9.3 {
		t.Errorf("20 °C at 50 %%RH: %v, want 9.3", got)
	}
}

func TestAPlanThatSendsAtOnceEndsAtTheStart(t *testing.T) {
	t.Parallel()
	d := deviceOf(t, Options{Lines: LinesOf("wifi"), Messages: 2, Cached: 1}, 0)
	want := []item{
		{tick: 0, order: 0, kind: halley.AfterRestart, sample: noon - 2*halley.Minute, cache: 1},
		{tick: 1, order: 1, sample: noon - halley.Minute},
		{tick: 2, order: 2, sample: noon},
	}
	if diff := cmp.Diff(want, items(d.plan, 9), cmp.AllowUnexported(item{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if d.plan.interval != 60 || d.plan.planned() != 3 {
		t.Errorf("interval %d, planned %d", d.plan.interval, d.plan.planned())
	}
}

func TestAPlanByIntervalIsSpreadOverTheFleet(t *testing.T) {
	t.Parallel()
	o := Options{Lines: LinesOf("tax6xx"), Devices: 4, Messages: 2, Cached: 1, Interval: 10 * time.Second}
	for i, offset := range []halley.Millis{0, 2500, 5000, 7500} {
		at := noon + offset
		want := []item{
			{tick: 0, order: 0, kind: halley.AfterRestart, sample: (at - 10*halley.Second).Floor(halley.Second), cache: 1},
			{tick: 1, order: 1, sample: at.Floor(halley.Second), due: at},
			{tick: 2, order: 2, sample: at.Floor(halley.Second) + 10*halley.Second, due: at + 10*halley.Second},
		}
		if diff := cmp.Diff(want, items(deviceOf(t, o, i).plan, 9), cmp.AllowUnexported(item{})); diff != "" {
			t.Errorf("device %d (-want +got)\n%s", i, diff)
		}
	}
}

// An endless fleet that sends as fast as answers come measures now, and gives no two messages the same time and number.
func TestAnEndlessPlanMeasuresWhenItSends(t *testing.T) {
	t.Parallel()
	for _, line := range Lines() {
		d := deviceOf(t, Options{Lines: []Line{line}, Messages: Endless}, 0)
		seen := map[string]bool{}
		for i := range 1000 {
			it, ok := d.plan.next(noon + halley.Millis(i/500)*halley.Second + 3)
			if !ok {
				t.Fatalf("%s ends after %d messages", d.Family, i)
			}
			at := (noon + halley.Millis(i/500)*halley.Second)
			m := d.compose(&it, noon).Messages[0]
			switch {
			case d.Family == halley.WebSensor:
			case d.Family != halley.Modem && (it.sample != at || it.due != 0):
				t.Fatalf("%s: message %d was measured at %v", d.Family, i, it.sample)
			case d.Family == halley.Modem && (it.sample < at || it.sample > at+2*halley.Second || it.due != 0 && it.due != it.sample):
				t.Fatalf("%s: message %d was measured at %v, due at %v", d.Family, i, it.sample, it.due)
			}
			key := fmt.Sprint(it.sample, m.Order)
			if d.Family != halley.WebSensor && seen[key] {
				t.Fatalf("%s: message %d is measured at %v with the number %d like one before", d.Family, i, it.sample, m.Order)
			}
			seen[key] = true
		}
	}
}

func TestAnAlarmIsAnnouncedBetweenTwoMeasurements(t *testing.T) {
	t.Parallel()
	d := deviceOf(t, Options{Lines: LinesOf("wifi"), Messages: block, Alarms: 1}, 0)
	all := items(d.plan, 99)
	if len(all) != block+1 || d.plan.planned() != block+1 {
		t.Fatalf("%d messages, planned %d, want %d", len(all), d.plan.planned(), block+1)
	}
	for i, it := range all {
		if it.order != int64(i) {
			t.Errorf("message %d has the number %d", i, it.order)
		}
		if it.kind != halley.Extra {
			continue
		}
		if next := all[i+1]; next.tick != it.tick || it.sample >= next.sample || it.sample <= all[i-1].sample || !d.plan.alarmBegins(it.tick) {
			t.Errorf("the alarm is announced by %+v in front of %+v", it, next)
		}
	}
}

func TestAnOutageHasAnEnd(t *testing.T) {
	t.Parallel()
	d := deviceOf(t, Options{Lines: LinesOf("wifi"), Messages: 1000, Cached: 10, Outages: 0.5}, 0)
	in, blocks := 0, map[int64]bool{}
	for tick := range int64(1000) {
		end := d.plan.outageEnd(tick)
		if end == 0 {
			continue
		}
		in++
		blocks[tick/block] = true
		if end <= tick || end > tick+block || tick < 10 || d.plan.outageEnd(end) != 0 {
			t.Fatalf("the outage at %d ends at %d", tick, end)
		}
	}
	if in == 0 || len(blocks) < 10 || len(blocks) > 32 {
		t.Errorf("%d messages in %d blocks are in an outage, of 42", in, len(blocks))
	}
}

func TestRunsThatBeginInOneSecondDiffer(t *testing.T) {
	t.Parallel()
	configs := map[int]bool{}
	for ms := range halley.Millis(100) {
		o := Options{Lines: LinesOf("wifi"), Devices: 1, First: 1, Messages: 1, Start: noon + ms}
		configs[Devices(o)[0].plan.config] = true
	}
	if len(configs) < 60 {
		t.Errorf("100 starts give %d configuration numbers", len(configs))
	}
}

func TestTheReasonFollowsFromTheFailure(t *testing.T) {
	t.Parallel()
	r := Reasons{NoNetwork: 1, Name: 2, Connection: 3, TLS: 4, Transfer: 5, Refused: 6}
	cases := map[string]struct {
		err  error
		want int
	}{
		"refused connection": {&dialError{err: errors.New("connection refused")}, 3},
		"unknown name":       {&dialError{err: fmt.Errorf("dial: %w", &net.DNSError{Err: "no such host"})}, 2},
		"handshake":          {&dialError{err: tls.AlertError(40), tls: true}, 4},
		"transfer":           {errors.New("connection reset"), 5},
		"time":               {context.DeadlineExceeded, 5},
	}
	for name, c := range cases {
		if got := reasonOf(r, c.err); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for i := range LastSerial {
		seen[nameOf(i)] = true
	}
	if len(seen) != LastSerial || nameOf(0) != "Cold room 1" || nameOf(24) != "Cold room 3" {
		t.Errorf("%d names, %q, %q", len(seen), nameOf(0), nameOf(24))
	}
}

func TestLinesOf(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]int{"all": 4, "wifi": 1, "websensor": 1, "tax6xx": 1, "modem": 1, "": 0, "fax": 0} {
		if got := len(LinesOf(word)); got != want {
			t.Errorf("%q: %d lines, want %d", word, got, want)
		}
	}
}
