package storagetest

import (
	"cmp"
	"slices"
	"testing"

	"halley"
	"halley/storage"
)

func completenessTests() []test {
	return []test{
		{"days are due from a device's first message on, oldest first", daysDue},
		{"days that were put are listed and no longer due", daysPut},
		{"late messages, duplicates and conflicts make a day due again", daysWrong},
		{"a change between DaysDue and PutDays keeps the day due", daysChanged},
		{"a node whose clock is behind makes a day due again", daysByOtherClock},
		{"many days are put at once", manyDays},
		{"days that cannot be are refused", badDays},
		{"days of all devices are listed in pages", allDays},
	}
}

// firstDay is the UTC day on which the builders begin.
const firstDay = int64(Start / halley.Day)

// due gives the days of the plot's devices that are due before a day, as plot device and day.
func due(t *testing.T, p *plot, before int64) []storage.DeviceDay {
	t.Helper()
	all, err := p.DaysDue(t.Context(), before, 1_000_000)
	must(t, "DaysDue", err)
	if !slices.IsSortedFunc(all, func(x, y storage.DeviceDay) int { return cmp.Compare(x.Day, y.Day) }) {
		t.Errorf("DaysDue = %+v, want the oldest first", all)
	}
	list := slices.DeleteFunc(all, func(x storage.DeviceDay) bool { return x.Device <= p.lastDevice })
	slices.SortFunc(list, func(x, y storage.DeviceDay) int {
		return cmp.Or(cmp.Compare(x.Device, y.Device), cmp.Compare(x.Day, y.Day))
	})
	return list
}

// daysOf gives the days of due that belong to a device, counted from firstDay.
func daysOf(list []storage.DeviceDay, id halley.DeviceID) []int64 {
	days := []int64{}
	for _, x := range list {
		if x.Device == id {
			days = append(days, x.Day-firstDay)
		}
	}
	return days
}

// count gives a row for each day, whose numbers all differ.
func count(list []storage.DeviceDay, base int64) []storage.DayCount {
	rows := []storage.DayCount{}
	for _, x := range list {
		n := base + 10*x.Day
		rows = append(rows, storage.DayCount{
			DeviceDay: x, Expected: n + 1, Received: n + 2, Late: n + 3, Missing: n + 4, Uncertain: n + 5, Duplicates: n + 6,
			Conflicts: n + 7, Extra: n + 8,
		})
	}
	return rows
}

// put writes a row for each day.
func put(t *testing.T, p *plot, list []storage.DeviceDay, base int64) []storage.DayCount {
	t.Helper()
	rows := count(list, base)
	must(t, "PutDays", p.PutDays(t.Context(), Maintenance(t, p), rows))
	return rows
}

// days gives the rows of a device, without their revisions.
func days(t *testing.T, p *plot, id halley.DeviceID, from, to int64) []storage.DayCount {
	t.Helper()
	list, err := p.Days(t.Context(), id, from, to)
	must(t, "Days", err)
	return unrevised(list)
}

func unrevised(list []storage.DayCount) []storage.DayCount {
	list = slices.Clone(list)
	for i := range list {
		list[i].Revision = 0
	}
	return list
}

// daysDue is the first on its store, so that no other device has days.
func daysDue(t *testing.T, p *plot) {
	f := p.feed()
	empty, err := p.DaysDue(t.Context(), firstDay+100, 10)
	must(t, "DaysDue", err)
	equal(t, "due in an empty store", []storage.DeviceDay{}, empty)
	early, late, announced, suspended := WiFi(p.serial(1), 1), WiFi(p.serial(2), 1), WiFi(p.serial(3), 1), WiFi(p.serial(4), 1)
	announced.Admission = storage.Announce
	f.Append(t, early.Upload(0, early.Message(Start+halley.Day-1, 1)), announced.Upload(0, announced.Message(Start, 1)),
		late.Upload(0, late.Message(Start+halley.Day, 1), late.Message(Start+9*halley.Day, 1)),
		suspended.Upload(0, suspended.Message(Start, 1), suspended.Message(Start+halley.Day, 1)))
	_, err = p.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi, Serial: p.serial(5)}, "", By("eva"))
	must(t, "Register", err)
	state := func(serial string, to halley.DeviceState) {
		t.Helper()
		_, err := p.ChangeDevice(t.Context(), DeviceOf(t, p, serial).ID, storage.DeviceUpdate{State: &to}, By("eva"))
		must(t, "ChangeDevice", err)
	}
	check := func(what string, before int64, want [5][]int64) {
		t.Helper()
		list := due(t, p, firstDay+before)
		for i, serial := range []string{p.serial(1), p.serial(2), p.serial(3), p.serial(4), p.serial(5)} {
			equal(t, what+": "+serial[4:], want[i], daysOf(list, DeviceOf(t, p, serial).ID))
		}
	}
	none := []int64{}
	for _, s := range []halley.DeviceState{halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired} {
		state(p.serial(4), s)
		check("before the fifth day, the fourth "+string(s), 4,
			[5][]int64{{0, 1, 2, 3}, {1, 2, 3}, none, {0, 1}, none})
	}
	check("before the first day", 0, [5][]int64{none, none, none, none, none})
	check("before the second day", 1, [5][]int64{{0}, none, none, {0}, none})
	state(p.serial(4), halley.DeviceAccepted)
	check("accepted again", 3, [5][]int64{{0, 1, 2}, {1, 2}, none, {0, 1, 2}, none})
	all, err := p.DaysDue(t.Context(), firstDay+3, 100)
	must(t, "DaysDue", err)
	for limit := range all {
		part, err := p.DaysDue(t.Context(), firstDay+3, limit+1)
		must(t, "DaysDue", err)
		got, want := []int64{}, []int64{}
		for i := range part {
			got, want = append(got, part[i].Day), append(want, all[i].Day)
		}
		equal(t, "the oldest days", want, got)
		equal(t, "as many as asked for", limit+1, len(part))
	}
}

func daysPut(t *testing.T, p *plot) {
	f, d, other := p.feed(), WiFi(p.serial(1), 1), WiFi(p.serial(2), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)), other.Upload(0, other.Message(Start, 1)))
	rows := put(t, p, due(t, p, firstDay+5), 0)
	equal(t, "due afterwards", []storage.DeviceDay{}, due(t, p, firstDay+5))
	equal(t, "due on the next day", []int64{5}, daysOf(due(t, p, firstDay+6), p.device(t, 1)))
	want := unrevised(rows[:5])
	id := p.device(t, 1)
	for _, c := range []struct {
		name     string
		from, to int64
		want     []storage.DayCount
	}{
		{"all", 0, 1 << 40, want},
		{"the first is within, the last is not", firstDay + 1, firstDay + 3, want[1:3]},
		{"one", firstDay + 4, firstDay + 5, want[4:]},
		{"none", firstDay + 2, firstDay + 2, []storage.DayCount{}},
		{"before all", firstDay - 9, firstDay, []storage.DayCount{}},
		{"a range that runs backwards", firstDay + 3, firstDay, []storage.DayCount{}},
	} {
		equal(t, c.name, c.want, days(t, p, id, c.from, c.to))
	}
	equal(t, "of no device", []storage.DayCount{}, days(t, p, 1<<40, 0, 1<<40))
	// A row is written over what is there, also where it was not due.
	again := []storage.DayCount{rows[2]}
	again[0].Missing, again[0].Extra = 99, 0
	must(t, "PutDays", p.PutDays(t.Context(), Maintenance(t, p), again))
	must(t, "PutDays of none", p.PutDays(t.Context(), Maintenance(t, p), nil))
	want[2] = unrevised(again)[0]
	p.reopen(t)
	equal(t, "after writing over one and opening again", want, days(t, p, id, 0, 1<<40))
	equal(t, "due after writing over one", []storage.DeviceDay{}, due(t, p, firstDay+5))
}

func daysWrong(t *testing.T, p *plot) {
	f, d, other := p.feed(), WiFi(p.serial(1), 1), WiFi(p.serial(2), 1)
	first := d.Message(Start+10*halley.Hour, 1)
	f.Append(t, d.Upload(0, first, d.Message(Start+4*halley.Day, 1)), other.Upload(0, other.Message(Start, 1)))
	put(t, p, due(t, p, firstDay+4), 0)
	id := p.device(t, 1)
	for _, c := range []struct {
		name     string
		m        halley.Message
		received halley.Millis
		want     []int64
	}{
		{"a late message", d.Message(Start+3*halley.Day-1, 1), Start + 5*halley.Day, []int64{2}},
		{"a late message of the first hour of a day", d.Message(Start+3*halley.Day, 1), Start + 5*halley.Day, []int64{3}},
		{"a message of before the first", d.Message(Start-halley.Day, 1), Start + 5*halley.Day, []int64{-1}},
		{"another message of a day's last hour", d.Message(Start+halley.Day-1, 1), Start + 5*halley.Day, []int64{0}},
		{"a duplicate", first, Start + 20*halley.Hour, []int64{0}},
		{"a conflict", changed(first, 1), Start + 20*halley.Hour, []int64{0}},
	} {
		recordLater(t, f, d.Upload(0, c.m), c.received)
		list := due(t, p, firstDay+4)
		equal(t, "due after "+c.name, c.want, daysOf(list, id))
		equal(t, "due of another device after "+c.name, []int64{}, daysOf(list, p.device(t, 2)))
		put(t, p, list, 7)
		equal(t, "due after counting anew", []storage.DeviceDay{}, due(t, p, firstDay+4))
	}
	// A repeat is counted on the day of its receipt.
	recordLater(t, f, d.Upload(0, first), Start+3*halley.Day)
	if got := daysOf(due(t, p, firstDay+4), id); !slices.Contains(got, 3) {
		t.Errorf("due after a repeat on the fourth day are %d, want the fourth", got)
	}
	equal(t, "rows", 5, len(days(t, p, id, 0, 1<<40)))
	// Nothing is left over, so that the tests that follow begin with all days settled.
	put(t, p, due(t, p, firstDay+4), 8)
}

// recordLater stores an upload that was received at an instant and waited in the journal until five days after Start.
func recordLater(t *testing.T, f *plotFeed, u storage.Upload, received halley.Millis) {
	t.Helper()
	u.ReceivedAt = received
	b := f.Batch(u)
	b.RecordedAt = Start + 5*halley.Day
	_, err := f.p.Append(t.Context(), b)
	must(t, "Append", err)
}

func daysChanged(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1), d.Message(Start+3*halley.Day, 1)))
	seen := due(t, p, firstDay+3)
	f.Append(t, cached(d, Start+halley.Day))
	// Looking again, as another server does, takes nothing from what the first one must find.
	equal(t, "days due in between", 3, len(due(t, p, firstDay+3)))
	rows := put(t, p, seen, 0)
	id := p.device(t, 1)
	equal(t, "rows", unrevised(rows), days(t, p, id, 0, 1<<40))
	left := due(t, p, firstDay+3)
	equal(t, "due after putting what was counted before a change", []int64{1}, daysOf(left, id))
	f.Append(t, cached(d, Start+halley.Day+1))
	put(t, p, left, 1)
	left = due(t, p, firstDay+3)
	equal(t, "due after one more change", []int64{1}, daysOf(left, id))
	p.reopen(t)
	equal(t, "due after opening again", left, due(t, p, firstDay+3))
	put(t, p, left, 2)
	equal(t, "due when nothing changed", []int64{}, daysOf(due(t, p, firstDay+3), id))
	// A device that reports on other days does not make these due.
	f.Append(t, d.Upload(0, d.Message(Start+3*halley.Day+1, 1)))
	equal(t, "due after a message of a day that is not over", []int64{}, daysOf(due(t, p, firstDay+3), id))
}

// cached gives an upload of a message that waited in its device until four days after Start.
func cached(d *Device, at halley.Millis) storage.Upload {
	u := d.Upload(0, d.Message(at, 1))
	u.ReceivedAt = Start + 4*halley.Day
	return u
}

// daysByOtherClock has a node count a day that is over by its clock, and another, whose clock is some minutes behind or which was
// held up between taking the time and storing, record a message of it.
func daysByOtherClock(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)))
	put(t, p, due(t, p, firstDay+1), 0)
	u := d.Upload(0, d.Message(Start+halley.Day-10*halley.Minute, 1))
	b := f.Batch(u)
	b.RecordedAt = Start + halley.Day - 5*halley.Minute
	_, err := p.Append(t.Context(), b)
	must(t, "Append", err)
	equal(t, "due", []int64{0}, daysOf(due(t, p, firstDay+1), p.device(t, 1)))
}

func manyDays(t *testing.T, p *plot) {
	const length = 400
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1), d.Message(Start+(length-1)*halley.Day, 1)))
	list := due(t, p, firstDay+length)
	equal(t, "due", length, len(list))
	rows := put(t, p, list, 0)
	equal(t, "rows", unrevised(rows), days(t, p, p.device(t, 1), firstDay, firstDay+length))
	equal(t, "due afterwards", []storage.DeviceDay{}, due(t, p, firstDay+length))
	late := d.Upload(0, d.Message(Start+200*halley.Day, 1))
	late.ReceivedAt = Start + length*halley.Day
	f.Append(t, late)
	equal(t, "due after a late message", []int64{200}, daysOf(due(t, p, firstDay+length), p.device(t, 1)))
}

func badDays(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)))
	list := due(t, p, firstDay+3)
	for name, spoil := range map[string]func(c *storage.DayCount){
		"a count below 0":      func(c *storage.DayCount) { c.Missing = -1 },
		"a day that cannot be": func(c *storage.DayCount) { c.Day = -1 },
	} {
		rows := count(list, 0)
		spoil(&rows[1])
		err := p.PutDays(t.Context(), Maintenance(t, p), rows)
		wantKind(t, "PutDays with "+name, err, halley.Invalid)
	}
	equal(t, "rows after refusals", []storage.DayCount{}, days(t, p, p.device(t, 1), 0, 1<<40))
}

// allDays puts three days of three devices and lists them whole and in pages of every length.
func allDays(t *testing.T, p *plot) {
	f := p.feed()
	for n := 1; n <= 3; n++ {
		d := WiFi(p.serial(n), 1)
		f.Append(t, d.Upload(0, d.Message(Start, 1)))
	}
	own := func(list []storage.DayCount) []storage.DayCount {
		return slices.DeleteFunc(unrevised(list), func(x storage.DayCount) bool { return x.Device <= p.lastDevice })
	}
	want := own(put(t, p, due(t, p, firstDay+3), 0))
	slices.SortFunc(want, func(x, y storage.DayCount) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Device, y.Device))
	})
	all, err := p.AllDays(t.Context(), firstDay, firstDay+3, 0, 1_000_000)
	must(t, "AllDays", err)
	equal(t, "rows", 9, len(want))
	equal(t, "all days", want, own(all))
	for limit := 1; limit <= 10; limit++ {
		var paged []storage.DayCount
		for from, after := firstDay, p.lastDevice; ; {
			page, err := p.AllDays(t.Context(), from, firstDay+3, after, limit)
			must(t, "AllDays", err)
			if len(page) > limit {
				t.Fatalf("a page of %d has %d rows", limit, len(page))
			}
			paged = append(paged, page...)
			if len(page) < limit {
				break
			}
			last := page[len(page)-1]
			from, after = last.Day, last.Device
		}
		equal(t, "in pages", want, own(paged))
	}
	second, err := p.AllDays(t.Context(), firstDay+1, firstDay+2, p.device(t, 1), 100)
	must(t, "AllDays", err)
	equal(t, "the second day behind the first device", want[4:6], own(second))
	for name, days := range map[string][2]int64{"an empty range": {firstDay, firstDay}, "one that runs backwards": {firstDay + 2, firstDay}} {
		none, err := p.AllDays(t.Context(), days[0], days[1], 0, 100)
		must(t, "AllDays", err)
		equal(t, name, []storage.DayCount{}, none)
	}
}
