package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	"halley/storage/storagetest"
)

// What a body names is looked at as what a path names is: the matrix has the paths.
func TestBodiesNameOnlyWhatMayBeTouched(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	node := halley.OrganizationID(m.things[own]["organization"])
	caller := signInTo(t, m.kit, m.store, "keeper", halley.Grant{Role: halley.Administrator, OrganizationID: node},
		halley.Grant{Role: halley.Guest, OrganizationID: halley.OrganizationID(m.things[sibling]["organization"])})
	bodies := map[string]struct{ method, path, body string }{
		"to attach a channel":        {http.MethodPost, "/places/{place}/attachments", `{"channel_ids":[%channel%],"why":"w"}`},
		"to take a channel away":     {http.MethodPost, "/places/{place}/detachments", `{"channel_ids":[%channel%],"why":"w"}`},
		"to swap a device out":       {http.MethodPost, "/places/{place}/swap", `{"from_device":%device%,"to_device":{spare},"why":"w"}`},
		"to swap a device in":        {http.MethodPost, "/places/{place}/swap", `{"from_device":{device},"to_device":%device%,"why":"w"}`},
		"to plan a swap":             {http.MethodGet, "/places/{place}/swap?from_device={device}&to_device=%device%", ""},
		"to give a place away":       {http.MethodPatch, "/places/{place}", `{"organization_id":%organization%,"why":"w"}`},
		"to give a device away":      {http.MethodPost, "/devices/{spare}/move", `{"organization_id":%organization%,"why":"w"}`},
		"to move an organization":    {http.MethodPatch, "/organizations/{organization}", `{"parent_id":%organization%,"why":"w"}`},
		"to accept at a place":       {http.MethodPost, "/devices/{spare}/accept", `{"place_id":%place%}`},
		"to accept at a node":        {http.MethodPost, "/devices/{spare}/accept", `{"organization_id":%organization%}`},
		"to accept, and at no place": {http.MethodPost, "/devices/{spare}/accept", `{"organization_id":%organization%,"place_id":0}`},
		"to list devices":            {http.MethodGet, "/devices?organization_id=%organization%", ""},
		"to list places":             {http.MethodGet, "/places?organization_id=%organization%", ""},
		"to listen to a device":      {http.MethodGet, "/live?device=%device%", ""},
	}
	for name, b := range bodies {
		for at, want := range map[spot]int{sibling: http.StatusForbidden, parent: http.StatusNotFound} {
			other := func(text string) string {
				for thing, id := range m.things[at] {
					text = strings.ReplaceAll(text, "%"+thing+"%", strconv.FormatInt(id, 10))
				}
				return m.fill(text, "", own)
			}
			if at == sibling && b.method == http.MethodGet && name != "to plan a swap" {
				want = http.StatusOK // A guest may look.
			}
			got := m.send(t, &expectation{method: b.method, path: other("/api/v1" + b.path), body: other(b.body)}, own, caller)
			if got.Code != want {
				t.Errorf("%s of %s: status %d, want %d: %s", name, at, got.Code, want, got.Body)
			}
		}
	}
}

// moved is a device that was at a place of one customer and is at one of another now.
type moved struct {
	*kit
	channel      int64
	here, there  int64
	from         halley.Millis
	before, then map[string]string
}

// newMoved builds it: a sample a minute for four hours, the first two of them at the first place.
func newMoved(t *testing.T) moved {
	t.Helper()
	k, store := onSQLite(t)
	by := halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: storagetest.Start, Why: "a move"}
	v := moved{kit: k, from: storagetest.Start + 2*halley.Hour}
	device := storagetest.WiFi("23960001", 1)
	var messages []halley.Message
	for i := range 240 {
		messages = append(messages, device.Message(storagetest.Start+halley.Millis(i)*halley.Minute, float64(i)))
	}
	storagetest.NewFeed(store).Append(t, device.Upload(0, messages...))
	d := storagetest.DeviceOf(t, store, "23960001")
	channels, err := store.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}})
	check(t, err)
	v.channel = int64(channels[0].ID)
	var nodes []halley.OrganizationID
	for _, name := range []string{"One", "Other"} {
		o, err := store.AddOrganization(t.Context(), halley.Organization{ParentID: halley.RootOrganization, Name: name}, by)
		check(t, err)
		nodes = append(nodes, o.ID)
	}
	v.here = int64(d.PlaceID)
	_, err = store.ChangePlace(t.Context(), d.PlaceID, storage.PlaceUpdate{OrganizationID: &nodes[0]}, by)
	check(t, err)
	place, err := store.AddPlace(t.Context(), halley.Place{OrganizationID: nodes[1], Name: "There"}, by)
	check(t, err)
	v.there = int64(place.ID)
	_, err = store.Attach(t.Context(), []halley.Attachment{{ChannelID: channels[0].ID, PlaceID: place.ID, From: v.from}}, by)
	check(t, err)
	v.before = signInTo(t, k, store, "one", halley.Grant{Role: halley.User, OrganizationID: nodes[0]})
	v.then = signInTo(t, k, store, "other", halley.Grant{Role: halley.User, OrganizationID: nodes[1]})
	return v
}

func TestADeviceThatMovesLeavesItsHistoryBehind(t *testing.T) {
	t.Parallel()
	v := newMoved(t)
	span := "?from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z"
	target := fmt.Sprintf("/api/v1/channels/%d/samples%s", v.channel, span)
	for name, tt := range map[string]struct {
		who         map[string]string
		first, last float64
		// counts are those of the buckets of two hours and a half.
		device int
	}{
		"who had it": {v.before, 0, 119, http.StatusNotFound},
		"who has it": {v.then, 120, 239, http.StatusOK},
	} {
		var raw struct{ Value []float64 }
		check(t, json.Unmarshal([]byte(v.do(t, request{target: target, header: tt.who}).body), &raw))
		if n := len(raw.Value); n != 120 || raw.Value[0] != tt.first || raw.Value[n-1] != tt.last {
			t.Errorf("%s sees %d values, want %g to %g: %v", name, n, tt.first, tt.last, raw.Value)
		}
		var buckets struct {
			Count    []int
			Min, Max []float64
		}
		check(t, json.Unmarshal([]byte(v.do(t, request{target: target + "&points=1", header: tt.who}).body), &buckets))
		if diff := cmp.Diff([]int{120}, buckets.Count); diff != "" || buckets.Min[0] != tt.first || buckets.Max[0] != tt.last {
			t.Errorf("%s sees buckets %+v", name, buckets)
		}
		csv := v.do(t, request{target: target, header: map[string]string{"Cookie": tt.who["Cookie"], "Accept": "text/csv"}})
		if lines := strings.Count(csv.body, "\n"); lines != 121 {
			t.Errorf("%s gets %d lines, want 121", name, lines)
		}
		if got := v.do(t, request{target: "/api/v1/devices/1", header: tt.who}); got.status != tt.device {
			t.Errorf("%s: device %d, want %d", name, got.status, tt.device)
		}
	}
	var seen struct{ Places []struct{ ID int64 } }
	check(t, json.Unmarshal([]byte(v.do(t, request{target: "/api/v1/devices/1", header: v.then}).body), &seen))
	if len(seen.Places) != 1 || seen.Places[0].ID != v.there {
		t.Errorf("who has it sees the places %+v, want place %d alone", seen.Places, v.there)
	}
	seen.Places = nil
	check(t, json.Unmarshal([]byte(v.do(t, request{target: "/api/v1/devices/1", token: v.admin}).body), &seen))
	if len(seen.Places) != 2 || seen.Places[0].ID != v.there {
		t.Errorf("an administrator sees the places %+v, want two, the newest first", seen.Places)
	}
	if got := v.do(t, request{target: fmt.Sprintf("/api/v1/places/%d", v.there), header: v.before}); got.status != http.StatusNotFound {
		t.Errorf("who had it sees where it went: %s", got.body)
	}
}

// What comes late is of the place of then.
func TestPagesOfClippedSamplesGoOn(t *testing.T) {
	t.Parallel()
	v := newMoved(t)
	target := fmt.Sprintf("/api/v1/channels/%d/samples?from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z&limit=50", v.channel)
	var all []float64
	for after := ""; ; {
		var page struct {
			Value []float64
			Next  *string
		}
		check(t, json.Unmarshal([]byte(v.do(t, request{target: target + after, header: v.then}).body), &page))
		all = append(all, page.Value...)
		if page.Next == nil {
			break
		}
		after = "&after=" + *page.Next
	}
	if len(all) != 120 || all[0] != 120 || all[119] != 239 {
		t.Errorf("%d values over all pages: %v", len(all), all)
	}
}

func TestASwapKeepsThePlacesHistory(t *testing.T) {
	t.Parallel()
	k, store := onSQLite(t)
	eva := signInTo(t, k, store, "eva", halley.Grant{Role: halley.Administrator, OrganizationID: halley.RootOrganization})
	feed := storagetest.NewFeed(store)
	before, after := storagetest.WiFi("23960001", 1), storagetest.WiFi("23960002", 1)
	for i := range 60 {
		at := storagetest.Start + halley.Millis(i)*halley.Minute
		feed.Append(t, before.Upload(0, before.Message(at, float64(i))), after.Upload(0, after.Message(at, float64(100+i))))
	}
	old, fresh := storagetest.DeviceOf(t, store, "23960001"), storagetest.DeviceOf(t, store, "23960002")
	place := fmt.Sprintf("/api/v1/places/%d", old.PlaceID)
	var plan struct {
		Channels []struct {
			Old, New *struct{ ID int64 }
			Differs  []string
		}
		Warnings []string
	}
	target := fmt.Sprintf("%s/swap?from_device=%d&to_device=%d", place, old.ID, fresh.ID)
	check(t, json.Unmarshal([]byte(k.do(t, request{target: target, header: eva}).body), &plan))
	if len(plan.Channels) != 1 || plan.Channels[0].Old == nil || plan.Channels[0].New == nil || len(plan.Channels[0].Differs) != 0 ||
		len(plan.Warnings) != 1 {
		t.Fatalf("plan = %+v", plan)
	}
	series := plan.Channels[0].Old.ID
	at := (storagetest.Start + 30*halley.Minute).Time().Format(time.RFC3339)
	got := k.do(t, request{
		method: http.MethodPost, target: place + "/swap", header: eva,
		body: fmt.Sprintf(`{"from_device":%d,"to_device":%d,"at":%q,"why":"calibration"}`, old.ID, fresh.ID, at),
	})
	if got.status != http.StatusOK {
		t.Fatalf("swap: %d %s", got.status, got.body)
	}
	var shown struct {
		DeviceIDs []int64 `json:"device_ids"`
		Series    []struct {
			ID       int64
			Now      *int64
			Segments []struct {
				DeviceID int64 `json:"device_id"`
				To       *string
			}
		}
		Swaps []struct {
			At         string
			FromDevice int64 `json:"from_device"`
			By, Why    string
		}
	}
	check(t, json.Unmarshal([]byte(got.body), &shown))
	if len(shown.Series) != 1 || shown.Series[0].ID != series || len(shown.Series[0].Segments) != 2 || shown.Series[0].Segments[1].To != nil ||
		len(shown.Swaps) != 1 || shown.Swaps[0].Why != "calibration" || shown.Swaps[0].By != "eva" ||
		shown.Swaps[0].FromDevice != int64(old.ID) {
		t.Errorf("place = %s", got.body)
	}
	samples := fmt.Sprintf("%s/samples?series=%d&from=2026-06-01T00:00:00Z&to=2026-06-01T01:00:00Z", place, series)
	var raw struct {
		Value    []float64
		Next     *string
		Segments []struct{ Shown bool }
	}
	check(t, json.Unmarshal([]byte(k.do(t, request{target: samples, header: eva}).body), &raw))
	if n := len(raw.Value); n != 60 || raw.Value[29] != 29 || raw.Value[30] != 130 || len(raw.Segments) != 2 || !raw.Segments[0].Shown {
		t.Errorf("samples = %+v", raw)
	}
	check(t, json.Unmarshal([]byte(k.do(t, request{target: samples + "&limit=31", header: eva}).body), &raw))
	var rest struct{ Value []float64 }
	check(t, json.Unmarshal([]byte(k.do(t, request{target: samples + "&after=" + *raw.Next, header: eva}).body), &rest))
	if len(raw.Value) != 31 || len(rest.Value) != 29 || rest.Value[0] != 131 {
		t.Errorf("pages of %d and %d values, the second from %v", len(raw.Value), len(rest.Value), rest.Value)
	}
	var buckets struct {
		Count    []int
		Min, Max []float64
	}
	check(t, json.Unmarshal([]byte(k.do(t, request{target: samples + "&points=1", header: eva}).body), &buckets))
	if diff := cmp.Diff([]int{60}, buckets.Count); diff != "" || buckets.Min[0] != 0 || buckets.Max[0] != 159 {
		t.Errorf("buckets = %+v", buckets)
	}
}
