package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func deviceTests() []test {
	return []test{
		{"an empty store has nothing and says what it is", emptyStore},
		{"a device that the policy admits is accepted with a place", admitted},
		{"an announced device is new and its messages are not stored", announced},
		{"a known device that the store has lost is accepted again", knownButLost},
		{"a new device that is known elsewhere becomes accepted", newThenKnown},
		{"accepting makes one place and attaches later channels", acceptByPerson},
		{"states change as people decide", stateChanges},
		{"a person's name wins over the device's own", renames},
		{"what the device says of itself follows its newest message", selfReports},
		{"registering makes an accepted device", registers},
		{"devices are listed by filter and page", deviceList},
		{"the simulator's devices are marked", simulated},
	}
}

func emptyStore(t *testing.T, p *plot) {
	devices, err := p.Devices(t.Context(), storage.DeviceFilter{})
	must(t, "Devices", err)
	channels, err := p.Channels(t.Context(), storage.ChannelFilter{})
	must(t, "Channels", err)
	latest, err := p.Latest(t.Context(), nil)
	must(t, "Latest", err)
	position, err := p.Position(t.Context(), p.journal(1))
	must(t, "Position", err)
	if len(devices)+len(channels)+len(latest) != 0 || position != (storage.Position{}) {
		t.Errorf("an empty store has %v, %v, %v, %v", devices, channels, latest, position)
	}
	_, err = p.Device(t.Context(), 0)
	wantKind(t, "Device(0)", err, halley.NotFound)
	_, err = p.Device(t.Context(), 1)
	wantKind(t, "Device(1)", err, halley.NotFound)
	_, err = p.Channel(t.Context(), 1)
	wantKind(t, "Channel(1)", err, halley.NotFound)
	_, err = p.Samples(t.Context(), storage.SampleQuery{Channel: 1, From: Start, To: Start + 1, Limit: 1})
	wantKind(t, "Samples of no channel", err, halley.NotFound)
	_, err = p.Buckets(t.Context(), storage.BucketQuery{Channel: 1, From: Start, To: Start + 1, Width: 1})
	wantKind(t, "Buckets of no channel", err, halley.NotFound)
	info, err := p.Info(t.Context())
	must(t, "Info", err)
	if info.Kind == "" || info.Schema < 1 {
		t.Errorf("Info() = %+v, want a kind and a schema", info)
	}
	if v := version(t, p); v < 1 {
		t.Errorf("RegistryVersion() = %d, want at least 1", v)
	}
}

func admitted(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 3)
	before := version(t, p)
	got := p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	equal(t, "Append", storage.Appended{Messages: 1, Samples: 3, DevicesChanged: true}, got)
	if v := version(t, p); v <= before {
		t.Errorf("RegistryVersion() = %d after a new device, was %d", v, before)
	}
	dev := DeviceOf(t, p, p.serial(1))
	equal(t, "Device", halley.Device{
		ID: dev.ID, DeviceKey: d.Key, Model: "W3710", Name: "Sensor " + p.serial(1), State: halley.DeviceAccepted,
		FirstSeenAt: Start + 2*halley.Second, PlaceID: dev.PlaceID, OrganizationID: halley.RootOrganization,
	}, dev)
	byID, err := p.Device(t.Context(), dev.ID)
	must(t, "Device", err)
	equal(t, "Device by id", dev, byID)
	names, err := p.PlaceNames(t.Context(), []halley.PlaceID{dev.PlaceID, 1 << 40})
	must(t, "PlaceNames", err)
	equal(t, "the place's name", map[halley.PlaceID]string{dev.PlaceID: "Sensor " + p.serial(1)}, names)
	equal(t, "audit", []string{"device.accept"}, p.whats(t))
	list := p.acts(t)
	equal(t, "who accepted", "policy", list[0].Change.Actor.Kind)
	equal(t, "on what", fmt.Sprintf("device %d", dev.ID), list[0].On)
}

func announced(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 2)
	d.Admission = storage.Announce
	f := p.feed()
	got := f.Append(t, d.Upload(0, d.Message(Start, 20)), d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "Append", storage.Appended{DevicesChanged: true}, got)
	dev := DeviceOf(t, p, p.serial(1))
	equal(t, "state", halley.DeviceNew, dev.State)
	equal(t, "place", halley.PlaceID(0), dev.PlaceID)
	equal(t, "channels", 0, len(ChannelsOf(t, p, p.serial(1))))
	got = f.Append(t, d.Upload(0, d.Message(Start+2*halley.Minute, 20)))
	equal(t, "Append of a device that is new already", storage.Appended{}, got)
	equal(t, "audit", []string{"device.announce"}, p.whats(t))
}

func knownButLost(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	d.Admission, d.Name = storage.Known, ""
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	dev := DeviceOf(t, p, p.serial(1))
	equal(t, "state", halley.DeviceAccepted, dev.State)
	equal(t, "name", "W3710 "+p.serial(1), dev.Name)
	if dev.PlaceID == 0 {
		t.Error("the device has no place")
	}
	list := p.acts(t)
	if len(list) != 1 || list[0].What != "device.accept" || list[0].Change.Why == "" {
		t.Errorf("Audit() = %+v, want one acceptance that says why", list)
	}
}

func newThenKnown(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	d.Admission = storage.Announce
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	d.Admission = storage.Known
	got := f.Append(t, d.Upload(0, d.Message(Start, 20)))
	equal(t, "Messages", 1, got.Messages)
	equal(t, "state", halley.DeviceAccepted, DeviceOf(t, p, p.serial(1)).State)
	equal(t, "audit", []string{"device.announce", "device.accept"}, p.whats(t))
}

func acceptByPerson(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	d.Admission = storage.Announce
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	state := halley.DeviceAccepted
	got, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{State: &state}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "state", halley.DeviceAccepted, got.State)
	if got.PlaceID == 0 {
		t.Error("accepting made no place")
	}
	before := version(t, p)
	again, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{State: &state}, By("eva"))
	must(t, "ChangeDevice again", err)
	equal(t, "accepting twice", got, again)
	equal(t, "version after accepting twice", before, version(t, p))
	equal(t, "audit", []string{"device.announce", "device.accept"}, p.whats(t))
	d.Admission = storage.Known
	equal(t, "Messages", 1, f.Append(t, d.Upload(0, d.Message(Start, 20))).Messages)
	equal(t, "audit after the first message", []string{"device.announce", "device.accept"}, p.whats(t))
}

func stateChanges(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	place := DeviceOf(t, p, p.serial(1)).PlaceID
	for _, state := range []halley.DeviceState{
		halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired, halley.DeviceAccepted,
	} {
		got, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{State: &state}, By("eva"))
		must(t, "ChangeDevice", err)
		equal(t, "state", state, got.State)
		equal(t, "place", place, got.PlaceID)
		// What was sent while the device was accepted is still stored.
		d.Admission = storage.Known
		equal(t, "Messages", 1, f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(f.Seq)*halley.Minute, 20))).Messages)
		equal(t, "state after a message", state, DeviceOf(t, p, p.serial(1)).State)
	}
	equal(t, "audit", []string{"device.accept", "device.suspend", "device.reject", "device.retire", "device.accept"}, p.whats(t))
	for _, c := range []struct {
		name  string
		id    halley.DeviceID
		state halley.DeviceState
		want  halley.Kind
	}{
		{"becoming new again", 1, halley.DeviceNew, halley.Conflict},
		{"a state that is none", 1, "lost", halley.Invalid},
		{"a device that is none", 7, halley.DeviceAccepted, halley.NotFound},
	} {
		_, err := p.ChangeDevice(t.Context(), c.id, storage.DeviceUpdate{State: &c.state}, By("eva"))
		wantKind(t, c.name, err, c.want)
	}
	equal(t, "acts after refusals", 5, len(p.whats(t)))
}

func renames(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	name := "Cold room 3"
	got, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{Name: &name}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "name", name, got.Name)
	d.Name = "renamed by the device"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "name after the device's own change", name, DeviceOf(t, p, p.serial(1)).Name)
	list := p.acts(t)
	equal(t, "acts", 2, len(list))
	equal(t, "audit", halley.AuditEntry{
		ID: list[1].ID, Change: By("eva"), What: "device.rename", On: fmt.Sprintf("device %d", got.ID),
		Old: `{"name":"Sensor ` + p.serial(1) + `"}`, New: `{"name":"Cold room 3"}`,
	}, list[1])
	for _, bad := range []string{"", "  ", "a\x00b", "a\nb", "\xff", strings.Repeat("x", 500)} {
		_, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{Name: &bad}, By("eva"))
		wantKind(t, "renaming to an unfit name", err, halley.Invalid)
	}
}

func selfReports(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	old := d.Upload(0, d.Message(Start, 20))
	f.Append(t, d.Upload(0, d.Message(Start+2*halley.Hour, 20)))
	d.Name, d.Model = "new name", "W9999"
	got := f.Append(t, d.Upload(0, d.Message(Start+3*halley.Hour, 20)))
	equal(t, "DevicesChanged", true, got.DevicesChanged)
	dev := DeviceOf(t, p, p.serial(1))
	equal(t, "name and model", []string{"new name", "W9999"}, []string{dev.Name, dev.Model})
	equal(t, "late message", storage.Appended{Messages: 1, Samples: 1, Late: 1}, f.Append(t, old))
	d.Name, d.Model = "", ""
	f.Append(t, d.Upload(0, d.Message(Start+4*halley.Hour, 20)))
	equal(t, "device after late and silent messages", dev, DeviceOf(t, p, p.serial(1)))
	d.Name, d.Model, d.Admission = "not trusted", "W0000", storage.Announce
	f.Append(t, d.Upload(0, d.Message(Start+5*halley.Hour, 20)))
	equal(t, "device after what waits in quarantine", dev, DeviceOf(t, p, p.serial(1)))
	equal(t, "samples", 4, len(p.samples(t, 1)))
}

func registers(t *testing.T, p *plot) {
	key := halley.DeviceKey{Family: halley.WebSensor, Serial: p.serial(11)}
	got, err := p.Register(t.Context(), key, "Cold room", By("eva"))
	must(t, "Register", err)
	equal(t, "device", halley.Device{
		ID: p.device(t, 1), DeviceKey: key, Name: "Cold room", State: halley.DeviceAccepted, FirstSeenAt: By("").At, PlaceID: got.PlaceID,
		OrganizationID: halley.RootOrganization,
	}, got)
	_, err = p.Register(t.Context(), key, "", By("eva"))
	wantKind(t, "registering twice", err, halley.Conflict)
	_, err = p.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi}, "", By("eva"))
	wantKind(t, "registering no serial number", err, halley.Invalid)
	_, err = p.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi, Serial: strings.Repeat("1", 33)}, "", By("eva"))
	wantKind(t, "registering a long serial number", err, halley.Invalid)
	equal(t, "audit", []string{"device.register"}, p.whats(t))
	d := WiFi(p.serial(11), 1)
	d.Key, d.Admission = key, storage.Known
	equal(t, "Messages", 1, p.feed().Append(t, d.Upload(0, d.Message(Start, 20))).Messages)
	equal(t, "name after the first message", "Cold room", DeviceOf(t, p, p.serial(11)).Name)
	names, err := p.PlaceNames(t.Context(), []halley.PlaceID{got.PlaceID})
	must(t, "PlaceNames", err)
	equal(t, "the place's name", map[halley.PlaceID]string{got.PlaceID: "Cold room"}, names)
}

func deviceList(t *testing.T, p *plot) {
	f := p.feed()
	var uploads []storage.Upload
	for _, serial := range []string{p.serial(1), p.serial(2), p.serial(3), p.serial(4)} {
		d := WiFi(serial, 1)
		uploads = append(uploads, d.Upload(0, d.Message(Start, 20)))
	}
	uploads[1].Admission = storage.Announce
	uploads[3].Family = halley.TAx6xx
	f.Append(t, uploads...)
	first := p.device(t, 1)
	for _, c := range []struct {
		name   string
		filter storage.DeviceFilter
		want   []halley.DeviceID
	}{
		{"all behind one", storage.DeviceFilter{After: first - 1}, []halley.DeviceID{1, 2, 3, 4}},
		{"by serial number", storage.DeviceFilter{Serial: p.serial(3)}, []halley.DeviceID{3}},
		{"by family", storage.DeviceFilter{Family: halley.TAx6xx, After: first - 1}, []halley.DeviceID{4}},
		{"by state", storage.DeviceFilter{State: halley.DeviceNew, After: first - 1}, []halley.DeviceID{2}},
		{"behind another", storage.DeviceFilter{After: p.device(t, 2)}, []halley.DeviceID{3, 4}},
		{"a page", storage.DeviceFilter{After: first, Limit: 2}, []halley.DeviceID{2, 3}},
		{"a page of a state", storage.DeviceFilter{State: halley.DeviceAccepted, After: first - 1, Limit: 2}, []halley.DeviceID{1, 3}},
		{"none", storage.DeviceFilter{Serial: "x' OR 1=1 --"}, []halley.DeviceID{}},
	} {
		list, err := p.Devices(t.Context(), c.filter)
		must(t, c.name, err)
		got := []halley.DeviceID{}
		for _, d := range list {
			got = append(got, d.ID-first+1)
		}
		equal(t, c.name, c.want, got)
	}
}

func simulated(t *testing.T, p *plot) {
	f := p.feed()
	for serial, want := range map[string]bool{"00000001": true, "00009999": true, "00010000": false, "00000000": false} {
		d := WiFi(serial, 1)
		f.Append(t, d.Upload(0, d.Message(Start, 20)))
		equal(t, "Simulated of "+serial, want, DeviceOf(t, p, serial).Simulated)
	}
}
