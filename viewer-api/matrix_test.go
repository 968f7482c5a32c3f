package viewerapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"halley"
	"halley/server/access"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// The matrix: every operation, for every role, at a thing of the node where the role is granted, of one below, of one beside and of the
// one above; and for callers who are not known. What is expected is stated in testdata/matrix.txt and worked out from there by
// expectation.of; the program's own table of roles and scopes has no part in it.

// spot is where a thing stands, as seen from the node at which roles are granted.
type spot int

const (
	own spot = iota
	lower
	sibling
	parent
	spots
)

func (s spot) String() string { return [...]string{"own", "lower", "sibling", "parent"}[s] }

// expectation is what testdata/matrix.txt says of an operation.
type expectation struct {
	method, path, permission, scope string
	// allowed is what it answers to whom it is allowed: a status, or "lists KEY" for 200 with a list of exactly what may be seen.
	allowed, body string
}

// stated is testdata/matrix.txt.
type stated struct {
	roles      map[string][]string
	operations map[string]expectation
}

func readStated(t *testing.T) stated {
	t.Helper()
	text, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := stated{roles: map[string][]string{}, operations: map[string]expectation{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch name, rest, isRole := strings.Cut(line, ":"); {
		case line == "" || strings.HasPrefix(line, "#"):
		case isRole && !strings.Contains(name, " "):
			s.roles[name] = strings.Fields(rest)
		default:
			cells := strings.Split(line, "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if len(cells) != 5 {
				t.Fatalf("testdata/matrix.txt: %d cells in %q", len(cells), line)
			}
			method, path, _ := strings.Cut(cells[0], " ")
			s.operations[method+" "+strings.TrimSpace(path)] = expectation{
				method: method, path: strings.TrimSpace(path), permission: cells[1], scope: cells[2], allowed: cells[3], body: cells[4],
			}
		}
	}
	return s
}

// standing is a role somewhere.
type standing struct {
	role string
	// at is the node; root stands for all of them. placeOnly is a role at the place of its own node alone.
	at        spot
	root      bool
	placeOnly bool
}

// whoAsks is a caller of the matrix.
type whoAsks struct {
	name      string
	standings []standing
	header    map[string]string
}

// holds says whether a caller has a permission for a thing of a sort at a spot, as the page about roles says it.
func (w *whoAsks) holds(s *stated, permission, sort string, at spot) bool {
	return slices.ContainsFunc(w.standings, func(g standing) bool {
		switch {
		case !slices.Contains(s.roles[g.role], permission):
			return false
		case g.placeOnly && sort == "organization":
			return at == g.at && permission == "organization.read"
		case g.placeOnly:
			return at == g.at && (sort == "place" || sort == "device" || sort == "channel")
		case sort == "role" && at == parent && permission == shows[sort]:
			return true // A role that was made above can be granted here.
		}
		return g.root || at == g.at || g.at == own && at == lower || g.at == parent
	})
}

// anywhere says whether a caller has a permission at all.
func (w *whoAsks) anywhere(s *stated, permission string) bool {
	ofServer := slices.Contains(s.roles["server-permissions"], permission)
	return slices.ContainsFunc(w.standings, func(g standing) bool {
		return slices.Contains(s.roles[g.role], permission) && (!ofServer || g.root && !g.placeOnly)
	})
}

// shows is the permission by which the things of a sort are seen.
var shows = map[string]string{
	"organization": "organization.read", "place": "place.read", "device": "device.read", "channel": "device.read", "person": "person.read",
	"role": "organization.read", "token": "token.read",
}

// of gives what an operation answers to a caller for a thing at a spot: "" for what it answers to whom it is allowed.
func (e *expectation) of(s *stated, w *whoAsks, at spot) string {
	sort, _, _ := strings.Cut(e.scope, ",")
	switch {
	case e.permission == "self":
		return ""
	case !w.anywhere(s, e.permission):
		return "403"
	case shows[sort] == "", w.holds(s, e.permission, sort, at):
		return ""
	case w.holds(s, shows[sort], sort, at):
		return "403"
	}
	return "404"
}

// matrix is the API of the matrix over a real store, with a thing of every sort at every spot.
type matrix struct {
	*kit
	store *sqlite.Store
	stated
	things [spots]map[string]int64
	count  int
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	k, store := onSQLite(t)
	m := &matrix{kit: k, store: store, stated: readStated(t)}
	k.parts.lastUpload = func(halley.DeviceKey) (viewerapi.RawUpload, error) {
		return viewerapi.RawUpload{ReceivedAt: halley.MillisOf(time.Now()), Family: halley.WiFi, Body: "{}"}, nil
	}
	k.parts.ofDays = func(int64, int64) ([]viewerapi.DeviceCompleteness, error) {
		day := storage.DayCount{DeviceDay: storage.DeviceDay{Day: int64(halley.MillisOf(time.Now()) / halley.Day)}, Expected: 1, Received: 1}
		var list []viewerapi.DeviceCompleteness
		for _, things := range m.things {
			list = append(list, viewerapi.DeviceCompleteness{
				Device: halley.Device{ID: halley.DeviceID(things["device"])}, Total: day, Days: []storage.DayCount{day},
			})
		}
		return list, nil
	}
	k.parts.release = func(halley.Device, halley.Change) error { return nil }
	by := halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now()) - halley.Hour, Why: "a matrix"}
	above := map[spot]spot{own: parent, lower: own, sibling: parent}
	feed := storagetest.NewFeed(store)
	for _, at := range []spot{parent, own, lower, sibling} {
		node := halley.RootOrganization
		if at != parent {
			node = halley.OrganizationID(m.things[above[at]]["organization"])
		}
		o, err := store.AddOrganization(t.Context(), halley.Organization{ParentID: node, Name: at.String()}, by)
		check(t, err)
		place, err := store.AddPlace(t.Context(), halley.Place{OrganizationID: o.ID, Name: "place " + at.String()}, by)
		check(t, err)
		m.things[at] = map[string]int64{"organization": int64(o.ID), "place": int64(place.ID)}
		m.addDevices(t, feed, at, by)
		m.addToEnd(t, "role", at)
		m.addToEnd(t, "token", at)
		person, err := store.AddPerson(t.Context(), storage.NewPerson{
			Person: halley.Person{Name: "somebody " + at.String(), State: halley.PersonActive, OrganizationID: o.ID, Source: halley.Local},
			Grants: []halley.Grant{{Role: halley.Guest, OrganizationID: o.ID}},
		}, by)
		check(t, err)
		m.things[at]["person"] = int64(person.ID)
	}
	return m
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// addToEnd makes a role or a token at a spot, which a cell may end.
func (m *matrix) addToEnd(t *testing.T, sort string, at spot) {
	t.Helper()
	node := halley.OrganizationID(m.things[at]["organization"])
	by := halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now()), Why: "a cell"}
	m.count++
	if sort == "role" {
		role, err := m.store.AddRole(t.Context(), halley.CustomRole{
			Name: halley.Role(fmt.Sprintf("made-%d", m.count)), OrganizationID: node, Permissions: []halley.Permission{halley.PermitStatusRead},
		}, by)
		check(t, err)
		m.things[at][sort] = role.ID
		return
	}
	_, token, err := m.access.Tokens.Create(t.Context(), access.NewToken{
		Name: fmt.Sprintf("made %d", m.count), Role: halley.Guest, OrganizationID: node,
	}, by)
	check(t, err)
	m.things[at][sort] = token.ID
}

// addDevices adds two devices at a spot: one at its place, and one that is at none.
func (m *matrix) addDevices(t *testing.T, feed *storagetest.Feed, at spot, by halley.Change) {
	t.Helper()
	for i, name := range []string{"device", "spare"} {
		serial := fmt.Sprintf("2396%02d%02d", at, i)
		device := storagetest.WiFi(serial, 1)
		feed.Append(t, device.Upload(0, device.Message(storagetest.Start, 20)))
		d := storagetest.DeviceOf(t, m.store, serial)
		channels, err := m.store.Channels(t.Context(), storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}})
		check(t, err)
		m.things[at][name], m.things[at][name+"-channel"] = int64(d.ID), int64(channels[0].ID)
		place := halley.PlaceID(m.things[at]["place"])
		if name == "spare" {
			place = 0
		}
		_, err = m.store.Attach(t.Context(), []halley.Attachment{{ChannelID: channels[0].ID, PlaceID: place, From: by.At}}, by)
		check(t, err)
		if name == "spare" {
			_, err = m.store.MoveDevice(t.Context(), d.ID, halley.OrganizationID(m.things[at]["organization"]), by)
			check(t, err)
		}
	}
	m.things[at]["channel"] = m.things[at]["device-channel"]
}

// callers are the callers of the matrix: every role at the node of the matrix and at the root, and one who may only look next door.
func (m *matrix) callers(t *testing.T) []*whoAsks {
	t.Helper()
	var list []*whoAsks
	node := halley.OrganizationID(m.things[own]["organization"])
	by := halley.Change{Actor: halley.Actor{Kind: "program", Name: "test"}, At: halley.MillisOf(time.Now())}
	_, err := m.store.AddRole(t.Context(), halley.CustomRole{Name: "custom", OrganizationID: halley.RootOrganization, Permissions: []halley.Permission{
		halley.PermitPlaceRead, halley.PermitPlaceChange, halley.PermitUsageRead, halley.PermitProofRead,
	}}, by)
	check(t, err)
	for _, role := range append(halley.PresetRoles(), "custom") {
		for _, g := range []halley.Grant{{Role: role, OrganizationID: node}, {Role: role, OrganizationID: halley.RootOrganization}} {
			root := g.OrganizationID == halley.RootOrganization
			s := standing{role: string(role), at: own, root: root}
			if role == halley.ViewByMeasuredPlaces {
				g.PlaceID, s.placeOnly = halley.PlaceID(m.things[own]["place"]), true
			}
			name := fmt.Sprintf("%s at %s", role, map[bool]string{true: "the root", false: "its node"}[root])
			list = append(list, &whoAsks{name: name, standings: []standing{s}, header: signInTo(t, m.kit, m.store, name, g)})
		}
		if role != halley.ViewByMeasuredPlaces {
			text, _, err := m.access.Tokens.Create(t.Context(), access.NewToken{Name: "as " + string(role), Role: role, OrganizationID: node}, by)
			check(t, err)
			list = append(list, &whoAsks{
				name: "token " + string(role), standings: []standing{{role: string(role), at: own}}, header: bearer(text),
			})
		}
	}
	return append(list, &whoAsks{
		name: "administrator and guest next door", standings: []standing{{role: "administrator", at: own}, {role: "guest", at: sibling}},
		header: signInTo(t, m.kit, m.store, "administrator and guest next door", halley.Grant{Role: halley.Administrator, OrganizationID: node},
			halley.Grant{Role: halley.Guest, OrganizationID: halley.OrganizationID(m.things[sibling]["organization"])}),
	})
}

// strangers are those who are not known: nobody, an expired session, an expired token and a revoked one.
func (m *matrix) strangers(t *testing.T) map[string]map[string]string {
	t.Helper()
	list := map[string]map[string]string{"no session": {}}
	now := halley.MillisOf(time.Now())
	for name, lifetime := range map[string]time.Duration{"an expired token": time.Hour, "a revoked token": 24 * time.Hour} {
		text, _, err := m.access.Tokens.Create(t.Context(), access.NewToken{Name: name, Role: halley.Administrator, Lifetime: lifetime},
			halley.Change{At: now - 2*halley.Hour})
		check(t, err)
		list[name] = bearer(text)
	}
	check(t, m.access.Tokens.Revoke(t.Context(), "a revoked token", halley.Change{At: now}))
	list["an expired session"] = signInTo(t, m.kit, m.store, "gone", halley.Grant{Role: halley.Administrator, OrganizationID: 1})
	sessions, err := m.store.PersonSessions(t.Context(), 0, now)
	check(t, err)
	newest := sessions[len(sessions)-1]
	for _, s := range sessions {
		if s.PersonID > newest.PersonID {
			newest = s
		}
	}
	newest.ExpiresAt = now - 1
	check(t, m.store.SaveSession(t.Context(), newest))
	return list
}

var braces = regexp.MustCompile(`\{([a-z-]+)\}`)

// fill puts the things of a spot into a path or a body. {id} is of the sort that the operation is about.
func (m *matrix) fill(text, sort string, at spot) string {
	return braces.ReplaceAllStringFunc(text, func(name string) string {
		switch name = strings.Trim(name, "{}"); name {
		case "id":
			name = sort
		case "n":
			m.count++
			return strconv.Itoa(m.count)
		}
		if id, ok := m.things[at][name]; ok {
			return strconv.FormatInt(id, 10)
		}
		return "1"
	})
}

// send sends an operation and gives what came back.
func (m *matrix) send(t *testing.T, e *expectation, at spot, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	sort, _, _ := strings.Cut(e.scope, ",")
	target, body := e.path, e.body
	if cut := strings.Index(body, "?"); cut == 0 {
		target, body = e.path+body, ""
	}
	if (sort == "role" || sort == "token") && e.method == http.MethodDelete {
		m.addToEnd(t, sort, at)
		check(t, m.followed.Refresh(t.Context()))
	}
	r := httptest.NewRequestWithContext(t.Context(), e.method, m.fill(target, sort, at), strings.NewReader(m.fill(body, sort, at)))
	r.Host = "localhost:8443"
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	m.api.ServeHTTP(w, r)
	return w
}

// listed gives the ids that an answer lists: of "devices.id" the id of each of devices.
func listed(t *testing.T, body []byte, keys string) []int64 {
	t.Helper()
	list, field, _ := strings.Cut(keys, ".")
	var all map[string]json.RawMessage
	var each []map[string]any
	check(t, json.Unmarshal(body, &all))
	check(t, json.Unmarshal(all[list], &each))
	var ids []int64
	for _, v := range each {
		if id, ok := v[field].(float64); ok {
			ids = append(ids, int64(id))
		}
	}
	return ids
}

// checkCell holds one cell of the matrix against what is stated.
func (m *matrix) checkCell(t *testing.T, e *expectation, w *whoAsks, at spot) {
	t.Helper()
	got := m.send(t, e, at, w.header)
	if strings.HasSuffix(e.path, "/show-as") && e.method == http.MethodPost {
		m.send(t, &expectation{method: http.MethodDelete, path: e.path}, at, w.header) // The next cell is the caller's own again.
	}
	want := e.of(&m.stated, w, at)
	keys, lists := strings.CutPrefix(e.allowed, "lists ")
	switch {
	case want != "":
		if strconv.Itoa(got.Code) != want {
			t.Errorf("%s %s, %s, at %s: status %d, want %s: %.200s", e.method, e.path, w.name, at, got.Code, want, got.Body)
		}
		said := strings.Replace(got.Body.String(), "there is no such ", "there is no ", 1)
		if sort, _, _ := strings.Cut(e.scope, ","); want == "404" && !strings.Contains(said, "there is no "+sort) {
			t.Errorf("%s %s, %s, at %s: it says more than that it is not there: %s", e.method, e.path, w.name, at, got.Body)
		}
	case lists:
		if got.Code != http.StatusOK {
			t.Errorf("%s %s, %s: status %d, want a list: %.200s", e.method, e.path, w.name, got.Code, got.Body)
			return
		}
		_, sort, _ := strings.Cut(e.scope, ",")
		seen := listed(t, got.Body.Bytes(), keys)
		for at := range spots {
			if may := w.holds(&m.stated, e.permission, sort, at); slices.Contains(seen, m.things[at][sort]) != may {
				t.Errorf("%s %s, %s: the %s of %s is listed: %v, want %v", e.method, e.path, w.name, sort, at, !may, may)
			}
		}
	case !slices.Contains(strings.Split(e.allowed, " or "), strconv.Itoa(got.Code)):
		t.Errorf("%s %s, %s, at %s: status %d, want %s: %.300s", e.method, e.path, w.name, at, got.Code, e.allowed, got.Body)
	case got.Code == http.StatusForbidden && strings.Contains(got.Body.String(), "permission-missing"):
		t.Errorf("%s %s, %s, at %s: refused: %s", e.method, e.path, w.name, at, got.Body)
	}
}

func TestMatrixOfOperationsAndCallers(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	callers, strangers := m.callers(t), m.strangers(t)
	check(t, m.followed.Refresh(t.Context()))
	m.followed.byHand.Store(true) // To look for changes at each request would take most of the time.
	cells := 0
	for _, op := range viewerapi.Operations(m.api) {
		e, known := m.operations[op.Method+" "+op.Path]
		if !known {
			t.Errorf("testdata/matrix.txt states nothing of %s %s", op.Method, op.Path)
			continue
		}
		delete(m.operations, op.Method+" "+op.Path)
		if scope, _, _ := strings.Cut(e.scope, ","); string(op.Permission) != e.permission || op.Scope != scope && op.Scope != "handler" {
			t.Errorf("%s %s: %s, %s; stated are %s, %s", op.Method, op.Path, op.Permission, op.Scope, e.permission, e.scope)
		}
		if e.permission == "public" {
			continue
		}
		for name, header := range strangers {
			cells++
			if got := m.send(t, &e, own, header); got.Code != http.StatusUnauthorized {
				t.Errorf("%s %s, %s: status %d, want 401", e.method, e.path, name, got.Code)
			}
		}
		if e.allowed == "elsewhere" {
			continue
		}
		for _, w := range callers {
			for at := range spots {
				if sort, _, list := strings.Cut(e.scope, ","); at != own && (list || shows[sort] == "") {
					continue
				}
				program := w.header["Authorization"] != ""
				if program && (at == lower || at == parent || strings.HasSuffix(e.path, "/show-as")) {
					continue // The rights are the same, and a program sees what it sees.
				}
				cells++
				m.checkCell(t, &e, w, at)
			}
		}
	}
	for name := range m.operations {
		t.Errorf("testdata/matrix.txt states something of %s, which there is not", name)
	}
	t.Logf("%d cells", cells)
}
