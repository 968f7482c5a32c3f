package viewerapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/passwords"
	"halley/server/people"
	"halley/server/registry"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// world is an API over a real store: two customers, one with two sites, with people, a device and a place at each.
type world struct {
	*kit
	store   *sqlite.Store
	devices *registry.Registry
	// nodes, places, things are ids by name; cookies are the sessions of people by name, once they have one.
	nodes   map[string]halley.OrganizationID
	places  map[string]halley.PlaceID
	device  map[string]halley.DeviceID
	channel map[string]halley.ChannelID
	people  map[string]halley.PersonID
	cookies map[string]string
}

// worldPeople are the people of a world with their homes and grants.
var worldPeople = []struct {
	name, home string
	role       halley.Role
	at         string
	shared     bool
}{
	{"chief", "/", halley.Administrator, "/", false},
	{"acme", "/Acme", halley.Administrator, "/Acme", false},
	{"brno", "/Acme/Brno", halley.Administrator, "/Acme/Brno", false},
	{"guest", "/Acme/Brno", halley.Guest, "/Acme/Brno", false},
	{"wall", "/Acme/Brno", halley.Administrator, "/Acme/Brno", true},
	{"zeta", "/Zeta", halley.Administrator, "/Zeta", false},
	{"watcher", "/", halley.GuestAdministrator, "/", false},
	{"distributor", "/", halley.DistributorAdministrator, "/", false},
	{"payer", "/Acme", halley.PaymentAdministrator, "/Acme", false},
	{"keeper", "/Acme/Brno", halley.Administrator, "/Acme", false},
}

// newWorld builds a world.
func newWorld(t *testing.T) *world {
	t.Helper()
	store := openSQLite(t)
	w := &world{
		store: store, nodes: map[string]halley.OrganizationID{"/": halley.RootOrganization}, places: map[string]halley.PlaceID{},
		device: map[string]halley.DeviceID{}, channel: map[string]halley.ChannelID{}, people: map[string]halley.PersonID{},
		cookies: map[string]string{},
	}
	w.plant(t)
	var err error
	w.devices, err = registry.Open(t.Context(), registry.Options{Source: store, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o := (&accesstest.Memory{}).Options(t)
	o.Tokens, o.Sessions, o.Audit, o.Directory, o.People = access.NewKnownTokens(store, w.devices), access.NewSessions(store), store, w.devices, store
	o.Log = slog.New(slog.DiscardHandler)
	signs := access.New(o)
	rules := people.New(people.Options{Store: store, Directory: w.devices, Links: signs, Address: "https://halley.example:8443"})
	p := quietParts()
	p.auditWhere = func(f storage.AuditFilter) ([]halley.AuditEntry, error) {
		return store.AuditWhere(context.Background(), f)
	}
	p.noteAudit = func(e halley.AuditEntry) error { return store.NoteAudit(context.Background(), e) }
	w.kit = newKit(t, p, func(o *viewerapi.Options) {
		o.Registry, o.Series, o.Tree, o.Directory, o.Access = store, store, store, w.devices, signs
		o.People = viewerapi.People{Rules: rules, Sessions: signs, Tokens: signs.Tokens, Records: store}
		o.Viewer = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>INDEX")}, "assets/app.js": {Data: []byte("APP")}}
	})
	w.access = signs
	w.admin, _, err = signs.Tokens.Create(t.Context(), access.NewToken{Name: "administrator", Role: halley.Administrator}, aTest())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// aTest is who made a world.
func aTest() halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now()) - halley.Hour, Why: "a world"}
}

// plant fills the store.
func (w *world) plant(t *testing.T) {
	t.Helper()
	by := aTest()
	for _, path := range []string{"/Acme", "/Zeta", "/Acme/Brno", "/Acme/Prague"} {
		above := path[:strings.LastIndex(path, "/")]
		if above == "" {
			above = "/"
		}
		o, err := w.store.AddOrganization(t.Context(), halley.Organization{ParentID: w.nodes[above], Name: filepath.Base(path)}, by)
		if err != nil {
			t.Fatal(err)
		}
		w.nodes[path] = o.ID
	}
	feed := storagetest.NewFeed(w.store)
	for i, path := range []string{"/Acme/Brno", "/Acme/Prague", "/Zeta"} {
		name := filepath.Base(path)
		place, err := w.store.AddPlace(t.Context(), halley.Place{OrganizationID: w.nodes[path], Name: "Cold room of " + name}, by)
		if err != nil {
			t.Fatal(err)
		}
		w.places[path] = place.ID
		device := storagetest.WiFi(fmt.Sprintf("2396000%d", i), 1)
		feed.Append(t, device.Upload(0, device.Message(storagetest.Start, 20)))
		d := storagetest.DeviceOf(t, w.store, fmt.Sprintf("2396000%d", i))
		channels, err := w.store.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}})
		if err != nil || len(channels) != 1 {
			t.Fatalf("channels %v: %v", channels, err)
		}
		w.device[path], w.channel[path] = d.ID, channels[0].ID
		if _, err := w.store.Attach(t.Context(), []halley.Attachment{
			{ChannelID: channels[0].ID, PlaceID: place.ID, From: storagetest.Start + halley.Day},
		}, by); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := passwords.New(accesstest.Cheap).Hash(t.Context(), "", accesstest.Password)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range worldPeople {
		made, err := w.store.AddPerson(t.Context(), storage.NewPerson{
			Person: halley.Person{
				Name: p.name, State: halley.PersonActive, OrganizationID: w.nodes[p.home], Source: halley.Local, Shared: p.shared,
			},
			Grants:  []halley.Grant{{Role: p.role, OrganizationID: w.nodes[p.at]}},
			Secrets: []storage.Secret{access.PasswordSecret(0, hash, by.At)},
		}, by)
		if err != nil {
			t.Fatal(err)
		}
		w.people[p.name] = made.ID
	}
}

// cookie gives the session of a person, who signs in where there is none yet.
func (w *world) cookie(t *testing.T, name string) string {
	t.Helper()
	if pair, there := w.cookies[name]; there {
		return pair
	}
	body, err := json.Marshal(map[string]string{"name": name, "password": accesstest.Password.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	got := w.do(t, request{method: http.MethodPost, target: "/api/v1/session", body: string(body)})
	pair, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got.status != http.StatusNoContent || pair == "" {
		t.Fatalf("%s cannot sign in: %d %s", name, got.status, got.body)
	}
	w.cookies[name] = pair
	return pair
}

// ask sends a request as a person, described as it must be.
func (w *world) ask(t *testing.T, who, method, target, body string) answer {
	t.Helper()
	return w.do(t, request{method: method, target: "/api/v1" + target, body: body, header: map[string]string{"Cookie": w.cookie(t, who)}})
}

// attack sends a request as a person, whatever the description says of it.
func (w *world) attack(t *testing.T, who, method, target, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Host = "localhost:8443"
	if who != "" {
		r.Header.Set("Cookie", w.cookie(t, who))
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return answer{status: out.Code, header: out.Header(), body: out.Body.String()}
}

// path fills numbers and names of the world into a path: {brno} is the person, {/Zeta} the node.
func (w *world) path(text string) string {
	for name, id := range w.people {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(id))
	}
	for name, id := range w.nodes {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(id))
	}
	return text
}

// code gives the code of a problem.
func (a answer) code() string {
	var p problem
	_ = json.Unmarshal([]byte(a.body), &p) // What is none has no code.
	return p.Code
}

// accessToken describes a token at a node.
func accessToken(name string, node halley.OrganizationID) access.NewToken {
	return access.NewToken{Name: name, Role: halley.Guest, OrganizationID: node}
}

// tokenID gives the id of a token in the store.
func (w *world) tokenID(t *testing.T, name string) int64 {
	t.Helper()
	list, err := w.store.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range list {
		if token.Name == name {
			return token.ID
		}
	}
	t.Fatalf("there is no token %s", name)
	return 0
}
