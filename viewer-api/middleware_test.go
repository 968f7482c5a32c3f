package viewerapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"halley"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts(), withViewer)
	want := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for name, in := range map[string]request{
		"page":          {target: "/"},
		"script":        {target: "/assets/index-abc.js"},
		"answer":        {target: "/api/v1/status", token: k.reader},
		"not known":     {target: "/api/v1/status"},
		"not found":     {target: "/api/v1/nothing", token: k.reader},
		"wrong host":    {target: "/", header: map[string]string{"Host": "evil.example"}},
		"health":        {target: "/healthz"},
		"wrong method":  {method: "PUT", target: "/"},
		"cross-origin":  {method: "POST", target: "/api/v1/session", body: `{"secret":"S"}`, header: map[string]string{"Sec-Fetch-Site": "cross-site"}},
		"no such asset": {target: "/assets/none.js"},
	} {
		h := k.do(t, in).header
		for header, value := range want {
			if got := h.Get(header); got != value {
				t.Errorf("%s: %s = %q, want %q", name, header, got, value)
			}
		}
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %q", name, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || h.Get("Strict-Transport-Security") != "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers allow or bind too much: %v", name, h)
		}
	}
}

func TestHostIsChecked(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts(), func(o *viewerapi.Options) { o.Hosts = []string{"Halley.plant.example", "halley:8443"} })
	tests := map[string]bool{
		"localhost":                  true,
		"localhost:8443":             true,
		"LOCALHOST":                  true,
		"127.0.0.1:8443":             true,
		"127.9.9.9":                  true,
		"[::1]:8443":                 true,
		"[::1]":                      true,
		"halley.plant.example":       true,
		"HALLEY.plant.example:8443":  true,
		"halley.plant.example.":      true,
		"halley":                     true,
		"10.1.2.3:8443":              true,
		"[::ffff:10.1.2.3]:8443":     true,
		"10.1.2.4:8443":              false,
		"evil.example":               false,
		"localhost.evil.example":     false,
		"halley.plant.example.evil":  false,
		"xhalley":                    false,
		"":                           false,
		"127.0.0.1.evil.example:443": false,
	}
	for host, want := range tests {
		ctx := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 8443})
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/openapi.json", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		k.api.ServeHTTP(w, r)
		if got := w.Code == http.StatusOK; got != want {
			t.Errorf("Host: %s is answered %d", host, w.Code)
		}
		if !want {
			checkProblem(t, answer{w.Code, w.Header(), w.Body.String()}, http.StatusForbidden, "host-not-known", "")
		}
	}
}

func TestForeignPagesChangeNothing(t *testing.T) {
	t.Parallel()
	var changedDevices []changed
	p := fleet()
	p.changeDevice = changes(&changedDevices)
	k := newKit(t, p)
	for name, header := range map[string]map[string]string{
		"cross-site":       {"Sec-Fetch-Site": "cross-site"},
		"same-site":        {"Sec-Fetch-Site": "same-site"},
		"an older browser": {"Origin": "https://evil.example"},
		"a null origin":    {"Origin": "null"},
		"another port":     {"Origin": "https://localhost:9000"},
	} {
		for _, in := range []request{
			{method: "POST", target: "/api/v1/devices/12/accept", token: k.admin},
			{method: "PATCH", target: "/api/v1/devices/12", token: k.admin, body: `{"name":"x"}`},
			{method: "DELETE", target: "/api/v1/session", token: k.admin},
			{method: "POST", target: "/api/v1/journal/flush", token: k.admin},
			{method: "POST", target: "/api/v1/session", body: `{"secret":"S"}`},
		} {
			in.header = header
			t.Run(name+" "+in.method+" "+in.target, func(t *testing.T) {
				checkProblem(t, k.do(t, in), http.StatusForbidden, "cross-origin", "")
			})
		}
	}
	if len(changedDevices) != 0 {
		t.Errorf("devices were changed: %v", changedDevices)
	}
	for name, header := range map[string]map[string]string{
		"own page":              {"Sec-Fetch-Site": "same-origin", "Origin": "https://localhost:8443"},
		"own page, older":       {"Origin": "https://localhost:8443"},
		"a program":             {},
		"typed in the addresse": {"Sec-Fetch-Site": "none"},
	} {
		got := k.do(t, request{method: "POST", target: "/api/v1/devices/12/accept", token: k.admin, header: header})
		if got.status != http.StatusOK {
			t.Errorf("%s: status %d: %s", name, got.status, got.body)
		}
	}
	if got := k.do(t, request{target: "/api/v1/devices", token: k.reader, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}); got.status != http.StatusOK {
		t.Errorf("reading across sites: %d; browsers keep the answer from the page themselves", got.status)
	}
}

func TestAnswersAreCompressedForThoseWhoTakeIt(t *testing.T) {
	t.Parallel()
	k := newKit(t, withSeries(many(5000)), withViewer)
	span := "/api/v1/channels/7/samples?from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z"
	for name, in := range map[string]request{
		"columns": {target: span, token: k.reader},
		"CSV":     {target: span, token: k.reader, header: map[string]string{"Accept": "text/csv"}},
		"script":  {target: "/assets/index-abc.js"},
	} {
		plain := k.do(t, in)
		zipped := in
		zipped.header = map[string]string{"Accept-Encoding": "gzip, zstd"}
		maps.Copy(zipped.header, in.header)
		got := k.do(t, zipped)
		if got.header.Get("Content-Encoding") != "gzip" || plain.header.Get("Content-Encoding") != "" || len(got.body) >= len(plain.body)/2 {
			t.Errorf("%s: %q with %d of %d bytes", name, got.header.Get("Content-Encoding"), len(got.body), len(plain.body))
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != plain.body {
			t.Errorf("%s: unzipped it differs (%v)", name, err)
		}
		if !strings.Contains(strings.Join(got.header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: Vary = %v", name, got.header.Values("Vary"))
		}
	}
	small := k.do(t, request{target: "/api/v1/me", token: k.reader, header: map[string]string{"Accept-Encoding": "gzip"}})
	if small.header.Get("Content-Encoding") != "" {
		t.Error("a short answer was compressed")
	}
}

func TestAnswersOfTheAPIAreNotKept(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	for _, in := range []request{
		{target: "/api/v1/devices", token: k.reader},
		{target: "/api/v1/channels/7/samples", token: k.reader},
		{target: "/api/v1/channels/7/samples", token: k.reader, header: map[string]string{"Accept": "text/csv"}},
		{target: "/api/v1/devices"},
	} {
		if got := k.do(t, in).header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control = %q", in.target, got)
		}
	}
}

// Nothing that a caller brings reaches the log: it may be a secret.
func TestNoSecretReachesTheLog(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.buckets = func(storage.BucketQuery) ([]storage.Bucket, error) { return nil, io.ErrUnexpectedEOF }
	p.status = func() viewerapi.Status { panic("a fault") }
	k := newKit(t, p, withViewer)
	const planted = "PLANTEDSECRET"
	secret, err := k.access.First.Issue(halley.MillisOf(nowTime()))
	if err != nil {
		t.Fatal(err)
	}
	signIn := k.do(t, request{method: "POST", target: "/api/v1/session", body: fmt.Sprintf(`{"secret":%q}`, secret)})
	cookie := strings.TrimPrefix(strings.Split(signIn.header.Get("Set-Cookie"), ";")[0], "__Host-halley=")
	for _, in := range []request{
		{target: "/api/v1/me", header: map[string]string{"Cookie": "__Host-halley=" + cookie}},
		{target: "/api/v1/me", header: map[string]string{"Cookie": "__Host-halley=" + planted}},
		{target: "/api/v1/me", token: "halley_" + planted},
		{target: "/api/v1/me?" + planted + "=" + planted, token: k.admin},
		{target: "/api/v1/devices?" + planted + "=1", token: k.admin},
		{target: "/api/v1/devices?serial=" + planted, token: k.admin},
		{target: "/api/v1/" + planted, token: k.admin},
		{target: "/" + planted},
		{method: "POST", target: "/api/v1/session", body: `{"secret":"` + planted + `"}`},
		{method: "POST", target: "/api/v1/session", body: `{"secrets":"` + planted + `"}`, wrong: true},
		{method: "POST", target: "/api/v1/session", body: `{"secret":["` + planted + `"]}`, wrong: true},
		{method: planted, target: "/api/v1/session"},
		{target: "/api/v1/channels/7/samples?points=5&after=" + planted, token: k.admin},
		{target: "/api/v1/channels/7/samples?points=5", token: k.admin},
		{target: "/api/v1/status", token: k.admin},
		{target: "/api/v1/devices", token: k.admin, header: map[string]string{"Host": planted + ".example", "Referer": planted, "User-Agent": planted}},
	} {
		if got := k.do(t, in); strings.Contains(got.body, secret) || strings.Contains(got.body, k.admin) {
			t.Errorf("%s: the answer holds a secret", in.target)
		}
	}
	logged := k.log.String()
	if !strings.Contains(logged, "operation=getMe") || !strings.Contains(logged, "msg=request") || !strings.Contains(logged, "a fault") {
		t.Fatalf("the log does not hold the requests:\n%s", logged)
	}
	for name, text := range map[string]string{
		"what a caller sent": planted, "the first secret": secret, "the cookie": cookie, "a token": k.admin, "another token": k.reader,
		"an address": "192.0.2.1",
	} {
		if text == "" || strings.Contains(strings.ToUpper(logged), strings.ToUpper(text)) {
			t.Errorf("the log holds %s", name)
		}
	}
}

// withViewer gives the API a small viewer.
func withViewer(o *viewerapi.Options) {
	o.Viewer = fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>Halley</title>")},
		"favicon.svg":          {Data: []byte("<svg/>")},
		"assets/index-abc.js":  {Data: bytes.Repeat([]byte("let a = 1;\n"), 500)},
		"assets/index-abc.css": {Data: []byte("a{}")},
		"assets/inter.woff2":   {Data: []byte("font")},
		"odd":                  {Data: []byte("odd")},
		"odd.xyz":              {Data: []byte("odd")},
	}
}

func TestViewerFiles(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts(), withViewer)
	const page = "<!doctype html><title>Halley</title>"
	tests := map[string]struct {
		path, kind, cache, body string
		status                  int
	}{
		"index":                       {"/", "text/html; charset=utf-8", "no-cache", page, 200},
		"index by name":               {"/index.html", "text/html; charset=utf-8", "no-cache", page, 200},
		"a page inside the viewer":    {"/devices/12", "text/html; charset=utf-8", "no-cache", page, 200},
		"a page with a query":         {"/devices?state=new", "text/html; charset=utf-8", "no-cache", page, 200},
		"a page with a slash":         {"/devices/", "text/html; charset=utf-8", "no-cache", page, 200},
		"script":                      {"/assets/index-abc.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "", 200},
		"style":                       {"/assets/index-abc.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable", "a{}", 200},
		"font":                        {"/assets/inter.woff2", "font/woff2", "public, max-age=31536000, immutable", "font", 200},
		"icon":                        {"/favicon.svg", "image/svg+xml", "no-cache", "<svg/>", 200},
		"a kind not known":            {"/odd.xyz", "application/octet-stream", "no-cache", "odd", 200},
		"no file":                     {"/assets/index-old.js", "application/problem+json", "no-store", "", 404},
		"no file without an ending":   {"/assets/old", "application/problem+json", "no-store", "", 404},
		"a file that looks like one":  {"/robots.txt", "application/problem+json", "no-store", "", 404},
		"outside":                     {"/../go.mod", "application/problem+json", "no-store", "", 404},
		"outside, escaped":            {"/..%2f..%2fetc%2fpasswd", "text/html; charset=utf-8", "no-cache", page, 200},
		"a path that only looks like": {"/apiary", "text/html; charset=utf-8", "no-cache", page, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := k.do(t, request{target: tt.path})
			if got.status != tt.status || got.header.Get("Content-Type") != tt.kind || got.header.Get("Cache-Control") != tt.cache {
				t.Errorf("status %d, %q, %q, want %d, %q, %q", got.status, got.header.Get("Content-Type"), got.header.Get("Cache-Control"),
					tt.status, tt.kind, tt.cache)
			}
			if tt.body != "" && got.body != tt.body {
				t.Errorf("body %q", got.body)
			}
		})
	}
	if got := k.do(t, request{method: "POST", target: "/"}); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "" {
		t.Errorf("POST: %d, Allow %q", got.status, got.header.Get("Allow"))
	}
	if got := k.do(t, request{method: "HEAD", target: "/"}); got.status != http.StatusOK || got.body != "" {
		t.Errorf("HEAD: %d %q", got.status, got.body)
	}
}

func TestViewerFilesAreNotSentTwice(t *testing.T) {
	t.Parallel()
	k := newKit(t, quietParts(), withViewer)
	for _, encoding := range []string{"", "gzip"} {
		header := map[string]string{"Accept-Encoding": encoding}
		tag := k.do(t, request{target: "/assets/index-abc.js", header: header}).header.Get("ETag")
		header["If-None-Match"] = tag
		if got := k.do(t, request{target: "/assets/index-abc.js", header: header}); tag == "" || got.status != http.StatusNotModified || got.body != "" {
			t.Errorf("encoding %q: tag %q, status %d", encoding, tag, got.status)
		}
	}
}

func TestProgramWithoutViewerSaysSo(t *testing.T) {
	t.Parallel()
	p := checkProblem(t, newKit(t, quietParts()).do(t, request{target: "/"}), http.StatusNotFound, "not-found", "")
	if !strings.Contains(p.Detail, "without the viewer") {
		t.Errorf("detail = %q", p.Detail)
	}
}
