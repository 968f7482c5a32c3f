package server_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"halley/config"
	"halley/protocols/websensor"
)

// rounds is how often the sides of a ratio are measured in turn; the middle ratio counts.
const rounds = 5

// How long each side is measured in a round. The recorder works in steps of more than a second while it yields.
const (
	stretch      = 4 * time.Second
	shortStretch = time.Second
)

// soapBodies gives each connection a device of its own with changing values.
func soapBodies(tb testing.TB) func(connection, n int) []byte {
	tb.Helper()
	const variety = 64
	p := websensor.New()
	var model websensor.Model
	for _, m := range websensor.Models() {
		if m.Name == "T7510" {
			model = m
		}
	}
	var bodies [connections][variety][]byte
	for c := range connections {
		for n := range variety {
			up := model.Upload(fmt.Sprintf("%08d", c+1))
			for i := range up.Messages[0].Readings {
				up.Messages[0].Readings[i].Value = 20 + float64(c%8) + float64(n)/10
			}
			body, err := p.Encode(&up)
			if err != nil {
				tb.Fatal(err)
			}
			bodies[c][n] = body
		}
	}
	return func(c, n int) []byte { return bodies[c][n%variety] }
}

// middle gives the median.
func middle(ratios []float64) float64 {
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// serveOn answers requests with a handler until the benchmark ends, and gives the address.
func serveOn(b *testing.B, h http.Handler) string {
	b.Helper()
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	l := listenLocal(b)
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func emptyFile(b *testing.B) *os.File {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "bodies"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	return f
}

// round is what one round measured, in messages a second, and how long the recorder took afterwards.
type round struct {
	limit, alone, ours float64
	// recorded is what the recorder did meanwhile, free what it does when nobody waits.
	recorded, free float64
	caughtUp       time.Duration
}

// BenchmarkAcknowledged compares acknowledged SOAP messages a second over 64 keep-alive connections with the limit, a bare handler
// that appends the body to a file and answers after one shared sync, and with a handler that syncs each message alone.
func BenchmarkAcknowledged(b *testing.B) {
	bodies := soapBodies(b)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	limit, one := serveOn(b, newBare(ctx, emptyFile(b))), serveOn(b, &alone{file: emptyFile(b)})
	halley := start(b, b.TempDir(), func(c *config.Config) { c.Recorder.Every.Duration = 10 * time.Second })
	load(b, halley.devices, time.Second, bodies)
	halley.flush(b)
	measure := func() (r round) {
		r.limit = float64(load(b, limit, stretch, bodies)) / stretch.Seconds()
		r.alone = float64(load(b, one, shortStretch, bodies)) / shortStretch.Seconds()
		before := halley.Status().Recorder.Recorded
		r.ours = float64(load(b, halley.devices, stretch, bodies)) / stretch.Seconds()
		during := halley.Status().Recorder.Recorded
		began := time.Now()
		halley.flush(b)
		r.caughtUp = time.Since(began)
		r.recorded = float64(during-before) / stretch.Seconds()
		r.free = float64(halley.Status().Recorder.Recorded-during) / r.caughtUp.Seconds()
		return r
	}
	for range b.N {
		var list []round
		for range rounds {
			r := measure()
			list = append(list, r)
			b.Logf("limit %.0f/s, each alone %.0f/s, Halley %.0f/s: %.2f of the limit; recorded %.0f/s meanwhile and %.0f/s afterwards, for %.1f s",
				r.limit, r.alone, r.ours, r.ours/r.limit, r.recorded, r.free, r.caughtUp.Seconds())
		}
		report := func(unit string, of func(round) float64) {
			var all []float64
			for _, r := range list {
				all = append(all, of(r))
			}
			b.ReportMetric(middle(all), unit)
		}
		report("of-the-limit", func(r round) float64 { return r.ours / r.limit })
		report("times-alone", func(r round) float64 { return r.ours / r.alone })
		report("acknowledged/s", func(r round) float64 { return r.ours })
		report("of-free-recording", func(r round) float64 { return r.recorded / r.free })
		report("s-to-catch-up", func(r round) float64 { return r.caughtUp.Seconds() })
		b.ReportMetric(0, "ns/op")
	}
}
