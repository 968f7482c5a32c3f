package storagetest

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func modelTests() []test {
	return []test{{"random operations leave what the model has", modelTest}}
}

// modelTest applies the same random operations to the store under test and to a model, which is another engine's store where the
// engine names one, and compares what can be read afterwards. Every run has devices and journals of its own.
func modelTest(t *testing.T, p *plot) {
	var other storage.Store
	if p.ground.engine.Model != nil {
		other = p.ground.engine.Model(t)
	}
	runs := 0
	p.ground.engine.randomly(t, func(rt *rapid.T) {
		runs++
		model := other
		if model == nil {
			model = newMemory()
		}
		r := &modelRun{t: t, rt: rt, p: p, model: model, at: Start, feed: p.feedOf(runs)}
		for i := range 3 {
			d := WiFi(p.serial(10*runs+i), 2)
			d.Key.Family = []halley.Family{halley.WiFi, halley.Modem, halley.WebSensor}[i]
			d.Channels[1].Quantity, d.Channels[1].Unit = halley.Humidity, "%RH"
			d.Admission = storage.Known
			r.devices = append(r.devices, d)
		}
		for range rapid.IntRange(1, 8).Draw(rt, "operations") {
			r.operate()
		}
		r.compare()
	})
	CheckLedger(t, p)
}

// modelRun is one run of operations.
type modelRun struct {
	t       *testing.T
	rt      *rapid.T
	p       *plot
	model   storage.Store
	feed    *plotFeed
	devices []*Device
	// at is when the newest message was measured; sent are the uploads so far.
	at   halley.Millis
	sent []storage.Upload
}

// both applies an operation to the store under test and the model, and compares what they say.
func (r *modelRun) both(what string, do func(s storage.Store) (any, error)) {
	r.rt.Helper()
	want, wantErr := do(r.model)
	got, gotErr := do(r.p)
	if halley.KindOf(wantErr) != halley.KindOf(gotErr) || (wantErr == nil) != (gotErr == nil) {
		r.rt.Fatalf("%s: the model says %v, the store %v", what, wantErr, gotErr)
	}
	if wantErr == nil {
		same(r.rt, what, want, got)
	}
}

func (r *modelRun) operate() {
	switch rapid.IntRange(0, 19).Draw(r.rt, "operation") {
	case 0:
		r.p.reopen(r.t)
	case 1, 2:
		limit := rapid.IntRange(1, 100).Draw(r.rt, "limit")
		r.p.rollUp(r.t, limit)
	case 3, 4:
		r.change()
	case 5:
		r.register()
	case 6:
		r.compare()
	default:
		r.upload()
	}
}

// id gives a device's id in a store, 0 where it is not there.
func (r *modelRun) id(s storage.Store, d *Device) halley.DeviceID {
	list, err := s.Devices(r.t.Context(), storage.DeviceFilter{Serial: d.Key.Serial, Family: d.Key.Family})
	if err != nil || len(list) > 1 {
		r.rt.Fatalf("Devices(%q) = %v, %v", d.Key.Serial, list, err)
	}
	if len(list) == 0 {
		return 0
	}
	return list[0].ID
}

func (r *modelRun) device() *Device {
	return r.devices[rapid.IntRange(0, len(r.devices)-1).Draw(r.rt, "device")]
}

func (r *modelRun) change() {
	d := r.device()
	if r.id(r.model, d) == 0 {
		return
	}
	var u storage.DeviceUpdate
	if rapid.Bool().Draw(r.rt, "rename") {
		name := rapid.SampledFrom([]string{"Cold room", "cold room", "Cold room ", "Kühlraum 🥶"}).Draw(r.rt, "name")
		u.Name = &name
	}
	if rapid.Bool().Draw(r.rt, "move") {
		state := rapid.SampledFrom([]halley.DeviceState{
			halley.DeviceNew, halley.DeviceAccepted, halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired,
		}).Draw(r.rt, "state")
		u.State = &state
	}
	r.both("ChangeDevice", func(s storage.Store) (any, error) {
		got, err := s.ChangeDevice(r.t.Context(), r.id(s, d), u, By("eva"))
		return withoutIDs(got), err
	})
}

func (r *modelRun) register() {
	d := r.device()
	r.both("Register", func(s storage.Store) (any, error) {
		got, err := s.Register(r.t.Context(), d.Key, "registered", By("eva"))
		return withoutIDs(got), err
	})
}

// withoutIDs leaves what two stores must agree on.
func withoutIDs(d halley.Device) halley.Device {
	d.ID = 0
	if d.PlaceID != 0 {
		d.PlaceID = 1
	}
	return d
}

// upload appends a batch of new, late and repeated uploads; now and then one that cannot be stored or is stored already.
func (r *modelRun) upload() {
	var uploads []storage.Upload
	for range rapid.IntRange(1, 6).Draw(r.rt, "uploads") {
		if len(r.sent) > 0 && rapid.IntRange(0, 2).Draw(r.rt, "again") == 0 {
			uploads = append(uploads, r.again())
			continue
		}
		d := r.device()
		var messages []halley.Message
		for range rapid.IntRange(1, 3).Draw(r.rt, "messages") {
			messages = append(messages, r.message(d))
		}
		u := d.Upload(0, messages...)
		u.ReceivedAt = r.at + rapid.SampledFrom([]halley.Millis{0, 2 * halley.Second, 11 * halley.Minute, halley.Day}).Draw(r.rt, "delay")
		u.Admission = rapid.SampledFrom([]storage.Admission{
			storage.Known, storage.Known, storage.Known, storage.Admit, storage.Announce,
		}).Draw(r.rt, "admission")
		uploads = append(uploads, u)
	}
	b := r.feed.Batch(uploads...)
	b.RecordedAt = r.at + 2*halley.Day
	spoilt := rapid.IntRange(0, 19).Draw(r.rt, "spoilt") == 0
	if spoilt {
		b = r.spoil(b)
	} else {
		r.sent = append(r.sent, b.Uploads...)
	}
	r.both("Append", func(s storage.Store) (any, error) {
		got, err := s.Append(r.t.Context(), b)
		if e, ok := errors.AsType[*storage.EntryError](err); ok {
			return e.Seq, err
		}
		if got.BatchID, got.DevicesChanged = 0, false; r.p.ground.engine.Model == nil {
			// The plain model keeps no ledger; two engines give the same digests.
			got.Digest = ledger.Digest{}
		}
		return got, err
	})
}

// spoil makes a batch one that cannot be stored.
func (r *modelRun) spoil(b storage.Batch) storage.Batch {
	for i := range b.Uploads {
		for j := range b.Uploads[i].Messages {
			m := &b.Uploads[i].Messages[j]
			if len(m.Readings) > 0 && b.Uploads[i].Admission != storage.Announce {
				m.Readings = slices.Clone(m.Readings)
				m.Readings[0].Value, m.Readings[0].Quality = math.NaN(), 0
				return b
			}
		}
	}
	// A range that begins at its end of before.
	b.FirstSeq = 1
	return b
}

// again gives something that was sent before, received at another time: as it was, with another value, or with another number.
// What web sensors send has no identity but its place in the journal, so that it comes again from there only.
func (r *modelRun) again() storage.Upload {
	u := r.sent[rapid.IntRange(0, len(r.sent)-1).Draw(r.rt, "sent before")]
	u.Messages = slices.Clone(u.Messages)
	if u.Admission == storage.Announce {
		u.Admission = storage.Known
	}
	m := &u.Messages[rapid.IntRange(0, len(u.Messages)-1).Draw(r.rt, "which")]
	what := rapid.IntRange(0, 5).Draw(r.rt, "how")
	if len(m.Readings) > 0 && what == 0 {
		*m = changed(*m, 1)
		m.Readings[len(m.Readings)-1].Quality ^= 1 << 20
	}
	if u.Family == halley.WebSensor {
		return u
	}
	if what == 1 {
		m.Order += 1000
	}
	u.Seq, u.ReceivedAt = 0, u.ReceivedAt+rapid.SampledFrom([]halley.Millis{0, halley.Second, 3 * halley.Hour}).Draw(r.rt, "later")
	return u
}

// message gives the next message of a device.
func (r *modelRun) message(d *Device) halley.Message {
	when := r.at
	if rapid.IntRange(0, 4).Draw(r.rt, "late") == 0 {
		when -= halley.Millis(rapid.Int64Range(0, int64(when-Start)+int64(halley.Hour)).Draw(r.rt, "back"))
	} else {
		r.at += rapid.SampledFrom([]halley.Millis{0, halley.Minute, 25 * halley.Minute, 7 * halley.Hour, 3 * halley.Day}).Draw(r.rt, "step")
		when = r.at
	}
	m := d.Message(when, float64(rapid.IntRange(-400, 400).Draw(r.rt, "value"))/10)
	switch d.Key.Family {
	case halley.WebSensor:
		m.Sample, m.Now, m.Clock, m.Order, m.RawKind, m.Config = 0, 0, halley.ClockNone, halley.Unknown, halley.Unknown, halley.Unknown
	case halley.Modem:
		m.Clock, m.OffsetMinutes = halley.ClockLocalOrUTC, 120
	case halley.WiFi, halley.TAx6xx:
		if rapid.IntRange(0, 5).Draw(r.rt, "clock") == 0 {
			m.Clock = halley.ClockNotValid
		}
	}
	r.disturb(&m)
	return m
}

// disturb makes a message one of another layout: without a probe, in another unit, with another number of readings or in
// another order.
func (r *modelRun) disturb(m *halley.Message) {
	switch rapid.IntRange(0, 15).Draw(r.rt, "disturbance") {
	case 0:
		m.Readings[1] = halley.Reading{Number: 2, Quality: halley.QualityOf(halley.SensorError, 53)}
	case 1:
		m.Readings[0].Quality, m.Readings[0].Value = halley.QualityOf(halley.AboveRange, 0), 0
	case 2:
		m.Readings[0].Unit = "°F"
	case 3:
		m.Readings = m.Readings[:1]
	case 4:
		m.Readings[0], m.Readings[1] = m.Readings[1], m.Readings[0]
	case 5:
		for n := range 10 {
			m.Readings = append(m.Readings, halley.Reading{Number: 3 + n, Quantity: halley.Temperature, Unit: "°C", Value: float64(n)})
		}
	case 6:
		m.Readings = nil
	case 7:
		m.Kind = halley.TestMessage
	}
}
