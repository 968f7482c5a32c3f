// Package storagetest holds every store to the contract of storage. A store's own test hands over two constructors and adds
// what is true of it alone.
package storagetest

import (
	"testing"
	"time"

	"halley"
	"halley/storage"
)

// Start is the instant at which the builders begin: an hour that is also the start of a day. 2026-06-01T00:00:00Z.
const Start halley.Millis = 1_780_272_000_000

// Node and Journal are what the builders' batches come from.
const (
	Node    = "node-1"
	Journal = "journal-1"
)

// Device builds the uploads of one device.
type Device struct {
	Key       halley.DeviceKey
	Model     string
	Name      string
	Admission storage.Admission
	// Channels are copied into every message.
	Channels []halley.Reading
	// Interval is in seconds.
	Interval int
	order    int64
}

// WiFi gives a sensor with so many channels, numbered from 1, in °C. The policy accepts it.
func WiFi(serial string, channels int) *Device {
	d := &Device{
		Key: halley.DeviceKey{Family: halley.WiFi, Serial: serial}, Model: "W3710", Name: "Sensor " + serial,
		Admission: storage.Admit, Interval: 60,
	}
	for i := range channels {
		d.Channels = append(d.Channels, halley.Reading{
			Number: i + 1, Name: "Channel", Quantity: halley.Temperature, Unit: "°C", Decimals: 1,
		})
	}
	return d
}

// Message gives the device's next message, measured at an instant by a valid clock. Channel n reads value + n - 1.
func (d *Device) Message(at halley.Millis, value float64) halley.Message {
	d.order++
	m := halley.Message{
		Sample: at, Now: at + halley.Second, Clock: halley.ClockValid, Order: d.order, RawKind: 0, Cache: 0, Interval: d.Interval,
		Config: 1, State: halley.Unknown, StateMask: halley.Unknown, Signal: -60, Battery: halley.Unknown,
	}
	for i, r := range d.Channels {
		r.Value = value + float64(i)
		m.Readings = append(m.Readings, r)
	}
	return m
}

// Upload gives an upload of these messages that is received two seconds after the newest of them was measured.
func (d *Device) Upload(seq uint64, messages ...halley.Message) storage.Upload {
	received := Start
	for i := range messages {
		received = max(received, messages[i].Sample)
	}
	return storage.Upload{
		Upload:     halley.Upload{DeviceKey: d.Key, Model: d.Model, Name: d.Name, Messages: messages},
		Seq:        seq,
		ReceivedAt: received + 2*halley.Second,
		Admission:  d.Admission,
	}
}

// Feed appends batches to a store, one after the other.
type Feed struct {
	Store storage.Store
	// Seq is the last sequence number.
	Seq uint64
	// Journal and Node are those of the batches.
	Journal, Node string
}

// NewFeed begins a feed at the start of a journal.
func NewFeed(s storage.Store) *Feed { return &Feed{Store: s, Journal: Journal, Node: Node} }

// Batch gives the next batch of these uploads, recorded an hour after Start, or when the last of them was received where that is
// later. Uploads without a sequence number get the next ones.
func (f *Feed) Batch(uploads ...storage.Upload) storage.Batch {
	first, recorded := f.Seq+1, Start+halley.Hour
	for i := range uploads {
		if at := uploads[i].ReceivedAt; at.Storable() {
			recorded = max(recorded, at)
		}
		f.Seq++
		if uploads[i].Seq == 0 {
			uploads[i].Seq = f.Seq
		}
	}
	if len(uploads) == 0 {
		f.Seq++
	}
	b := storage.Batch{
		Node: f.Node, Position: storage.Position{JournalID: f.Journal, Seq: f.Seq}, FirstSeq: first,
		RecordedAt: recorded, Decoder: 1, Uploads: uploads,
	}
	b.Hash[0], b.Hash[31] = byte(f.Seq), 0xEE
	return b
}

// Append stores the next batch and ends the test where it cannot.
func (f *Feed) Append(t testing.TB, uploads ...storage.Upload) storage.Appended {
	t.Helper()
	got, err := f.Store.Append(t.Context(), f.Batch(uploads...))
	if err != nil {
		t.Fatalf("Append of %d uploads: %v", len(uploads), err)
	}
	return got
}

// DeviceOf gives a device by its serial number.
func DeviceOf(t testing.TB, s storage.Store, serial string) halley.Device {
	t.Helper()
	list, err := s.Devices(t.Context(), storage.DeviceFilter{Serial: serial})
	if err != nil || len(list) != 1 {
		t.Fatalf("Devices(serial %q) = %v, %v; want one", serial, list, err)
	}
	return list[0]
}

// ChannelsOf gives the channels of a device, also those that ended.
func ChannelsOf(t testing.TB, s storage.Store, serial string) []halley.Channel {
	t.Helper()
	list, err := s.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{DeviceOf(t, s, serial).ID}, Ended: true})
	if err != nil {
		t.Fatalf("Channels(%q): %v", serial, err)
	}
	return list
}

// SamplesOf gives all samples of a channel.
func SamplesOf(t testing.TB, s storage.Store, id halley.ChannelID) []storage.Sample {
	t.Helper()
	list, err := s.Samples(t.Context(), storage.SampleQuery{
		Channel: id, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: 1_000_000,
	})
	if err != nil {
		t.Fatalf("Samples(%d): %v", id, err)
	}
	return list
}

// Holder is who the builders take leases for.
const Holder = "storagetest"

// Maintenance takes the lease for recomputing rollups and completeness for Holder, and ends the test where another has it.
func Maintenance(t testing.TB, s storage.Store) storage.Lease {
	t.Helper()
	l, held, err := s.TakeLease(t.Context(), "maintenance", Holder, time.Hour)
	if err != nil || !held {
		t.Fatalf("TakeLease = %+v, %t, %v; want it", l, held, err)
	}
	return l
}

// By gives a change by a person at an instant after Start.
func By(name string) halley.Change {
	return halley.Change{
		Actor: halley.Actor{Kind: "session", Name: name, Session: "s-1"}, At: Start + 2*halley.Hour, Why: "because",
	}
}
