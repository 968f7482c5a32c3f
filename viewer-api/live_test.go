package viewerapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/access"
	viewerapi "halley/viewer-api"
)

// feed is a Live whose events a test gives.
type feed struct{ events chan viewerapi.Event }

func newFeed(p *parts) *feed {
	f := &feed{events: make(chan viewerapi.Event, 16)}
	p.subscribe = func(context.Context) <-chan viewerapi.Event { return f.events }
	return f
}

// listening is an open stream.
type listening struct {
	cancel context.CancelFunc
	w      *streamRecorder
	done   chan struct{}
}

// streamRecorder takes a stream; unlike httptest.ResponseRecorder it may be read meanwhile.
type streamRecorder struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
	// deadlines are the write deadlines that were set; writes counts what was written.
	deadlines []time.Time
	writes    int
}

func (s *streamRecorder) Header() http.Header { return s.header }

func (s *streamRecorder) WriteHeader(status int) { s.status = status }

func (s *streamRecorder) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == 0 {
		s.status = http.StatusOK
	}
	s.writes++
	return s.text.Write(b)
}

func (s *streamRecorder) Flush() {}

func (s *streamRecorder) SetWriteDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, at)
	return nil
}

func (s *streamRecorder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// listen opens a stream in a synctest bubble.
func listen(t *testing.T, k *kit, target string, header map[string]string) *listening {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	r.Host = "localhost"
	for name, value := range header {
		r.Header.Set(name, value)
	}
	l := &listening{cancel: cancel, w: &streamRecorder{header: http.Header{}}, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		k.api.ServeHTTP(l.w, r)
	}()
	synctest.Wait()
	return l
}

// ended says whether the stream has ended.
func (l *listening) ended() bool {
	synctest.Wait()
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// close ends the stream from the reader's side.
func (l *listening) close(t *testing.T) {
	t.Helper()
	l.cancel()
	if !l.ended() {
		t.Error("the stream does not end with its reader")
	}
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

func message(device halley.DeviceID) viewerapi.Event {
	return viewerapi.Event{Kind: viewerapi.EventMessage, Message: viewerapi.LiveMessage{
		DeviceID: device, MeasuredAt: at - halley.Minute, ReceivedAt: at, HeardAt: at, Interval: 60, Late: true,
		Values: []viewerapi.LiveValue{{ChannelID: 7, Value: 4.1}, {ChannelID: 8, Quality: halley.QualityOf(halley.SensorError, 53)}},
	}}
}

func TestLiveEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		f := newFeed(p)
		k := newKit(t, p)
		l := listen(t, k, "/api/v1/live?device=12", bearer(k.reader))
		f.events <- message(12)
		f.events <- message(13) // Of another device.
		f.events <- viewerapi.Event{Kind: viewerapi.EventDevices, Version: 5}
		f.events <- viewerapi.Event{Kind: viewerapi.EventMissed}
		synctest.Wait()
		wait(t, 16*time.Second)
		want := "event: hello\ndata: {\"at\":\"2000-01-01T00:00:00.000Z\"}\n\n" +
			"event: message\ndata: {\"device_id\":12,\"measured_at\":\"2026-11-21T13:15:00.000Z\",\"received_at\":\"2026-11-21T13:16:00.000Z\"," +
			"\"interval\":60,\"late\":true,\"values\":[{\"channel_id\":7,\"value\":4.1,\"quality\":\"good late\"}," +
			"{\"channel_id\":8,\"value\":null,\"quality\":\"error-53 late\"}]}\n\n" +
			"event: devices\ndata: {\"version\":5}\n\n" +
			"event: missed\ndata: {}\n\n" +
			": still here\n\n"
		if diff := cmp.Diff(want, l.w.String()); diff != "" {
			t.Errorf("stream (-want +got):\n%s", diff)
		}
		if ct := l.w.header.Get("Content-Type"); ct != "text/event-stream" || l.w.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers = %v", l.w.header)
		}
		for _, d := range l.w.deadlines {
			if rest := time.Until(d); rest > 10*time.Second || d.IsZero() {
				t.Errorf("a write may take until %v", d)
			}
		}
		if len(l.w.deadlines) != l.w.writes {
			t.Errorf("%d of %d writes had a deadline", len(l.w.deadlines), l.w.writes)
		}
		l.close(t)
	})
}

func TestLiveTellsOfAllDevicesUnlessNarrowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		f := newFeed(p)
		k := newKit(t, p)
		l := listen(t, k, "/api/v1/live", bearer(k.reader))
		f.events <- message(12)
		f.events <- message(13)
		synctest.Wait()
		if n := strings.Count(l.w.String(), "event: message"); n != 2 {
			t.Errorf("%d messages, want 2", n)
		}
		l.close(t)
	})
}

func TestLiveEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end    func(t *testing.T, k *kit, f *feed, cookie string)
		within time.Duration
	}{
		"with its session": {func(t *testing.T, k *kit, _ *feed, cookie string) {
			if err := k.access.SignOut(t.Context(), http.Header{}, cookie); err != nil {
				t.Error(err)
			}
		}, 30 * time.Second},
		"when the program stops":   {func(_ *testing.T, k *kit, _ *feed, _ string) { k.api.EndStreams(); k.api.EndStreams() }, 0},
		"when there are no events": {func(_ *testing.T, _ *kit, f *feed, _ string) { close(f.events) }, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := fleet()
				f := newFeed(p)
				k := newKit(t, p)
				header := k.person(t, "eva", halley.User)
				l := listen(t, k, "/api/v1/live", header)
				wait(t, 10*time.Minute)
				if l.ended() {
					t.Fatal("the stream ended by itself")
				}
				tt.end(t, k, f, strings.TrimPrefix(header["Cookie"], access.CookieName+"="))
				wait(t, tt.within+time.Millisecond)
				if !l.ended() {
					t.Error("the stream goes on")
				}
			})
		})
	}
}

func TestLiveEndsWithItsToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		newFeed(p)
		k := newKit(t, p)
		short, _, err := k.access.Tokens.Create(t.Context(), access.NewToken{Name: "short", Lifetime: time.Minute + 5*time.Second},
			halley.Change{At: halley.MillisOf(time.Now())})
		if err != nil {
			t.Fatal(err)
		}
		expires, revoked := listen(t, k, "/api/v1/live", bearer(short)), listen(t, k, "/api/v1/live", bearer(k.reader))
		wait(t, time.Minute+4*time.Second)
		if expires.ended() {
			t.Fatal("the stream ended before its token")
		}
		wait(t, time.Second)
		if !expires.ended() {
			t.Error("the stream outlives its token")
		}
		if err := k.access.Tokens.Revoke(t.Context(), "reader", halley.Change{At: 1}); err != nil {
			t.Fatal(err)
		}
		wait(t, 30*time.Second)
		if !revoked.ended() {
			t.Error("the stream outlives its revoked token")
		}
	})
}

// A stream that is only left open does not keep its session from ending as unused.
func TestLiveIsNoActivity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		newFeed(p)
		k := newKit(t, p)
		l := listen(t, k, "/api/v1/live", k.person(t, "eva", halley.User))
		wait(t, 59*time.Minute)
		if l.ended() {
			t.Fatal("the stream ended before its session")
		}
		wait(t, 2*time.Minute)
		if !l.ended() {
			t.Error("the stream kept its session alive")
		}
	})
}

// Nor does opening one again and again, as a page that was left open does.
func TestOpeningStreamsIsNoActivity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		newFeed(p)
		k := newKit(t, p)
		header := k.person(t, "eva", halley.User)
		for range 7 {
			l := listen(t, k, "/api/v1/live", header)
			wait(t, 10*time.Minute-time.Second)
			l.close(t)
		}
		if got := k.do(t, request{target: "/api/v1/me", header: header}); got.status != http.StatusUnauthorized {
			t.Errorf("status %d: reopened streams kept the session alive", got.status)
		}
	})
}

func TestLiveGoesOnWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		f := newFeed(p)
		k := newKit(t, p)
		l := listen(t, k, "/api/v1/live", bearer(k.reader))
		k.store.FailWith(func(string) error { return &halley.Error{Kind: halley.Unavailable} })
		wait(t, 10*time.Minute)
		f.events <- message(12)
		synctest.Wait()
		if l.ended() || !strings.Contains(l.w.String(), "event: message") {
			t.Error("the stream ended, or is silent, because the store is away")
		}
		l.close(t)
	})
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleet()
		newFeed(p)
		k := newKit(t, p)
		var open []*listening
		for range 20 {
			open = append(open, listen(t, k, "/api/v1/live", bearer(k.reader)))
		}
		checkProblem(t, k.get(t, "/api/v1/live"), http.StatusTooManyRequests, "too-many-streams", "")
		open[0].close(t)
		open[0] = listen(t, k, "/api/v1/live", bearer(k.reader))
		if open[0].ended() {
			t.Error("a place that was given back cannot be taken")
		}
		for i := range 49 {
			token := k.token(t, fmt.Sprintf("caller %d", i), halley.Reader)
			for range 20 {
				open = append(open, listen(t, k, "/api/v1/live", bearer(token)))
			}
		}
		got := k.do(t, request{target: "/api/v1/live", token: k.admin})
		checkProblem(t, got, http.StatusTooManyRequests, "too-many-streams", "")
		for _, l := range open {
			l.close(t)
		}
	})
}

func TestLiveOfNoDevice(t *testing.T) {
	t.Parallel()
	checkProblem(t, newKitGet(t, "/api/v1/live?device=99"), http.StatusNotFound, "not-found", "")
}

func newKitGet(t *testing.T, target string) answer {
	t.Helper()
	return newKit(t, fleet()).get(t, target)
}

// Over a real connection events arrive at once, also for a reader that takes compressed answers and with a server that limits
// the time of writing.
func TestLiveOverAConnection(t *testing.T) {
	t.Parallel()
	p := fleet()
	f := newFeed(p)
	k := newKit(t, p)
	server := httptest.NewUnstartedServer(k.api)
	server.Config.WriteTimeout = time.Millisecond
	server.Config.RegisterOnShutdown(k.api.EndStreams)
	server.Start()
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/live", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + k.reader}, "Accept-Encoding": {"gzip"}}
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "" {
		t.Fatal("a stream is compressed")
	}
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				return name
			}
		}
		return "end"
	}
	got := []string{next()}
	for _, e := range []viewerapi.Event{message(12), {Kind: viewerapi.EventDevices}, {Kind: viewerapi.EventMissed}} {
		f.events <- e
		got = append(got, next())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("the server does not stop: %v", err)
	}
	got = append(got, next())
	if diff := cmp.Diff([]string{"hello", "message", "devices", "missed", "end"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
