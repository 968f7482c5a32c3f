package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"halley"
	"halley/storage"
)

func attachTests() []test {
	return []test{
		{"a device is accepted at a place that is there", acceptedAtPlace},
		{"a device is accepted at a new place of an organization", acceptedAtNewPlace},
		{"a device is accepted at no place", acceptedNowhere},
		{"where a device comes to be is said once", placedOnce},
		{"a device at no place moves to an organization", deviceMoves},
		{"what a device at no place measured stays behind when it moves", movesWithoutHistory},
		{"a channel is at one place after the other", oneAfterTheOther},
		{"channels of several devices move in one change", manyAttached},
		{"a device of which the channels are at several places is at none", scattered},
		{"what is so already is not changed", nothingAttached},
		{"what cannot be attached is refused", unfitAttachments},
		{"a series is continued by one channel at a time", seriesUse},
		{"attachments are listed in pages by their age", attachmentPages},
		{"attachments are in the ledger", attachmentLedger},
		{"what a channel that moved was called is told, of others not", formerNames},
	}
}

// announced makes a device that waits for a decision, with so many channels, and gives its builder and its id.
func (p *plot) announced(t testing.TB, n, channels int) (*Device, halley.DeviceID) {
	t.Helper()
	d := WiFi(p.serial(n), channels)
	d.Admission = storage.Announce
	p.feedOf(100+n).Append(t, d.Upload(0, d.Message(Start, 20)))
	d.Admission = storage.Known
	return d, DeviceOf(t, p, p.serial(n)).ID
}

// sensor makes a device with so many channels that is accepted at a place of its own, and has sent a message at Start.
func (p *plot) sensor(t testing.TB, n, channels int) (*Device, *plotFeed) {
	t.Helper()
	d, f := WiFi(p.serial(n), channels), p.feedOf(n)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	d.Admission = storage.Known
	return d, f
}

// nowhere makes a device that is accepted at no place of an organization, and gives its id.
func (p *plot) nowhere(t testing.TB, n int, of halley.OrganizationID) halley.DeviceID {
	t.Helper()
	_, id := p.announced(t, n, 1)
	_, err := p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{
		State: new(halley.DeviceAccepted), Placing: &storage.Placing{PlaceID: new(halley.PlaceID(0)), OrganizationID: of},
	}, By("eva"))
	must(t, "ChangeDevice", err)
	return id
}

// channelIDs gives the channels of a device by its serial number, also those that ended, by id.
func (p *plot) channelIDs(t testing.TB, serial string) []halley.ChannelID {
	t.Helper()
	ids := []halley.ChannelID{}
	for _, c := range ChannelsOf(t, p, serial) {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

// attached lists the attachments of some channels, in the order of the channels and then of their age, without ids.
func (p *plot) attached(t testing.TB, channels ...halley.ChannelID) []halley.Attachment {
	t.Helper()
	all := []halley.Attachment{}
	for after := int64(0); ; {
		page, err := p.AllAttachments(t.Context(), after, 1000)
		must(t, "AllAttachments", err)
		if len(page) == 0 {
			break
		}
		all, after = append(all, page...), page[len(page)-1].ID
	}
	list := []halley.Attachment{}
	for _, ch := range channels {
		for _, a := range all {
			if a.ChannelID == ch {
				a.ID = 0
				list = append(list, a)
			}
		}
	}
	return list
}

// attach attaches one channel and ends the test where it cannot.
func (p *plot) attach(t testing.TB, ch halley.ChannelID, place halley.PlaceID, from halley.Millis) {
	t.Helper()
	_, err := p.Attach(t.Context(), []halley.Attachment{{ChannelID: ch, PlaceID: place, From: from}}, By("eva"))
	must(t, "Attach", err)
}

func acceptedAtPlace(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	x := p.place(t, "Cold room", o.ID)
	d, id := p.announced(t, 1, 2)
	got, err := p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{
		State: new(halley.DeviceAccepted), Placing: &storage.Placing{PlaceID: &x.ID},
	}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "place and organization", []int64{int64(x.ID), int64(o.ID)}, []int64{int64(got.PlaceID), int64(got.OrganizationID)})
	equal(t, "acts", []string{"organization.add", "place.add", "device.announce", "device.accept", "place.attach"}, p.whats(t))
	equal(t, "audit", []string{
		"device.accept", fmt.Sprint("device ", id), `{"state":"new"}`, fmt.Sprintf(`{"place_id":%d,"state":"accepted"}`, x.ID),
	}, p.said(t, 3))
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	list := p.channelIDs(t, p.serial(1))
	equal(t, "attachments", []halley.Attachment{
		{ChannelID: list[0], PlaceID: x.ID, From: halley.EarliestMillis, Series: list[0]},
		{ChannelID: list[1], PlaceID: x.ID, From: halley.EarliestMillis, Series: list[1]},
	}, p.attached(t, list...))
	equal(t, "the device after its first message", got, DeviceOf(t, p, p.serial(1)))
}

func acceptedAtNewPlace(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	_, id := p.announced(t, 1, 1)
	got, err := p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{
		Name: new("Sensor 7"), State: new(halley.DeviceAccepted), Placing: &storage.Placing{OrganizationID: o.ID, PlaceName: "Cold room"},
	}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "name and organization", []any{"Sensor 7", o.ID}, []any{got.Name, got.OrganizationID})
	equal(t, "the place", []halley.Place{
		{ID: got.PlaceID, OrganizationID: o.ID, Name: "Cold room", From: By("").At},
	}, p.placesOf(t, got.PlaceID))
	equal(t, "audit", fmt.Sprintf(`{"organization_id":%d,"place":"Cold room","state":"accepted"}`, o.ID), p.said(t, -1)[3])
	_, id = p.announced(t, 2, 1)
	got, err = p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{
		State: new(halley.DeviceAccepted), Placing: &storage.Placing{OrganizationID: o.ID},
	}, By("eva"))
	must(t, "ChangeDevice without a name of the place", err)
	equal(t, "the place's name", "Sensor "+p.serial(2), p.placesOf(t, got.PlaceID)[0].Name)
}

func acceptedNowhere(t *testing.T, p *plot) {
	o := p.organization(t, p.name("A"), 0)
	id := p.nowhere(t, 1, o.ID)
	got := DeviceOf(t, p, p.serial(1))
	equal(t, "the device", []any{halley.DeviceAccepted, halley.PlaceID(0), o.ID}, []any{got.State, got.PlaceID, got.OrganizationID})
	d := WiFi(p.serial(1), 2)
	d.Admission, d.Name = storage.Known, "another name"
	equal(t, "samples", 2, p.feed().Append(t, d.Upload(0, d.Message(Start, 20))).Samples)
	equal(t, "attachments", []halley.Attachment{}, p.attached(t, p.channelIDs(t, p.serial(1))...))
	// Neither its messages nor a pause make a place of it.
	for _, state := range []halley.DeviceState{halley.DeviceSuspended, halley.DeviceAccepted} {
		_, err := p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{State: &state}, By("eva"))
		must(t, "ChangeDevice", err)
	}
	got = DeviceOf(t, p, p.serial(1))
	equal(t, "the device later", []any{"another name", halley.PlaceID(0), o.ID}, []any{got.Name, got.PlaceID, got.OrganizationID})
	p.reopen(t)
	equal(t, "the device after opening again", got, DeviceOf(t, p, p.serial(1)))
}

func placedOnce(t *testing.T, p *plot) {
	x := p.place(t, "Cold room", 0)
	shut := p.place(t, "shut", 0)
	_, err := p.ChangePlace(t.Context(), shut.ID, storage.PlaceUpdate{Closed: new(true)}, By("eva"))
	must(t, "closing", err)
	_, id := p.announced(t, 1, 1)
	acts := len(p.whats(t))
	to := func(state *halley.DeviceState, at storage.Placing) error {
		_, err := p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{State: state, Placing: &at}, By("eva"))
		return err
	}
	accepted := new(halley.DeviceAccepted)
	wantKind(t, "no acceptance", to(nil, storage.Placing{}), halley.Invalid)
	wantKind(t, "another state", to(new(halley.DeviceRejected), storage.Placing{}), halley.Invalid)
	wantKind(t, "a bad name", to(accepted, storage.Placing{PlaceName: "a\nb"}), halley.Invalid)
	wantKind(t, "a place that is not there", to(accepted, storage.Placing{PlaceID: new(halley.PlaceID(1 << 40))}), halley.NotFound)
	wantKind(t, "an organization that is not there", to(accepted, storage.Placing{OrganizationID: 1 << 40}), halley.NotFound)
	wantCode(t, "a closed place", to(accepted, storage.Placing{PlaceID: &shut.ID}), halley.Conflict, "place-closed")
	equal(t, "acts after refusals", acts, len(p.whats(t)))
	equal(t, "state after refusals", halley.DeviceNew, DeviceOf(t, p, p.serial(1)).State)
	must(t, "an acceptance", to(accepted, storage.Placing{PlaceID: &x.ID}))
	wantCode(t, "saying it again", to(accepted, storage.Placing{PlaceID: &x.ID}), halley.Conflict, "accepted-before")
	_, err = p.ChangeDevice(t.Context(), id, storage.DeviceUpdate{State: new(halley.DeviceSuspended)}, By("eva"))
	must(t, "suspending", err)
	wantCode(t, "saying it later", to(accepted, storage.Placing{}), halley.Conflict, "accepted-before")
	// One that was rejected before it was ever accepted is accepted for the first time.
	_, other := p.announced(t, 2, 1)
	_, err = p.ChangeDevice(t.Context(), other, storage.DeviceUpdate{State: new(halley.DeviceRejected)}, By("eva"))
	must(t, "rejecting", err)
	got, err := p.ChangeDevice(t.Context(), other, storage.DeviceUpdate{State: accepted, Placing: &storage.Placing{PlaceID: &x.ID}}, By("eva"))
	must(t, "accepting after all", err)
	equal(t, "its place", x.ID, got.PlaceID)
}

func deviceMoves(t *testing.T, p *plot) {
	a, b := p.organization(t, p.name("A"), 0), p.organization(t, p.name("B"), 0)
	id := p.nowhere(t, 1, a.ID)
	got, err := p.MoveDevice(t.Context(), id, b.ID, By("eva"))
	must(t, "MoveDevice", err)
	equal(t, "organization", b.ID, got.OrganizationID)
	equal(t, "audit", []string{
		"device.move", fmt.Sprint("device ", id), fmt.Sprintf(`{"organization_id":%d}`, a.ID), fmt.Sprintf(`{"organization_id":%d}`, b.ID),
	}, p.said(t, -1))
	before := version(t, p)
	_, err = p.MoveDevice(t.Context(), id, b.ID, By("eva"))
	must(t, "MoveDevice to where it is", err)
	equal(t, "version", before, version(t, p))
	got, err = p.MoveDevice(t.Context(), id, 0, By("eva"))
	must(t, "MoveDevice to the root", err)
	equal(t, "organization", halley.RootOrganization, got.OrganizationID)
	_, err = p.MoveDevice(t.Context(), id, 1<<40, By("eva"))
	wantKind(t, "to what is not there", err, halley.NotFound)
	_, err = p.MoveDevice(t.Context(), 1<<40, a.ID, By("eva"))
	wantKind(t, "a device that is not there", err, halley.NotFound)
	p.sensor(t, 2, 1)
	_, err = p.MoveDevice(t.Context(), DeviceOf(t, p, p.serial(2)).ID, a.ID, By("eva"))
	wantCode(t, "a device at a place", err, halley.Conflict, "attached")
	_, waiting := p.announced(t, 3, 1)
	_, err = p.MoveDevice(t.Context(), waiting, a.ID, By("eva"))
	wantCode(t, "a device that is new", err, halley.Conflict, "not-accepted")
}

func movesWithoutHistory(t *testing.T, p *plot) {
	a, b := p.organization(t, p.name("A"), 0), p.organization(t, p.name("B"), 0)
	id := p.nowhere(t, 1, a.ID)
	p.feed().Append(t, WiFi(p.serial(1), 1).Upload(0, WiFi(p.serial(1), 1).Message(Start, 20)))
	ch := p.channel(t, 1)
	move := func(to halley.OrganizationID, at halley.Millis) {
		by := By("eva")
		by.At = at
		_, err := p.MoveDevice(t.Context(), id, to, by)
		must(t, "MoveDevice", err)
	}
	at := By("eva").At
	move(b.ID, at)
	move(a.ID, at) // Two acts of one instant: the later one begins after the earlier one.
	equal(t, "attachments", []halley.Attachment{{ChannelID: ch, From: at}, {ChannelID: ch, From: at + 1}}, p.attached(t, ch))
	x := p.place(t, "Cold room", a.ID)
	_, err := p.Attach(t.Context(), []halley.Attachment{{ChannelID: ch, PlaceID: x.ID, From: Start}}, By("eva"))
	wantKind(t, "attaching from before it came", err, halley.Conflict)
}

func oneAfterTheOther(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 1)
	o := p.organization(t, p.name("A"), 0)
	own, other := DeviceOf(t, p, p.serial(1)).PlaceID, p.place(t, "other", o.ID)
	ch := p.channel(t, 1)
	list, err := p.Attach(t.Context(), []halley.Attachment{{ID: 5, ChannelID: ch, PlaceID: other.ID, From: Start + halley.Hour}}, By("eva"))
	must(t, "Attach", err)
	equal(t, "what was attached", []halley.Attachment{
		{ID: list[0].ID, ChannelID: ch, PlaceID: other.ID, From: Start + halley.Hour, Series: ch},
	}, list)
	dev := DeviceOf(t, p, p.serial(1))
	equal(t, "place and organization", []int64{int64(other.ID), int64(o.ID)}, []int64{int64(dev.PlaceID), int64(dev.OrganizationID)})
	told := fmt.Sprintf(`{"channels":[{"device_id":%d,"channel_id":%d,"at":"2026-06-01T01:00:00.000Z"}]}`, dev.ID, ch)
	equal(t, "audit of the place that it left", []string{"place.detach", fmt.Sprint("place ", own), told, ""}, p.said(t, -2))
	equal(t, "audit of the place that it came to", []string{"place.attach", fmt.Sprint("place ", other.ID), "", told}, p.said(t, -1))
	list, err = p.Attach(t.Context(), []halley.Attachment{{ChannelID: ch, From: Start + 2*halley.Hour, Series: ch}}, By("eva"))
	must(t, "taking it away", err)
	equal(t, "what was taken away", []halley.Attachment{{ID: list[0].ID, ChannelID: ch, From: Start + 2*halley.Hour}}, list)
	dev = DeviceOf(t, p, p.serial(1))
	equal(t, "place and organization at no place", []int64{0, int64(o.ID)}, []int64{int64(dev.PlaceID), int64(dev.OrganizationID)})
	equal(t, "the newest act", "place.detach", p.said(t, -1)[0])
	p.attach(t, ch, own, Start+3*halley.Hour)
	equal(t, "all attachments", []halley.Attachment{
		{ChannelID: ch, PlaceID: own, From: halley.EarliestMillis, Series: ch},
		{ChannelID: ch, PlaceID: other.ID, From: Start + halley.Hour, Series: ch},
		{ChannelID: ch, From: Start + 2*halley.Hour},
		{ChannelID: ch, PlaceID: own, From: Start + 3*halley.Hour, Series: ch},
	}, p.attached(t, ch))
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "the device after a message", own, DeviceOf(t, p, p.serial(1)).PlaceID)
	visits, err := p.Attachments(t.Context(), own, Start, Start+halley.Day)
	must(t, "Attachments", err)
	equal(t, "who was at its first place", []storage.Attachment{
		{Channel: ch, Device: dev.ID, Place: own, From: halley.EarliestMillis, To: Start + halley.Hour},
		{Channel: ch, Device: dev.ID, Place: own, From: Start + 3*halley.Hour, To: halley.LatestMillis},
	}, visits)
}

func manyAttached(t *testing.T, p *plot) {
	p.sensor(t, 1, 2)
	p.sensor(t, 2, 1)
	x := p.place(t, "x", 0)
	first, second := p.channelIDs(t, p.serial(1)), p.channelIDs(t, p.serial(2))
	before := len(p.whats(t))
	_, err := p.Attach(t.Context(), []halley.Attachment{
		{ChannelID: first[0], PlaceID: x.ID, From: Start + 1},
		{ChannelID: first[1], From: Start + 2},
		{ChannelID: second[0], PlaceID: x.ID, From: Start + 3},
	}, By("eva"))
	must(t, "Attach", err)
	// The places that they left, and the one that two came to.
	equal(t, "acts", []string{"place.detach", "place.attach", "place.detach"}, p.whats(t)[before:])
	equal(t, "places", []halley.PlaceID{0, x.ID}, []halley.PlaceID{
		DeviceOf(t, p, p.serial(1)).PlaceID, DeviceOf(t, p, p.serial(2)).PlaceID,
	})
	last, err := p.Attach(t.Context(), []halley.Attachment{
		{ChannelID: first[0], From: Start + 10}, {ChannelID: 1 << 40, From: Start + 10},
	}, By("eva"))
	wantKind(t, "one of them is not there", err, halley.NotFound)
	equal(t, "what came of it", 0, len(last))
	equal(t, "attachments of the one that is there", 2, len(p.attached(t, first[0])))
}

func scattered(t *testing.T, p *plot) {
	a, b := p.organization(t, p.name("A"), 0), p.organization(t, p.name("B"), 0)
	x, y := p.place(t, "x", a.ID), p.place(t, "y", b.ID)
	d, f := p.sensor(t, 1, 2)
	list := p.channelIDs(t, p.serial(1))
	where := func() []int64 {
		dev := DeviceOf(t, p, p.serial(1))
		return []int64{int64(dev.PlaceID), int64(dev.OrganizationID)}
	}
	p.attach(t, list[0], x.ID, Start+1)
	equal(t, "one of two moved", []int64{0, 1}, where())
	p.attach(t, list[1], x.ID, Start+2)
	equal(t, "both moved", []int64{int64(x.ID), int64(a.ID)}, where())
	p.attach(t, list[1], y.ID, Start+3)
	equal(t, "at two places", []int64{0, int64(a.ID)}, where())
	p.attach(t, list[0], 0, Start+4)
	equal(t, "one at none", []int64{0, int64(a.ID)}, where())
	// A channel that ended does not count.
	d.Channels = d.Channels[1:]
	f.Append(t, d.Upload(0, d.Message(Start+halley.Hour, 20)))
	p.attach(t, list[1], x.ID, Start+2*halley.Hour)
	equal(t, "the only one that has not ended", []int64{int64(x.ID), int64(a.ID)}, where())
}

func nothingAttached(t *testing.T, p *plot) {
	p.sensor(t, 1, 1)
	ch, own := p.channel(t, 1), DeviceOf(t, p, p.serial(1)).PlaceID
	before, acts := version(t, p), len(p.whats(t))
	list, err := p.Attach(t.Context(), []halley.Attachment{{ChannelID: ch, PlaceID: own, From: Start + halley.Hour}}, By("eva"))
	must(t, "attaching to where it is", err)
	equal(t, "what is so", []halley.Attachment{
		{ID: list[0].ID, ChannelID: ch, PlaceID: own, From: halley.EarliestMillis, Series: ch},
	}, list)
	p.nowhere(t, 2, 0)
	equal(t, "attachments", 1, len(p.attached(t, ch)))
	equal(t, "acts", acts+2, len(p.whats(t)))
	if before >= version(t, p) {
		t.Error("the second device moved no version")
	}
}

func unfitAttachments(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 1)
	ch := p.channel(t, 1)
	x := p.place(t, "x", 0)
	to := func(a halley.Attachment) error {
		_, err := p.Attach(t.Context(), []halley.Attachment{a}, By("eva"))
		return err
	}
	_, err := p.Attach(t.Context(), nil, By("eva"))
	wantKind(t, "nothing", err, halley.Invalid)
	_, err = p.Attach(t.Context(), []halley.Attachment{
		{ChannelID: ch, PlaceID: x.ID, From: Start}, {ChannelID: ch, From: Start + 1},
	}, By("eva"))
	wantKind(t, "a channel twice", err, halley.Invalid)
	_, err = p.Attach(t.Context(), []halley.Attachment{{ChannelID: ch, PlaceID: x.ID, From: Start}}, halley.Change{})
	wantKind(t, "by nobody at no time", err, halley.Invalid)
	wantKind(t, "at no time", to(halley.Attachment{ChannelID: ch, PlaceID: x.ID}), halley.Invalid)
	wantKind(t, "a channel that is not there", to(halley.Attachment{ChannelID: 1 << 40, PlaceID: x.ID, From: Start}), halley.NotFound)
	wantKind(t, "a place that is not there", to(halley.Attachment{ChannelID: ch, PlaceID: 1 << 40, From: Start}), halley.NotFound)
	wantCode(t, "at the beginning of time", to(halley.Attachment{ChannelID: ch, PlaceID: x.ID, From: halley.EarliestMillis}), halley.Conflict, "too-early")
	wantKind(t, "a series that is not there", to(halley.Attachment{ChannelID: ch, PlaceID: x.ID, From: Start, Series: 1 << 40}), halley.NotFound)
	p.attach(t, ch, x.ID, Start+halley.Hour)
	for _, early := range []halley.Millis{Start, Start + halley.Hour} {
		wantCode(t, "before it came there", to(halley.Attachment{ChannelID: ch, From: early}), halley.Conflict, "too-early")
	}
	own := DeviceOf(t, p, p.serial(1))
	for _, state := range []halley.DeviceState{halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired} {
		_, err = p.ChangeDevice(t.Context(), own.ID, storage.DeviceUpdate{State: &state}, By("eva"))
		must(t, "ChangeDevice", err)
		y := p.place(t, "y", 0)
		wantCode(t, "of a device that is "+string(state), to(halley.Attachment{ChannelID: ch, PlaceID: y.ID, From: Start + halley.Day}),
			halley.Conflict, "not-accepted")
	}
	// What is retired can still be taken away.
	p.attach(t, ch, 0, Start+halley.Day)
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
}

func seriesUse(t *testing.T, p *plot) {
	p.sensor(t, 1, 1)
	p.sensor(t, 2, 1)
	x := DeviceOf(t, p, p.serial(1)).PlaceID
	old, next := p.channelIDs(t, p.serial(1))[0], p.channelIDs(t, p.serial(2))[0]
	_, err := p.Attach(t.Context(), []halley.Attachment{{ChannelID: next, PlaceID: x, From: Start + 1, Series: old}}, By("eva"))
	wantCode(t, "a series that another continues", err, halley.Conflict, "series-used")
	_, err = p.Attach(t.Context(), []halley.Attachment{
		{ChannelID: old, From: Start + 1}, {ChannelID: next, PlaceID: x, From: Start + 1, Series: old},
	}, By("eva"))
	must(t, "a series that another leaves", err)
	_, err = p.Attach(t.Context(), []halley.Attachment{{ChannelID: old, PlaceID: x, From: Start + 2}}, By("eva"))
	wantCode(t, "its own series, which another continues", err, halley.Conflict, "series-used")
	_, err = p.Attach(t.Context(), []halley.Attachment{
		{ChannelID: old, PlaceID: x, From: Start + 3}, {ChannelID: next, PlaceID: x, From: Start + 3},
	}, By("eva"))
	must(t, "each its own", err)
	equal(t, "attachments", []halley.Attachment{
		{ChannelID: old, PlaceID: x, From: halley.EarliestMillis, Series: old},
		{ChannelID: old, From: Start + 1},
		{ChannelID: old, PlaceID: x, From: Start + 3, Series: old},
		{ChannelID: next, PlaceID: x, From: Start + 3, Series: next},
	}, append(p.attached(t, old), p.attached(t, next)[2]))
}

func attachmentPages(t *testing.T, p *plot) {
	p.sensor(t, 1, 3)
	x := p.place(t, "x", 0)
	ids := p.channelIDs(t, p.serial(1))
	for i, ch := range ids {
		p.attach(t, ch, x.ID, Start+halley.Millis(i))
	}
	all, err := p.AllAttachments(t.Context(), 0, 100_000)
	must(t, "AllAttachments", err)
	got := []halley.Attachment{}
	for after := int64(0); ; {
		page, err := p.AllAttachments(t.Context(), after, 2)
		must(t, "AllAttachments", err)
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1].ID
	}
	equal(t, "pages", all, got)
	if !slices.IsSortedFunc(all, func(a, b halley.Attachment) int { return int(a.ID - b.ID) }) {
		t.Error("attachments are not listed by id")
	}
}

func attachmentLedger(t *testing.T, p *plot) {
	d, f := p.sensor(t, 1, 2)
	x := p.place(t, "x", p.organization(t, p.name("A"), 0).ID)
	for _, ch := range p.channelIDs(t, p.serial(1)) {
		p.attach(t, ch, x.ID, Start+halley.Hour)
	}
	d.Channels[0].Unit = "°F"
	f.Append(t, d.Upload(0, d.Message(Start+2*halley.Hour, 68)))
	CheckLedger(t, p)
}
