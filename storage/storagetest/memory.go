package storagetest

import (
	"cmp"
	"context"
	"slices"

	"halley"
	"halley/storage"
)

// memory is the contract in its plainest form: slices that are searched from end to end. It holds what modelTest asks for; the
// rest of the interface is not there. It is not for several goroutines.
type memory struct {
	storage.Store
	devices   []*memoryDevice
	channels  int
	positions map[string]storage.Position
	batches   int64
	acts      []halley.AuditEntry
}

type memoryDevice struct {
	halley.Device
	self, given string
	channels    []*halley.Channel
	// messages are in the order of their arrival.
	messages []*memoryMessage
	// repeats are the instants of receipt of duplicates and conflicts.
	duplicates, conflicts []halley.Millis
}

// memoryMessage is a stored message.
type memoryMessage struct {
	halley.Message
	at, received halley.Millis
	variant      int
	seq          uint64
	index        int
	journal      string
	// channels belong to the readings; says is what these were when they came.
	channels []*halley.Channel
	says     []halley.Reading
}

func newMemory() *memory { return &memory{positions: map[string]storage.Position{}} }

// Position gives how far a journal is recorded.
func (m *memory) Position(_ context.Context, journal string) (storage.Position, error) {
	return m.positions[journal], nil
}

// Append stores a batch.
func (m *memory) Append(_ context.Context, b storage.Batch) (storage.Appended, error) {
	for i := range b.Uploads {
		for _, x := range b.Uploads[i].Messages {
			for _, r := range x.Readings {
				if r.Quality.HasValue() && r.Value != r.Value {
					return storage.Appended{}, &storage.EntryError{
						Seq: b.Uploads[i].Seq, Err: &halley.Error{Kind: halley.Invalid, Op: "append a batch"},
					}
				}
			}
		}
	}
	if b.FirstSeq <= m.positions[b.JournalID].Seq {
		return storage.Appended{}, &halley.Error{Kind: halley.Conflict, Op: "append a batch"}
	}
	m.batches++
	out := storage.Appended{BatchID: m.batches}
	for i := range b.Uploads {
		m.upload(&b, &b.Uploads[i], &out)
	}
	m.positions[b.JournalID] = b.Position
	return out, nil
}

func (m *memory) upload(b *storage.Batch, u *storage.Upload, out *storage.Appended) {
	d := m.find(u.DeviceKey)
	if d == nil {
		d = &memoryDevice{Device: halley.Device{
			ID: halley.DeviceID(len(m.devices) + 1), DeviceKey: u.DeviceKey, Model: u.Model, State: halley.DeviceNew,
			FirstSeenAt: u.ReceivedAt, Simulated: halley.IsSimulated(u.Serial), OrganizationID: halley.RootOrganization,
		}, self: u.Name}
		m.devices = append(m.devices, d)
		if u.Admission == storage.Announce {
			m.note("device.announce")
		}
	}
	if u.Admission != storage.Announce || d.State == halley.DeviceNew {
		d.reports(u)
	}
	if u.Admission == storage.Announce {
		return
	}
	if d.State == halley.DeviceNew {
		m.accept(d)
		m.note("device.accept")
	}
	for i := range u.Messages {
		x := &memoryMessage{
			Message: u.Messages[i], at: u.Messages[i].MeasuredAt(u.ReceivedAt), received: u.ReceivedAt, seq: u.Seq, index: i,
			journal: b.JournalID, says: u.Messages[i].Readings,
		}
		if known := d.known(x); known != nil {
			if known.same(x) {
				d.duplicates = append(d.duplicates, u.ReceivedAt)
				out.Duplicates++
			} else {
				d.conflicts = append(d.conflicts, u.ReceivedAt)
				out.Conflicts++
			}
			continue
		}
		m.store(d, x, out)
	}
}

// reports takes over what the device says of itself, unless it is older than what was heard last.
func (d *memoryDevice) reports(u *storage.Upload) {
	newest := halley.LatestMillis
	for i := range u.Messages {
		if at := u.Messages[i].MeasuredAt(u.ReceivedAt); i == 0 || at > newest {
			newest = at
		}
	}
	if n := d.newest(); n != nil && newest < n.at {
		return
	}
	d.Model, d.self = cmp.Or(u.Model, d.Model), cmp.Or(u.Name, d.self)
}

// store adds a message that is not there yet.
func (m *memory) store(d *memoryDevice, x *memoryMessage, out *storage.Appended) {
	if n := d.newest(); n != nil && x.at.Floor(halley.Hour) < n.at.Floor(halley.Hour) {
		out.Late++
	}
	x.Readings = d.plugged(x.says)
	for _, r := range x.Readings {
		x.channels = append(x.channels, m.channel(d, r))
	}
	for _, o := range d.messages {
		if o.at == x.at {
			x.variant++
		}
	}
	d.messages = append(d.messages, x)
	out.Messages++
	out.Samples += len(x.Readings)
}

// known gives the stored message of the same identity, nil where there is none.
func (d *memoryDevice) known(x *memoryMessage) *memoryMessage {
	i := slices.IndexFunc(d.messages, func(o *memoryMessage) bool {
		if d.Family == halley.WebSensor || x.Clock == halley.ClockNone {
			return o.received == x.received && o.seq == x.seq && o.index == x.index
		}
		return o.Sample == x.Sample && o.Order == x.Order && o.Config == x.Config && o.RawKind == x.RawKind
	})
	if i < 0 {
		return nil
	}
	return d.messages[i]
}

// same says whether two messages of one identity read the same.
func (x *memoryMessage) same(o *memoryMessage) bool {
	type reading struct {
		number         int
		quantity, unit string
	}
	list := func(readings []halley.Reading) map[reading]halley.Reading {
		m := map[reading]halley.Reading{}
		for _, r := range readings {
			k := reading{r.Number, r.Quantity, r.Unit}
			r.Quantity, r.Unit, r.Name, r.Decimals = "", "", "", 0
			if !r.Quality.HasValue() {
				r.Value = 0
			}
			m[k] = r
		}
		return m
	}
	a, b := list(x.says), list(o.says)
	for k, r := range a {
		if b[k] != r {
			return false
		}
	}
	return len(a) == len(b)
}

// plugged puts readings of probes that are not there, which cannot say what they measure, to the newest channel of their number.
func (d *memoryDevice) plugged(says []halley.Reading) []halley.Reading {
	list := slices.Clone(says)
	for i := range list {
		r := &list[i]
		if r.Quality.HasValue() || r.Quantity != "" || r.Unit != "" {
			continue
		}
		for _, c := range slices.Backward(d.channels) {
			taken := slices.ContainsFunc(list, func(o halley.Reading) bool {
				return o.Number == c.Number && o.Quantity == c.Quantity && o.Unit == c.Unit
			})
			if c.Number == r.Number && c.Quantity+c.Unit != "" && !taken {
				r.Quantity, r.Unit, r.Name, r.Decimals = c.Quantity, c.Unit, c.Name, c.Decimals
				break
			}
		}
	}
	return list
}

func (m *memory) channel(d *memoryDevice, r halley.Reading) *halley.Channel {
	for _, c := range d.channels {
		if c.Number == r.Number && c.Quantity == r.Quantity && c.Unit == r.Unit {
			return c
		}
	}
	m.channels++
	c := &halley.Channel{
		ID: halley.ChannelID(m.channels), DeviceID: d.ID, Number: r.Number, Name: r.Name, Quantity: r.Quantity, Unit: r.Unit,
		Decimals: r.Decimals,
	}
	d.channels = append(d.channels, c)
	return c
}

// newest gives the newest message, nil where there is none.
func (d *memoryDevice) newest() *memoryMessage {
	if len(d.messages) == 0 {
		return nil
	}
	return slices.MaxFunc(d.messages, (*memoryMessage).compare)
}

func (x *memoryMessage) compare(o *memoryMessage) int {
	return cmp.Or(cmp.Compare(x.at, o.at), cmp.Compare(x.variant, o.variant))
}

// sorted gives the messages of a range.
func (d *memoryDevice) sorted(from, to halley.Millis) []*memoryMessage {
	list := slices.DeleteFunc(slices.Clone(d.messages), func(x *memoryMessage) bool { return x.at < from || x.at >= to })
	slices.SortFunc(list, (*memoryMessage).compare)
	return list
}

func (m *memory) find(key halley.DeviceKey) *memoryDevice {
	for _, d := range m.devices {
		if d.DeviceKey == key {
			return d
		}
	}
	return nil
}

func (m *memory) accept(d *memoryDevice) {
	d.State, d.PlaceID = halley.DeviceAccepted, halley.PlaceID(d.ID)
}

func (m *memory) note(what string) {
	m.acts = append(m.acts, halley.AuditEntry{ID: int64(len(m.acts) + 1), What: what})
}
