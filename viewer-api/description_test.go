package viewerapi_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"halley"
	"halley/server/access"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// The router and the description name the same operations with the same permissions.
func TestRouterAndDescriptionAgree(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	served := map[string]string{}
	for _, op := range viewerapi.Operations(k.api) {
		served[op.Method+" "+op.Path] = op.ID + " " + string(op.Permission)
	}
	described := map[string]string{}
	for path, item := range description(t).Paths.Map() {
		for method, op := range item.Operations() {
			permission, _ := op.Extensions["x-permission"].(string)
			described[method+" "+path] = op.OperationID + " " + permission
		}
	}
	if diff := cmp.Diff(described, served); diff != "" {
		t.Errorf("operations (-described +served):\n%s", diff)
	}
	routed, err := viewerapi.Routes(k.api)
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for route := range described {
		wanted = append(wanted, route)
	}
	slices.Sort(wanted)
	slices.Sort(routed)
	if diff := cmp.Diff(wanted, routed); diff != "" {
		t.Errorf("routes (-described +routed):\n%s", diff)
	}
}

func TestDescriptionIsComplete(t *testing.T) {
	t.Parallel()
	roles := []halley.Role{halley.Reader, halley.Administrator}
	for path, item := range description(t).Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if op.OperationID == "" || op.Summary == "" || op.Description == "" || len(op.Tags) != 1 {
				t.Errorf("%s lacks an id, a summary, a description or its tag", name)
			}
			if !strings.HasSuffix(op.Summary, ".") {
				t.Errorf("%s: the summary is no sentence", name)
			}
			permission, _ := op.Extensions["x-permission"].(string)
			public := halley.Permission(permission) == halley.PermitPublic
			if !public && !slices.ContainsFunc(roles, func(r halley.Role) bool { return r.May(halley.Permission(permission)) }) {
				t.Errorf("%s: no role holds %q", name, permission)
			}
			if open := op.Security != nil && len(*op.Security) == 0; open != public {
				t.Errorf("%s: security and x-permission %q differ", name, permission)
			}
			for _, status := range []string{"401", "default"} {
				if op.Responses.Value(status) == nil && (status == "default" || !public) {
					t.Errorf("%s does not describe %s", name, status)
				}
			}
			for _, p := range append(item.Parameters, op.Parameters...) {
				s := p.Value.Schema.Value
				bounded := s.Type.Is("boolean") || len(s.Enum) > 0 || s.MaxLength != nil || s.Format == "date-time" || s.Min != nil
				if p.Value.Description == "" || !bounded {
					t.Errorf("%s: parameter %s has no description or no bounds", name, p.Value.Name)
				}
			}
		}
	}
}

func TestDescriptionIsServedInBothForms(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := k.do(t, request{target: "/api/v1/openapi.yaml"})
	if got.body != string(file) || got.header.Get("Content-Type") != "application/yaml" {
		t.Error("openapi.yaml is not the file")
	}
	var fromYAML, fromJSON any
	if err = yaml.Unmarshal(file, &fromYAML); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err = json.Unmarshal(text, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if err = json.Unmarshal([]byte(k.do(t, request{target: "/api/v1/openapi.json"}).body), &fromJSON); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromYAML, fromJSON); diff != "" {
		t.Errorf("openapi.json (-yaml +json):\n%s", diff)
	}
}

// example is a request that a path's operation answers with success.
func example(path string) (target, body string) {
	target = regexp.MustCompile(`\{id\}`).ReplaceAllString(path, "12")
	if strings.HasPrefix(path, "/api/v1/channels/") {
		target = strings.Replace(target, "12", "7", 1)
	}
	if strings.HasPrefix(path, "/api/v1/places/") {
		target = strings.Replace(target, "12", "3", 1)
	}
	switch {
	case strings.HasSuffix(path, "/gap-causes"):
		body = `{"from":"2026-11-21T12:00:00Z","to":"2026-11-21T13:00:00Z","cause":"switched-off","note":"for a test"}`
	case regexp.MustCompile(`(reject|suspend|retire|release)$`).MatchString(path):
		body = `{"reason":"for a test"}`
	case path == "/api/v1/devices/{id}":
		body = `{"name":"other"}`
	case path == "/api/v1/session":
		body = `{"secret":"S"}`
	}
	return target, body
}

func TestEveryOperationByCaller(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.changeDevice = func(halley.DeviceID, storage.DeviceUpdate, halley.Change) (halley.Device, error) { return cellar, nil }
	p.lastUpload = lastUpload
	p.release = func(halley.Device, halley.Change) error { return nil }
	k := newKit(t, p)
	for _, op := range viewerapi.Operations(k.api) {
		t.Run(op.ID, func(t *testing.T) {
			t.Parallel()
			target, body := example(op.Path)
			if op.Method == http.MethodGet || op.Method == http.MethodDelete {
				body = ""
			}
			in := request{method: op.Method, target: target, body: body}
			public := op.Permission == halley.PermitPublic
			if public {
				if op.ID != "signIn" && k.do(t, in).status != http.StatusOK {
					t.Error("a public operation refuses nobody")
				}
				return
			}
			for name, header := range map[string]map[string]string{
				"nobody":                {},
				"a wrong token":         {"Authorization": "Bearer halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"},
				"another scheme":        {"Authorization": "Basic " + k.admin},
				"a token as a cookie":   {"Cookie": access.CookieName + "=" + k.admin},
				"an ended session":      {"Cookie": access.CookieName + "=AAAA"},
				"a token in a query":    {"X-Query": "token=" + k.admin},
				"a header that is none": {"Authorization": k.admin},
			} {
				in := in
				in.header = header
				if name == "a token in a query" {
					in.target, in.wrong = in.target+"?access_token="+k.admin, false
				}
				got := k.do(t, in)
				if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: status %d, want 401 with WWW-Authenticate", name, got.status)
				}
			}
			for token, role := range map[string]halley.Role{k.reader: halley.Reader, k.admin: halley.Administrator} {
				in := in
				in.token = token
				got := k.do(t, in)
				if want := role.May(op.Permission); (got.status != http.StatusForbidden) != want || got.status == http.StatusUnauthorized {
					t.Errorf("%s: status %d, may = %v", role, got.status, want)
				}
				if role == halley.Administrator && got.status >= 300 {
					t.Errorf("administrator: status %d: %s", got.status, got.body)
				}
			}
		})
	}
}

func TestWhoIsNotKnownLearnsNothing(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	requests := map[string]request{
		"unknown path":           {target: "/api/v1/nothing"},
		"unknown version":        {target: "/api/v9/devices"},
		"the folder":             {target: "/api/"},
		"the folder itself":      {target: "/api"},
		"device that is there":   {target: "/api/v1/devices/12"},
		"device that is not":     {target: "/api/v1/devices/99"},
		"id that is none":        {target: "/api/v1/devices/x", wrong: true},
		"wrong method":           {method: http.MethodPut, target: "/api/v1/devices"},
		"public path, not as it": {method: http.MethodDelete, target: "/api/v1/openapi.json"},
		"wrong query":            {target: "/api/v1/devices?limit=x", wrong: true},
		"wrong body":             {method: http.MethodPost, target: "/api/v1/devices/12/reject", body: "{", wrong: true},
		"unclean path":           {target: "/api/v1/../v1/devices"},
		"doubled slash":          {target: "/api//v1/devices"},
	}
	for name, in := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkProblem(t, k.do(t, in), http.StatusUnauthorized, "credentials-missing", "")
		})
	}
}

func TestRouterAnswersWithProblems(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	checkProblem(t, k.get(t, "/api/v1/nothing"), http.StatusNotFound, "not-found", "")
	checkProblem(t, k.get(t, "/api"), http.StatusNotFound, "not-found", "")
	checkProblem(t, k.do(t, request{method: http.MethodPut, target: "/api/v1/devices", token: k.reader}),
		http.StatusMethodNotAllowed, "method-not-allowed", "")
	checkProblem(t, k.do(t, request{method: http.MethodPost, target: "/healthz", token: k.reader}),
		http.StatusMethodNotAllowed, "method-not-allowed", "")
	checkProblem(t, k.do(t, request{target: "/api/v1/devices/0", token: k.reader, wrong: true}), http.StatusNotFound, "not-found", "")
	checkProblem(t, k.do(t, request{target: "/api/v1/channels/x", token: k.reader, wrong: true}), http.StatusNotFound, "not-found", "")
}
