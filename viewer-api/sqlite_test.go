package viewerapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/directory"
	"halley/server/passwords"
	"halley/server/people"
	"halley/server/registry"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// followed is a server's copy of a store that is never behind it, unless a test looks after that itself.
type followed struct {
	*registry.Registry
	byHand atomic.Bool
}

// Directory takes over what changed before it answers.
func (f *followed) Directory() *directory.State {
	if !f.byHand.Load() {
		if err := f.Refresh(context.Background()); err != nil {
			panic(err)
		}
	}
	return f.Registry.Directory()
}

// onSQLite builds an API whose registry, directory, series, audit, people and access are a real store.
func onSQLite(t *testing.T) (*kit, *sqlite.Store) {
	t.Helper()
	store := openSQLite(t)
	copied, err := registry.Open(t.Context(), registry.Options{Source: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	known := &followed{Registry: copied}
	signs := access.New(access.Options{
		Tokens: access.NewTokens(store), Sessions: access.NewSessions(store), Audit: store, Directory: known, People: store,
		Passwords: passwords.New(accesstest.Cheap), Rule: accesstest.Rule, Address: "https://localhost:8443",
		First: access.NewFirstSignIn(access.FirstSignInOptions{
			Folder: t.TempDir(), Address: "https://localhost:8443",
			Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) },
		}),
	})
	k := newKit(t, quietParts(), func(o *viewerapi.Options) {
		o.Registry, o.Directory, o.Tree, o.Series, o.Audit, o.Access = store, known, store, store, store, signs
		o.People = viewerapi.People{
			Rules:    people.New(people.Options{Store: store, Directory: known, Links: signs, Address: "https://localhost:8443"}),
			Sessions: signs, Tokens: signs.Tokens, Records: store,
		}
	})
	k.access, k.followed = signs, known
	k.reader, k.admin = k.token(t, "reader", halley.Reader), k.token(t, "administrator", halley.Administrator)
	return k, store
}

// signInTo adds a person with these grants to a store, signs in and gives the header of later requests.
func signInTo(t *testing.T, k *kit, store *sqlite.Store, name string, grants ...halley.Grant) map[string]string {
	t.Helper()
	hash, err := passwords.New(accesstest.Cheap).Hash(t.Context(), "", accesstest.Password)
	if err != nil {
		t.Fatal(err)
	}
	by := halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now())}
	if _, err = store.AddPerson(t.Context(), storage.NewPerson{
		Person:  halley.Person{Name: name, State: halley.PersonActive, OrganizationID: halley.RootOrganization, Source: halley.Local},
		Grants:  grants,
		Secrets: []storage.Secret{access.PasswordSecret(0, hash, by.At)},
	}, by); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"name":%q,"password":%q}`, name, accesstest.Password.Reveal())
	got := k.do(t, request{method: http.MethodPost, target: "/api/v1/session", body: body})
	if got.status != http.StatusNoContent {
		t.Fatalf("%s cannot sign in: %d %s", name, got.status, got.body)
	}
	pair, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return map[string]string{"Cookie": pair}
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
	if d := list.Devices[0]; d.State != "accepted" || d.Place.Name == "" || d.Channels[1].Number != 2 || d.Channels[1].Unit != "°C" {
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
	cookie := signInTo(t, k, store, "eva", halley.Grant{Role: halley.Administrator, OrganizationID: halley.RootOrganization})
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
	want := map[string]string{"ours": "eva", "calibration": "eva"}
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
