package viewerapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// at gives who changes something on a day after the beginning of all, and why.
func (w *world) at(day int, why string) halley.Change {
	by := aTest()
	by.At, by.Why = storagetest.Start+halley.Millis(day)*halley.Day, why
	return by
}

// rename gives a device a name.
func (w *world) rename(t *testing.T, device halley.DeviceID, name string, by halley.Change) {
	t.Helper()
	_, err := w.store.ChangeDevice(t.Context(), device, storage.DeviceUpdate{Name: &name}, by)
	check(t, err)
}

// fromBrnoToZeta has Brno's device renamed on day 2, come to Zeta on day 3, and renamed there on day 4.
func (w *world) fromBrnoToZeta(t *testing.T) {
	t.Helper()
	w.rename(t, w.device["/Acme/Brno"], "Brno's own", w.at(2, "why of Brno"))
	_, err := w.store.Attach(t.Context(), []halley.Attachment{
		{ChannelID: w.channel["/Acme/Brno"], PlaceID: w.places["/Zeta"], From: storagetest.Start + 3*halley.Day},
	}, w.at(3, "why of the move"))
	check(t, err)
	w.rename(t, w.device["/Acme/Brno"], "Secret of Zeta", w.at(4, "why of Zeta"))
	check(t, w.devices.Refresh(t.Context()))
}

func TestWhatWasDoneToADeviceStaysWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fromBrnoToZeta(t)
	rename := []string{fmt.Sprintf("device.rename device %d", w.device["/Acme/Brno"])}
	for _, tt := range []struct {
		who, why string
		want     []string
	}{
		{"brno", "why of Brno", rename},
		{"zeta", "why of Brno", nil},
		{"brno", "why of Zeta", nil},
		{"zeta", "why of Zeta", rename},
	} {
		if got := w.entries(t, tt.who, "?q="+strings.ReplaceAll(tt.why, " ", "+")); !slices.Equal(got, tt.want) {
			t.Errorf("%s finds %q of %q, want %q", tt.who, got, tt.why, tt.want)
		}
	}
}

func TestWhatWasDoneToAPlaceOrPersonStaysWhereItBelonged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zeta, place, guest := w.nodes["/Zeta"], w.places["/Acme/Brno"], w.people["guest"]
	name, full, later, other := "a", "A", "b", "B"
	_, err := w.store.ChangePlace(t.Context(), place, storage.PlaceUpdate{Name: &name}, w.at(60, "first"))
	check(t, err)
	_, err = w.store.ChangePerson(t.Context(), guest, storage.PersonUpdate{FullName: &full}, w.at(60, "first"))
	check(t, err)
	by := aTest()
	by.Why = "given away"
	_, err = w.store.ChangePlace(t.Context(), place, storage.PlaceUpdate{OrganizationID: &zeta}, by)
	check(t, err)
	_, err = w.store.ChangePerson(t.Context(), guest, storage.PersonUpdate{OrganizationID: &zeta}, by)
	check(t, err)
	by.At, by.Why = by.At+halley.Minute, "afterwards"
	_, err = w.store.ChangePlace(t.Context(), place, storage.PlaceUpdate{Name: &later}, by)
	check(t, err)
	_, err = w.store.ChangePerson(t.Context(), guest, storage.PersonUpdate{FullName: &other}, by)
	check(t, err)
	check(t, w.devices.Refresh(t.Context()))
	for _, tt := range []struct {
		who, why string
		want     int
	}{
		{"brno", "first", 2},
		{"zeta", "first", 0},
		{"brno", "given away", 2},
		{"zeta", "given away", 2},
		{"brno", "afterwards", 0},
		{"zeta", "afterwards", 2},
	} {
		if got := w.entries(t, tt.who, "?q="+strings.ReplaceAll(tt.why, " ", "+")); len(got) != tt.want {
			t.Errorf("%s finds %q of %q, want %d", tt.who, got, tt.why, tt.want)
		}
	}
}

// The name that a device has elsewhere is not for the place where it was.
func TestAPlaceDoesNotTellTheLaterNameOfADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fromBrnoToZeta(t)
	w.parts.ofDays = func(from, _ int64) ([]viewerapi.DeviceCompleteness, error) {
		d, _ := w.devices.Directory().Device(w.device["/Acme/Brno"])
		day := storage.DayCount{DeviceDay: storage.DeviceDay{Day: from}, Expected: 1}
		return []viewerapi.DeviceCompleteness{{Device: d, Days: []storage.DayCount{day}, Total: day}}, nil
	}
	days := fmt.Sprintf("/completeness?from=%s&to=%s", (storagetest.Start + halley.Day).String()[:10], (storagetest.Start + 2*halley.Day).String()[:10])
	samples := fmt.Sprintf("/places/%d/samples?series=%d&from=%s", w.places["/Acme/Brno"], w.channel["/Acme/Brno"], storagetest.Start)
	for _, target := range []string{fmt.Sprintf("/places/%d", w.places["/Acme/Brno"]), samples, days} {
		got := w.ask(t, "brno", http.MethodGet, target, "")
		if got.status != http.StatusOK || strings.Contains(got.body, "Secret of Zeta") || !strings.Contains(got.body, "23960000") {
			t.Errorf("%s tells %d %s", target, got.status, got.body)
		}
	}
	if got := w.ask(t, "zeta", http.MethodGet, fmt.Sprintf("/devices/%d", w.device["/Acme/Brno"]), ""); !strings.Contains(got.body, "Secret of Zeta") {
		t.Errorf("Zeta is not told: %s", got.body)
	}
}

// What a device calls a channel, and how exactly it shows it, stays where it was too.
func TestTheNameOfAChannelStaysWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/Acme/Brno"
	device, feed := storagetest.WiFi("23960000", 1), storagetest.NewFeed(w.store)
	feed.Journal = "another journal"
	says := func(name string, decimals int, day halley.Millis) {
		device.Channels[0].Name, device.Channels[0].Decimals = name, decimals
		feed.Append(t, device.Upload(0, device.Message(storagetest.Start+day*halley.Day, 20)))
	}
	says("Freezer of Brno", 2, 2)
	_, err := w.store.Attach(t.Context(), []halley.Attachment{
		{ChannelID: w.channel[path], PlaceID: w.places["/Zeta"], From: storagetest.Start + 3*halley.Day},
	}, w.at(3, "moved"))
	check(t, err)
	says("Vaccines of Zeta", 0, 4)
	check(t, w.devices.Refresh(t.Context()))
	channel := fmt.Sprintf(`"number":1,"name":%s`, "%q")
	for _, tt := range []struct{ who, target, want string }{
		{"brno", fmt.Sprintf("/channels/%d", w.channel[path]), fmt.Sprintf(channel, "Freezer of Brno") + `,"quantity":"temperature","unit":"°C","decimals":2,"ended":true`},
		{"brno", "/channels?ended=true", fmt.Sprintf(channel, "Freezer of Brno")},
		{"brno", fmt.Sprintf("/places/%d", w.places[path]), `"name":"Freezer of Brno","decimals":2`},
		{"zeta", fmt.Sprintf("/channels/%d", w.channel[path]), fmt.Sprintf(channel, "Vaccines of Zeta")},
		{"zeta", fmt.Sprintf("/places/%d", w.places["/Zeta"]), `"name":"Vaccines of Zeta","decimals":0`},
		{"chief", fmt.Sprintf("/channels/%d", w.channel[path]), fmt.Sprintf(channel, "Vaccines of Zeta")},
	} {
		got := w.ask(t, tt.who, http.MethodGet, tt.target, "")
		if got.status != http.StatusOK || !strings.Contains(got.body, tt.want) {
			t.Errorf("%s asks for %s: %d %s, want %s", tt.who, tt.target, got.status, got.body, tt.want)
		}
	}
	for _, target := range []string{
		"/channels", "/channels?ended=true", fmt.Sprintf("/channels/%d", w.channel[path]), fmt.Sprintf("/places/%d", w.places[path]), "/places", "/devices?ended=true",
		fmt.Sprintf("/places/%d/samples?series=%d&from=%s", w.places[path], w.channel[path], storagetest.Start),
		fmt.Sprintf("/channels/%d/samples?from=%s", w.channel[path], storagetest.Start), "/audit", "/latest",
	} {
		if got := w.ask(t, "brno", http.MethodGet, target, ""); got.status != http.StatusOK || strings.Contains(got.body, "Vaccines") {
			t.Errorf("%s tells %d %s", target, got.status, got.body)
		}
	}
	if got := w.ask(t, "brno", http.MethodGet, "/channels", ""); strings.Contains(got.body, "Freezer of Brno") {
		t.Errorf("a channel that has left is listed with those that go on: %s", got.body)
	}
}

// Of the day on which a device came, each counts its own part.
func TestADayOfTwoOwnersIsCountedForEach(t *testing.T) {
	t.Parallel()
	v := newMoved(t)
	day := int64(storagetest.Start / halley.Day)
	v.parts.ofDays = func(int64, int64) ([]viewerapi.DeviceCompleteness, error) {
		whole := storage.DayCount{DeviceDay: storage.DeviceDay{Device: 1, Day: day}, Expected: 240, Received: 240, Duplicates: 7}
		return []viewerapi.DeviceCompleteness{{Device: halley.Device{ID: 1}, Days: []storage.DayCount{whole}, Total: whole}}, nil
	}
	v.parts.completeness = func(_ halley.Device, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
		n := int64((min(to, storagetest.Start+4*halley.Hour) - max(from, storagetest.Start)) / halley.Minute)
		return viewerapi.CompletenessReport{Expected: n, Received: n}, nil
	}
	for name, who := range map[string]map[string]string{"who had it": v.before, "who has it": v.then} {
		got := v.do(t, request{target: "/api/v1/completeness?from=2026-06-01&to=2026-06-02", header: who})
		if !strings.Contains(got.body, `"expected":120,"received":120`) || strings.Contains(got.body, "240") || !strings.Contains(got.body, `"duplicates":0`) {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

// What lies in quarantine of a device is summed up for those alone where it was when it came.
func TestQuarantineOfBeforeIsNotSummedUp(t *testing.T) {
	t.Parallel()
	v := newMoved(t)
	held := viewerapi.Held{Uploads: 4711, Bytes: 1, FirstAt: v.from - halley.Hour, LastAt: v.from + halley.Hour}
	v.parts.held = func() (map[halley.DeviceKey]viewerapi.Held, error) {
		return map[halley.DeviceKey]viewerapi.Held{{Family: halley.WiFi, Serial: "23960001"}: held}, nil
	}
	if got := v.do(t, request{target: "/api/v1/devices/1", header: v.then}); got.status != http.StatusOK || strings.Contains(got.body, "4711") {
		t.Errorf("of before: %d %s", got.status, got.body)
	}
	held.FirstAt = v.from
	if got := v.do(t, request{target: "/api/v1/devices/1", header: v.then}); !strings.Contains(got.body, "4711") {
		t.Errorf("of its own: %d %s", got.status, got.body)
	}
}

func TestNobodyIsShownAsWhoCannotSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(t, http.StatusOK, "chief", "PATCH", "/people/{guest}", `{"state":"disabled","why":"x"}`)
	got := w.ask(t, "chief", http.MethodPost, "/me/show-as", w.path(`{"person_id":{guest}}`))
	if got.status != http.StatusConflict || got.code() != "person-not-active" {
		t.Errorf("as somebody disabled: %d %s", got.status, got.body)
	}
	if list, err := w.store.AuditWhere(t.Context(), storage.AuditFilter{What: "show-as.begin", Limit: 1}); err != nil || len(list) != 0 {
		t.Errorf("noted: %v %v", list, err)
	}
}

func TestTheLastSignInShowsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cookie(t, "brno")
	for _, target := range []string{"/people/{brno}", "/people?q=brno"} {
		if got := w.ask(t, "brno", http.MethodGet, w.path(target), ""); !strings.Contains(got.body, `"last_sign_in_at":"2`) {
			t.Errorf("%s: %s", target, got.body)
		}
	}
}
