package viewerapi_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"halley"
	"halley/storage/storagetest"
	viewerapi "halley/viewer-api"
)

// following is a stream over a connection.
type following struct{ lines *bufio.Scanner }

// follow opens a stream with what a caller presents, and waits until it has begun.
func (w *world) follow(t *testing.T, header, value string) *following {
	t.Helper()
	server := httptest.NewServer(w.api)
	t.Cleanup(func() { w.api.EndStreams(); server.Close() })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/live", http.NoBody)
	check(t, err)
	r.Header.Set(header, value)
	resp, err := server.Client().Do(r)
	check(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	f := &following{bufio.NewScanner(resp.Body)}
	if got := f.next(); got != "hello" {
		t.Fatalf("the stream begins with %q", got)
	}
	return f
}

// next gives the name of the next event, "end" where the stream ends.
func (f *following) next() string {
	for f.lines.Scan() {
		if name, ok := strings.CutPrefix(f.lines.Text(), "event: "); ok {
			return name
		}
	}
	return "end"
}

// fromBrno is a message of Brno's device.
func (w *world) fromBrno() viewerapi.Event {
	return viewerapi.Event{Kind: viewerapi.EventMessage, Message: viewerapi.LiveMessage{
		DeviceID: w.device["/Acme/Brno"], MeasuredAt: storagetest.Start + 2*halley.Day, ReceivedAt: at, HeardAt: at,
		Values: []viewerapi.LiveValue{{ChannelID: w.channel["/Acme/Brno"], Value: 4.1}},
	}}
}

// What comes after the end of a session, a token or a right reaches nobody by them.
func TestAStreamEndsAtOnceWithWhatItsCallerHad(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		token bool
		end   func(t *testing.T, w *world)
	}{
		"signed out": {end: func(t *testing.T, w *world) { w.change(t, http.StatusNoContent, "guest", "DELETE", "/session", "") }},
		"sessions ended by an administrator": {end: func(t *testing.T, w *world) {
			w.change(t, http.StatusNoContent, "brno", "DELETE", "/people/{guest}/sessions", `{"why":"x"}`)
		}},
		"disabled": {end: func(t *testing.T, w *world) {
			w.change(t, http.StatusOK, "brno", "PATCH", "/people/{guest}", `{"state":"disabled","why":"x"}`)
		}},
		"deleted": {end: func(t *testing.T, w *world) {
			w.change(t, http.StatusNoContent, "brno", "DELETE", "/people/{guest}", `{"why":"x"}`)
		}},
		"role taken away": {end: func(t *testing.T, w *world) {
			grant := w.devices.Directory().Grants(w.people["guest"])[0].ID
			w.change(t, http.StatusNoContent, "brno", "DELETE", fmt.Sprintf("/people/{guest}/grants/%d", grant), `{"why":"x"}`)
		}},
		"token revoked": {token: true, end: func(t *testing.T, w *world) {
			w.change(t, http.StatusNoContent, "brno", "DELETE", fmt.Sprintf("/tokens/%d", w.tokenID(t, "program")), `{"why":"x"}`)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := newFeed(w.parts)
			var header, value string
			if tt.token {
				text, _, err := w.access.Tokens.Create(t.Context(), accessToken("program", w.nodes["/Acme/Brno"]), aTest())
				check(t, err)
				check(t, w.devices.Refresh(t.Context()))
				header, value = "Authorization", "Bearer "+text
			} else {
				header, value = "Cookie", w.cookie(t, "guest")
			}
			stream := w.follow(t, header, value)
			f.events <- w.fromBrno()
			if got := stream.next(); got != "message" {
				t.Fatalf("before: %q", got)
			}
			tt.end(t, w)
			f.events <- w.fromBrno()
			if got := stream.next(); got != "end" {
				t.Errorf("afterwards comes %q", got)
			}
		})
	}
}

// A stream on which nothing comes ends as well, without waiting for anything.
func TestAQuietStreamEndsAtOnceToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		newFeed(p)
		k := newKit(t, p)
		mine, other := k.person(t, "eva", halley.User), k.person(t, "adam", halley.User)
		ends, stays := listen(t, k, "/api/v1/live", mine), listen(t, k, "/api/v1/live", other)
		if got := k.do(t, request{method: http.MethodDelete, target: "/api/v1/session", header: mine}); got.status != http.StatusNoContent {
			t.Fatalf("signing out: %d %s", got.status, got.body)
		}
		if !ends.ended() {
			t.Error("the stream goes on")
		}
		if stays.ended() {
			t.Error("the stream of somebody else ended")
		}
		stays.close(t)
	})
}
