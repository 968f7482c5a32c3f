package viewerapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/quarantine"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// changed is a change of a device as the registry saw it.
type changed struct {
	ID    halley.DeviceID
	State halley.DeviceState
	Name  string
	Actor halley.Actor
	Why   string
}

// changes is a registry that notes changes in list.
func changes(list *[]changed) func(halley.DeviceID, storage.DeviceUpdate, halley.Change) (halley.Device, error) {
	return func(id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (halley.Device, error) {
		d := cellar
		note := changed{ID: id, Actor: c.Actor, Why: c.Why}
		if u.State != nil {
			d.State, note.State = *u.State, *u.State
		}
		if u.Name != nil {
			d.Name, note.Name = *u.Name, *u.Name
		}
		*list = append(*list, note)
		return d, nil
	}
}

func lastUpload(halley.DeviceKey) (viewerapi.RawUpload, error) {
	return viewerapi.RawUpload{ReceivedAt: at, Family: halley.WiFi, Bytes: 40, Body: `{"key":"***"}`}, nil
}

const cellarJSON = `{"id":12,"serial":"23960001","family":"wifi","model":"W3710","name":"Cellar","state":"accepted","simulated":false,
	"first_seen_at":"2026-11-20T13:16:00.000Z","last_message_at":"2026-11-21T13:16:00.000Z","interval":60,"silent":true,
	"organization_id":1,"place":{"id":3,"name":"Cold room 3"},"quarantine":null,"channels":[
	{"id":7,"number":1,"name":"Channel 1","quantity":"temperature","unit":"°C","decimals":1,"ended":false},
	{"id":8,"number":2,"name":"Channel 2","quantity":"humidity","unit":"%RH","decimals":1,"ended":false}]}`

const atticJSON = `{"id":13,"serial":"00000007","family":"websensor","model":"","name":"00000007","state":"new","simulated":true,
	"first_seen_at":"2026-11-21T12:16:00.000Z","last_message_at":"2026-11-21T13:15:00.000Z","interval":null,"silent":false,
	"organization_id":1,"place":null,"channels":[],"quarantine":{"uploads":3,"bytes":1200,"first_at":"2026-11-21T12:16:00.000Z",
	"last_at":"2026-11-21T13:15:00.000Z","reasons":[
	{"reason":"new-device","text":"A device that nobody has accepted yet.","uploads":2},
	{"reason":"not-understood","text":"The upload could not be read.","uploads":1}],
	"first_values":[
	{"number":1,"name":"T","quantity":"temperature","unit":"°C","decimals":1,"value":20.3,"quality":"good server-time"},
	{"number":2,"name":"RH","quantity":"humidity","unit":"%RH","decimals":1,"value":null,"quality":"error-53"}]}}`

// heldFleet is the fleet with a message of the cellar and uploads of the attic in quarantine.
func heldFleet() *parts {
	p := fleet()
	p.latest = func() []viewerapi.LiveMessage {
		return []viewerapi.LiveMessage{{
			DeviceID: 12, MeasuredAt: at - halley.Minute, ReceivedAt: at - halley.Minute, HeardAt: at, Interval: 60,
			Signal: -61, Battery: halley.Unknown, Values: []viewerapi.LiveValue{
				{ChannelID: 7, Value: 4.1}, {ChannelID: 8, Quality: halley.QualityOf(halley.NotReady, 0)}, {ChannelID: 99, Value: 1},
			},
		}}
	}
	p.held = func() (map[halley.DeviceKey]viewerapi.Held, error) {
		return map[halley.DeviceKey]viewerapi.Held{attic.DeviceKey: {
			Uploads: 3, Bytes: 1200, FirstAt: at - halley.Hour, LastAt: at - halley.Minute,
			Reasons: map[quarantine.Reason]int{quarantine.NotUnderstood: 1, quarantine.NewDevice: 2},
		}}, nil
	}
	p.firstValues = func(halley.DeviceKey) ([]halley.Reading, error) {
		return []halley.Reading{
			{Number: 1, Name: "T", Quantity: halley.Temperature, Unit: "°C", Decimals: 1, Value: 20.3, Quality: halley.ServerTime},
			{Number: 2, Name: "RH", Quantity: halley.Humidity, Unit: "%RH", Decimals: 1, Quality: halley.QualityOf(halley.SensorError, 53)},
		}, nil
	}
	return p
}

func TestListDevices(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ query, want string }{
		"all":                          {"", `{"devices":[` + cellarJSON + `,` + atticJSON + `],"next":null}`},
		"by serial":                    {"?serial=00000007", `{"devices":[` + atticJSON + `],"next":null}`},
		"by family":                    {"?family=wifi", `{"devices":[` + cellarJSON + `],"next":null}`},
		"by state":                     {"?state=new", `{"devices":[` + atticJSON + `],"next":null}`},
		"none":                         {"?serial=99999999", `{"devices":[],"next":null}`},
		"a page and where to go on":    {"?limit=1", `{"devices":[` + cellarJSON + `],"next":"12"}`},
		"the next page, which is last": {"?limit=1&after=12", `{"devices":[` + atticJSON + `],"next":null}`},
		"channels that ended as well": {"?serial=23960001&ended=true", `{"devices":[` + strings.Replace(cellarJSON, `"ended":false}]`,
			`"ended":false},{"id":9,"number":1,"name":"Channel 1","quantity":"temperature","unit":"°F","decimals":1,"ended":true}]`, 1) + `],"next":null}`},
	}
	k := newKit(t, heldFleet())
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkJSON(t, k.get(t, "/api/v1/devices"+tt.query), tt.want)
		})
	}
}

func TestGetDevice(t *testing.T) {
	t.Parallel()
	k := newKit(t, heldFleet())
	// One device says where it is and was; the first place has it from the beginning.
	const stays = `"places":[{"id":3,"name":"Cold room 3","from":"2000-01-01T00:00:00.000Z","to":null}],"channels":`
	checkJSON(t, k.get(t, "/api/v1/devices/12"), strings.Replace(cellarJSON, `"channels":`, stays, 1))
	checkProblem(t, k.get(t, "/api/v1/devices/99"), http.StatusNotFound, "not-found", "")
}

func TestDecideOnDevices(t *testing.T) {
	t.Parallel()
	actor := halley.Actor{Kind: "token", Name: "administrator", Session: "token 2"}
	tests := map[string]struct {
		method, path, body string
		want               changed
	}{
		"accept":               {"POST", "/12/accept", "", changed{State: halley.DeviceAccepted}},
		"accept with no more":  {"POST", "/12/accept", "{}", changed{State: halley.DeviceAccepted}},
		"accept and name":      {"POST", "/12/accept", `{"name":"Vault","reason":"ours"}`, changed{State: halley.DeviceAccepted, Name: "Vault", Why: "ours"}},
		"reject":               {"POST", "/12/reject", `{"reason":"not ours"}`, changed{State: halley.DeviceRejected, Why: "not ours"}},
		"suspend":              {"POST", "/12/suspend", `{"reason":"being\ncalibrated"}`, changed{State: halley.DeviceSuspended, Why: "being\ncalibrated"}},
		"retire":               {"POST", "/12/retire", `{"reason":"broken"}`, changed{State: halley.DeviceRetired, Why: "broken"}},
		"rename":               {"PATCH", "/12", `{"name":"Sklep číslo 3"}`, changed{Name: "Sklep číslo 3"}},
		"rename with a reason": {"PATCH", "/12", `{"name":"V","reason":"moved"}`, changed{Name: "V", Why: "moved"}},
		"longest texts": {
			"PATCH", "/12", `{"name":"` + strings.Repeat("é", 200) + `","reason":"` + strings.Repeat("é", 500) + `"}`,
			changed{Name: strings.Repeat("é", 200), Why: strings.Repeat("é", 500)},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []changed
			p := fleet()
			p.changeDevice = changes(&got)
			k := newKit(t, p)
			a := k.do(t, request{method: tt.method, target: "/api/v1/devices" + tt.path, token: k.admin, body: tt.body})
			if a.status != http.StatusOK || !strings.Contains(a.body, `"id":12`) {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			tt.want.ID, tt.want.Actor = 12, actor
			if diff := cmp.Diff([]changed{tt.want}, got); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongDecisionsAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path, body  string
		status      int
		code, field string
	}{
		"no reason":                {"/12/reject", `{}`, 400, "reason-required", "reason"},
		"no body":                  {"/12/retire", ``, 400, "reason-required", "reason"},
		"an empty reason":          {"/12/suspend", `{"reason":""}`, 400, "reason-required", "reason"},
		"a reason too long":        {"/12/reject", `{"reason":"` + strings.Repeat("x", 501) + `"}`, 400, "not-valid", "reason"},
		"a reason of another type": {"/12/reject", `{"reason":5}`, 400, "not-valid", "reason"},
		"an empty name":            {"/12/accept", `{"name":""}`, 400, "not-valid", "name"},
		"a name too long":          {"/12/accept", `{"name":"` + strings.Repeat("x", 201) + `"}`, 400, "not-valid", "name"},
		"a field that is none":     {"/12/accept", `{"nickname":"x"}`, 400, "not-valid", "nickname"},
		"a name where none goes":   {"/12/reject", `{"reason":"x","name":"y"}`, 400, "not-valid", "name"},
		"not JSON":                 {"/12/accept", `name=x`, 400, "not-valid", ""},
		"an array":                 {"/12/accept", `[]`, 400, "not-valid", ""},
		"more behind it":           {"/12/accept", `{}{}`, 400, "not-valid", ""},
		"too large":                {"/12/accept", `{"reason":"` + strings.Repeat("x", 70_000) + `"}`, 413, "too-large", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []changed
			p := fleet()
			p.changeDevice = changes(&got)
			k := newKit(t, p)
			a := k.do(t, request{method: "POST", target: "/api/v1/devices" + tt.path, token: k.admin, body: tt.body, wrong: name != "more behind it"})
			checkProblem(t, a, tt.status, tt.code, tt.field)
			if len(got) != 0 {
				t.Errorf("the device was changed: %v", got)
			}
		})
	}
}

// These are right by the description, which cannot say what a control character is.
func TestTextsWithControlCharactersAreRefused(t *testing.T) {
	t.Parallel()
	var got []changed
	p := fleet()
	p.changeDevice = changes(&got)
	k := newKit(t, p)
	for name, body := range map[string]string{
		"escape":         `{"name":"a\u001bb"}`,
		"line":           `{"name":"a\nb"}`,
		"direction":      `{"name":"a\u202eb"}`,
		"isolate":        `{"name":"a\u2066b"}`,
		"NUL":            `{"name":"\u0000"}`,
		"nothing to see": `{"name":"   "}`,
	} {
		a := k.do(t, request{method: "PATCH", target: "/api/v1/devices/12", token: k.admin, body: body})
		if p := checkProblem(t, a, http.StatusBadRequest, "not-valid", "name"); p.Detail == "" {
			t.Errorf("%s: no detail", name)
		}
	}
	a := k.do(t, request{method: "POST", target: "/api/v1/devices/12/reject", token: k.admin, body: `{"reason":"a\u001bb"}`})
	checkProblem(t, a, http.StatusBadRequest, "not-valid", "reason")
	if len(got) != 0 {
		t.Errorf("the device was changed: %v", got)
	}
}

func TestWrongQueriesNameTheParameter(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	tests := map[string]struct{ target, field string }{
		"a limit of 0":          {"/api/v1/devices?limit=0", "limit"},
		"a limit too high":      {"/api/v1/devices?limit=1001", "limit"},
		"a limit in words":      {"/api/v1/devices?limit=all", "limit"},
		"an unknown state":      {"/api/v1/devices?state=alive", "state"},
		"an unknown family":     {"/api/v1/devices?family=lora", "family"},
		"a flag that is none":   {"/api/v1/devices?ended=yes", "ended"},
		"a serial too long":     {"/api/v1/devices?serial=" + strings.Repeat("1", 33), "serial"},
		"a negative cursor":     {"/api/v1/devices?after=-1", "after"},
		"a device of 0":         {"/api/v1/channels?device=0", "device"},
		"a time that is none":   {"/api/v1/devices/12/completeness?from=yesterday", "from"},
		"an end before":         {"/api/v1/devices/12/completeness?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"},
		"no span":               {"/api/v1/channels/7/samples?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from"},
		"no points":             {"/api/v1/channels/7/samples?points=0", "points"},
		"too many points":       {"/api/v1/channels/7/samples?points=10001", "points"},
		"points with a limit":   {"/api/v1/channels/7/samples?points=10&limit=5", "limit"},
		"points with a cursor":  {"/api/v1/channels/7/samples?points=10&after=1795266960000-0", "after"},
		"a sample limit":        {"/api/v1/channels/7/samples?limit=100001", "limit"},
		"a cursor that is none": {"/api/v1/channels/7/samples?after=next", "after"},
		"a quarantine limit":    {"/api/v1/devices/12/quarantine?limit=201", "limit"},
		"a live device":         {"/api/v1/live?device=x", "device"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lenient := strings.Contains(name, "points with") || strings.Contains(name, "an end") || strings.Contains(name, "no span") ||
				name == "a sample limit" || name == "a cursor that is none"
			got := k.do(t, request{target: tt.target, token: k.reader, wrong: !lenient})
			checkProblem(t, got, http.StatusBadRequest, "not-valid", tt.field)
		})
	}
	for _, tt := range []struct{ target, field string }{
		{"/api/v1/devices?stat=new", "stat"}, {"/api/v1/devices?limit=5&limit=6", "limit"}, {"/api/v1/devices?%zz", ""},
	} {
		got := k.do(t, request{target: tt.target, token: k.reader})
		checkProblem(t, got, http.StatusBadRequest, "not-valid", tt.field)
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	p := fleet()
	var who, why string
	p.release = func(d halley.Device, c halley.Change) error {
		who, why = c.Actor.Kind, c.Why
		if d.ID != 12 {
			return &halley.Error{Kind: halley.Conflict, Op: "release", Code: "device-not-accepted", Message: "accept the device first"}
		}
		return nil
	}
	k := newKit(t, p)
	post := func(id, body string, wrong bool) answer {
		return k.do(t, request{method: http.MethodPost, target: "/api/v1/devices/" + id + "/release", token: k.admin, body: body, wrong: wrong})
	}
	if a := post("12", `{"reason":"its clock is right again"}`, false); a.status != http.StatusOK || !strings.Contains(a.body, `"id":12`) {
		t.Errorf("answered %d %s", a.status, a.body)
	}
	if who != "token" || why != "its clock is right again" {
		t.Errorf("released by a %s because %q", who, why)
	}
	checkProblem(t, post("12", `{}`, true), http.StatusBadRequest, "reason-required", "reason")
	checkProblem(t, post("99", `{"reason":"x"}`, false), http.StatusNotFound, "not-found", "")
}
