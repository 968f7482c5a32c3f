package viewerapi_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const leanPlaces = "/api/v1/places?fields=lean&limit=10000"

// placesAs asks for the places as a person, compressed where a header says so, and gives the answer as it reads.
func (w *world) placesAs(t *testing.T, who string, header ...string) answer {
	t.Helper()
	all := map[string]string{"Cookie": w.cookie(t, who)}
	for i := 0; i+1 < len(header); i += 2 {
		all[header[i]] = header[i+1]
	}
	got := w.do(t, request{target: leanPlaces, header: all})
	if got.header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(strings.NewReader(got.body))
		check(t, err)
		body, err := io.ReadAll(z)
		check(t, err)
		got.body = string(body)
	}
	if got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the list may be kept: %v", got.header)
	}
	return got
}

// A list that is made once for many is still what each of them may see.
func TestPlacesAreThoseOfTheCallerWhoeverAskedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, encoding := range []string{"", "gzip", "br, gzip;q=0.5", "gzip;q=0"} {
		got := map[string]int{}
		for _, who := range []string{"chief", "brno", "chief", "zeta", "acme", "watcher"} {
			answer := w.placesAs(t, who, "Accept-Encoding", encoding)
			if packed := answer.header.Get("Content-Encoding") == "gzip"; packed && (encoding == "" || encoding == "gzip;q=0") {
				t.Errorf("%q was answered with what it does not take", encoding)
			}
			got[who] = strings.Count(answer.body, "Cold room of")
		}
		want := map[string]int{"chief": 3, "watcher": 3, "acme": 2, "brno": 1, "zeta": 1}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: places (-want +got):\n%s", encoding, diff)
		}
	}
}

func TestPlacesThatAreKnownAreNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"chief", "brno"} {
		for _, encoding := range []string{"gzip", ""} {
			t.Run(who+" "+encoding, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				first := w.placesAs(t, who, "Accept-Encoding", encoding)
				tag := first.header.Get("ETag")
				if first.status != http.StatusOK || tag == "" {
					t.Fatalf("at first: %d, tag %q", first.status, tag)
				}
				for _, known := range []string{tag, `"other", ` + tag, strings.TrimPrefix(tag, "W/")} {
					again := w.placesAs(t, who, "Accept-Encoding", encoding, "If-None-Match", known)
					if again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag {
						t.Errorf("known by %s: %d with %d bytes", known, again.status, len(again.body))
					}
				}
				w.change(t, http.StatusOK, "chief", "PATCH", fmt.Sprintf("/places/%d", w.places["/Acme/Brno"]), `{"name":"Freezer","why":"x"}`)
				renamed := w.placesAs(t, who, "Accept-Encoding", encoding, "If-None-Match", tag)
				if renamed.status != http.StatusOK || !strings.Contains(renamed.body, "Freezer") || renamed.header.Get("ETag") == tag {
					t.Errorf("once a place is renamed: %d %s", renamed.status, renamed.body)
				}
			})
		}
	}
}

// The tag of another caller's list fits no list but that one.
func TestTagOfAnotherCallersPlacesFitsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.placesAs(t, "chief").header.Get("ETag")
	if got := w.placesAs(t, "brno", "If-None-Match", tag); got.status != http.StatusOK {
		t.Errorf("status %d", got.status)
	}
}

func TestPlacesAskedForAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.cookie(t, "chief")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got := w.do(t, request{target: leanPlaces, header: map[string]string{"Cookie": cookie, "Accept-Encoding": "gzip"}})
			if got.status != http.StatusOK || got.header.Get("Content-Encoding") != "gzip" || got.body == "" {
				t.Errorf("status %d, %d bytes", got.status, len(got.body))
			}
		})
	}
	all.Wait()
}
