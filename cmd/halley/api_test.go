package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// send posts a golden body of a family to the program's device listener and wants it confirmed.
func (p *program) send(tb testing.TB, family, name string) {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "protocols", family, "testdata", "cases", name, "request.body"))
	if err != nil {
		tb.Fatal(err)
	}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://"+p.devices+"/", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		tb.Fatalf("%s %s was answered %d", family, name, answer.StatusCode)
	}
}

// shown gives the JSON answer to a GET with what changes from run to run replaced.
func (a *api) shown(tb testing.TB, path string) string {
	tb.Helper()
	var v any
	if err := a.ask(tb.Context(), http.MethodGet, path, &v); err != nil {
		tb.Fatal(err)
	}
	text, err := json.MarshalIndent(steady(v), "", "  ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// steady replaces instants that depend on when the test runs.
func steady(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			switch key {
			case "at", "received_at", "first_seen_at", "last_message_at", "first_at", "last_at", "silent_since":
				if value != nil {
					v[key] = "now"
				}
			case "body":
				v[key] = fmt.Sprintf("%d characters", len(value.(string)))
			default:
				v[key] = steady(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = steady(v[i])
		}
	}
	return v
}

// TestTheAPIShowsWhatDevicesSent runs the whole program: devices post, a person decides, and the API shows it.
func TestTheAPIShowsWhatDevicesSent(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serving(t, data, "--accept", "approve")
	golden(t, "api.txt", tour(t, p, newAPI(t, p, administrator(t, data))))
	p.stop(t)
}

// tour lets devices send to a server on an empty store whose policy is to approve, accepts one, and gives what the API shows.
func tour(t *testing.T, p *program, a *api) string {
	t.Helper()
	p.send(t, "wifi", "periodic")
	p.send(t, "modem", "version-6")
	flush(t, a)
	var all strings.Builder
	show := func(title, path string) {
		fmt.Fprintf(&all, "== %s\nGET %s\n%s\n\n", title, path, a.shown(t, path))
	}
	show("new devices wait with their first values", "/devices?state=new")
	show("what a new device sent can be seen", "/devices/1/last-upload")
	show("a logger's key is not shown", "/devices/2/quarantine")
	if got := a.raw(t, "/devices/2/quarantine"); !strings.Contains(got, "***") || strings.Contains(got, "k7dq2m9x4wz1p5vt") {
		t.Errorf("the customer key of a logger: %s", got)
	}
	if err := a.ask(t.Context(), http.MethodPost, "/devices/1/accept", nil); err != nil {
		t.Fatal(err)
	}
	a.await(t, "/devices/1", func(v map[string]any) bool { return v["quarantine"] == nil })
	flush(t, a)
	show("an accepted device has its channels and its place", "/devices?serial=20960042")
	show("its newest values", "/latest")
	const period = "?from=2026-11-21T12:00:00Z&to=2026-11-21T14:00:00Z"
	show("its samples", "/channels/1/samples"+period)
	show("its samples in buckets", "/channels/1/samples"+period+"&points=12")
	show("its completeness", "/devices/1/completeness?from=2026-11-21T12:59:59Z&to=2026-11-21T13:00:01Z")
	show("its last message as received", "/devices/1/last-upload")
	return all.String()
}

// golden holds a text against a file under testdata.
func golden(tb testing.TB, name, got string) {
	tb.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func flush(tb testing.TB, a *api) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), failsafe)
	defer cancel()
	a.flush(ctx, tb)
}

// raw gives the answer to a GET as text.
func (a *api) raw(tb testing.TB, path string) string {
	tb.Helper()
	var v json.RawMessage
	if err := a.ask(tb.Context(), http.MethodGet, path, &v); err != nil {
		tb.Fatal(err)
	}
	return string(v)
}

// await asks again until the answer is as awaited, for a minute at most.
func (a *api) await(tb testing.TB, path string, done func(map[string]any) bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var v map[string]any
		if err := a.ask(ctx, http.MethodGet, path, &v); err != nil {
			tb.Fatal(err)
		}
		if done(v) {
			return
		}
		<-again.C
	}
}

// TestTheLiveStreamShowsAMessageAtOnce listens while a device sends.
func TestTheLiveStreamShowsAMessageAtOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serving(t, data)
	a := newAPI(t, p, administrator(t, data))
	p.send(t, "wifi", "periodic")
	flush(t, a)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+"/live", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	answer, err := a.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	sent := false
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "event: hello" && !sent:
			sent = true
			p.send(t, "wifi", "periodic")
		case line == "event: message":
			lines.Scan()
			var m struct {
				DeviceID int `json:"device_id"`
				Values   []struct {
					ChannelID int      `json:"channel_id"`
					Value     *float64 `json:"value"`
					Quality   string   `json:"quality"`
				} `json:"values"`
			}
			if err := json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &m); err != nil {
				t.Fatal(err)
			}
			if m.DeviceID != 1 || len(m.Values) != 3 || m.Values[0].ChannelID != 1 || *m.Values[0].Value != 20.3 {
				t.Errorf("event: %s", lines.Text())
			}
			p.stop(t) // also ends the stream
			if rest, err := io.ReadAll(answer.Body); err != nil {
				t.Logf("the stream was cut behind %q: %v", rest, err)
			}
			return
		}
	}
	t.Fatalf("the stream ended without a message: %v", lines.Err())
}
