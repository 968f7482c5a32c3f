package storagetest

import (
	"errors"
	"slices"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func batchTests() []test {
	return []test{
		{"a batch moves the position, also when it stores nothing", positions},
		{"each journal has a position of its own", journals},
		{"a range that is recorded already is a conflict, whichever node sends it", recordedAlready},
		{"a batch that cannot be is refused", badBatches},
		{"all is there after closing and opening again", reopened},
		{"an old journal is recorded again under another id", recordedAgain},
		{"a closed store says so", closed},
	}
}

// wantPosition reports a position that is not that of the batch.
func wantPosition(t testing.TB, what string, s storage.Store, b storage.Batch) {
	t.Helper()
	at, err := s.Position(t.Context(), b.JournalID)
	must(t, "Position", err)
	equal(t, what, b.Position, at)
}

func positions(t *testing.T, p *plot) {
	f := p.feed()
	wantPosition(t, "before the first batch", p, storage.Batch{})
	nothing := f.Batch()
	got, err := p.Append(t.Context(), nothing)
	must(t, "Append of nothing", err)
	got.BatchID, got.Digest = 0, ledger.Digest{}
	equal(t, "Append of nothing", storage.Appended{}, got)
	wantPosition(t, "after a batch without uploads", p, nothing)
	d := WiFi(p.serial(1), 1)
	m := d.Message(Start, 20)
	f.Append(t, d.Upload(0, m))
	repeat := f.Batch(d.Upload(0, m))
	repeat.Hash[5] = 0xAB
	_, err = p.Append(t.Context(), repeat)
	must(t, "Append of a repeat", err)
	wantPosition(t, "after a batch that stores nothing", p, repeat)
	f.Seq += 1 << 40
	far := f.Batch()
	_, err = p.Append(t.Context(), far)
	must(t, "Append behind a gap", err)
	p.reopen(t)
	wantPosition(t, "after opening again", p, far)
}

func journals(t *testing.T, p *plot) {
	first, second, other := p.feed(), p.feedOf(2), p.feedOf(3)
	second.Node, other.Node = first.Node, "node-2"
	d := WiFi(p.serial(1), 1)
	a := first.Batch(d.Upload(0, d.Message(Start, 20)), d.Upload(0, d.Message(Start+1, 20)))
	b := second.Batch(d.Upload(0, d.Message(Start+2, 20)))
	c := other.Batch()
	for _, x := range []storage.Batch{a, b, c} {
		_, err := p.Append(t.Context(), x)
		must(t, "Append", err)
	}
	wantPosition(t, "the first journal of a node", p, a)
	wantPosition(t, "the second journal of the node", p, b)
	wantPosition(t, "the journal of another node", p, c)
	a = first.Batch()
	_, err := p.Append(t.Context(), a)
	must(t, "Append to the first journal again", err)
	wantPosition(t, "the first journal after more of it", p, a)
	wantPosition(t, "the second journal after more of the first", p, b)
	equal(t, "samples of all", 3, len(p.samples(t, 1)))
	// Another case and another beginning are other journals. The program makes the ids, without blanks.
	for _, id := range []string{" " + p.journal(1), "J" + p.journal(1)[1:]} {
		at, err := p.Position(t.Context(), id)
		must(t, "Position", err)
		equal(t, "the position of "+id, storage.Position{}, at)
	}
}

func recordedAlready(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	first := f.Batch(d.Upload(0, d.Message(Start, 20)), d.Upload(0, d.Message(Start+1, 20)))
	_, err := p.Append(t.Context(), first)
	must(t, "Append", err)
	_, err = p.Append(t.Context(), first)
	wantKind(t, "Append of the same batch", err, halley.Conflict)
	twin := first
	twin.Node = "node-2"
	_, err = p.Append(t.Context(), twin)
	wantKind(t, "Append of the same batch by another node", err, halley.Conflict)
	overlap := f.Batch(d.Upload(0, d.Message(Start+2, 20)))
	overlap.FirstSeq = 2
	_, err = p.Append(t.Context(), overlap)
	wantKind(t, "Append of an overlapping range", err, halley.Conflict)
	wantPosition(t, "after conflicts", p, first)
	equal(t, "samples", 2, len(p.samples(t, 1)))
	overlap.FirstSeq, overlap.Node = 3, "node-2"
	_, err = p.Append(t.Context(), overlap)
	must(t, "Append of the next range by another node", err)
	_, err = p.Append(t.Context(), first)
	wantKind(t, "Append of the first batch later", err, halley.Conflict)
	wantPosition(t, "after the next range", p, overlap)
}

func badBatches(t *testing.T, p *plot) {
	for _, c := range []struct {
		name  string
		spoil func(b *storage.Batch)
	}{
		{"no node", func(b *storage.Batch) { b.Node = "" }},
		{"no journal", func(b *storage.Batch) { b.JournalID = "" }},
		{"a range from 0", func(b *storage.Batch) { b.FirstSeq = 0 }},
		{"a range that runs backwards", func(b *storage.Batch) { b.FirstSeq = b.Seq + 1 }},
		{"a range without end", func(b *storage.Batch) { b.Seq = 1 << 63 }},
		{"no time", func(b *storage.Batch) { b.RecordedAt = 0 }},
		{"a time that cannot be stored", func(b *storage.Batch) { b.RecordedAt = halley.LatestMillis }},
		{"no decoder", func(b *storage.Batch) { b.Decoder = 0 }},
	} {
		b := p.feed().Batch()
		c.spoil(&b)
		_, err := p.Append(t.Context(), b)
		wantKind(t, c.name, err, halley.Invalid)
	}
	p.nothing(t)
}

func reopened(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	f := p.feed()
	for i := range halley.Millis(10) {
		f.Append(t, d.Upload(0, d.Message(Start+i*17*halley.Minute, float64(i))))
	}
	p.rollUp(t, 100)
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
		got.Devices, errs[0] = p.Devices(t.Context(), storage.DeviceFilter{})
		got.Channels, errs[1] = p.Channels(t.Context(), storage.ChannelFilter{Ended: true})
		got.Buckets, errs[2] = p.Buckets(t.Context(), storage.BucketQuery{
			Channel: p.channel(t, 1), From: Start, To: Start + halley.Day, Width: halley.Hour,
		})
		got.Latest, errs[3] = p.Latest(t.Context(), nil)
		got.Audit, errs[4] = p.Audit(t.Context(), 0, 100)
		must(t, "reading", errors.Join(errs[:]...))
		got.Samples, got.Version = p.samples(t, 2), version(t, p)
		return got
	}
	before := read()
	equal(t, "samples", 10, len(before.Samples))
	p.reopen(t)
	equal(t, "after opening again", before, read())
	equal(t, "Append after opening again", storage.Appended{Messages: 1, Samples: 2}, f.Append(t, d.Upload(0, d.Message(Start+halley.Day, 1))))
}

// recordedAgain is what a recorder does whose journal is not the one that the store knows: a new journal, and all of the old
// one once more.
func recordedAgain(t *testing.T, p *plot) {
	d, soap := WiFi(p.serial(1), 2), WiFi(p.serial(2), 1)
	soap.Key.Family = halley.WebSensor
	bare := soap.Message(0, 5)
	bare.Sample, bare.Now, bare.Clock, bare.Order = 0, 0, halley.ClockNone, halley.Unknown
	first := []storage.Upload{d.Upload(0, d.Message(Start, 20)), soap.Upload(0, bare), d.Upload(0, d.Message(Start+halley.Minute, 21))}
	f, g := p.feed(), p.feedOf(2)
	f.Append(t, first...)
	acts := len(p.acts(t))
	again := append(slices.Clone(first), d.Upload(0, d.Message(Start+2*halley.Minute, 22)))
	equal(t, "all again and one more", storage.Appended{Messages: 1, Samples: 2, Duplicates: 3}, g.Append(t, again...))
	equal(t, "samples", 3, len(p.samples(t, 1)))
	equal(t, "acts", acts, len(p.acts(t)))
}

func closed(t *testing.T, p *plot) {
	must(t, "Close", p.Close())
	_, err := p.Devices(t.Context(), storage.DeviceFilter{})
	wantKind(t, "Devices of a closed store", err, halley.Unavailable)
	_, err = p.Append(t.Context(), p.feed().Batch())
	wantKind(t, "Append to a closed store", err, halley.Unavailable)
	_, _, err = p.TakeLease(t.Context(), "maintenance", Holder, 1)
	wantKind(t, "TakeLease of a closed store", err, halley.Unavailable)
	must(t, "Close again", p.Close())
	p.reopen(t)
	p.nothing(t)
}
