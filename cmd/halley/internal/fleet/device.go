package fleet

import (
	"fmt"

	"halley"
)

// Device is one simulated instrument.
type Device struct {
	halley.DeviceKey
	Model, Name string

	line  *Line
	model *Model
	seed  uint64
	plan  plan
	// room is how much warmer than a heated room it is where the device hangs, in °C.
	room float64
	// errors is the share of messages with a sensor error.
	errors float64

	upload   halley.Upload
	messages [1]halley.Message
	readings []halley.Reading
}

// rooms are where simulated devices hang, and how much warmer than a heated room it is there, in °C.
var rooms = [...]struct {
	name   string
	warmer float64
}{
	{"Cold room", -16},
	{"Freezer", -41},
	{"Warehouse", -3},
	{"Server room", -1},
	{"Laboratory", 1},
	{"Pharmacy", 0},
	{"Loading dock", -8},
	{"Museum hall", -1},
	{"Greenhouse", 5},
	{"Incubator", 16},
	{"Clean room", 0},
	{"Archive", -4},
}

// nameOf gives what people might call the device at this place of the row.
func nameOf(index int) string {
	return fmt.Sprintf("%s %d", rooms[index%len(rooms)].name, index/len(rooms)+1)
}

// warmer gives how much warmer than usual a channel is where the device hangs. Channels that a model has for cold places are
// there already.
func (d *Device) warmer(r *halley.Reading) float64 {
	const coldest, warmest = 15, 30
	if r.Quantity != halley.Temperature || r.Unit != "°C" || r.Value < coldest || r.Value > warmest {
		return 0
	}
	return d.room
}

// compose gives the upload of one message, sent at the given instant. It is valid until the next call.
func (d *Device) compose(it *item, now halley.Millis) *halley.Upload {
	d.readings = d.appendReadings(d.readings[:0], it.tick)
	d.fault(it.tick)
	m := halley.Message{
		Sample: it.sample, Now: max(now.Floor(halley.Second), it.sample), Clock: halley.ClockValid,
		Order: it.order, Kind: it.kind, RawKind: halley.Unknown, Cache: it.cache,
		Interval: d.plan.reported(), Config: d.plan.config, State: halley.Unknown, StateMask: halley.Unknown,
		Battery: halley.Unknown, Readings: d.readings,
	}
	if raw, ok := d.line.Kinds[it.kind]; ok {
		m.RawKind = raw
	} else {
		m.Kind = halley.Periodic
		m.RawKind = d.line.Kinds[halley.Periodic]
	}
	if d.line.Prepare != nil {
		d.line.Prepare(d, &m)
	}
	d.messages[0] = m
	d.upload = halley.Upload{
		DeviceKey: d.DeviceKey, Model: d.Model, Name: d.Name, Form: d.model.Form, Messages: d.messages[:],
	}
	if d.model.Nameless {
		d.upload.Name = ""
	}
	return &d.upload
}

// appendReadings appends what the device measures at a tick.
func (d *Device) appendReadings(out []halley.Reading, tick int64) []halley.Reading {
	at := moment{seed: d.seed, tick: tick, hours: float64(tick) * float64(d.plan.step) / float64(halley.Hour)}
	alarmed := d.plan.alarmed(tick)
	for i := range d.model.Channels {
		r := d.model.Channels[i]
		v := at.value(&r, out) + d.warmer(&r)
		if alarmed && i == 0 {
			v += excursion(&r)
			r.Quality = r.Quality.WithAlarms(halley.AlarmHigh, halley.AlarmNone)
		}
		r.Value = round(v, r.Decimals)
		out = append(out, r)
	}
	return out
}

// excursion is how far the first channel goes beyond its usual value in an alarm.
func excursion(r *halley.Reading) float64 {
	switch r.Quantity {
	case halley.Temperature:
		return 8
	case halley.Binary:
		return 0
	case halley.Humidity:
		return 0.3 * (98 - r.Value)
	}
	return 0.4 * r.Value
}

// fault gives one channel of some messages a sensor error.
func (d *Device) fault(tick int64) {
	own := mix(d.seed, 17)
	if d.errors == 0 || len(d.model.Faults) == 0 || share(own, uint64(3*tick)) >= d.errors {
		return
	}
	r := &d.readings[mix(own, uint64(3*tick+1))%uint64(len(d.readings))]
	if r.Quantity == halley.Binary {
		return
	}
	r.Value = 0
	r.Quality = r.Quality&(halley.ServerTime|halley.ClockInvalid|halley.Test) | d.model.Faults[mix(own, uint64(3*tick+2))%uint64(len(d.model.Faults))]
}
