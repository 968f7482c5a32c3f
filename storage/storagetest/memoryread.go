package storagetest

import (
	"cmp"
	"context"
	"slices"

	"halley"
	"halley/storage"
)

// name is what people see.
func (d *memoryDevice) name() string {
	switch {
	case d.given != "":
		return d.given
	case d.self != "":
		return d.self
	case d.Model != "":
		return d.Model + " " + d.Serial
	}
	return d.Serial
}

func (d *memoryDevice) shown() halley.Device {
	x := d.Device
	x.Name = d.name()
	return x
}

// RollUp does nothing, for there are no rollups.
func (m *memory) RollUp(context.Context, storage.Lease, int) (int, error) { return 0, nil }

// Devices lists by the filter, without its limit.
func (m *memory) Devices(_ context.Context, f storage.DeviceFilter) ([]halley.Device, error) {
	list := []halley.Device{}
	for _, d := range m.devices {
		if d.ID > f.After && (f.Serial == "" || f.Serial == d.Serial) && (f.Family == "" || f.Family == d.Family) &&
			(f.State == "" || f.State == d.State) {
			list = append(list, d.shown())
		}
	}
	return list, nil
}

// Channels knows only the filter by one device.
func (m *memory) Channels(_ context.Context, f storage.ChannelFilter) ([]halley.Channel, error) {
	list := []halley.Channel{}
	d := m.devices[f.Devices[0]-1]
	newest := d.newest()
	for _, c := range d.channels {
		x := *c
		x.Ended = newest == nil || !slices.Contains(newest.channels, c)
		if f.Ended || !x.Ended {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(x, y halley.Channel) int {
		return cmp.Or(cmp.Compare(ranked(x.Ended), ranked(y.Ended)), cmp.Compare(x.Number, y.Number), cmp.Compare(x.ID, y.ID))
	})
	return list, nil
}

func ranked(ended bool) int {
	if ended {
		return 1
	}
	return 0
}

// ChangeDevice changes what u names.
func (m *memory) ChangeDevice(_ context.Context, id halley.DeviceID, u storage.DeviceUpdate, _ halley.Change) (halley.Device, error) {
	d := m.devices[id-1]
	if u.State != nil && *u.State == halley.DeviceNew {
		return halley.Device{}, &halley.Error{Kind: halley.Conflict, Op: "change a device"}
	}
	if u.Name != nil && *u.Name != d.given {
		d.given = *u.Name
		m.note("device.rename")
	}
	if u.State == nil || *u.State == d.State {
		return d.shown(), nil
	}
	if d.State = *u.State; d.State == halley.DeviceAccepted {
		m.accept(d)
	}
	m.note(map[halley.DeviceState]string{
		halley.DeviceAccepted: "device.accept", halley.DeviceSuspended: "device.suspend", halley.DeviceRejected: "device.reject",
		halley.DeviceRetired: "device.retire",
	}[d.State])
	return d.shown(), nil
}

// Register makes an accepted device.
func (m *memory) Register(_ context.Context, key halley.DeviceKey, name string, c halley.Change) (halley.Device, error) {
	if m.find(key) != nil {
		return halley.Device{}, &halley.Error{Kind: halley.Conflict, Op: "register a device"}
	}
	d := &memoryDevice{Device: halley.Device{
		ID: halley.DeviceID(len(m.devices) + 1), DeviceKey: key, FirstSeenAt: c.At, Simulated: halley.IsSimulated(key.Serial),
		OrganizationID: halley.RootOrganization,
	}, given: name}
	m.devices = append(m.devices, d)
	m.accept(d)
	m.note("device.register")
	return d.shown(), nil
}

// Audit gives the words of the newest acts.
func (m *memory) Audit(_ context.Context, _ int64, limit int) ([]halley.AuditEntry, error) {
	list := slices.Clone(m.acts)
	slices.Reverse(list)
	return list[:min(len(list), limit)], nil
}

// Samples lists the samples of a channel, without pages.
func (m *memory) Samples(_ context.Context, q storage.SampleQuery) ([]storage.Sample, error) {
	list := []storage.Sample{}
	for _, d := range m.devices {
		for _, x := range d.sorted(q.From, q.To) {
			for i, c := range x.channels {
				if c.ID != q.Channel {
					continue
				}
				sm := storage.Sample{
					At: x.at, Variant: x.variant, Quality: x.quality(i), Late: halley.Late(x.at, x.received, x.Interval, x.Buffer),
				}
				if sm.Quality.HasValue() {
					sm.Value = x.Readings[i].Value + 0
				}
				list = append(list, sm)
			}
		}
	}
	return list, nil
}

// quality gives a reading's quality with the marks of its message.
func (x *memoryMessage) quality(i int) halley.Quality {
	q := x.Readings[i].Quality
	switch x.Clock {
	case halley.ClockNone:
		q |= halley.ServerTime
	case halley.ClockNotValid:
		q |= halley.ClockInvalid
	case halley.ClockValid, halley.ClockLocalOrUTC:
	}
	if x.Kind == halley.TestMessage {
		q |= halley.Test
	}
	return q
}

// Buckets computes from the samples.
func (m *memory) Buckets(ctx context.Context, q storage.BucketQuery) ([]storage.Bucket, error) {
	list, err := m.Samples(ctx, storage.SampleQuery{Channel: q.Channel, From: q.From, To: q.To})
	return naive(list, q.From, q.To, q.Width), err
}

// Latest gives the newest messages of the devices that are named.
func (m *memory) Latest(_ context.Context, devices []halley.DeviceID) ([]storage.LatestMessage, error) {
	list := []storage.LatestMessage{}
	for _, d := range m.devices {
		x := d.newest()
		if x == nil || !slices.Contains(devices, d.ID) {
			continue
		}
		l := storage.LatestMessage{DeviceID: d.ID, Head: x.head(), Values: []storage.LatestValue{}}
		for i, c := range x.channels {
			v := storage.LatestValue{ChannelID: c.ID, Quality: x.quality(i)}
			if v.Quality.HasValue() {
				v.Value = x.Readings[i].Value + 0
			}
			l.Values = append(l.Values, v)
		}
		list = append(list, l)
	}
	return list, nil
}

func (x *memoryMessage) head() storage.Head {
	h := storage.Head{
		MeasuredAt: x.at, ReceivedAt: x.received, Variant: x.variant, Order: x.Order, Kind: x.Kind, Cache: x.Cache, Interval: x.Interval,
		Buffer: x.Buffer, Config: x.Config, JournalID: x.journal, Seq: x.seq, ClockNotValid: x.Clock == halley.ClockNotValid,
	}
	if sent := x.SentAt(x.received); sent.Storable() {
		h.SentAt = sent
	}
	return h
}

// Heads lists the messages of a device, without pages.
func (m *memory) Heads(_ context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	list := []storage.Head{}
	for _, x := range m.devices[q.Device-1].sorted(q.From, q.To) {
		list = append(list, x.head())
	}
	return list, nil
}

// Tally counts repeats.
func (m *memory) Tally(_ context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error) {
	count := func(list []halley.Millis) (n int64) {
		for _, at := range list {
			if at >= from.Floor(halley.Day) && at < to.Ceil(halley.Day) {
				n++
			}
		}
		return n
	}
	d := m.devices[device-1]
	return count(d.duplicates), count(d.conflicts), nil
}
