package viewerapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/directory"
	"halley/storage"
	"halley/storage/ledger"
	viewerapi "halley/viewer-api"
)

// parts are the parts of an API as functions; a test replaces those it is about.
type parts struct {
	devices       func(storage.DeviceFilter) ([]halley.Device, error)
	channels      func(storage.ChannelFilter) ([]halley.Channel, error)
	changeDevice  func(halley.DeviceID, storage.DeviceUpdate, halley.Change) (halley.Device, error)
	samples       func(storage.SampleQuery) ([]storage.Sample, error)
	buckets       func(storage.BucketQuery) ([]storage.Bucket, error)
	status        func() viewerapi.Status
	flush         func() (uint64, uint64, error)
	lastUpload    func(halley.DeviceKey) (viewerapi.RawUpload, error)
	quarantined   func(halley.DeviceKey, int64, int) ([]viewerapi.RawUpload, error)
	held          func() (map[halley.DeviceKey]viewerapi.Held, error)
	firstValues   func(halley.DeviceKey) ([]halley.Reading, error)
	release       func(halley.Device, halley.Change) error
	unrecognized  func() (int64, []viewerapi.RawUpload, error)
	latest        func() []viewerapi.LiveMessage
	subscribe     func(context.Context) <-chan viewerapi.Event
	completeness  func(halley.Device, halley.Millis, halley.Millis) (viewerapi.CompletenessReport, error)
	ofPlace       func(halley.PlaceID, halley.Millis, halley.Millis) (viewerapi.CompletenessReport, error)
	ofDays        func(from, to int64) ([]viewerapi.DeviceCompleteness, error)
	gapCauses     func(halley.DeviceID, halley.Millis, halley.Millis) ([]storage.GapCause, error)
	addGapCause   func(storage.GapCause, halley.Change) (storage.GapCause, error)
	auditWhere    func(storage.AuditFilter) ([]halley.AuditEntry, error)
	noteAudit     func(halley.AuditEntry) error
	evidence      func(viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error)
	proofs        func(storage.ProofKind, int64, int) ([]storage.Proof, error)
	checkpoint    func(string) (ledger.Checkpoint, bool, error)
	proofNow      func() viewerapi.ProofNow
	verify        func(halley.Millis, halley.Millis, halley.Change) error
	authenticated func(access.Presented) // Called before each authentication.
}

func notFound() error { return &halley.Error{Kind: halley.NotFound, Op: "look"} }

func (p *parts) Devices(_ context.Context, f storage.DeviceFilter) ([]halley.Device, error) {
	return p.devices(f)
}

func (p *parts) Device(_ context.Context, id halley.DeviceID) (halley.Device, error) {
	all, err := p.devices(storage.DeviceFilter{})
	if err != nil {
		return halley.Device{}, err
	}
	i := slices.IndexFunc(all, func(d halley.Device) bool { return d.ID == id })
	if i < 0 {
		return halley.Device{}, notFound()
	}
	return all[i], nil
}

func (p *parts) Channels(_ context.Context, f storage.ChannelFilter) ([]halley.Channel, error) {
	return p.channels(f)
}

func (p *parts) Channel(_ context.Context, id halley.ChannelID) (halley.Channel, error) {
	all, err := p.channels(storage.ChannelFilter{Ended: true})
	if err != nil {
		return halley.Channel{}, err
	}
	i := slices.IndexFunc(all, func(c halley.Channel) bool { return c.ID == id })
	if i < 0 {
		return halley.Channel{}, notFound()
	}
	return all[i], nil
}

func (p *parts) ChangeDevice(_ context.Context, id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (halley.Device, error) {
	return p.changeDevice(id, u, c)
}

func (p *parts) Samples(_ context.Context, q storage.SampleQuery) ([]storage.Sample, error) {
	return p.samples(q)
}

func (p *parts) Buckets(_ context.Context, q storage.BucketQuery) ([]storage.Bucket, error) {
	return p.buckets(q)
}

func (p *parts) Status(context.Context) viewerapi.Status { return p.status() }

func (p *parts) Flush(context.Context) (recorded, last uint64, err error) { return p.flush() }

func (p *parts) LastUpload(_ context.Context, key halley.DeviceKey) (viewerapi.RawUpload, error) {
	return p.lastUpload(key)
}

func (p *parts) Quarantined(_ context.Context, key halley.DeviceKey, after int64, limit int) ([]viewerapi.RawUpload, error) {
	return p.quarantined(key, after, limit)
}

func (p *parts) Held(context.Context) (map[halley.DeviceKey]viewerapi.Held, error) { return p.held() }

func (p *parts) FirstValues(_ context.Context, key halley.DeviceKey) ([]halley.Reading, error) {
	return p.firstValues(key)
}

func (p *parts) Release(_ context.Context, d halley.Device, c halley.Change) error {
	return p.release(d, c)
}

func (p *parts) Unrecognized(context.Context) (int64, []viewerapi.RawUpload, error) {
	return p.unrecognized()
}

func (p *parts) Latest() []viewerapi.LiveMessage { return p.latest() }

func (p *parts) LatestOf(id halley.DeviceID) (viewerapi.LiveMessage, bool) {
	all := p.latest()
	i := slices.IndexFunc(all, func(m viewerapi.LiveMessage) bool { return m.DeviceID == id })
	if i < 0 {
		return viewerapi.LiveMessage{}, false
	}
	return all[i], true
}

func (p *parts) Subscribe(ctx context.Context) <-chan viewerapi.Event {
	return p.subscribe(ctx)
}

func (p *parts) Completeness(_ context.Context, d halley.Device, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
	return p.completeness(d, from, to)
}

func (p *parts) PlaceCompleteness(_ context.Context, id halley.PlaceID, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
	return p.ofPlace(id, from, to)
}

func (p *parts) CompletenessDays(_ context.Context, from, to int64) ([]viewerapi.DeviceCompleteness, error) {
	return p.ofDays(from, to)
}

func (p *parts) GapCauses(_ context.Context, id halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
	return p.gapCauses(id, from, to)
}

func (p *parts) AddGapCause(_ context.Context, g storage.GapCause, c halley.Change) (storage.GapCause, error) {
	return p.addGapCause(g, c)
}

func (p *parts) AuditWhere(_ context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	return p.auditWhere(f)
}

func (p *parts) NoteAudit(_ context.Context, e halley.AuditEntry) error { return p.noteAudit(e) }

func (p *parts) Evidence(_ context.Context, r viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
	return p.evidence(r)
}

func (p *parts) Proofs(_ context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
	return p.proofs(kind, before, limit)
}

func (p *parts) NewestCheckpoint(_ context.Context, node string) (c ledger.Checkpoint, found bool, err error) {
	return p.checkpoint(node)
}

func (p *parts) ProofNow(context.Context) viewerapi.ProofNow { return p.proofNow() }

func (p *parts) Verify(_ context.Context, from, to halley.Millis, c halley.Change) error {
	return p.verify(from, to, c)
}

// watchedAccess is an Access that says what it is asked.
type watchedAccess struct {
	*access.Access
	parts *parts
}

func (w watchedAccess) Authenticate(ctx context.Context, p access.Presented) (access.Caller, error) {
	w.parts.authenticated(p)
	return w.Access.Authenticate(ctx, p)
}

// quietParts answers everything with little: no devices, no samples.
func quietParts() *parts {
	return &parts{
		devices:  func(storage.DeviceFilter) ([]halley.Device, error) { return nil, nil },
		channels: func(storage.ChannelFilter) ([]halley.Channel, error) { return nil, nil },
		changeDevice: func(halley.DeviceID, storage.DeviceUpdate, halley.Change) (halley.Device, error) {
			return halley.Device{}, notFound()
		},
		samples:       func(storage.SampleQuery) ([]storage.Sample, error) { return nil, nil },
		buckets:       func(storage.BucketQuery) ([]storage.Bucket, error) { return nil, nil },
		status:        quietStatus,
		flush:         func() (uint64, uint64, error) { return 7, 9, nil },
		lastUpload:    func(halley.DeviceKey) (viewerapi.RawUpload, error) { return viewerapi.RawUpload{}, notFound() },
		quarantined:   func(halley.DeviceKey, int64, int) ([]viewerapi.RawUpload, error) { return nil, nil },
		held:          func() (map[halley.DeviceKey]viewerapi.Held, error) { return nil, nil },
		firstValues:   func(halley.DeviceKey) ([]halley.Reading, error) { return nil, nil },
		unrecognized:  func() (int64, []viewerapi.RawUpload, error) { return 0, nil, nil },
		latest:        func() []viewerapi.LiveMessage { return nil },
		subscribe:     func(context.Context) <-chan viewerapi.Event { c := make(chan viewerapi.Event); close(c); return c },
		authenticated: func(access.Presented) {},
		proofs:        func(storage.ProofKind, int64, int) ([]storage.Proof, error) { return nil, nil },
		checkpoint:    func(string) (ledger.Checkpoint, bool, error) { return ledger.Checkpoint{}, false, nil },
		proofNow:      func() viewerapi.ProofNow { return viewerapi.ProofNow{} },
		verify:        func(halley.Millis, halley.Millis, halley.Change) error { return nil },
		completeness: func(halley.Device, halley.Millis, halley.Millis) (viewerapi.CompletenessReport, error) {
			return viewerapi.CompletenessReport{}, nil
		},
		ofPlace: func(halley.PlaceID, halley.Millis, halley.Millis) (viewerapi.CompletenessReport, error) {
			return viewerapi.CompletenessReport{}, nil
		},
		ofDays:     func(int64, int64) ([]viewerapi.DeviceCompleteness, error) { return nil, nil },
		auditWhere: func(storage.AuditFilter) ([]halley.AuditEntry, error) { return nil, nil },
		noteAudit:  func(halley.AuditEntry) error { return nil },
		evidence: func(viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
			return evidenceFile{text: "PK"}, nil
		},
		gapCauses: func(halley.DeviceID, halley.Millis, halley.Millis) ([]storage.GapCause, error) { return nil, nil },
		addGapCause: func(g storage.GapCause, c halley.Change) (storage.GapCause, error) {
			g.ID, g.By, g.At = 4, c.Actor.Name, c.At
			return g, nil
		},
	}
}

func quietStatus() viewerapi.Status {
	return viewerapi.Status{
		At: viewerapi.Time(at), State: viewerapi.StateOK, Version: "1.0", Node: "n", StartedAt: viewerapi.Time(at),
		Journal: viewerapi.JournalStatus{ID: "j", State: "ok"}, Store: viewerapi.StoreStatus{Kind: "sqlite", State: "ok"},
		Clock: viewerapi.ClockStatus{State: "not-checked"},
	}
}

// at is an instant for fixed answers: 2026-11-21T13:16:00Z.
const at halley.Millis = 1_795_266_960_000

// kit is an API with its parts, a reader and an administrator.
type kit struct {
	parts         *parts
	api           *viewerapi.API
	access        *access.Access
	store         *accesstest.Memory
	log           *lockedBuffer
	reader, admin string
	routes        routers.Router
	// followed is the copy of the store where there is one.
	followed *followed
}

// lockedBuffer is a bytes.Buffer for several writers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// coldRoom is the place of the devices that are at one.
var coldRoom = halley.Place{ID: 3, OrganizationID: halley.RootOrganization, Name: "Cold room 3"}

// arrange puts the devices of p at their places into a directory.
func (p *parts) arrange(d *directory.Data) {
	d.Places = append(d.Places, coldRoom)
	d.Devices, _ = p.devices(storage.DeviceFilter{})
	d.Channels, _ = p.channels(storage.ChannelFilter{Ended: true})
	at := make(map[halley.DeviceID]halley.PlaceID)
	for _, device := range d.Devices {
		at[device.ID] = device.PlaceID
	}
	for i, c := range d.Channels {
		if place := at[c.DeviceID]; place != 0 {
			d.Attachments = append(d.Attachments, halley.Attachment{
				ID: int64(i) + 1, ChannelID: c.ID, PlaceID: place, From: halley.EarliestMillis, Series: c.ID,
			})
		}
	}
}

// newKit builds an API over p; change may alter its options.
func newKit(t *testing.T, p *parts, change ...func(*viewerapi.Options)) *kit {
	t.Helper()
	store := &accesstest.Memory{}
	store.Arrange(p.arrange)
	k := &kit{parts: p, store: store, log: &lockedBuffer{}}
	k.access = access.New(store.Options(t))
	o := viewerapi.Options{
		Registry: p, Directory: store, Series: p, Status: p, Journal: p, Uploads: p, Live: p, Completeness: p, Proof: p,
		Audit: p, Evidence: p,
		Tree: struct{ viewerapi.Tree }{},
		People: viewerapi.People{
			Rules: struct{ viewerapi.PeopleRules }{}, Sessions: k.access, Tokens: k.access.Tokens,
			Records: struct{ viewerapi.PeopleRecords }{},
		},
		Access: watchedAccess{k.access, p}, Factors: struct{ viewerapi.Factors }{},
		Log: slog.New(slog.NewTextHandler(k.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if k.api, err = viewerapi.New(o); err != nil {
		t.Fatal(err)
	}
	k.reader = k.token(t, "reader", halley.Reader)
	k.admin = k.token(t, "administrator", halley.Administrator)
	k.routes = describedRoutes(t)
	return k
}

func (k *kit) token(t *testing.T, name string, role halley.Role) string {
	t.Helper()
	text, _, err := k.access.Tokens.Create(t.Context(), access.NewToken{Name: name, Role: role},
		halley.Change{At: halley.MillisOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// person signs in as somebody with a role at the root and gives the header of later requests.
func (k *kit) person(t *testing.T, name string, role halley.Role) map[string]string {
	t.Helper()
	k.store.Person(t, name, halley.Grant{Role: role})
	body := fmt.Sprintf(`{"name":%q,"password":%q}`, name, accesstest.Password.Reveal())
	got := k.do(t, request{method: http.MethodPost, target: "/api/v1/session", body: body})
	if got.status != http.StatusNoContent {
		t.Fatalf("signing in: %d %s", got.status, got.body)
	}
	pair, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return map[string]string{"Cookie": pair}
}

// described reads openapi.yaml once.
var described = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

func description(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := described()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// describedRouter finds the operation of a request in the description.
var describedRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := described()
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

func describedRoutes(t *testing.T) routers.Router {
	t.Helper()
	router, err := describedRouter()
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// request is what a test sends. Without a token it comes from nobody.
type request struct {
	method, target, token, body string
	header                      map[string]string
	// wrong says that the request is not one that the description allows, on purpose.
	wrong bool
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request and holds both it and its answer against the description.
func (k *kit) do(t *testing.T, in request) answer {
	t.Helper()
	if in.method == "" {
		in.method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), in.method, in.target, strings.NewReader(in.body))
	r.Host = "localhost:8443"
	if in.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if in.token != "" {
		r.Header.Set("Authorization", "Bearer "+in.token)
	}
	for name, value := range in.header {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	k.validated(t, r, w, in)
	return answer{status: w.Code, header: w.Header(), body: w.Body.String()}
}

// validated serves r and validates it and the answer, where the description knows its path.
func (k *kit) validated(t *testing.T, r *http.Request, w *httptest.ResponseRecorder, in request) {
	t.Helper()
	described := r.Clone(r.Context())
	described.URL.Host, described.Host = "", ""
	route, vars, err := k.routes.FindRoute(described)
	if err != nil {
		k.api.ServeHTTP(w, r)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: described, PathParams: vars, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	described.Body = io.NopCloser(strings.NewReader(in.body))
	if err := openapi3filter.ValidateRequest(t.Context(), input); (err != nil) != in.wrong {
		t.Errorf("%s %s: the description says of the request: %v", r.Method, r.URL, err)
	}
	k.api.ServeHTTP(w, r)
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	// What is compressed or a stream cannot be validated; what is long has a short likeness in another test.
	const long = 64 << 10
	if w.Header().Get("Content-Encoding") != "" || w.Body.Len() > long || strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		return
	}
	output.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(t.Context(), output); err != nil {
		t.Errorf("%s %s: the answer is not as described: %v", r.Method, r.URL, err)
	}
}

// get sends a GET as the reader.
func (k *kit) get(t *testing.T, target string) answer {
	t.Helper()
	return k.do(t, request{target: target, token: k.reader})
}

// checkJSON compares a JSON answer, whose order of names does not count.
func checkJSON(t *testing.T, got answer, want string) {
	t.Helper()
	if got.status != http.StatusOK {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	var g, w any
	if err := json.Unmarshal([]byte(got.body), &g); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// problem is a problem document.
type problem struct {
	Type, Title, Detail, Code, Field, ID string
	Status                               int
}

// checkProblem compares the stable parts of a problem document and gives the whole.
func checkProblem(t *testing.T, got answer, status int, code, field string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatalf("no problem document: %v: %q", err, got.body)
	}
	if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type = %q", ct)
	}
	if got.status != status || p.Status != status || p.Code != code || p.Field != field {
		t.Errorf("answer %d, document %d %q field %q, want %d %q field %q", got.status, p.Status, p.Code, p.Field, status, code, field)
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("incomplete problem document: %+v", p)
	}
	return p
}

// The devices and channels of most tests.
var (
	cellar = halley.Device{
		ID: 12, DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "23960001"}, Model: "W3710", Name: "Cellar",
		State: halley.DeviceAccepted, FirstSeenAt: at - halley.Day, PlaceID: 3,
	}
	attic = halley.Device{
		ID: 13, DeviceKey: halley.DeviceKey{Family: halley.WebSensor, Serial: "00000007"}, Name: "00000007",
		State: halley.DeviceNew, FirstSeenAt: at - halley.Hour, Simulated: true,
	}
	cellarTemperature = halley.Channel{ID: 7, DeviceID: 12, Number: 1, Name: "Channel 1", Quantity: halley.Temperature, Unit: "°C", Decimals: 1}
	cellarHumidity    = halley.Channel{ID: 8, DeviceID: 12, Number: 2, Name: "Channel 2", Quantity: halley.Humidity, Unit: "%RH", Decimals: 1}
	cellarFahrenheit  = halley.Channel{ID: 9, DeviceID: 12, Number: 1, Name: "Channel 1", Quantity: halley.Temperature, Unit: "°F", Decimals: 1, Ended: true}
)

// fleet gives parts that know the cellar and the attic.
func fleet() *parts {
	p := quietParts()
	p.devices = func(f storage.DeviceFilter) ([]halley.Device, error) {
		var list []halley.Device
		for _, d := range []halley.Device{cellar, attic} {
			if (f.State == "" || d.State == f.State) && (f.Serial == "" || d.Serial == f.Serial) &&
				(f.Family == "" || d.Family == f.Family) && d.ID > f.After && (f.Limit == 0 || len(list) < f.Limit) {
				list = append(list, d)
			}
		}
		return list, nil
	}
	p.channels = func(f storage.ChannelFilter) ([]halley.Channel, error) {
		var list []halley.Channel
		for _, c := range []halley.Channel{cellarTemperature, cellarHumidity, cellarFahrenheit} {
			if (len(f.Devices) == 0 || slices.Contains(f.Devices, c.DeviceID)) && (f.Ended || !c.Ended) {
				list = append(list, c)
			}
		}
		return list, nil
	}
	return p
}
