package storagetest

import (
	"fmt"
	"testing"

	"halley"
	"halley/storage"
)

func swapTests() []test {
	return []test{
		{"a swapped device continues what the old one measured", swaps},
		{"a swap takes the old device out of service where that is wanted", swapRetires},
		{"a swap takes along the channels that ended", swapOfEnded},
		{"a swap that cannot be is refused and changes nothing", unfitSwaps},
		{"a swap is in the ledger", swapLedger},
	}
}

// swap gives a swap at the place of the plot's first sensor by its second, an hour after Start.
func (p *plot) swap(t testing.TB) storage.Swap {
	t.Helper()
	before, after := DeviceOf(t, p, p.serial(1)), DeviceOf(t, p, p.serial(2))
	return storage.Swap{PlaceID: before.PlaceID, Old: before.ID, New: after.ID, At: Start + halley.Hour}
}

func swaps(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	p.sensor(t, 1, 3)
	d, f := p.sensor(t, 2, 3)
	w := p.swap(t)
	_, err := p.ChangePlace(t.Context(), w.PlaceID, storage.PlaceUpdate{OrganizationID: &o.ID}, By("eva"))
	must(t, "ChangePlace", err)
	former := DeviceOf(t, p, p.serial(2)).PlaceID
	before, after := p.channelIDs(t, p.serial(1)), p.channelIDs(t, p.serial(2))
	w.Channels = []storage.SwappedChannel{{Old: before[0], New: after[1]}, {Old: before[1], New: after[0]}}
	acts := len(p.whats(t))
	list, err := p.Swap(t.Context(), w, By("eva"))
	must(t, "Swap", err)
	equal(t, "how many moved", 6, len(list))
	equal(t, "acts", []string{"device.swap"}, p.whats(t)[acts:])
	equal(t, "audit", []string{
		"device.swap", fmt.Sprint("place ", w.PlaceID),
		fmt.Sprintf(`{"device_id":%d,"serial":%q,"state":"accepted"}`, w.Old, p.serial(1)),
		fmt.Sprintf(`{"at":"2026-06-01T01:00:00.000Z","channels":[{"old":%d,"new":%d},{"old":%d,"new":%d}],"device_id":%d,"retired":false,"serial":%q}`,
			before[0], after[1], before[1], after[0], w.New, p.serial(2)),
	}, p.said(t, -1))
	want := []halley.Attachment{}
	for _, ch := range before {
		want = append(want, halley.Attachment{ChannelID: ch, PlaceID: w.PlaceID, From: halley.EarliestMillis, Series: ch},
			halley.Attachment{ChannelID: ch, From: w.At})
	}
	equal(t, "the old device's channels", want, p.attached(t, before...))
	want = []halley.Attachment{}
	for i, ch := range after {
		want = append(want, halley.Attachment{ChannelID: ch, PlaceID: former, From: halley.EarliestMillis, Series: ch},
			halley.Attachment{ChannelID: ch, PlaceID: w.PlaceID, From: w.At, Series: []halley.ChannelID{before[1], before[0], ch}[i]})
	}
	equal(t, "the new device's channels", want, p.attached(t, after...))
	x, y := DeviceOf(t, p, p.serial(1)), DeviceOf(t, p, p.serial(2))
	equal(t, "the old device", []any{halley.DeviceAccepted, halley.PlaceID(0), o.ID}, []any{x.State, x.PlaceID, x.OrganizationID})
	equal(t, "the new device", []any{halley.DeviceAccepted, w.PlaceID, o.ID}, []any{y.State, y.PlaceID, y.OrganizationID})
	// It goes on with what the device says of itself.
	d.Name = "another"
	f.Append(t, d.Upload(0, d.Message(Start+2*halley.Hour, 20)))
	y.Name = "another"
	equal(t, "the new device after a message", y, DeviceOf(t, p, p.serial(2)))
	p.reopen(t)
	equal(t, "the new device after opening again", y, DeviceOf(t, p, p.serial(2)))
	// And back.
	w.Old, w.New, w.At, w.Channels = w.New, w.Old, w.At+halley.Hour, nil
	_, err = p.Swap(t.Context(), w, By("eva"))
	must(t, "Swap back", err)
	equal(t, "the first device again", w.PlaceID, DeviceOf(t, p, p.serial(1)).PlaceID)
}

func swapRetires(t *testing.T, p *plot) {
	p.sensor(t, 1, 1)
	p.sensor(t, 2, 1)
	w := p.swap(t)
	w.Retire = true
	acts := len(p.whats(t))
	_, err := p.Swap(t.Context(), w, By("eva"))
	must(t, "Swap", err)
	equal(t, "acts", []string{"device.swap"}, p.whats(t)[acts:])
	x := DeviceOf(t, p, p.serial(1))
	equal(t, "the old device", []any{halley.DeviceRetired, halley.PlaceID(0)}, []any{x.State, x.PlaceID})
	// Of a retired device that comes back nobody makes a place.
	_, err = p.ChangeDevice(t.Context(), x.ID, storage.DeviceUpdate{State: new(halley.DeviceAccepted)}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "the old device accepted again", halley.PlaceID(0), DeviceOf(t, p, p.serial(1)).PlaceID)
}

func swapOfEnded(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 1)
	p.sensor(t, 2, 1)
	d.Channels[0].Unit = "°F"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 68)))
	w := p.swap(t)
	before, after := p.channelIDs(t, p.serial(1)), p.channelIDs(t, p.serial(2))
	w.Channels = []storage.SwappedChannel{{Old: before[1], New: after[0]}}
	list, err := p.Swap(t.Context(), w, By("eva"))
	must(t, "Swap", err)
	equal(t, "how many moved", 2, len(list))
	equal(t, "the series goes on", before[0], p.attached(t, after[0])[1].Series)
	equal(t, "the channel that ended", []halley.Attachment{
		{ChannelID: before[0], PlaceID: w.PlaceID, From: halley.EarliestMillis, Series: before[0]},
		{ChannelID: before[0], From: w.At},
	}, p.attached(t, before[0]))
	d.Channels[0].Unit = "°C"
	f.Append(t, d.Upload(0, d.Message(Start+2*halley.Hour, 20)))
	equal(t, "after changing back it is nowhere", 2, len(p.attached(t, before[0])))
}

func unfitSwaps(t *testing.T, p *plot) {
	p.sensor(t, 1, 1)
	d, f := p.sensor(t, 2, 1)
	d.Channels[0].Unit = "°F"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 68)))
	p.sensor(t, 3, 1)
	_, waiting := p.announced(t, 4, 1)
	good := p.swap(t)
	before, after := p.channelIDs(t, p.serial(1)), p.channelIDs(t, p.serial(2))
	other := p.channelIDs(t, p.serial(3))[0]
	shut := p.place(t, "shut", 0)
	_, err := p.ChangePlace(t.Context(), shut.ID, storage.PlaceUpdate{Closed: new(true)}, By("eva"))
	must(t, "closing", err)
	registered, err := p.Register(t.Context(), halley.DeviceKey{Family: halley.WebSensor, Serial: p.serial(5)}, "", By("eva"))
	must(t, "Register", err)
	acts, all := len(p.whats(t)), p.attached(t, append(before, after...)...)
	for _, c := range []struct {
		name   string
		change func(w *storage.Swap)
		kind   halley.Kind
		code   string
	}{
		{"with itself", func(w *storage.Swap) { w.New = w.Old }, halley.Invalid, ""},
		{"at no time", func(w *storage.Swap) { w.At = 0 }, halley.Invalid, ""},
		{"a channel that continues two", func(w *storage.Swap) {
			w.Channels = []storage.SwappedChannel{{Old: before[0], New: after[1]}, {Old: other, New: after[1]}}
		}, halley.Invalid, ""},
		{"a channel that two continue", func(w *storage.Swap) {
			w.Channels = []storage.SwappedChannel{{Old: before[0], New: after[1]}, {Old: before[0], New: other}}
		}, halley.Invalid, ""},
		{"an old device that is not there", func(w *storage.Swap) { w.Old = 1 << 40 }, halley.NotFound, ""},
		{"a new device that is not there", func(w *storage.Swap) { w.New = 1 << 40 }, halley.NotFound, ""},
		{"a place that is not there", func(w *storage.Swap) { w.PlaceID = 1 << 40 }, halley.NotFound, ""},
		{"a channel of another device", func(w *storage.Swap) {
			w.Channels = []storage.SwappedChannel{{Old: other, New: after[1]}}
		}, halley.NotFound, ""},
		{"a channel for another device", func(w *storage.Swap) {
			w.Channels = []storage.SwappedChannel{{Old: before[0], New: other}}
		}, halley.NotFound, ""},
		{"a place where it is not", func(w *storage.Swap) { w.PlaceID = DeviceOf(t, p, p.serial(3)).PlaceID }, halley.Conflict, "not-at-place"},
		{"a closed place", func(w *storage.Swap) { w.PlaceID = shut.ID }, halley.Conflict, "not-at-place"},
		{"a device that waits", func(w *storage.Swap) { w.New = waiting }, halley.Conflict, "no-channels"},
		{"a device that has sent nothing", func(w *storage.Swap) { w.New = registered.ID }, halley.Conflict, "no-channels"},
		{"a channel that has ended", func(w *storage.Swap) {
			w.Channels = []storage.SwappedChannel{{Old: before[0], New: after[0]}}
		}, halley.Conflict, "channel-ended"},
		{"before the new one changed", func(w *storage.Swap) { w.At = Start }, halley.Conflict, "too-early"},
	} {
		w := good
		c.change(&w)
		_, err := p.Swap(t.Context(), w, By("eva"))
		wantKind(t, c.name, err, c.kind)
		if c.code != "" {
			wantCode(t, c.name, err, c.kind, c.code)
		}
	}
	_, err = p.ChangeDevice(t.Context(), good.New, storage.DeviceUpdate{State: new(halley.DeviceSuspended)}, By("eva"))
	must(t, "suspending", err)
	_, err = p.Swap(t.Context(), good, By("eva"))
	wantCode(t, "a device that is suspended", err, halley.Conflict, "not-accepted")
	equal(t, "acts", acts+1, len(p.whats(t)))
	equal(t, "attachments", all, p.attached(t, append(before, after...)...))
}

func swapLedger(t *testing.T, p *plot) {
	p.sensor(t, 1, 2)
	p.sensor(t, 2, 2)
	w := p.swap(t)
	w.Retire = true
	w.Channels = []storage.SwappedChannel{{Old: p.channelIDs(t, p.serial(1))[0], New: p.channelIDs(t, p.serial(2))[0]}}
	_, err := p.Swap(t.Context(), w, By("eva"))
	must(t, "Swap", err)
	CheckLedger(t, p)
}
