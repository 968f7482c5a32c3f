package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// onSQLite builds an API whose registry, series and access are a real store.
func onSQLite(t *testing.T) (*kit, *sqlite.Store) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "halley.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	p := quietParts()
	p.placeNames = func(ids []halley.PlaceID) (map[halley.PlaceID]string, error) {
		names := map[halley.PlaceID]string{}
		for _, id := range ids {
			names[id] = "a place"
		}
		return names, nil
	}
	signs := access.New(access.Options{
		Tokens: access.NewTokens(store), Sessions: access.NewSessions(store), Audit: store,
		First: access.NewFirstSignIn(access.FirstSignInOptions{
			Folder: t.TempDir(), Address: "https://localhost:8443",
			Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) },
		}),
	})
	k := newKit(t, p, func(o *viewerapi.Options) {
		o.Registry, o.Series, o.Access = store, store, signs
	})
	k.access = signs
	k.reader, k.admin = k.token(t, "reader", halley.Reader), k.token(t, "administrator", halley.Administrator)
	return k, store
}

func TestSamplesFromTheStore(t *testing.T) {
	t.Parallel()
	k, store := onSQLite(t)
	feed := storagetest.NewFeed(store)
	device := storagetest.WiFi("23960001", 2)
	for i := range 120 {
		feed.Append(t, device.Upload(0, device.Message(storagetest.Start+halley.Millis(i)*halley.Minute, float64(i)/10)))
	}
	var list struct {
		Devices []struct {
			ID       int64
			State    string
			Place    struct{ Name string }
			Channels []struct {
				ID     int64
				Number int
				Unit   string
			}
		}
	}
	got := k.get(t, "/api/v1/devices?serial=23960001")
	if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list.Devices) != 1 || len(list.Devices[0].Channels) != 2 {
		t.Fatalf("devices: %v: %s", err, got.body)
	}
	if d := list.Devices[0]; d.State != "accepted" || d.Place.Name != "a place" || d.Channels[1].Number != 2 || d.Channels[1].Unit != "°C" {
		t.Errorf("device = %+v", d)
	}
	base := fmt.Sprintf("/api/v1/channels/%d/samples?from=2026-06-01T00:00:00Z&to=2026-06-01T02:00:00Z", list.Devices[0].Channels[0].ID)
	csv := k.do(t, request{target: base, token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	lines := strings.Split(strings.TrimSpace(csv.body), "\n")
	if len(lines) != 121 || lines[1] != "2026-06-01T00:00:00.000Z,0,good" || lines[120] != "2026-06-01T01:59:00.000Z,11.9,good" {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[1], lines[len(lines)-1])
	}
	var buckets struct {
		WidthMS int64 `json:"width_ms"`
		Count   []int
		Min     []float64
		Max     []float64
	}
	if err := json.Unmarshal([]byte(k.get(t, base+"&points=2").body), &buckets); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{60, 60}, buckets.Count); diff != "" || buckets.WidthMS != 3_600_000 || buckets.Min[1] != 6 || buckets.Max[1] != 11.9 {
		t.Errorf("buckets = %+v", buckets)
	}
	next := ""
	seen := 0
	for {
		var page struct {
			Value []float64
			Next  *string
		}
		if err := json.Unmarshal([]byte(k.get(t, base+"&limit=50"+next).body), &page); err != nil {
			t.Fatal(err)
		}
		seen += len(page.Value)
		if page.Next == nil {
			break
		}
		next = "&after=" + *page.Next
	}
	if seen != 120 {
		t.Errorf("the pages hold %d samples, want 120", seen)
	}
}

func TestDecisionsReachTheStoreWithTheirAudit(t *testing.T) {
	t.Parallel()
	k, store := onSQLite(t)
	device := storagetest.WiFi("23960002", 1)
	device.Admission = storage.Announce
	storagetest.NewFeed(store).Append(t, device.Upload(0, device.Message(storagetest.Start, 1)))
	id := storagetest.DeviceOf(t, store, "23960002").ID
	signIn := k.do(t, signInBody(t, k))
	pair, _, _ := strings.Cut(signIn.header.Get("Set-Cookie"), ";")
	cookie := map[string]string{"Cookie": pair}
	post := func(path, body string) answer {
		return k.do(t, request{method: http.MethodPost, target: fmt.Sprintf("/api/v1/devices/%d/%s", id, path), body: body, header: cookie})
	}
	if got := post("accept", `{"name":"Vault","reason":"ours"}`); got.status != http.StatusOK {
		t.Fatalf("accept: %d %s", got.status, got.body)
	}
	if got := post("suspend", `{"reason":"calibration"}`); got.status != http.StatusOK || !strings.Contains(got.body, `"state":"suspended"`) {
		t.Fatalf("suspend: %d %s", got.status, got.body)
	}
	if d := storagetest.DeviceOf(t, store, "23960002"); d.Name != "Vault" || d.State != halley.DeviceSuspended || d.PlaceID == 0 {
		t.Errorf("device = %+v", d)
	}
	rows, err := store.Audit(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	why := map[string]string{}
	for _, e := range rows {
		if e.On == fmt.Sprintf("device %d", id) && e.Change.Actor.Kind == "session" {
			why[e.Change.Why] = e.Change.Actor.Name
		}
	}
	want := map[string]string{"ours": "first administrator", "calibration": "first administrator"}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("audit rows by reason (-want +got):\n%s", diff)
	}
	if got := k.do(t, request{target: "/api/v1/devices/4711", header: cookie}); got.status != http.StatusNotFound {
		t.Errorf("no such device: %d", got.status)
	}
	if got := k.do(t, request{method: http.MethodDelete, target: "/api/v1/session", header: cookie}); got.status != http.StatusNoContent {
		t.Errorf("sign out: %d %s", got.status, got.body)
	}
}
