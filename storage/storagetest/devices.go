package storagetest

import (
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func deviceTests() []group {
	return []group{
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
		{"hostile and foreign texts come back as they were", texts},
		{"the simulator's devices are marked", simulated},
	}
}

func emptyStore(t *testing.T, e Engine) {
	s := e.Open(t)
	devices, err := s.Devices(t.Context(), storage.DeviceFilter{})
	must(t, "Devices", err)
	channels, err := s.Channels(t.Context(), storage.ChannelFilter{})
	must(t, "Channels", err)
	latest, err := s.Latest(t.Context(), nil)
	must(t, "Latest", err)
	position, err := s.Position(t.Context(), Node)
	must(t, "Position", err)
	if len(devices)+len(channels)+len(latest) != 0 || position != (storage.Position{}) {
		t.Errorf("an empty store has %v, %v, %v, %v", devices, channels, latest, position)
	}
	_, err = s.Device(t.Context(), 0)
	wantKind(t, "Device(0)", err, halley.NotFound)
	_, err = s.Device(t.Context(), 1)
	wantKind(t, "Device(1)", err, halley.NotFound)
	_, err = s.Channel(t.Context(), 1)
	wantKind(t, "Channel(1)", err, halley.NotFound)
	_, err = s.Samples(t.Context(), storage.SampleQuery{Channel: 1, From: Start, To: Start + 1, Limit: 1})
	wantKind(t, "Samples of no channel", err, halley.NotFound)
	_, err = s.Buckets(t.Context(), storage.BucketQuery{Channel: 1, From: Start, To: Start + 1, Width: 1})
	wantKind(t, "Buckets of no channel", err, halley.NotFound)
	info, err := s.Info(t.Context())
	must(t, "Info", err)
	if info.Kind == "" || info.Schema < 1 {
		t.Errorf("Info() = %+v, want a kind and a schema", info)
	}
	if v := version(t, s); v < 1 {
		t.Errorf("RegistryVersion() = %d, want at least 1", v)
	}
}

func admitted(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 3)
	before := version(t, s)
	got := NewFeed(s).Append(t, d.Upload(0, d.Message(Start, 20)))
	equal(t, "Append", storage.Appended{BatchID: 1, Messages: 1, Samples: 3, DevicesChanged: true}, got)
	if v := version(t, s); v <= before {
		t.Errorf("RegistryVersion() = %d after a new device, was %d", v, before)
	}
	equal(t, "Device", halley.Device{
		ID: 1, DeviceKey: d.Key, Model: "W3710", Name: "Sensor 21000001", State: halley.DeviceAccepted,
		FirstSeenAt: Start + 2*halley.Second, PlaceID: 1,
	}, DeviceOf(t, s, "21000001"))
	equal(t, "audit", []string{"device.accept"}, whats(t, s))
	list, err := s.Audit(t.Context(), 0, 1)
	must(t, "Audit", err)
	equal(t, "who accepted", "policy", list[0].Change.Actor.Kind)
	equal(t, "on what", "device 1", list[0].On)
}

func announced(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 2)
	d.Admission = storage.Announce
	f := NewFeed(s)
	got := f.Append(t, d.Upload(0, d.Message(Start, 20)), d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "Append", storage.Appended{BatchID: 1, DevicesChanged: true}, got)
	dev := DeviceOf(t, s, "21000001")
	equal(t, "state", halley.DeviceNew, dev.State)
	equal(t, "place", halley.PlaceID(0), dev.PlaceID)
	equal(t, "channels", 0, len(ChannelsOf(t, s, "21000001")))
	got = f.Append(t, d.Upload(0, d.Message(Start+2*halley.Minute, 20)))
	equal(t, "Append of a device that is new already", storage.Appended{BatchID: 2}, got)
	equal(t, "audit", []string{"device.announce"}, whats(t, s))
}

func knownButLost(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	d.Admission, d.Name = storage.Known, ""
	NewFeed(s).Append(t, d.Upload(0, d.Message(Start, 20)))
	dev := DeviceOf(t, s, "21000001")
	equal(t, "state", halley.DeviceAccepted, dev.State)
	equal(t, "name", "W3710 21000001", dev.Name)
	if dev.PlaceID == 0 {
		t.Error("the device has no place")
	}
	list, err := s.Audit(t.Context(), 0, 10)
	must(t, "Audit", err)
	if len(list) != 1 || list[0].What != "device.accept" || list[0].Change.Why == "" {
		t.Errorf("Audit() = %+v, want one acceptance that says why", list)
	}
}

func newThenKnown(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	d.Admission = storage.Announce
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	d.Admission = storage.Known
	got := f.Append(t, d.Upload(0, d.Message(Start, 20)))
	equal(t, "Messages", 1, got.Messages)
	equal(t, "state", halley.DeviceAccepted, DeviceOf(t, s, "21000001").State)
	equal(t, "audit", []string{"device.announce", "device.accept"}, whats(t, s))
}

func acceptByPerson(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	d.Admission = storage.Announce
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	state := halley.DeviceAccepted
	got, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{State: &state}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "state", halley.DeviceAccepted, got.State)
	if got.PlaceID == 0 {
		t.Error("accepting made no place")
	}
	before := version(t, s)
	again, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{State: &state}, By("eva"))
	must(t, "ChangeDevice again", err)
	equal(t, "accepting twice", got, again)
	equal(t, "version after accepting twice", before, version(t, s))
	equal(t, "audit", []string{"device.announce", "device.accept"}, whats(t, s))
	d.Admission = storage.Known
	equal(t, "Messages", 1, f.Append(t, d.Upload(0, d.Message(Start, 20))).Messages)
	equal(t, "audit after the first message", []string{"device.announce", "device.accept"}, whats(t, s))
}

func stateChanges(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	place := DeviceOf(t, s, "21000001").PlaceID
	for _, state := range []halley.DeviceState{
		halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired, halley.DeviceAccepted,
	} {
		got, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{State: &state}, By("eva"))
		must(t, "ChangeDevice", err)
		equal(t, "state", state, got.State)
		equal(t, "place", place, got.PlaceID)
		// What was sent while the device was accepted is still stored.
		d.Admission = storage.Known
		equal(t, "Messages", 1, f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(f.Seq)*halley.Minute, 20))).Messages)
		equal(t, "state after a message", state, DeviceOf(t, s, "21000001").State)
	}
	equal(t, "audit", []string{"device.accept", "device.suspend", "device.reject", "device.retire", "device.accept"}, whats(t, s))
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
		_, err := s.ChangeDevice(t.Context(), c.id, storage.DeviceUpdate{State: &c.state}, By("eva"))
		wantKind(t, c.name, err, c.want)
	}
	equal(t, "acts after refusals", 5, len(whats(t, s)))
}

func renames(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	name := "Cold room 3"
	got, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{Name: &name}, By("eva"))
	must(t, "ChangeDevice", err)
	equal(t, "name", name, got.Name)
	d.Name = "renamed by the device"
	f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "name after the device's own change", name, DeviceOf(t, s, "21000001").Name)
	list, err := s.Audit(t.Context(), 0, 1)
	must(t, "Audit", err)
	equal(t, "audit", halley.AuditEntry{
		ID: 2, Change: By("eva"), What: "device.rename", On: "device 1",
		Old: `{"name":"Sensor 21000001"}`, New: `{"name":"Cold room 3"}`,
	}, list[0])
	for _, bad := range []string{"", "  ", "a\x00b", "a\nb", "\xff", strings.Repeat("x", 500)} {
		_, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{Name: &bad}, By("eva"))
		wantKind(t, "renaming to an unfit name", err, halley.Invalid)
	}
}

func selfReports(t *testing.T, e Engine) {
	s := e.Open(t)
	d := WiFi("21000001", 1)
	f := NewFeed(s)
	old := d.Upload(0, d.Message(Start, 20))
	f.Append(t, d.Upload(0, d.Message(Start+2*halley.Hour, 20)))
	d.Name, d.Model = "new name", "W9999"
	got := f.Append(t, d.Upload(0, d.Message(Start+3*halley.Hour, 20)))
	equal(t, "DevicesChanged", true, got.DevicesChanged)
	dev := DeviceOf(t, s, "21000001")
	equal(t, "name and model", []string{"new name", "W9999"}, []string{dev.Name, dev.Model})
	equal(t, "late message", storage.Appended{BatchID: 3, Messages: 1, Samples: 1, Late: 1}, f.Append(t, old))
	d.Name, d.Model = "", ""
	f.Append(t, d.Upload(0, d.Message(Start+4*halley.Hour, 20)))
	equal(t, "device after late and silent messages", dev, DeviceOf(t, s, "21000001"))
}

func registers(t *testing.T, e Engine) {
	s := e.Open(t)
	key := halley.DeviceKey{Family: halley.WebSensor, Serial: "11000001"}
	got, err := s.Register(t.Context(), key, "Cold room", By("eva"))
	must(t, "Register", err)
	equal(t, "device", halley.Device{
		ID: 1, DeviceKey: key, Name: "Cold room", State: halley.DeviceAccepted, FirstSeenAt: By("").At, PlaceID: 1,
	}, got)
	_, err = s.Register(t.Context(), key, "", By("eva"))
	wantKind(t, "registering twice", err, halley.Conflict)
	_, err = s.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi}, "", By("eva"))
	wantKind(t, "registering no serial number", err, halley.Invalid)
	_, err = s.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi, Serial: strings.Repeat("1", 33)}, "", By("eva"))
	wantKind(t, "registering a long serial number", err, halley.Invalid)
	equal(t, "audit", []string{"device.register"}, whats(t, s))
	d := WiFi("11000001", 1)
	d.Key, d.Admission = key, storage.Known
	equal(t, "Messages", 1, NewFeed(s).Append(t, d.Upload(0, d.Message(Start, 20))).Messages)
	equal(t, "name after the first message", "Cold room", DeviceOf(t, s, "11000001").Name)
}

func deviceList(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	var uploads []storage.Upload
	for _, serial := range []string{"21000001", "21000002", "21000003", "21000004"} {
		d := WiFi(serial, 1)
		uploads = append(uploads, d.Upload(0, d.Message(Start, 20)))
	}
	uploads[1].Admission = storage.Announce
	uploads[3].Family = halley.TAx6xx
	f.Append(t, uploads...)
	for _, c := range []struct {
		name   string
		filter storage.DeviceFilter
		want   []halley.DeviceID
	}{
		{"all", storage.DeviceFilter{}, []halley.DeviceID{1, 2, 3, 4}},
		{"by serial number", storage.DeviceFilter{Serial: "21000003"}, []halley.DeviceID{3}},
		{"by family", storage.DeviceFilter{Family: halley.TAx6xx}, []halley.DeviceID{4}},
		{"by state", storage.DeviceFilter{State: halley.DeviceNew}, []halley.DeviceID{2}},
		{"behind one", storage.DeviceFilter{After: 2}, []halley.DeviceID{3, 4}},
		{"a page", storage.DeviceFilter{After: 1, Limit: 2}, []halley.DeviceID{2, 3}},
		{"a page of a state", storage.DeviceFilter{State: halley.DeviceAccepted, Limit: 2}, []halley.DeviceID{1, 3}},
		{"none", storage.DeviceFilter{Serial: "x' OR 1=1 --"}, []halley.DeviceID{}},
	} {
		list, err := s.Devices(t.Context(), c.filter)
		must(t, c.name, err)
		got := []halley.DeviceID{}
		for _, d := range list {
			got = append(got, d.ID)
		}
		equal(t, c.name, c.want, got)
	}
}

func texts(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	for i, text := range []string{
		"Kühlraum №3 🥶", "'; DROP TABLE message; --", "\u202etfel", "<script>", "a\tb", `"quoted" @named ?1 %s`, "  blanks  ",
	} {
		d := WiFi("2200000"+string(rune('0'+i)), 1)
		d.Name, d.Model = text, text
		d.Channels[0].Name, d.Channels[0].Quantity, d.Channels[0].Unit = text, text, text
		f.Append(t, d.Upload(0, d.Message(Start, 20)))
		dev := DeviceOf(t, s, d.Key.Serial)
		ch := ChannelsOf(t, s, d.Key.Serial)[0]
		equal(t, "texts", []string{text, text, text, text, text}, []string{dev.Name, dev.Model, ch.Name, ch.Quantity, ch.Unit})
	}
}

func simulated(t *testing.T, e Engine) {
	s := e.Open(t)
	f := NewFeed(s)
	for serial, want := range map[string]bool{"00000001": true, "00009999": true, "00010000": false, "00000000": false} {
		d := WiFi(serial, 1)
		f.Append(t, d.Upload(0, d.Message(Start, 20)))
		equal(t, "Simulated of "+serial, want, DeviceOf(t, s, serial).Simulated)
	}
}
