package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

func retentionTests() []test {
	return []test{
		{"nothing is removed without a tombstone", noTombstone},
		{"a tombstone that does not say all is refused", badTombstones},
		{"a day goes in steps, and all else stays", removedDay},
		{"the daily figures of a removed day stay", removedFigures},
		{"what comes for a removed day afterwards is stored and stays", lateForRemovedDay},
		{"the counts of a removed day stay and are not due again", removedCounts},
		{"a device goes on after its newest day was removed", removedNewest},
		{"identities of a removed day go", removedIdentities},
	}
}

// removalDay gives the first instant of a UTC day that no other plot uses, at least ten days away from those of the others.
func (p *plot) removalDay() halley.Millis { return Start - halley.Millis(20*(p.number+1))*halley.Day }

// tombstone gives a tombstone of some UTC days from at on.
func (p *plot) tombstone(at halley.Millis, days int64) ledger.Tombstone {
	day := int64(at / halley.Day)
	return ledger.Tombstone{
		FromDay: day, ToDay: day + days, At: Start + 10*halley.Day, ProposedBy: "eva", CarriedOutBy: "adam", Why: "kept for two years",
		KeyID: "0123456789abcdef", Body: []byte("what is signed"), Signature: make([]byte, 64),
	}
}

// bury writes a tombstone for days from at on.
func (p *plot) bury(t *testing.T, at halley.Millis, days int64) ledger.Tombstone {
	t.Helper()
	x := p.tombstone(at, days)
	var err error
	x.ID, err = p.AddTombstone(t.Context(), x, By("adam"))
	must(t, "AddTombstone", err)
	return x
}

// remove removes a day, some rows at a time, and gives how many went.
func (p *plot) remove(t *testing.T, at halley.Millis, limit int) (removed int64) {
	t.Helper()
	for {
		n, err := p.RemoveDay(t.Context(), int64(at/halley.Day), limit)
		must(t, "RemoveDay", err)
		if n > int64(limit) {
			t.Errorf("RemoveDay of at most %d rows removed %d", limit, n)
		}
		if n == 0 {
			return removed
		}
		removed += n
	}
}

func (p *plot) count(t *testing.T, at halley.Millis, days int64) [2]int64 {
	t.Helper()
	rows, parts, err := p.CountDays(t.Context(), int64(at/halley.Day), int64(at/halley.Day)+days)
	must(t, "CountDays", err)
	return [2]int64{rows, parts}
}

func noTombstone(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(at, 1)))
	_, err := p.RemoveDay(t.Context(), int64(at/halley.Day), 10)
	wantKind(t, "RemoveDay of a day without a tombstone", err, halley.Conflict)
	p.bury(t, at+halley.Day, 1)
	_, err = p.RemoveDay(t.Context(), int64(at/halley.Day), 10)
	wantKind(t, "RemoveDay of the day before", err, halley.Conflict)
	_, err = p.RemoveDay(t.Context(), int64(at/halley.Day)+2, 10)
	wantKind(t, "RemoveDay of the day behind", err, halley.Conflict)
	equal(t, "rows and parts", [2]int64{1, 1}, p.count(t, at, 1))
	CheckLedger(t, p)
}

func badTombstones(t *testing.T, p *plot) {
	for name, spoil := range map[string]func(x *ledger.Tombstone){
		"no days":                   func(x *ledger.Tombstone) { x.ToDay = x.FromDay },
		"days that are not over":    func(x *ledger.Tombstone) { x.ToDay = int64(x.At/halley.Day) + 1 },
		"nobody who proposed it":    func(x *ledger.Tombstone) { x.ProposedBy = "" },
		"nobody who carried it out": func(x *ledger.Tombstone) { x.CarriedOutBy = " " },
		"one person":                func(x *ledger.Tombstone) { x.CarriedOutBy = x.ProposedBy },
		"no reason":                 func(x *ledger.Tombstone) { x.Why = "" },
		"no signature":              func(x *ledger.Tombstone) { x.Signature = nil },
		"no text that is signed":    func(x *ledger.Tombstone) { x.Body = nil },
		"no time":                   func(x *ledger.Tombstone) { x.At = 0 },
	} {
		x := p.tombstone(p.removalDay(), 1)
		spoil(&x)
		_, err := p.AddTombstone(t.Context(), x, By("adam"))
		wantKind(t, name, err, halley.Invalid)
	}
	p.nothing(t)
}

func removedDay(t *testing.T, p *plot) {
	at, f, d, e := p.removalDay(), p.feed(), WiFi(p.serial(1), 10), WiFi(p.serial(2), 1)
	for i := range halley.Millis(4) {
		// Two rows a message of d, one of e, on three days.
		f.Append(t, d.Upload(0, d.Message(at+i*halley.Hour, 1), d.Message(at+i*halley.Hour, 2), d.Message(at-1-i, 1), d.Message(at+halley.Day+i, 1)),
			e.Upload(0, e.Message(at+i*halley.Hour, 1)))
	}
	equal(t, "rows and parts before", [2]int64{20, 4}, p.count(t, at, 1))
	equal(t, "rows and parts of three days before", [2]int64{36, 12}, p.count(t, at-halley.Day, 3))
	x := p.bury(t, at, 1)
	list, err := p.Tombstones(t.Context())
	must(t, "Tombstones", err)
	equal(t, "the newest tombstone", x, list[len(list)-1])
	acts := p.acts(t)
	if last := acts[len(acts)-1]; last.What != "retention.remove" || last.Change.Actor.Name != "adam" {
		t.Errorf("the newest act is %+v", last)
	}
	CheckLedger(t, p)
	n, err := p.RemoveDay(t.Context(), int64(at/halley.Day), 5)
	must(t, "RemoveDay of at most five rows", err)
	equal(t, "rows removed at most five at a time, messages as a whole", int64(4), n)
	equal(t, "rows left", [2]int64{16, 4}, p.count(t, at, 1))
	// A message of two rows goes as a whole.
	n, err = p.RemoveDay(t.Context(), int64(at/halley.Day), 1)
	must(t, "RemoveDay of at most one row", err)
	equal(t, "rows of one message", int64(2), n)
	equal(t, "rows removed in all", int64(14), p.remove(t, at, 5))
	equal(t, "rows and parts after", [2]int64{0, 4}, p.count(t, at, 1))
	equal(t, "rows and parts of three days after", [2]int64{16, 12}, p.count(t, at-halley.Day, 3))
	for _, day := range []int64{-1, 0, 1} {
		parts, err := p.LedgerParts(t.Context(), int64(at/halley.Day)+day, 0, 10)
		must(t, "LedgerParts", err)
		for _, part := range parts {
			pack, err := p.LedgerPack(t.Context(), part.Batch, part.Day)
			must(t, "LedgerPack", err)
			if gone := pack == nil; gone != (day == 0) {
				t.Errorf("the pack of day %d of batch %d is gone: %t", day, part.Batch, gone)
			}
		}
	}
	CheckLedger(t, p)
}

// fullDay stores a day of a device in hourly messages and one of the next day, so that the day closes.
func fullDay(t *testing.T, f *plotFeed, d *Device, at halley.Millis) {
	t.Helper()
	var list []halley.Message
	for i := range halley.Millis(25) {
		list = append(list, d.Message(at+i*halley.Hour, float64(i)))
	}
	f.Append(t, d.Upload(0, list...))
}

func (p *plot) buckets(t *testing.T, n int, from, to, width halley.Millis) []storage.Bucket {
	t.Helper()
	list, err := p.Buckets(t.Context(), storage.BucketQuery{Channel: p.channel(t, n), From: from, To: to, Width: width})
	must(t, "Buckets", err)
	return list
}

func removedFigures(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	fullDay(t, f, d, at)
	days := p.buckets(t, 1, at, at+halley.Day, halley.Day)
	hours := p.buckets(t, 1, at, at+halley.Day, halley.Hour)
	equal(t, "hours", 24, len(hours))
	// The rollups of the day are not computed yet: they are before the first row goes.
	p.bury(t, at, 1)
	equal(t, "rows", int64(24), p.remove(t, at, 7))
	equal(t, "the day's figure after", days, p.buckets(t, 1, at, at+halley.Day, halley.Day))
	equal(t, "the hours' figures after", hours, p.buckets(t, 1, at, at+halley.Day, halley.Hour))
	p.rollUp(t, 1000)
	equal(t, "the day's figure after rolling up", days, p.buckets(t, 1, at, at+halley.Day, halley.Day))
	equal(t, "figures of what is finer", 0, len(p.buckets(t, 1, at, at+halley.Day, 10*halley.Minute)))
	equal(t, "samples", 1, len(p.samples(t, 1)))
	faults, err := p.RollupFaults(t.Context(), p.device(t, 1), int64(at/halley.Day))
	must(t, "RollupFaults", err)
	equal(t, "faults of the removed day", []storage.RollupFault{}, faults)
	p.reopen(t)
	equal(t, "the day's figure after opening again", days, p.buckets(t, 1, at, at+halley.Day, halley.Day))
}

func lateForRemovedDay(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	fullDay(t, f, d, at)
	p.rollUp(t, 1000)
	days := p.buckets(t, 1, at, at+halley.Day, halley.Day)
	p.bury(t, at, 1)
	p.remove(t, at, 1000)
	// It was recorded after the tombstone, the second time while the day's place was empty.
	late := f.Batch(d.Upload(0, d.Message(at+30*halley.Minute, 77), d.Message(at, 78)))
	late.RecordedAt = Start + 11*halley.Day
	got, err := p.Append(t.Context(), late)
	must(t, "Append of late messages", err)
	equal(t, "messages", 2, got.Messages)
	p.rollUp(t, 1000)
	equal(t, "rows that go now", int64(0), p.remove(t, at, 1000))
	equal(t, "rows and parts", [2]int64{2, 2}, p.count(t, at, 1))
	equal(t, "the day's figure", days, p.buckets(t, 1, at, at+halley.Day, halley.Day))
	equal(t, "samples", 3, len(p.samples(t, 1)))
	equal(t, "figures of what is finer", 2, len(p.buckets(t, 1, at, at+halley.Day, 10*halley.Minute)))
	pack, err := p.LedgerPack(t.Context(), got.BatchID, int64(at/halley.Day))
	if err != nil || pack == nil {
		t.Errorf("the pack of what came late is gone (%v)", err)
	}
	CheckLedger(t, p)
}

func removedCounts(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	fullDay(t, f, d, at)
	id := p.device(t, 1)
	due := func() (days []int64) {
		t.Helper()
		list, err := p.DaysDue(t.Context(), int64(at/halley.Day)+2, 10_000)
		must(t, "DaysDue", err)
		for _, x := range list {
			if x.Device == id {
				days = append(days, x.Day-int64(at/halley.Day))
			}
		}
		return days
	}
	equal(t, "days due before", []int64{0, 1}, due())
	put := func(day, received int64) {
		t.Helper()
		c := storage.DayCount{DeviceDay: storage.DeviceDay{Device: id, Day: int64(at/halley.Day) + day, Revision: 1 << 40}, Received: received}
		must(t, "PutDays", p.PutDays(t.Context(), Maintenance(t, p), []storage.DayCount{c}))
	}
	put(0, 24)
	p.bury(t, at, 1)
	p.remove(t, at, 100)
	late := f.Batch(d.Upload(0, d.Message(at+30*halley.Minute, 77)))
	late.RecordedAt = Start + 11*halley.Day
	_, err := p.Append(t.Context(), late)
	must(t, "Append of a late message", err)
	equal(t, "days due after", []int64{1}, due())
	put(0, 1)
	list, err := p.Days(t.Context(), id, int64(at/halley.Day), int64(at/halley.Day)+1)
	must(t, "Days", err)
	if len(list) != 1 || list[0].Received != 24 {
		t.Errorf("the count of the removed day is %+v, want 24 received", list)
	}
}

func removedNewest(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(at+halley.Hour, 3), d.Message(at+2*halley.Hour, 5)))
	p.bury(t, at, 1)
	// In steps, so that the open hour is looked at again when some rows are gone.
	equal(t, "rows", int64(2), p.remove(t, at, 1))
	want := []storage.Bucket{{Start: at, Count: 2, Min: 3, Max: 5, Sum: 8}}
	p.rollUp(t, 1000)
	equal(t, "the day's figure", want, p.buckets(t, 1, at, at+halley.Day, halley.Day))
	f.Append(t, d.Upload(0, d.Message(at+2*halley.Day, 9)), d.Upload(0, d.Message(at+3*halley.Day, 10)))
	p.rollUp(t, 1000)
	want = append(want, storage.Bucket{Start: at + 2*halley.Day, Count: 1, Min: 9, Max: 9, Sum: 9})
	equal(t, "the days' figures", want, p.buckets(t, 1, at, at+3*halley.Day, halley.Day))
	CheckLedger(t, p)
}

func removedIdentities(t *testing.T, p *plot) {
	at, f, d := p.removalDay(), p.feed(), WiFi(p.serial(1), 1)
	d.Key.Family = halley.Modem
	m, next := d.Message(at+halley.Hour, 3), d.Message(at+halley.Day+halley.Hour, 4)
	m.Clock, next.Clock = halley.ClockLocalOrUTC, halley.ClockLocalOrUTC
	u := d.Upload(0, m)
	u.ReceivedAt = at + halley.Hour
	v := d.Upload(0, next)
	v.ReceivedAt = at + halley.Day + halley.Hour
	f.Append(t, u, v)
	equal(t, "both again", 2, f.Append(t, u, v).Duplicates)
	p.bury(t, at, 1)
	equal(t, "rows", int64(1), p.remove(t, at, 10))
	again := f.Batch(u, v)
	again.RecordedAt = Start + 11*halley.Day
	got, err := p.Append(t.Context(), again)
	must(t, "Append of both after the removal", err)
	equal(t, "the removed one is new, the other a duplicate", [2]int{1, 1}, [2]int{got.Messages, got.Duplicates})
	CheckLedger(t, p)
}
