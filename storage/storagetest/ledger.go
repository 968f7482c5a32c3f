package storagetest

import (
	"errors"
	"math"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func ledgerTests() []test {
	return []test{
		{"an empty store has facts of what it began with, or none", ledgerOfNothing},
		{"parts and digests follow from what was appended", partsOfBatches},
		{"each node has a chain of its own, and a batch that stores nothing is a link of it", chainsOfNodes},
		{"what is there already is in no part", partsOfRepeats},
		{"a journal that is recorded again gives the same digests, whatever the numbers of its devices", sameDigestsAgain},
		{"days, devices and rows are listed in their order and to their ends", ledgerLists},
		{"every act, device, credential and token is a fact", factsOfEverything},
		{"checkpoints are kept as they are", checkpoints},
		{"a key is added once, with an act", ledgerKeys},
		{"the whole store keeps to its ledger", func(t *testing.T, p *plot) { CheckLedger(t, p) }},
	}
}

func ledgerOfNothing(t *testing.T, p *plot) {
	list, err := p.LedgerBatches(t.Context(), 0, 10)
	must(t, "LedgerBatches", err)
	_, _, ok, err := p.LedgerDays(t.Context())
	must(t, "LedgerDays", err)
	devices, err := p.LedgerDevices(t.Context())
	must(t, "LedgerDevices", err)
	if len(list) != 0 || ok || len(devices) != 0 {
		t.Errorf("an empty store has batches %v, days %t, devices %v", list, ok, devices)
	}
	pack, err := p.LedgerPack(t.Context(), 1, 1)
	if err != nil || pack != nil {
		t.Errorf("LedgerPack of nothing = %v, %v", pack, err)
	}
	heads, err := p.LedgerHeads(t.Context())
	must(t, "LedgerHeads", err)
	equal(t, "the ends of no chain", ledger.Heads{}, heads)
	_, found, err := p.NewestCheckpoint(t.Context(), Node)
	if err != nil || found {
		t.Errorf("NewestCheckpoint of nothing = %t, %v", found, err)
	}
	// The first batch brings what was there into the ledger, also when it stores nothing.
	p.feed().Append(t)
	heads, err = p.LedgerHeads(t.Context())
	must(t, "LedgerHeads", err)
	if heads.Fact.ID == 0 || heads.Fact.Digest.IsZero() || len(heads.Batches) != 1 {
		t.Errorf("the ends after the first batch are %+v", heads)
	}
	CheckLedger(t, p)
}

// ledgerBatch gives a batch as the ledger has it.
func ledgerBatch(t *testing.T, p *plot, id int64) ledger.Batch {
	t.Helper()
	list, err := p.LedgerBatches(t.Context(), id-1, 1)
	if err != nil || len(list) != 1 || list[0].ID != id {
		t.Fatalf("LedgerBatches(after %d) = %+v, %v; want one", id-1, list, err)
	}
	return list[0]
}

func partsOfBatches(t *testing.T, p *plot) {
	// The second serial number comes first, so that numbers and names are in another order.
	late, wide, soap := WiFi(p.serial(9), 2), WiFi(p.serial(2), 10), WiFi(p.serial(1), 1)
	soap.Key.Family = halley.WebSensor
	bare := soap.Message(0, 5)
	bare.Sample, bare.Now, bare.Clock, bare.Order = 0, 0, halley.ClockNone, halley.Unknown
	bare.RawKind, bare.Cache, bare.Config, bare.Signal = halley.Unknown, halley.Unknown, halley.Unknown, 0
	odd := wide.Message(Start+7*halley.Minute, 1)
	odd.Readings[0].Value = math.Copysign(0, -1)
	odd.Readings[1].Value = 1.0 / 3
	odd.Readings[9].Quality = halley.QualityOf(halley.SensorError, 53)
	odd.Kind, odd.Battery, odd.State, odd.StateMask = halley.TestMessage, 80, 3, 7
	none := late.Message(Start+halley.Hour, 1)
	none.Readings = nil
	f := p.feed()
	b := f.Batch(
		late.Upload(0, late.Message(Start+halley.Day, 20), late.Message(Start-1, 21), late.Message(Start-1, 22)),
		wide.Upload(0, odd, wide.Message(Start+2*halley.Minute, 2)),
		soap.Upload(0, bare),
		late.Upload(0, none),
	)
	b.Decoder = 7
	b.Hash[3] = 9
	got, err := p.Append(t.Context(), b)
	must(t, "Append", err)
	entry := ledgerBatch(t, p, got.BatchID)
	want := ledger.Batch{
		ID: got.BatchID, Node: b.Node, JournalID: b.JournalID, FirstSeq: b.FirstSeq, LastSeq: b.Seq, JournalHash: b.Hash,
		RecordedAt: b.RecordedAt, Decoder: 7, Messages: 7, Samples: 27, Parts: expectedParts(b), Previous: entry.Previous,
	}
	for i := range want.Parts {
		want.Parts[i].Batch = got.BatchID
	}
	want.Digest = want.Sum()
	equal(t, "the batch", want, entry)
	equal(t, "the digest that Append gave", want.Digest, got.Digest)
	equal(t, "days", 3, len(entry.Parts))
	p.reopen(t)
	equal(t, "the batch after opening again", want, ledgerBatch(t, p, got.BatchID))
	CheckLedger(t, p)
}

func chainsOfNodes(t *testing.T, p *plot) {
	// No other plot has these nodes.
	first, second, d := p.feedOf(101), p.feedOf(102), WiFi(p.serial(1), 1)
	add := func(f *plotFeed, uploads ...storage.Upload) ledger.Batch {
		t.Helper()
		got, err := p.Append(t.Context(), f.Batch(uploads...))
		must(t, "Append", err)
		b := ledgerBatch(t, p, got.BatchID)
		equal(t, "the digest", b.Digest, got.Digest)
		return b
	}
	a1 := add(first, d.Upload(0, d.Message(Start, 1)))
	b1 := add(second)
	a2 := add(first)
	b2 := add(second, d.Upload(0, d.Message(Start+1, 1)))
	a3 := add(first, d.Upload(0, d.Message(Start+2, 1)))
	equal(t, "what each follows", []ledger.Digest{{}, {}, a1.Digest, b1.Digest, a2.Digest},
		[]ledger.Digest{a1.Previous, b1.Previous, a2.Previous, b2.Previous, a3.Previous})
	if len(a2.Parts) != 0 || len(b1.Parts) != 0 || a2.Digest.IsZero() || a2.Digest == a1.Digest {
		t.Errorf("batches that store nothing have the parts %v and %v and the digests %v and %v", a2.Parts, b1.Parts, a2.Digest, b1.Digest)
	}
	CheckLedger(t, p)
}

func partsOfRepeats(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 3)
	first, second := d.Message(Start, 1), d.Message(Start+halley.Minute, 2)
	f.Append(t, d.Upload(0, first))
	differs := d.Message(Start, 9)
	differs.Order = first.Order
	b := f.Batch(d.Upload(0, first, second, differs), d.Upload(0, second))
	got, err := p.Append(t.Context(), b)
	must(t, "Append", err)
	equal(t, "messages, duplicates and conflicts", [3]int{1, 2, 1}, [3]int{got.Messages, got.Duplicates, got.Conflicts})
	alone := b
	alone.Uploads = []storage.Upload{b.Uploads[0]}
	alone.Uploads[0].Messages = []halley.Message{second}
	want := expected{1, &alone.Uploads[0], &second, 1, Start + halley.Minute, 0}.row(0)
	var e ledger.Encoder
	e.Add(ledger.Device{Family: d.Key.Family, Serial: d.Key.Serial}, want)
	equal(t, "the parts", []ledger.Part{{Batch: got.BatchID, Day: int64(Start / halley.Day), Count: 1, Digest: e.Sum()}},
		ledgerBatch(t, p, got.BatchID).Parts)
}

// sameDigestsAgain records a journal into a second store, in which a stranger has taken the first numbers.
func sameDigestsAgain(t *testing.T, p *plot) {
	other := p.ground.engine.Open(t)
	g := NewFeed(other)
	stranger := WiFi("29990001", 12)
	g.Append(t, stranger.Upload(0, stranger.Message(Start, 1)))
	f := p.feedOf(111)
	var batches []storage.Batch
	d, e := WiFi(p.serial(2), 2), WiFi(p.serial(1), 9)
	batches = append(batches, f.Batch(d.Upload(0, d.Message(Start, 1)), e.Upload(0, e.Message(Start, 1))), f.Batch(),
		f.Batch(e.Upload(0, e.Message(Start+halley.Minute, 1)), d.Upload(0, d.Message(Start-halley.Day, 2))))
	for _, b := range batches {
		want, err := p.Append(t.Context(), b)
		must(t, "Append", err)
		b.RecordedAt += 3 * halley.Day
		got, err := other.Append(t.Context(), b)
		must(t, "Append to the other store", err)
		equal(t, "the digest in the other store", want.Digest, got.Digest)
	}
	CheckLedger(t, other)
}

func ledgerLists(t *testing.T, p *plot) {
	f := p.feed()
	z, a := WiFi(p.serial(2), 1), WiFi(p.serial(1), 10)
	modem := WiFi(p.serial(3), 1)
	modem.Key.Family = halley.Modem
	for i := range halley.Millis(3) {
		f.Append(t, z.Upload(0, z.Message(Start+i*halley.Hour, 1)), modem.Upload(0, modem.Message(Start+i*halley.Hour, 1)),
			a.Upload(0, a.Message(Start+i*halley.Hour, 1), a.Message(Start+i*halley.Hour, 2), a.Message(Start+halley.Day+i, 3)))
	}
	devices, err := p.LedgerDevices(t.Context())
	must(t, "LedgerDevices", err)
	var mine []halley.DeviceKey
	var wide ledger.Device
	for _, d := range devices {
		key := halley.DeviceKey{Family: d.Family, Serial: d.Serial}
		if key == z.Key || key == a.Key || key == modem.Key {
			mine = append(mine, key)
		}
		if key == a.Key {
			wide = d
		}
	}
	equal(t, "devices by family and serial number", []halley.DeviceKey{modem.Key, a.Key, z.Key}, mine)
	type key struct{ At, Variant, Part int64 }
	var got, want []key
	must(t, "LedgerRows", p.LedgerRows(t.Context(), wide, int64(Start/halley.Day), func(_ int64, r *ledger.Row) error {
		got = append(got, key{int64(r.At), r.Variant, r.Part})
		return nil
	}))
	for i := range int64(3) {
		for variant := range int64(2) {
			at := int64(Start) + i*int64(halley.Hour)
			want = append(want, key{at, variant, 0}, key{at, variant, 1})
		}
	}
	equal(t, "rows of a day", want, got)
	stop := errors.New("stop")
	err = p.LedgerRows(t.Context(), wide, int64(Start/halley.Day), func(int64, *ledger.Row) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("LedgerRows ended with %v, want the error of the function", err)
	}
	first, last, ok, err := p.LedgerDays(t.Context())
	if err != nil || !ok || first > int64(Start/halley.Day) || last <= int64(Start/halley.Day) {
		t.Errorf("LedgerDays = %d to %d, %t, %v", first, last, ok, err)
	}
	day, ok, err := p.LedgerNextDay(t.Context(), wide, int64(Start/halley.Day))
	if err != nil || !ok || day != int64(Start/halley.Day) {
		t.Errorf("LedgerNextDay on a day with rows = %d, %t, %v, want that day %d", day, ok, err, int64(Start/halley.Day))
	}
	if day, ok, err = p.LedgerNextDay(t.Context(), wide, last+1); err != nil || ok {
		t.Errorf("LedgerNextDay behind the last day = %d, %t, %v, want none", day, ok, err)
	}
}

func factsOfEverything(t *testing.T, p *plot) {
	ctx, f, d := t.Context(), p.feed(), WiFi(p.serial(1), 2)
	before, err := p.LedgerHeads(ctx)
	must(t, "LedgerHeads", err)
	b := f.Batch(d.Upload(0, d.Message(Start, 1)))
	b.Audit = []storage.JournaledAct{p.act(1, "session.begin", "eva")}
	b.Interruptions = []storage.Interruption{{Node: "n", Kind: storage.ServerDown, From: Start, To: Start + 1}}
	_, err = p.Append(ctx, b)
	must(t, "Append", err)
	id := p.device(t, 1)
	name, suspended := p.name("Cold room"), halley.DeviceSuspended
	for _, do := range []func() error{
		func() error {
			_, err := p.ChangeDevice(ctx, id, storage.DeviceUpdate{Name: &name, State: &suspended}, By("eva"))
			return err
		},
		func() error {
			_, err := p.Register(ctx, halley.DeviceKey{Family: halley.Modem, Serial: p.serial(2)}, name, By("eva"))
			return err
		},
		func() error {
			return p.SetCredential(ctx, storage.Credential{DeviceID: id, Kind: storage.EntryPoint, Hash: p.hash(1)}, By("eva"))
		},
		func() error {
			return p.SetCredential(ctx, storage.Credential{DeviceID: id, Kind: storage.EntryPoint}, By("eva"))
		},
		func() error {
			_, err := p.CreateToken(ctx, storage.Token{Name: name, Hash: p.hash(2), Role: halley.Reader}, By("eva"))
			return err
		},
		func() error { return p.RevokeToken(ctx, name, By("eva")) },
		func() error {
			return p.NoteAudit(ctx, halley.AuditEntry{Change: By("eva"), What: "report.make", On: "place 1"})
		},
	} {
		must(t, "a change", do())
	}
	after, err := p.LedgerHeads(ctx)
	must(t, "LedgerHeads", err)
	equal(t, "facts of eight transactions", before.Fact.ID+8, after.Fact.ID)
	// What fails leaves no fact.
	_, err = p.Register(ctx, d.Key, name, By("eva"))
	wantKind(t, "Register of a device that is there", err, halley.Conflict)
	again, err := p.LedgerHeads(ctx)
	must(t, "LedgerHeads", err)
	equal(t, "the end after a change that failed", after.Fact, again.Fact)
	CheckLedger(t, p)
}

func checkpoints(t *testing.T, p *plot) {
	node := p.journal(1)
	add := func(kind string) ledger.Checkpoint {
		t.Helper()
		c := ledger.Checkpoint{
			Node: node, At: Start, Kind: kind, KeyID: "0123456789abcdef", Body: []byte("line\n\x00\xffé"), Signature: make([]byte, 64),
		}
		var err error
		c.ID, err = p.AddCheckpoint(t.Context(), c)
		must(t, "AddCheckpoint", err)
		return c
	}
	first, second := add("start"), add("hour")
	newest, found, err := p.NewestCheckpoint(t.Context(), node)
	if err != nil || !found {
		t.Fatalf("NewestCheckpoint = %t, %v", found, err)
	}
	equal(t, "the newest checkpoint", second, newest)
	list, err := p.Checkpoints(t.Context(), first.ID-1, 10)
	must(t, "Checkpoints", err)
	equal(t, "checkpoints", []ledger.Checkpoint{first, second}, list)
	list, err = p.Checkpoints(t.Context(), first.ID, 1)
	must(t, "Checkpoints behind the first", err)
	equal(t, "checkpoints behind the first", []ledger.Checkpoint{second}, list)
	_, err = p.AddCheckpoint(t.Context(), ledger.Checkpoint{Node: node, At: Start, Kind: "hour", KeyID: "k"})
	wantKind(t, "AddCheckpoint of one that is not signed", err, halley.Invalid)
}

func ledgerKeys(t *testing.T, p *plot) {
	k := ledger.Key{ID: p.serial(1) + "cdef", Node: p.journal(1), Public: p.hash(7), CreatedAt: Start}
	must(t, "AddLedgerKey", p.AddLedgerKey(t.Context(), k, By("program")))
	must(t, "AddLedgerKey again", p.AddLedgerKey(t.Context(), k, By("program")))
	equal(t, "acts", []string{"ledger.key"}, p.whats(t))
	keys, err := p.LedgerKeys(t.Context())
	must(t, "LedgerKeys", err)
	var mine []ledger.Key
	for _, x := range keys {
		if x.Node == k.Node {
			mine = append(mine, x)
		}
	}
	equal(t, "keys", []ledger.Key{k}, mine)
	k.ID, k.Public = "other", nil
	wantKind(t, "AddLedgerKey without its public part", p.AddLedgerKey(t.Context(), k, By("program")), halley.Invalid)
}
