package storagetest

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func batchTests() []group {
	return []group{
		{"a batch moves the position, also when it stores nothing", positions},
		{"a range that is recorded already is a conflict", recordedAlready},
		{"a message that cannot be stored names its entry and stores nothing", entryErrors},
		{"a batch that cannot be is refused", badBatches},
		{"a cancelled batch stores nothing", cancelled},
		{"all is there after closing and opening again", reopened},
		{"a closed store says so", closed},
	}
}

func positions(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	b := f.Batch()
	got, err := s.Append(t.Context(), b)
	must(t, "Append of nothing", err)
	equal(t, "Append of nothing", storage.Appended{BatchID: 1}, got)
	at, err := s.Position(t.Context(), Node)
	must(t, "Position", err)
	equal(t, "position", b.Position, at)
	other := NewFeed(s)
	other.Node, other.Journal = "node-2", "journal-2"
	d := WiFi("21000001", 1)
	other.Append(t, d.Upload(0, d.Message(Start, 20)))
	at, err = s.Position(t.Context(), Node)
	must(t, "Position", err)
	equal(t, "position of the first node", b.Position, at)
	f.Journal, f.Seq = "journal-1b", 0
	b = f.Batch()
	_, err = s.Append(t.Context(), b)
	must(t, "Append of a new journal", err)
	s = e.Reopen(t, s)
	at, err = s.Position(t.Context(), Node)
	must(t, "Position", err)
	equal(t, "position in the new journal", b.Position, at)
}

func recordedAlready(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	first := f.Batch(d.Upload(0, d.Message(Start, 20)), d.Upload(0, d.Message(Start+1, 20)))
	_, err := s.Append(t.Context(), first)
	must(t, "Append", err)
	_, err = s.Append(t.Context(), first)
	wantKind(t, "Append of the same batch", err, halley.Conflict)
	overlap := f.Batch(d.Upload(0, d.Message(Start+2, 20)))
	overlap.FirstSeq = 2
	_, err = s.Append(t.Context(), overlap)
	wantKind(t, "Append of an overlapping range", err, halley.Conflict)
	equal(t, "samples", 2, len(SamplesOf(t, s, 1)))
	overlap.FirstSeq = 3
	_, err = s.Append(t.Context(), overlap)
	must(t, "Append of the next range", err)
}

func entryErrors(t *testing.T, e Engine) {
	for _, c := range []struct {
		name  string
		spoil func(u *storage.Upload)
	}{
		{"a value that is not a number", func(u *storage.Upload) { u.Messages[0].Readings[0].Value = math.NaN() }},
		{"an infinite value", func(u *storage.Upload) { u.Messages[0].Readings[1].Value = math.Inf(-1) }},
		{"a time that cannot be stored", func(u *storage.Upload) { u.Messages[0].Sample = halley.LatestMillis }},
		{"a receive time that cannot be stored", func(u *storage.Upload) { u.ReceivedAt = 0 }},
		{"a name with a NUL", func(u *storage.Upload) { u.Name = "a\x00b" }},
		{"a unit that is not UTF-8", func(u *storage.Upload) { u.Messages[0].Readings[0].Unit = "\xb0C" }},
		{"a name without end", func(u *storage.Upload) { u.Messages[0].Readings[0].Name = strings.Repeat("é", 201) }},
		{"no serial number", func(u *storage.Upload) { u.Serial = "" }},
		{"a serial number without end", func(u *storage.Upload) { u.Serial = strings.Repeat("1", 33) }},
		{"two values of a channel", func(u *storage.Upload) { u.Messages[0].Readings[1].Number = 1 }},
		{"a channel number out of range", func(u *storage.Upload) { u.Messages[0].Readings[0].Number = 256 }},
		{"too many readings", func(u *storage.Upload) { u.Messages[0] = WiFi("1", 65).Message(Start, 1) }},
		{"a number out of range", func(u *storage.Upload) { u.Messages[0].Interval = -5 }},
		{"a sequence number out of range", func(u *storage.Upload) { u.Seq = 1 << 63 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := e.Open(t)
			f := NewFeed(s)
			good, bad := WiFi("21000001", 2), WiFi("21000002", 2)
			uploads := []storage.Upload{good.Upload(0, good.Message(Start, 20)), bad.Upload(0, bad.Message(Start, 20))}
			b := f.Batch(uploads...)
			c.spoil(&b.Uploads[1])
			_, err := s.Append(t.Context(), b)
			entry, ok := errors.AsType[*storage.EntryError](err)
			if !ok || entry.Seq != b.Uploads[1].Seq {
				t.Fatalf("Append = %v, want an *EntryError with sequence number %d", err, b.Uploads[1].Seq)
			}
			wantKind(t, "Append", err, halley.Invalid)
			nothing(t, s)
			b.Uploads = b.Uploads[:1]
			got, err := s.Append(t.Context(), b)
			must(t, "Append without the entry", err)
			equal(t, "Messages", 1, got.Messages)
		})
	}
}

// nothing reports what is left of a batch that failed.
func nothing(t *testing.T, s storage.Store) {
	t.Helper()
	devices, err := s.Devices(t.Context(), storage.DeviceFilter{})
	must(t, "Devices", err)
	at, err := s.Position(t.Context(), Node)
	must(t, "Position", err)
	if len(devices) != 0 || at.Seq != 0 || len(whats(t, s)) != 0 || version(t, s) != 1 {
		t.Errorf("after a batch that failed there are devices %v, position %v, audit %v", devices, at, whats(t, s))
	}
}

func badBatches(t *testing.T, e Engine) {
	s := e.Open(t)
	for _, c := range []struct {
		name  string
		spoil func(b *storage.Batch)
	}{
		{"no node", func(b *storage.Batch) { b.Node = "" }},
		{"no journal", func(b *storage.Batch) { b.JournalID = "" }},
		{"a range from 0", func(b *storage.Batch) { b.FirstSeq = 0 }},
		{"a range that runs backwards", func(b *storage.Batch) { b.FirstSeq = b.Seq + 1 }},
		{"no time", func(b *storage.Batch) { b.RecordedAt = 0 }},
		{"no decoder", func(b *storage.Batch) { b.Decoder = 0 }},
	} {
		b := NewFeed(s).Batch()
		c.spoil(&b)
		_, err := s.Append(t.Context(), b)
		wantKind(t, c.name, err, halley.Invalid)
	}
	nothing(t, s)
}

func cancelled(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	d := WiFi("21000001", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := f.Batch(d.Upload(0, d.Message(Start, 20)))
	_, err := s.Append(ctx, b)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Append with a cancelled context = %v, want context.Canceled", err)
	}
	if _, err := s.Devices(ctx, storage.DeviceFilter{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Devices with a cancelled context = %v, want context.Canceled", err)
	}
	nothing(t, s)
	_, err = s.Append(t.Context(), b)
	must(t, "Append after a cancelled one", err)
	// A batch that is cancelled while it runs is there as a whole or not at all.
	var uploads []storage.Upload
	for i := range 2000 {
		uploads = append(uploads, d.Upload(0, d.Message(Start+halley.Millis(i+1)*halley.Second, 20)))
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	b = f.Batch(uploads...)
	go cancel()
	_, err = s.Append(ctx, b)
	want := 1
	if err == nil {
		want += len(uploads)
	}
	equal(t, "samples", want, len(SamplesOf(t, s, 1)))
}

func reopened(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	f := NewFeed(s)
	for i := range halley.Millis(50) {
		f.Append(t, d.Upload(0, d.Message(Start+i*7*halley.Minute, float64(i))))
	}
	_, err := s.RollUp(t.Context(), 100)
	must(t, "RollUp", err)
	type state struct {
		Devices  []halley.Device
		Channels []halley.Channel
		Samples  []storage.Sample
		Buckets  []storage.Bucket
		Latest   []storage.LatestMessage
		Audit    []halley.AuditEntry
		Version  int64
	}
	read := func() (got state) {
		var errs [5]error
		got.Devices, errs[0] = s.Devices(t.Context(), storage.DeviceFilter{})
		got.Channels, errs[1] = s.Channels(t.Context(), storage.ChannelFilter{Ended: true})
		got.Buckets, errs[2] = s.Buckets(t.Context(), storage.BucketQuery{Channel: 1, From: Start, To: Start + halley.Day, Width: halley.Hour})
		got.Latest, errs[3] = s.Latest(t.Context(), nil)
		got.Audit, errs[4] = s.Audit(t.Context(), 0, 100)
		must(t, "reading", errors.Join(errs[:]...))
		got.Samples, got.Version = SamplesOf(t, s, 2), version(t, s)
		return got
	}
	before := read()
	s = e.Reopen(t, s)
	equal(t, "after opening again", before, read())
	f.Store = s
	got := f.Append(t, d.Upload(0, d.Message(Start+halley.Day, 1)))
	equal(t, "Append after opening again", storage.Appended{BatchID: 51, Messages: 1, Samples: 2}, got)
}

func closed(t *testing.T, e Engine) {
	s := e.Open(t)
	must(t, "Close", s.Close())
	_, err := s.Devices(t.Context(), storage.DeviceFilter{})
	wantKind(t, "Devices of a closed store", err, halley.Unavailable)
	_, err = s.Append(t.Context(), NewFeed(s).Batch())
	wantKind(t, "Append to a closed store", err, halley.Unavailable)
	must(t, "Close again", s.Close())
}
