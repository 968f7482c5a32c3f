package viewerapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/access/accesstest"
	"halley/server/directory"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// stillDirectory is a directory in which nothing changes.
type stillDirectory struct{ state *directory.State }

func (s stillDirectory) Directory() *directory.State { return s.state }

func (stillDirectory) Refresh(context.Context) error { return nil }

// BenchmarkTree asks for a tree of 1,000 organizations and 10,000 places with a device each, as who sees all of it and as who sees a half
// without the root, and compares with what it takes to encode the same answer: "times encoding".
func BenchmarkTree(b *testing.B) {
	const organizations, places = 1000, 10_000
	store := &accesstest.Memory{}
	p := quietParts()
	var devices []halley.Device
	store.Arrange(func(d *directory.Data) {
		for i := range organizations {
			id := halley.OrganizationID(i + 2)
			d.Organizations = append(d.Organizations, halley.Organization{ID: id, ParentID: max(id/2, 1), Name: fmt.Sprintf("Organization %d", i)})
		}
		for i := range places {
			id := i + 1
			d.Places = append(d.Places, halley.Place{
				ID: halley.PlaceID(id), OrganizationID: halley.OrganizationID(i%organizations + 2), Name: fmt.Sprintf("Cold room %d", i),
			})
			d.Devices = append(d.Devices, halley.Device{ID: halley.DeviceID(id), State: halley.DeviceAccepted, PlaceID: halley.PlaceID(id)})
			d.Channels = append(d.Channels, halley.Channel{ID: halley.ChannelID(id), DeviceID: halley.DeviceID(id), Number: 1})
			d.Attachments = append(d.Attachments, halley.Attachment{
				ID: int64(id), ChannelID: halley.ChannelID(id), PlaceID: halley.PlaceID(id), From: halley.EarliestMillis, Series: halley.ChannelID(id),
			})
		}
		devices = d.Devices
	})
	p.devices = func(storage.DeviceFilter) ([]halley.Device, error) { return devices, nil }
	still := stillDirectory{store.Directory()}
	o := store.Options(b)
	o.Directory = still
	signs := access.New(o)
	api, err := viewerapi.New(viewerapi.Options{
		Registry: p, Directory: still, Tree: struct{ viewerapi.Tree }{}, Series: p, Status: p, Journal: p, Uploads: p, Live: p, Completeness: p,
		Proof: p, Audit: p, Evidence: p, Access: signs, Factors: struct{ viewerapi.Factors }{}, Log: slog.New(slog.DiscardHandler),
		People: viewerapi.People{
			Rules: struct{ viewerapi.PeopleRules }{}, Sessions: signs, Tokens: signs.Tokens, Records: struct{ viewerapi.PeopleRecords }{},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, node := range map[string]halley.OrganizationID{"all of it": halley.RootOrganization, "a part": 2} {
		text, _, err := signs.Tokens.Create(b.Context(), access.NewToken{Name: name, Role: halley.Administrator, OrganizationID: node},
			halley.Change{At: halley.MillisOf(time.Now())})
		if err != nil {
			b.Fatal(err)
		}
		for _, target := range []string{"/api/v1/organizations", "/api/v1/places?fields=lean&limit=10000", "/api/v1/devices?limit=1000"} {
			b.Run(name+" "+target, func(b *testing.B) { benchmarkAgainstEncoding(b, api, target, text) })
		}
	}
}

func benchmarkAgainstEncoding(b *testing.B, api http.Handler, target, token string) {
	b.Helper()
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, target, http.NoBody)
		r.Host = "localhost:8443"
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}
	var answer struct {
		Organizations, Places, Devices []map[string]any
	}
	if err := json.Unmarshal(ask().Body.Bytes(), &answer); err != nil {
		b.Fatal(err)
	}
	begun, rounds := time.Now(), 0
	for ; time.Since(begun) < 100*time.Millisecond; rounds++ {
		if err := json.NewEncoder(io.Discard).Encode(answer); err != nil {
			b.Fatal(err)
		}
	}
	encoding := time.Since(begun) / time.Duration(rounds)
	for b.Loop() {
		if w := ask(); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
	b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(encoding), "times-encoding")
}
