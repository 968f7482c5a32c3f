package fleet_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"halley"
	"halley/cmd/halley/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// families are those of a fleet, and with what numbers they say why a message waited.
var families = []struct {
	family                         halley.Family
	remembers                      bool
	backlog, transfer, notAccepted int
}{
	{family: halley.WebSensor},
	{halley.WiFi, true, 1, 5, 7},
	{halley.TAx6xx, true, 1, 9, 10},
	{halley.Modem, true, halley.Unknown, halley.Unknown, halley.Unknown},
}

func TestEveryMessageIsSentOnceWhereAllIsWell(t *testing.T) {
	t.Parallel()
	for _, f := range families {
		t.Run(string(f.family), func(t *testing.T) {
			t.Parallel()
			r := receive(t, always(store))
			o := r.options(f.family, 30)
			o.Devices, o.First = 3, 41
			if diff := cmp.Diff(fleet.Counts{Planned: 90, Sent: 90, Acknowledged: 90}, run(t, o)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			seen := map[string]int{}
			connections := map[string]bool{}
			for _, a := range r.all() {
				seen[a.upload.Serial]++
				connections[a.connection] = true
				if a.path != "/upload" || a.upload.Family != f.family {
					t.Errorf("%s to %s", a.upload.Family, a.path)
				}
			}
			if diff := cmp.Diff(map[string]int{"00000041": 30, "00000042": 30, "00000043": 30}, seen); diff != "" {
				t.Errorf("messages by serial number (-want +got)\n%s", diff)
			}
			if len(connections) != 3 {
				t.Errorf("%d connections, want one a device", len(connections))
			}
		})
	}
}

// What is not confirmed comes again, first of all, with the same identity and the reason why it waited; a family without a memory
// loses it.
func TestWhatIsNotConfirmedComesAgainFirst(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		do      action
		refused int64
		reason  func(transfer, notAccepted int) int
	}{
		{"refused", refuse, 2, func(_, notAccepted int) int { return notAccepted }},
		{"unavailable", unavailable, 2, func(_, notAccepted int) int { return notAccepted }},
		{"stored, but the answer is lost", storeAndCut, 0, func(transfer, _ int) int { return transfer }},
		{"cut in the middle of the answer", cut, 0, func(transfer, _ int) int { return transfer }},
		{"answered in chunks", chunked, 0, func(transfer, _ int) int { return transfer }},
	}
	for _, c := range cases {
		for _, f := range families {
			t.Run(c.name+" "+string(f.family), func(t *testing.T) {
				t.Parallel()
				r := receive(t, first(2, c.do))
				got := run(t, r.options(f.family, 3))
				if got.Trouble == "" {
					t.Error("the trouble is not named")
				}
				got.Trouble = ""
				want := fleet.Counts{Planned: 3, Sent: 5, Acknowledged: 3, Refused: c.refused}
				if !f.remembers {
					want = fleet.Counts{Planned: 3, Sent: 3, Acknowledged: 1, Refused: c.refused}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if f.remembers {
					checkRepeats(t, r.all(), c.reason(f.transfer, f.notAccepted))
				}
			})
		}
	}
}

// checkRepeats wants the first of three messages three times and then the others.
func checkRepeats(t *testing.T, all []arrival, reason int) {
	t.Helper()
	var keys []string
	var caches []int
	for i := range all {
		keys = append(keys, all[i].key())
		caches = append(caches, all[i].upload.Messages[0].Cache)
	}
	direct := 0
	if reason == halley.Unknown {
		direct = halley.Unknown
	}
	if diff := cmp.Diff([]int{direct, reason, reason, direct, direct}, caches); diff != "" {
		t.Errorf("reasons (-want +got)\n%s", diff)
	}
	if keys[0] != keys[1] || keys[1] != keys[2] || keys[2] == keys[3] || keys[3] == keys[4] {
		t.Errorf("the messages came as %q", keys)
	}
	if diff := cmp.Diff(all[0].upload.Messages[0].Readings, all[2].upload.Messages[0].Readings); diff != "" {
		t.Errorf("a repeated message has other values (-first +repeated)\n%s", diff)
	}
}

func TestAWiFiSensorNeedsTheWordTrue(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "OK", "{}", `{"Result":false}`, `{"Result":"true"}`, `{"Result":1}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		r := &receiver{Server: s}
		o := r.options(halley.WiFi, 1)
		o.Patience = 1
		if got := run(t, o); got.Sent != 1 || got.Acknowledged != 0 || got.Refused != 1 || got.All() {
			t.Errorf("after %q: %+v", body, got)
		}
		s.Close()
	}
}

func TestABacklogComesFirstAndOldestFirst(t *testing.T) {
	t.Parallel()
	for _, f := range families {
		t.Run(string(f.family), func(t *testing.T) {
			t.Parallel()
			r := receive(t, always(store))
			o := r.options(f.family, 2)
			o.Cached, o.History = 3, 4*time.Minute
			waiting := 7
			if !f.remembers {
				waiting = 0
			}
			run(t, o)
			all := r.all()
			if len(all) != waiting+2 {
				t.Fatalf("%d messages, want %d", len(all), waiting+2)
			}
			for i := range all {
				m := all[i].upload.Messages[0]
				cache := 0
				if i < waiting || f.backlog == halley.Unknown {
					cache = f.backlog
				}
				if !f.remembers {
					cache = halley.Unknown
				}
				want := halley.Message{Cache: cache, Order: int64(i), Sample: start - halley.Millis(waiting+1-i)*halley.Minute, Kind: halley.Periodic}
				if i == 0 {
					want.Kind = halley.AfterRestart
				}
				if !f.remembers {
					want.Order, want.Sample, want.Kind = halley.Unknown, 0, halley.Periodic
				}
				got := halley.Message{Cache: m.Cache, Order: m.Order, Sample: m.Sample, Kind: m.Kind}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("message %d (-want +got)\n%s", i, diff)
				}
			}
		})
	}
}

func TestTheSeedFixesWhatIsSent(t *testing.T) {
	t.Parallel()
	sent := func(seed uint64) map[string]halley.Upload {
		r := receive(t, always(store))
		o := r.options("", 50)
		o.Lines, o.Devices, o.Seed, o.Errors, o.Alarms = fleet.Lines(), 12, seed, 0.2, 0.8
		run(t, o)
		out := map[string]halley.Upload{}
		for i, a := range r.all() {
			a.upload.Messages[0].Now = 0
			if a.upload.Family == halley.WebSensor {
				continue // they say nothing by which to tell them apart
			}
			key := a.key()
			if _, twice := out[key]; twice {
				t.Errorf("message %d, %s, came twice", i, key)
			}
			out[key] = a.upload
		}
		return out
	}
	one, again, other := sent(1), sent(1), sent(2)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("the same seed gave something else (-first +second)\n%s", diff)
	}
	if cmp.Equal(one, other) {
		t.Error("another seed gave the same")
	}
}

func TestDevicesSendByTheirIntervalAtRealTimes(t *testing.T) {
	t.Parallel()
	r := receive(t, always(store))
	o := r.options("", 3)
	o.Lines, o.Devices, o.Interval, o.Cached = fleet.Lines(), 8, 20*time.Millisecond, 2
	o.Start = halley.MillisOf(time.Now())
	got := run(t, o)
	if want := int64(8*3 + 6*2); got.Planned != want || got.Acknowledged != want {
		t.Errorf("%+v, want %d of %d", got, want, want)
	}
	for _, a := range r.all() {
		m := a.upload.Messages[0]
		if a.upload.Family != halley.WebSensor && (m.Sample < o.Start-halley.Minute || m.Sample > m.Now) {
			t.Errorf("%s sampled at %v, sent at %v, started at %v", a.upload.Serial, m.Sample, m.Now, o.Start)
		}
	}
}

// A device with a memory brings what it measured in an outage of its network; a device without loses it, by plan.
func TestOutages(t *testing.T) {
	t.Parallel()
	for _, f := range families {
		t.Run(string(f.family), func(t *testing.T) {
			t.Parallel()
			r := receive(t, always(store))
			o := r.options(f.family, 40)
			o.Interval, o.Outages, o.Start = 5*time.Millisecond, 1, halley.MillisOf(time.Now())
			got := run(t, o)
			if !got.All() || got.Sent != got.Planned {
				t.Errorf("%+v", got)
			}
			if f.remembers != (got.Planned == 40) {
				t.Errorf("%d of 40 messages were planned", got.Planned)
			}
			waited := 0
			for _, a := range r.all() {
				if a.upload.Messages[0].Cache == 1 {
					waited++
				}
			}
			if (f.backlog == 1) != (waited > 0) || waited == 40 {
				t.Errorf("%d of 40 messages say that there was no network", waited)
			}
		})
	}
}

func TestADeviceGivesUpWhenItsPatienceEnds(t *testing.T) {
	t.Parallel()
	for _, f := range families {
		r := receive(t, func(n int, a *arrival) action {
			if a.upload.Serial == "00000002" {
				return refuse
			}
			return store
		})
		o := r.options(f.family, 5)
		o.Devices, o.Patience = 3, time.Nanosecond
		got := run(t, o)
		if got.Planned != 15 || got.Acknowledged != 10 || got.Refused != 1 || got.Sent != 11 || got.All() {
			t.Errorf("%s: %+v", f.family, got)
		}
	}
}

func TestAServerThatIsAwayIsNoError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	got, err := fleet.Run(t.Context(), fleet.Options{
		To: "http://" + l.Addr().String(), Lines: fleet.Lines(), Devices: 4, First: 1, Messages: 1, Start: start, Patience: 1,
	})
	if err != nil || got.Acknowledged != 0 || got.Sent != 4 || got.Refused != 0 || got.Trouble == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnEndlessFleetEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := receive(t, func(n int, _ *arrival) action {
		if n == 200 {
			cancel()
		}
		return store
	})
	o := r.options("", fleet.Endless)
	o.Lines, o.Devices = fleet.Lines(), 8
	got, err := fleet.Run(ctx, o)
	if err != nil || got.Acknowledged < 150 || got.Planned < got.Acknowledged || got.Sent < got.Acknowledged {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	r := receive(t, always(store))
	var now, tooMany atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		// The answer leaves when this returns, so a fourth request can only come from a fourth connection.
		n := now.Add(1)
		defer now.Add(-1)
		if n > 3 {
			tooMany.Store(n)
		}
		r.Config.Handler.ServeHTTP(w, q)
	}))
	defer s.Close()
	o := r.options("", 20)
	o.To, o.Lines, o.Devices, o.Concurrency = s.URL, fleet.Lines(), 30, 3
	if got := run(t, o); got.Acknowledged != 600 || tooMany.Load() > 0 {
		t.Errorf("%+v over %d connections at a time, want 3 at most", got, tooMany.Load())
	}
}

func TestTLSIsSpokenWithTheServerThatIsTrusted(t *testing.T) {
	t.Parallel()
	r := receive(t, always(store))
	s := httptest.NewUnstartedServer(r.Config.Handler)
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	o := r.options(halley.TAx6xx, 4)
	o.To, o.TLS = s.URL, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if got := run(t, o); got.Acknowledged != 4 {
		t.Errorf("with the server trusted: %+v", got)
	}
}

func TestAnEntryPointReplacesThePath(t *testing.T) {
	t.Parallel()
	r := receive(t, always(store))
	o := r.options(halley.WebSensor, 1)
	o.Devices, o.EntryPoints = 2, map[string]string{"00000002": "/e/secret"}
	run(t, o)
	paths := map[string]string{}
	for _, a := range r.all() {
		paths[a.upload.Serial] = a.path
	}
	if diff := cmp.Diff(map[string]string{"00000001": "/upload", "00000002": "/e/secret"}, paths); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOptionsThatCannotBeRightAreRefused(t *testing.T) {
	t.Parallel()
	good := fleet.Options{To: "http://127.0.0.1:1", Lines: fleet.Lines(), Devices: 1, First: 1, Start: start}
	cases := map[string]func(o *fleet.Options){
		"to":                      func(o *fleet.Options) { o.To = "127.0.0.1:1" },
		"to ":                     func(o *fleet.Options) { o.To = "ftp://127.0.0.1:1" },
		"to  ":                    func(o *fleet.Options) { o.To = "http://name:secret@127.0.0.1:1" },
		"family":                  func(o *fleet.Options) { o.Lines = nil },
		"devices":                 func(o *fleet.Options) { o.Devices = 0 },
		"devices ":                func(o *fleet.Options) { o.Devices = 10000 },
		"devices  ":               func(o *fleet.Options) { o.Devices, o.First = 2, 9999 },
		"devices   ":              func(o *fleet.Options) { o.First = 0 },
		"interval":                func(o *fleet.Options) { o.Interval = -1 },
		"interval ":               func(o *fleet.Options) { o.Interval = time.Microsecond },
		"messages":                func(o *fleet.Options) { o.Messages = -2 },
		"messages ":               func(o *fleet.Options) { o.Messages = 20_000_000 },
		"messages  ":              func(o *fleet.Options) { o.Messages = math.MaxInt },
		"cached":                  func(o *fleet.Options) { o.Cached = -1 },
		"history":                 func(o *fleet.Options) { o.History = -1 },
		"start":                   func(o *fleet.Options) { o.Start = 0 },
		"concurrency":             func(o *fleet.Options) { o.Concurrency = -1 },
		"errors, alarms, outages": func(o *fleet.Options) { o.Alarms = 1.1 },
	}
	for field, spoil := range cases {
		o := good
		spoil(&o)
		_, err := fleet.Run(t.Context(), o)
		if err == nil || halley.KindOf(err) != halley.Invalid {
			t.Errorf("%s: got %v, want it refused", field, err)
		}
	}
	if got, err := fleet.Run(t.Context(), good); err != nil || got != (fleet.Counts{}) {
		t.Errorf("the good options: %+v, %v", got, err)
	}
}
