package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// floodModel has four channels: temperature, humidity, dew point and pressure.
const (
	floodModel    = "W7710"
	floodChannels = 4
)

// lookEvery is how often a viewer looks while the flood comes.
const lookEvery = 200 * time.Millisecond

// TestFlood has sensors come back after an outage, all at once and each with a full memory, while people look at the viewer. It
// takes HALLEY_FLOOD_DEVICES devices with HALLEY_FLOOD_CACHED messages each; few where they say nothing.
func TestFlood(t *testing.T) {
	t.Parallel()
	devices := numberFrom(t, "HALLEY_FLOOD_DEVICES", 8)
	cached := numberFrom(t, "HALLEY_FLOOD_CACHED", 100)
	data := filepath.Join(t.TempDir(), "data")
	token := administrator(t, data)
	p := serving(t, data)
	a := newAPI(t, p, token)
	// One message of each makes them known.
	simulateFlood(t, p, devices, "--messages", "1")
	a.flush(t.Context(), t)

	looking, stopLooking := context.WithCancel(t.Context())
	var looker sync.WaitGroup
	looks := looksAt(t, a)
	looker.Go(func() { looks.until(looking, t, newAPI(t, p, token)) })
	began := time.Now()
	said := simulateFlood(t, p, devices, "--messages", "0", "--cached", strconv.Itoa(cached))
	acknowledged := time.Since(began)
	a.flush(t.Context(), t)
	recorded := time.Since(began)
	stopLooking()
	looker.Wait()
	p.stop(t)

	var messages, distinct, values int
	if err := database(t, filepath.Join(data, "halley.db")).QueryRowContext(t.Context(), `SELECT
		(SELECT count(*) FROM message),
		(SELECT count(*) FROM (SELECT DISTINCT device_id, measured_at, order_no, config FROM message)),
		(SELECT coalesce(sum((q1 IS NOT NULL) + (q2 IS NOT NULL) + (q3 IS NOT NULL) + (q4 IS NOT NULL) + (q5 IS NOT NULL)), 0) FROM message)`).
		Scan(&messages, &distinct, &values); err != nil {
		t.Fatal(err)
	}
	soundDatabases(t, data)
	want := devices * (cached + 1)
	if messages != want || values != want*floodChannels || distinct != want {
		t.Errorf("the store has %d messages, %d of them different, with %d values; want %d with %d", messages, distinct, values, want, want*floodChannels)
	}
	t.Logf("flood: devices=%d cached=%d %s stored=%d values=%d missing=%d twice=%d acknowledged_in=%.1fs recorded_in=%.1fs",
		devices, cached, said, messages-devices, values-devices*floodChannels, want-distinct, messages-distinct, acknowledged.Seconds(), recorded.Seconds())
	for _, l := range looks {
		slices.Sort(l.took)
		if len(l.took) == 0 {
			t.Errorf("nobody looked at %s", l.name)
			continue
		}
		t.Logf("flood: looks=%d at %s median=%v worst=%v", len(l.took), l.name,
			l.took[len(l.took)/2].Round(10*time.Microsecond), l.took[len(l.took)-1].Round(10*time.Microsecond))
	}
}

// simulateFlood lets sensors send and gives what the simulator counted. All must be acknowledged.
func simulateFlood(t *testing.T, p *program, devices int, args ...string) string {
	t.Helper()
	out, err := words(t, append([]string{
		"simulate", "--to", "http://" + p.devices, "--family", "wifi", "--model", floodModel,
		"--devices", strconv.Itoa(devices), "--interval", "0",
	}, args...)...).Output()
	if err != nil {
		var said []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			said = exit.Stderr
		}
		t.Fatalf("the sensors say %q, %v, %s", out, err, said)
	}
	return string(out[:max(len(out)-1, 0)])
}

// look is a part of the viewer's API and how long its answers took.
type look struct {
	name, path string
	took       []time.Duration
}

type looks []*look

// looksAt chooses what is looked at: what the overview and a device's page ask for.
func looksAt(t *testing.T, a *api) looks {
	t.Helper()
	var known struct {
		Devices []struct {
			Channels []struct{ ID int64 }
		}
	}
	if err := a.ask(t.Context(), http.MethodGet, "/devices?limit=1", &known); err != nil {
		t.Fatal(err)
	}
	if len(known.Devices) == 0 || len(known.Devices[0].Channels) != floodChannels {
		t.Fatalf("the devices are %+v, want %d channels", known.Devices, floodChannels)
	}
	now := time.Now().UTC()
	period := url.Values{
		"from":   {now.Add(-72 * time.Hour).Format(time.RFC3339)},
		"to":     {now.Add(time.Hour).Format(time.RFC3339)},
		"points": {"600"},
	}
	return looks{
		{name: "/latest", path: "/latest"},
		{name: "/devices", path: "/devices"},
		{name: "/status", path: "/status"},
		{name: "/channels/ID/samples?points=600", path: fmt.Sprintf("/channels/%d/samples?%s", known.Devices[0].Channels[0].ID, period.Encode())},
	}
}

// until looks at all of it every 200 ms, one after the other, until ctx ends.
func (l looks) until(ctx context.Context, t *testing.T, a *api) {
	for {
		for _, at := range l {
			began := time.Now()
			// A look that has begun comes to its end, for the slowest counts most.
			if err := a.ask(context.WithoutCancel(ctx), http.MethodGet, at.path, nil); err != nil {
				t.Errorf("during the flood: %v", err)
				return
			}
			at.took = append(at.took, time.Since(began))
		}
		if !pause(ctx, lookEvery) {
			return
		}
	}
}
