package viewerapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"halley"
	"halley/server/access"
	viewerapi "halley/viewer-api"
)

// The router and the description name the same operations with the same permissions and scopes.
func TestRouterAndDescriptionAgree(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts())
	served := map[string]string{}
	for _, op := range viewerapi.Operations(k.api) {
		served[op.Method+" "+op.Path] = op.ID + " " + string(op.Permission) + " " + op.Scope
	}
	described := map[string]string{}
	for path, item := range description(t).Paths.Map() {
		for method, op := range item.Operations() {
			permission, _ := op.Extensions["x-permission"].(string)
			scope, _ := op.Extensions["x-scope"].(string)
			described[method+" "+path] = op.OperationID + " " + permission + " " + scope
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
			if p := halley.Permission(permission); !public && p != halley.PermitSelf && !slices.Contains(halley.Permissions(), p) {
				t.Errorf("%s: no role can hold %q", name, permission)
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

// What callers who are known get of each operation is in matrix_test.go.
func TestWhatIsNotPublicAsksWhoComes(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	names := regexp.MustCompile(`\{[a-z]+\}`)
	for _, op := range viewerapi.Operations(k.api) {
		if op.Permission == halley.PermitPublic {
			continue
		}
		target := names.ReplaceAllString(op.Path, "12")
		for name, send := range map[string]request{
			"nobody":                {},
			"a wrong token":         {header: map[string]string{"Authorization": "Bearer halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"}},
			"another scheme":        {header: map[string]string{"Authorization": "Basic " + k.admin}},
			"a token as a cookie":   {header: map[string]string{"Cookie": access.CookieName + "=" + k.admin}},
			"an ended session":      {header: map[string]string{"Cookie": access.CookieName + "=AAAA"}},
			"a token in a query":    {target: "?access_token=" + k.admin},
			"a header that is none": {header: map[string]string{"Authorization": k.admin}},
		} {
			r := httptest.NewRequestWithContext(t.Context(), op.Method, target+send.target, http.NoBody)
			r.Host = "localhost:8443"
			for header, value := range send.header {
				r.Header.Set(header, value)
			}
			w := httptest.NewRecorder()
			k.api.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: status %d, want 401 with WWW-Authenticate", op.ID, name, w.Code)
			}
		}
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
