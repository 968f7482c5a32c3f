package viewerapi_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	"halley/server/quarantine"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

func TestHealthSaysOnlyThatTheProgramLives(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	got := k.do(t, request{target: "/healthz", header: map[string]string{"Host": "a.balancer"}})
	if got.status != http.StatusOK || got.body != "ok" {
		t.Errorf("status %d, body %q", got.status, got.body)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	p := quietParts()
	k := newKit(t, p)
	checkJSON(t, k.get(t, "/api/v1/status"), `{"at":"2026-11-21T13:16:00.000Z","state":"ok","messages":[],"version":"1.0","node":"n",
		"started_at":"2026-11-21T13:16:00.000Z","simulated":false,
		"journal":{"id":"j","last":0,"recorded":0,"waiting":0,"oldest_waiting_at":null,"bytes":0,"files":0,"state":"ok"},
		"store":{"kind":"sqlite","engine":"","state":"ok","since":null,"problem":"","schema":0,"bytes":0,"samples":0,
		"bytes_per_sample":0,"samples_per_day":0,"limit_bytes":0,"limit":"","full_at":null},"nodes":[],"listeners":[],
		"devices":{"new":0,"accepted":0,"suspended":0,"rejected":0,"retired":0,"reporting":0,"silent":0},
		"quarantine":{"uploads":0,"bytes":0,"budget_bytes":0,"devices":0,"device_budget":0,"refused":0},
		"unrecognized":{"count":0,"kept":0},"clock":{"state":"not-checked","offset_ms":null,"source":"","checked_at":null}}`)
	s := quietStatus()
	s.State = viewerapi.StateFailing
	s.Messages = []viewerapi.StatusMessage{{Code: "journal-full", Severity: viewerapi.StateFailing, Text: "Free some space."}}
	s.Listeners = []viewerapi.ListenerStatus{{Purpose: "devices", Address: "0.0.0.0:8081", Requests: 5, LastRequestAt: viewerapi.Time(at)}}
	s.Journal = viewerapi.JournalStatus{ID: "j", Last: 9, Recorded: 7, Waiting: 2, OldestWaitingAt: viewerapi.Time(at), Bytes: 1, Files: 1, State: "full"}
	failing := quietParts()
	failing.status = func() viewerapi.Status { return s }
	got := newKit(t, failing)
	if a := got.get(t, "/api/v1/status"); a.status != http.StatusOK || !strings.Contains(a.body, `"state":"failing"`) {
		t.Errorf("a failing program answers %d: %s", a.status, a.body)
	}
}

func TestStatusTellsOfTheStoreAndItsServers(t *testing.T) {
	t.Parallel()
	s := quietStatus()
	s.Store = viewerapi.StoreStatus{
		Kind: "sqlserver", Engine: "SQL Server 2019 Express", State: "away", Since: viewerapi.Time(at), Problem: "It cannot be reached: start it.",
		Schema: 3, Bytes: 6_400_000_000, Samples: 320_000_000, BytesPerSample: 20, SamplesPerDay: 400_000.5,
		LimitBytes: 10 << 30, Limit: viewerapi.LimitEdition, FullAt: viewerapi.Time(at),
	}
	s.Nodes = []viewerapi.NodeStatus{
		{Name: "brno", Version: "1.0", Self: true, SeenAt: viewerapi.Time(at), Leads: true},
		{Name: "praha", Version: "1.1", Silent: true, Waiting: 12, OldestWaitingAt: viewerapi.Time(at)},
	}
	p := quietParts()
	p.status = func() viewerapi.Status { return s }
	got := newKit(t, p).get(t, "/api/v1/status")
	var part struct{ Store, Nodes any }
	if err := json.Unmarshal([]byte(got.body), &part); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"store": part.Store, "nodes": part.Nodes})
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, answer{status: got.status, body: string(body)}, `{"store":{"kind":"sqlserver","engine":"SQL Server 2019 Express","state":"away",
		"since":"2026-11-21T13:16:00.000Z","problem":"It cannot be reached: start it.","schema":3,"bytes":6400000000,"samples":320000000,
		"bytes_per_sample":20,"samples_per_day":400000.5,"limit_bytes":10737418240,"limit":"edition","full_at":"2026-11-21T13:16:00.000Z"},
		"nodes":[{"name":"brno","version":"1.0","self":true,"seen_at":"2026-11-21T13:16:00.000Z","silent":false,"waiting":0,
		"oldest_waiting_at":null,"leads":true},{"name":"praha","version":"1.1","self":false,"seen_at":null,"silent":true,"waiting":12,
		"oldest_waiting_at":"2026-11-21T13:16:00.000Z","leads":false}]}`)
}

func TestStatusAnswersWithFiguresThatAreNone(t *testing.T) {
	t.Parallel()
	for name, figure := range map[string]float64{"no number": math.NaN(), "endless": math.Inf(1), "less than nothing": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := quietStatus()
			s.Store.BytesPerSample, s.Store.SamplesPerDay = figure, figure
			p := quietParts()
			p.status = func() viewerapi.Status { return s }
			got := newKit(t, p).get(t, "/api/v1/status")
			if got.status != http.StatusOK || !strings.Contains(got.body, `"bytes_per_sample":0,"samples_per_day":0,`) {
				t.Errorf("status %d: %s", got.status, got.body)
			}
		})
	}
}

// gone is what every part that asks the database gives while that is away.
func gone() error {
	return &halley.Error{Kind: halley.Unavailable, Op: "ask", Code: "store-away", Message: "the database cannot be reached: start it"}
}

func TestWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.samples = func(storage.SampleQuery) ([]storage.Sample, error) { return nil, gone() }
	p.buckets = func(storage.BucketQuery) ([]storage.Bucket, error) { return nil, gone() }
	p.flush = func() (uint64, uint64, error) { return 0, 0, gone() }
	p.changeDevice = func(halley.DeviceID, storage.DeviceUpdate, halley.Change) (halley.Device, error) {
		return halley.Device{}, gone()
	}
	p.completeness = func(halley.Device, halley.Millis, halley.Millis) (viewerapi.CompletenessReport, error) {
		return viewerapi.CompletenessReport{}, gone()
	}
	p.auditWhere = func(storage.AuditFilter) ([]halley.AuditEntry, error) { return nil, gone() }
	k := newKit(t, p)
	served := []string{
		"/api/v1/status", "/api/v1/me", "/api/v1/organizations", "/api/v1/places", "/api/v1/places/3", "/api/v1/devices", "/api/v1/devices/12", "/api/v1/channels", "/api/v1/latest",
	}
	for _, target := range served {
		if got := k.get(t, target); got.status != http.StatusOK {
			t.Errorf("%s: status %d: %s", target, got.status, got.body)
		}
	}
	if got := k.get(t, "/api/v1/devices/12"); !strings.Contains(got.body, `"place":{"id":3,"name":"Cold room 3"}`) {
		t.Errorf("the place is not named: %s", got.body)
	}
	refused := map[string]string{
		"/api/v1/channels/7/samples":           http.MethodGet,
		"/api/v1/channels/7/samples?points=10": http.MethodGet,
		"/api/v1/devices/12/completeness":      http.MethodGet,
		"/api/v1/journal/flush":                http.MethodPost,
		"/api/v1/devices/12/accept":            http.MethodPost,
	}
	for target, method := range refused {
		got := k.do(t, request{method: method, target: target, token: k.admin})
		problem := checkProblem(t, got, http.StatusServiceUnavailable, "store-away", "")
		if problem.Detail != "the database cannot be reached: start it" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %v %s", target, got.header, got.body)
		}
	}
}

func TestFlush(t *testing.T) {
	t.Parallel()
	p := quietParts()
	k := newKit(t, p)
	in := request{method: http.MethodPost, target: "/api/v1/journal/flush", token: k.admin}
	checkJSON(t, k.do(t, in), `{"recorded":7,"last":9}`)
	p = quietParts()
	p.flush = func() (uint64, uint64, error) {
		return 0, 0, &halley.Error{Kind: halley.Unavailable, Op: "flush", Message: "the database is away"}
	}
	k = newKit(t, p)
	in.token = k.admin
	got := k.do(t, in)
	if checkProblem(t, got, http.StatusServiceUnavailable, "unavailable", "").Detail != "the database is away" || got.header.Get("Retry-After") == "" {
		t.Errorf("answer %v %s", got.header, got.body)
	}
}

func TestMe(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	tests := map[string]struct {
		token string
		want  []halley.Permission
	}{
		"reader":        {k.reader, halley.GuestAdministrator.Permissions()},
		"administrator": {k.admin, halley.Permissions()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := k.do(t, request{target: "/api/v1/me", token: tt.token})
			var me struct {
				Name, Kind, Role string
				Permissions      []halley.Permission
				ExpiresAt        time.Time `json:"expires_at"`
			}
			if err := json.Unmarshal([]byte(got.body), &me); err != nil {
				t.Fatal(err)
			}
			if me.Name != name || me.Kind != "token" || me.Role != name || time.Until(me.ExpiresAt).Round(time.Hour) != 90*24*time.Hour {
				t.Errorf("me = %+v", me)
			}
			if diff := cmp.Diff(tt.want, me.Permissions); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
		})
	}
	endless, _, err := k.access.Tokens.Create(t.Context(), access.NewToken{Name: "endless", Lifetime: access.Never}, halley.Change{At: at})
	if err != nil {
		t.Fatal(err)
	}
	if got := k.do(t, request{target: "/api/v1/me", token: endless}); !strings.Contains(got.body, `"expires_at":null`) {
		t.Errorf("a token without end: %s", got.body)
	}
}

func TestLastUpload(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.lastUpload = func(key halley.DeviceKey) (viewerapi.RawUpload, error) {
		switch key {
		case cellar.DeviceKey:
			return lastUpload(key)
		case attic.DeviceKey:
			return viewerapi.RawUpload{
				ID: 5, ReceivedAt: at, Family: halley.WebSensor, Bytes: 3, Body: "<a>\x00\xff", Reason: quarantine.NewDevice,
			}, nil
		}
		return viewerapi.RawUpload{}, notFound()
	}
	k := newKit(t, p)
	checkJSON(t, k.get(t, "/api/v1/devices/12/last-upload"), `{"received_at":"2026-11-21T13:16:00.000Z","family":"wifi","bytes":40,
		"body":"{\"key\":\"***\"}","quarantined":false,"reason":null}`)
	checkJSON(t, k.get(t, "/api/v1/devices/13/last-upload"), `{"received_at":"2026-11-21T13:16:00.000Z","family":"websensor","bytes":3,
		"body":"<a>\u0000\ufffd","quarantined":true,"reason":"new-device"}`)
	checkProblem(t, k.get(t, "/api/v1/devices/99/last-upload"), http.StatusNotFound, "not-found", "")
	checkProblem(t, newKit(t, fleet()).get(t, "/api/v1/devices/12/last-upload"), http.StatusNotFound, "not-found", "")
}

func TestQuarantined(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.quarantined = func(key halley.DeviceKey, after int64, limit int) ([]viewerapi.RawUpload, error) {
		var list []viewerapi.RawUpload
		for id := after + 1; id <= 3 && len(list) < limit && key == attic.DeviceKey; id++ {
			u := viewerapi.RawUpload{ID: id, ReceivedAt: at, Bytes: 2, Body: "hi", Reason: quarantine.NewDevice}
			if id == 3 {
				u.Reason, u.Note = quarantine.NotUnderstood, "The body ends early."
			}
			list = append(list, u)
		}
		return list, nil
	}
	k := newKit(t, p)
	one := `{"id":1,"received_at":"2026-11-21T13:16:00.000Z","reason":"new-device","text":"A device that nobody has accepted yet.","bytes":2,"body":"hi"}`
	two := strings.Replace(one, `"id":1`, `"id":2`, 1)
	three := `{"id":3,"received_at":"2026-11-21T13:16:00.000Z","reason":"not-understood",
		"text":"The upload could not be read. The body ends early.","bytes":2,"body":"hi"}`
	checkJSON(t, k.get(t, "/api/v1/devices/13/quarantine"), `{"uploads":[`+one+`,`+two+`,`+three+`],"next":null}`)
	checkJSON(t, k.get(t, "/api/v1/devices/13/quarantine?limit=2"), `{"uploads":[`+one+`,`+two+`],"next":"2"}`)
	checkJSON(t, k.get(t, "/api/v1/devices/13/quarantine?limit=2&after=2"), `{"uploads":[`+three+`],"next":null}`)
	checkJSON(t, k.get(t, "/api/v1/devices/12/quarantine"), `{"uploads":[],"next":null}`)
}

func TestCompleteness(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.completeness = func(d halley.Device, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
		if d.ID != 12 || from != at-halley.Hour || to != at {
			t.Errorf("asked for device %d from %s to %s", d.ID, from, to)
		}
		return viewerapi.CompletenessReport{
			Expected: 60, Received: 57, Late: 2, Missing: 3, Uncertain: 1, Duplicates: 4, Conflicts: 5, Extra: 6,
			Gaps: []viewerapi.Gap{{From: from, To: from + 3*halley.Minute, Messages: 3, Cause: "server-down"}},
		}, nil
	}
	k := newKit(t, p)
	want := `{"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T13:16:00.000Z","expected":60,"received":57,"late":2,"missing":3,
		"uncertain":1,"duplicates":4,"conflicts":5,"extra":6,"gaps":[
		{"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T12:19:00.000Z","messages":3,"cause":"server-down"}]}`
	checkJSON(t, k.get(t, "/api/v1/devices/12/completeness?from=2026-11-21T12:16:00Z&to=2026-11-21T13:16:00Z"), want)
	checkJSON(t, k.get(t, "/api/v1/devices/12/completeness?from=2026-11-21T13:16:00%2B01:00&to=2026-11-21T14:16:00%2B01:00"), want)
	checkJSON(t, k.do(t, request{
		target: "/api/v1/devices/12/completeness?from=2026-11-21T13:16:00+01:00&to=2026-11-21T14:16:00+01:00", token: k.reader, wrong: true,
	}), want)
	checkProblem(t, k.get(t, "/api/v1/devices/99/completeness"), http.StatusNotFound, "not-found", "")
}

func TestCompletenessIsOfTheLastDayUnlessSaid(t *testing.T) {
	t.Parallel()
	p := fleet()
	var from, to halley.Millis
	p.completeness = func(_ halley.Device, f, u halley.Millis) (viewerapi.CompletenessReport, error) {
		from, to = f, u
		return viewerapi.CompletenessReport{}, nil
	}
	k := newKit(t, p)
	before := halley.MillisOf(time.Now())
	k.get(t, "/api/v1/devices/12/completeness")
	if after := halley.MillisOf(time.Now()); to-from != halley.Day || to < before || to > after {
		t.Errorf("from %s to %s", from, to)
	}
	k.get(t, "/api/v1/devices/12/completeness?from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z")
	if from != halley.EarliestMillis || to != halley.LatestMillis {
		t.Errorf("all time is from %s to %s", from, to)
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	one := `{"id":7,"device_id":12,"number":1,"name":"Channel 1","quantity":"temperature","unit":"°C","decimals":1,"ended":false}`
	two := `{"id":8,"device_id":12,"number":2,"name":"Channel 2","quantity":"humidity","unit":"%RH","decimals":1,"ended":false}`
	old := `{"id":9,"device_id":12,"number":1,"name":"Channel 1","quantity":"temperature","unit":"°F","decimals":1,"ended":true}`
	checkJSON(t, k.get(t, "/api/v1/channels"), `{"channels":[`+one+`,`+two+`]}`)
	checkJSON(t, k.get(t, "/api/v1/channels?device=12&ended=true"), `{"channels":[`+one+`,`+two+`,`+old+`]}`)
	checkJSON(t, k.get(t, "/api/v1/channels?device=13"), `{"channels":[]}`)
	checkJSON(t, k.get(t, "/api/v1/channels/9"), old)
	checkProblem(t, k.get(t, "/api/v1/channels/99"), http.StatusNotFound, "not-found", "")
}

func TestUnrecognized(t *testing.T) {
	t.Parallel()
	p := quietParts()
	p.unrecognized = func() (int64, []viewerapi.RawUpload, error) {
		return 41, []viewerapi.RawUpload{{ReceivedAt: at, Bytes: 4, Body: "ping", Note: "no family recognizes this body"}}, nil
	}
	checkJSON(t, newKit(t, p).get(t, "/api/v1/unrecognized"), `{"count":41,"bodies":[
		{"received_at":"2026-11-21T13:16:00.000Z","reason":"no family recognizes this body","bytes":4,"body":"ping"}]}`)
	checkJSON(t, newKit(t, quietParts()).get(t, "/api/v1/unrecognized"), `{"count":0,"bodies":[]}`)
}

func TestLatest(t *testing.T) {
	t.Parallel()
	now := halley.MillisOf(time.Now())
	device := func(id halley.DeviceID, name string) halley.Device {
		return halley.Device{
			ID: id, DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: name}, Name: name, State: halley.DeviceAccepted, FirstSeenAt: now - halley.Day,
		}
	}
	p := heldFleet()
	fleetDevices := p.devices
	p.devices = func(storage.DeviceFilter) ([]halley.Device, error) {
		list, err := fleetDevices(storage.DeviceFilter{State: halley.DeviceAccepted})
		return append(list, device(20, "zebra"), device(21, "Ant"), device(22, "never")), err
	}
	p.latest = func() []viewerapi.LiveMessage {
		return []viewerapi.LiveMessage{
			{
				DeviceID: 12, MeasuredAt: at - halley.Hour, ReceivedAt: at - halley.Minute, HeardAt: at, Interval: 60, Late: true,
				Signal: -61, Battery: 80, Values: []viewerapi.LiveValue{
					{ChannelID: 7, Value: 4.1}, {ChannelID: 8, Quality: halley.QualityOf(halley.NotReady, 0)}, {ChannelID: 99, Value: 1},
				},
			},
			{DeviceID: 20, MeasuredAt: now, ReceivedAt: now, HeardAt: now, Interval: 60, Battery: halley.Unknown},
			{DeviceID: 21, MeasuredAt: now - 14*halley.Minute, ReceivedAt: now - 14*halley.Minute, HeardAt: now - 14*halley.Minute, Battery: 0},
		}
	}
	got := newKit(t, p).get(t, "/api/v1/latest")
	var list struct {
		Latest []map[string]any
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list.Latest {
		names = append(names, l["name"].(string))
	}
	if diff := cmp.Diff([]string{"Ant", "Cellar", "never", "zebra"}, names); diff != "" {
		t.Fatalf("order (-want +got):\n%s", diff)
	}
	wants := []string{
		`{"silent":false,"silent_since":null,"interval":null,"battery_percent":0,"signal_dbm":null}`,
		`{"device_id":12,"serial":"23960001","family":"wifi","model":"W3710","name":"Cellar","state":"accepted",
			"measured_at":"2026-11-21T12:16:00.000Z","received_at":"2026-11-21T13:15:00.000Z","interval":60,"late":true,
			"silent":true,"silent_since":"2026-11-21T13:16:00.000Z","signal_dbm":-61,"battery_percent":80,"values":[
			{"channel_id":7,"number":1,"name":"Channel 1","quantity":"temperature","unit":"°C","decimals":1,"value":4.1,"quality":"good late"},
			{"channel_id":8,"number":2,"name":"Channel 2","quantity":"humidity","unit":"%RH","decimals":1,"value":null,"quality":"not-ready late"}]}`,
		`{"measured_at":null,"received_at":null,"interval":null,"late":false,"silent":true,"silent_since":null,"values":[]}`,
		`{"silent":false,"interval":60,"battery_percent":null}`,
	}
	for i, want := range wants {
		var w map[string]any
		if err := json.Unmarshal([]byte(want), &w); err != nil {
			t.Fatal(err)
		}
		part := map[string]any{}
		for name := range w {
			part[name] = list.Latest[i][name]
		}
		if diff := cmp.Diff(w, part); diff != "" {
			t.Errorf("%s (-want +got):\n%s", names[i], diff)
		}
	}
}

func TestFailuresOfPartsBecomeProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err         error
		status      int
		code, field string
	}{
		"invalid":           {&halley.Error{Kind: halley.Invalid, Field: "name", Code: "name-used"}, 400, "name-used", "name"},
		"unauthenticated":   {&halley.Error{Kind: halley.Unauthenticated}, 401, "credentials-missing", ""},
		"forbidden":         {&halley.Error{Kind: halley.Forbidden}, 403, "forbidden", ""},
		"not found":         {&halley.Error{Kind: halley.NotFound}, 404, "not-found", ""},
		"conflict":          {&halley.Error{Kind: halley.Conflict}, 409, "conflict", ""},
		"too large":         {&halley.Error{Kind: halley.TooLarge}, 413, "too-large", ""},
		"too many":          {&halley.Error{Kind: halley.TooMany}, 429, "too-many", ""},
		"unavailable":       {&halley.Error{Kind: halley.Unavailable}, 503, "unavailable", ""},
		"read-only":         {&halley.Error{Kind: halley.Unavailable, Code: storage.CodeReadOnly}, 503, "store-read-only", ""},
		"full":              {&halley.Error{Kind: halley.Unavailable, Code: storage.CodeFull}, 503, "store-full", ""},
		"without tables":    {&halley.Error{Kind: halley.Unavailable, Code: storage.CodeNoSchema}, 503, "store-away", ""},
		"older tables":      {&halley.Error{Kind: halley.Unavailable, Code: storage.CodeOlderSchema}, 503, "store-away", ""},
		"newer tables":      {&halley.Error{Kind: halley.Unavailable, Code: storage.CodeNewerSchema}, 503, "store-away", ""},
		"away":              {&halley.Error{Kind: halley.Unavailable, Code: "store-away"}, 503, "store-away", ""},
		"away otherwise":    {&halley.Error{Kind: halley.Unavailable, Code: "journal-closed"}, 503, "journal-closed", ""},
		"read-only, no 503": {&halley.Error{Kind: halley.Conflict, Code: storage.CodeReadOnly}, 409, "read-only", ""},
		"internal":          {&halley.Error{Kind: halley.Internal, Message: "table t is torn"}, 500, "internal", ""},
		"of no kind":        {errors.New("table t is torn"), 500, "internal", ""},
		"of a kind unknown": {&halley.Error{Kind: 200, Message: "table t is torn"}, 500, "internal", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := fleet()
			p.devices = func(storage.DeviceFilter) ([]halley.Device, error) { return nil, tt.err }
			k := newKit(t, p)
			got := checkProblem(t, k.get(t, "/api/v1/devices"), tt.status, tt.code, tt.field)
			if strings.Contains(got.Detail, "torn") {
				t.Error("the answer shows an internal text")
			}
			logged := k.log.String()
			if internal := tt.status == 500; internal != (got.ID != "") || internal != strings.Contains(logged, "torn") ||
				internal && !strings.Contains(logged, got.ID) {
				t.Errorf("id %q and log differ:\n%s", got.ID, logged)
			}
		})
	}
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	p := quietParts()
	p.status = func() viewerapi.Status { panic("a fault") }
	k := newKit(t, p)
	got := checkProblem(t, k.get(t, "/api/v1/status"), http.StatusInternalServerError, "internal", "")
	if !strings.Contains(k.log.String(), "a fault") || !strings.Contains(k.log.String(), got.ID) {
		t.Error("the log does not say what happened")
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := viewerapi.New(viewerapi.Options{}); err == nil || !strings.Contains(err.Error(), "Registry") {
		t.Errorf("error = %v, want the name of what is missing", err)
	}
}

func TestSchemaListsTheWordsOfTheProgram(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	enum := description(t).Components.Schemas["QuarantineReason"].Value.Enum
	words := []quarantine.Reason{
		quarantine.NewDevice, quarantine.NoEntryPoint, quarantine.WrongEntryPoint, quarantine.WrongCustomerKey, quarantine.Suspended,
		quarantine.Retired, quarantine.TwoSenders, quarantine.TooFast, quarantine.ClockJump, quarantine.NotUnderstood, quarantine.RefusedByStore,
	}
	if len(enum) != len(words) {
		t.Errorf("%d reasons are described, %d exist", len(enum), len(words))
	}
	for _, w := range words {
		if !slices.Contains(enum, any(string(w))) {
			t.Errorf("reason %s is not described", w)
		}
	}
	if strings.Contains(string(file), "\t") {
		t.Error("openapi.yaml holds a tab")
	}
}
