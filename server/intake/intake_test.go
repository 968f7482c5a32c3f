package intake_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/intake"
	"halley/server/journal"
	"halley/storage"
)

func TestWhatBecomesOfAnUpload(t *testing.T) {
	t.Parallel()
	const kept, none = 1, 0
	tests := map[string]struct {
		path, body string
		policy     intake.Policy
		full       bool
		status     int
		entries    int
		quarantine string
		admission  storage.Admission
		entryPoint int64
	}{
		"accepted device":                      {body: "line accepted", status: 200, entries: kept, admission: storage.Known},
		"any path and query":                   {path: "/a/b?c=d", body: "line accepted", status: 200, entries: kept, admission: storage.Known},
		"accepted but not understood":          {body: "line accepted broken", status: 200, entries: kept, quarantine: "not-understood", admission: storage.Announce},
		"not understood beyond the budget":     {body: "line accepted broken", full: true, status: 200, entries: kept, quarantine: "not-understood", admission: storage.Announce},
		"unknown and not understood":           {body: "line unknown broken", status: 400, entries: none},
		"no serial":                            {body: "line", status: 400, entries: none},
		"unrecognized":                         {body: "hello", status: 400, entries: none},
		"empty":                                {body: "", status: 400, entries: none},
		"unknown under approve":                {body: "line unknown", status: 200, entries: kept, quarantine: "new-device", admission: storage.Announce},
		"unknown under entry-point":            {body: "line unknown", policy: intake.ByEntryPoint, status: 200, entries: kept, quarantine: "new-device", admission: storage.Announce},
		"unknown under any":                    {body: "line unknown", policy: intake.Any, status: 200, entries: kept, admission: storage.Admit},
		"unknown beyond the budget":            {body: "line unknown", full: true, status: 403, entries: none},
		"new":                                  {body: "line new", status: 200, entries: kept, quarantine: "new-device", admission: storage.Announce},
		"suspended":                            {body: "line suspended", policy: intake.Any, status: 200, entries: kept, quarantine: "suspended", admission: storage.Announce},
		"retired":                              {body: "line retired", status: 200, entries: kept, quarantine: "retired", admission: storage.Announce},
		"rejected":                             {body: "line rejected", policy: intake.Any, status: 403, entries: none},
		"clock ahead":                          {body: "line accepted ahead", status: 200, entries: kept, quarantine: "clock-jump", admission: storage.Announce},
		"by its entry point":                   {path: "/e/secret-of-guarded", body: "line guarded", status: 200, entries: kept, admission: storage.Known, entryPoint: 20},
		"by its entry point with a slash":      {path: "/e/secret-of-guarded/", body: "line guarded", status: 200, entries: kept, admission: storage.Known, entryPoint: 20},
		"without its entry point":              {path: "/", body: "line guarded", status: 200, entries: kept, quarantine: "no-entry-point", admission: storage.Announce},
		"by the entry point of another device": {path: "/e/secret-of-guarded", body: "line accepted", status: 200, entries: kept, quarantine: "wrong-entry-point", admission: storage.Announce},
		"with its customer key":                {body: "line keyed key=right", status: 200, entries: kept, admission: storage.Known, entryPoint: 30},
		"with a wrong customer key":            {body: "line keyed key=wrong", status: 200, entries: kept, quarantine: "wrong-customer-key", admission: storage.Announce},
		"without its customer key":             {body: "line keyed", status: 200, entries: kept, quarantine: "wrong-customer-key", admission: storage.Announce},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(func(o *intake.Options) {
				if tt.policy != "" {
					o.Policy = tt.policy
				}
			})
			r.budget.room = !tt.full
			if tt.path == "" {
				tt.path = "/"
			}
			res := r.post(t, tt.path, tt.body)
			if res.StatusCode != tt.status || len(r.disk.entries) != tt.entries {
				t.Fatalf("POST %s %q: status %d and %d journal entries, want %d and %d", tt.path, tt.body, res.StatusCode, len(r.disk.entries), tt.status, tt.entries)
			}
			if len(r.delivered) != tt.entries {
				t.Errorf("%d uploads handed on, want %d", len(r.delivered), tt.entries)
			}
			if tt.entries == none {
				return
			}
			want := journal.Entry{
				Seq: 1, Kind: journal.Upload, Family: halley.WebSensor, Serial: strings.Fields(tt.body)[1], EntryPoint: tt.entryPoint,
				Admission: uint8(tt.admission), Quarantine: tt.quarantine, Body: []byte(tt.body),
			}
			if diff := cmp.Diff(want, r.disk.entries[0]); diff != "" {
				t.Errorf("journal entry (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswersHaveTheirLength(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	for _, body := range []string{"line accepted", "line rejected", "nothing", "line unknown broken"} {
		res := r.post(t, "/", body)
		got := text(t, res)
		if res.Header.Get("Content-Length") != strconv.Itoa(len(got)) || len(res.TransferEncoding) != 0 {
			t.Errorf("%q: Content-Length %q for %d bytes, transfer encoding %v", body, res.Header.Get("Content-Length"), len(got), res.TransferEncoding)
		}
	}
}

func TestNothingIsConfirmedThatIsNotStored(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	r.disk.err = &halley.Error{Kind: halley.Unavailable, Op: "append"}
	for _, body := range []string{"line accepted", "line unknown", "line accepted broken"} {
		if res := r.post(t, "/", body); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%q while the journal is full: status %d, want 503", body, res.StatusCode)
		}
	}
	if len(r.delivered) != 0 || r.budget.reserved != 0 {
		t.Errorf("%d uploads handed on and %d reservations left, want none", len(r.delivered), r.budget.reserved)
	}
	if c := r.Counts(); c.Unavailable != 3 || c.Stored != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func TestNothingIsTakenWhileStopping(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	r.StopTaking()
	if res := r.post(t, "/", "line accepted"); res.StatusCode != http.StatusServiceUnavailable || len(r.disk.entries) != 0 {
		t.Errorf("status %d with %d entries while stopping, want 503 and none", res.StatusCode, len(r.disk.entries))
	}
}

func TestUnknownDevicesLeaveTheReserveAlone(t *testing.T) {
	t.Parallel()
	r := newRig(func(o *intake.Options) { o.RoomForUnknown = func() bool { return false } })
	if res := r.post(t, "/", "line unknown"); res.StatusCode != http.StatusForbidden {
		t.Errorf("unknown device with the disk's reserve reached: status %d, want 403", res.StatusCode)
	}
	if res := r.post(t, "/", "line accepted"); res.StatusCode != http.StatusOK {
		t.Errorf("accepted device with the disk's reserve reached: status %d, want 200", res.StatusCode)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	long := func(start string, n int) string { return start + strings.Repeat(" ", n-len(start)) }
	tests := map[string]struct {
		body   string
		length int64
		status int
	}{
		"just small enough":                {long("line accepted", 100), 100, 200},
		"too large by its length":          {long("line accepted", 101), 101, 413},
		"too large without a length":       {long("line accepted", 5000), -1, 413},
		"small without a length":           {"line accepted", -1, 200},
		"array may be larger":              {long("[", 900), 900, 400},
		"array too large":                  {long("[", 1001), 1001, 413},
		"array too large without a length": {long("  [", 5000), -1, 413},
		"shorter than it says":             {"line accepted", 50, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(nil)
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(tt.body))
			req.ContentLength = tt.length
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
		})
	}
}

// stuck is a body that sends a large part and then waits.
type stuck struct {
	left    int
	arrived chan<- struct{}
	release <-chan struct{}
}

func (s *stuck) Read(p []byte) (int, error) {
	if s.left == 0 {
		s.arrived <- struct{}{}
		<-s.release
		return 0, io.EOF
	}
	n := min(len(p), s.left)
	for i := range n {
		p[i] = '['
	}
	s.left -= n
	return n, nil
}

func TestLargeBodiesShareABudget(t *testing.T) {
	t.Parallel()
	const array = 16 << 20
	r := newRig(func(o *intake.Options) { o.BodyBytes, o.ArrayBodyBytes = 1<<20, array })
	arrived, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range 4 { // as many as the budget of 64 MiB holds
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", &stuck{left: 100_000, arrived: arrived, release: release})
		req.ContentLength = -1
		wg.Go(func() { r.ServeHTTP(httptest.NewRecorder(), req) })
		<-arrived
	}
	fifth := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("[", 100_000)))
	fifth.ContentLength = -1
	w := httptest.NewRecorder()
	r.ServeHTTP(w, fifth)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a fifth array of 16 MiB: status %d, want 503", w.Code)
	}
	if res := r.post(t, "/", "line accepted"); res.StatusCode != http.StatusOK {
		t.Errorf("a device's message beside large bodies: status %d, want 200", res.StatusCode)
	}
	close(release)
	wg.Wait()
	again := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("[", 100_000)))
	again.ContentLength = -1
	w = httptest.NewRecorder()
	r.ServeHTTP(w, again)
	if w.Code != http.StatusBadRequest {
		t.Errorf("an array after the others: status %d, want 400 for its content", w.Code)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("GET: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestUnreadBodiesAreKeptForDiagnosis(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	for i := range 40 {
		r.post(t, "/", "line unknown broken hidden "+strconv.Itoa(i))
	}
	r.post(t, "/", strings.Repeat("x", 90))
	count, last := r.Unrecognized()
	if count != 41 || len(last) != 32 {
		t.Fatalf("count %d with %d kept, want 41 with 32", count, len(last))
	}
	if last[0].Bytes != 90 || last[0].Why == "" {
		t.Errorf("newest: %+v", last[0])
	}
	if got := string(last[1].Body); got != "line unknown broken *** 39" {
		t.Errorf("the one before: %q, want its secret replaced", got)
	}
	if last[1].Why != "value: is broken" {
		t.Errorf("its reason: %q", last[1].Why)
	}
}

func TestTwoSendersOfOneSerial(t *testing.T) {
	t.Parallel()
	const a, b = "192.0.2.1:1", "192.0.2.2:1"
	type step struct {
		after   time.Duration
		from    string
		suspect bool
	}
	tests := map[string][]step{
		"a device that moves once":         {{0, a, false}, {time.Minute, b, false}, {time.Minute, b, false}, {20 * time.Minute, b, false}},
		"two that send in turn":            {{0, a, false}, {time.Minute, b, false}, {time.Minute, a, false}, {time.Minute, b, true}, {time.Minute, a, false}, {time.Minute, b, true}},
		"the first falls silent":           {{0, a, false}, {time.Minute, b, false}, {time.Minute, a, false}, {time.Minute, b, true}, {11 * time.Minute, b, false}, {time.Minute, b, false}},
		"another port of the same address": {{0, a, false}, {time.Minute, "192.0.2.1:2", false}, {time.Minute, a, false}, {time.Minute, "192.0.2.1:2", false}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(nil)
				for i, s := range steps {
					time.Sleep(s.after) //nolint:forbidigo // fake time inside a bubble
					r.postFrom(t, s.from, "/", "line accepted")
					got := r.disk.entries[i].Quarantine
					if (got == "two-senders") != s.suspect {
						t.Errorf("step %d from %s: quarantine %q, want suspect %v", i, s.from, got, s.suspect)
					}
				}
			})
		})
	}
}

func TestADeviceThatProvedItselfMayMove(t *testing.T) {
	t.Parallel()
	r := newRig(nil)
	for i := range 6 {
		r.postFrom(t, "192.0.2."+strconv.Itoa(i%2+1)+":1", "/e/secret-of-guarded", "line guarded")
		if q := r.disk.entries[i].Quarantine; q != "" {
			t.Errorf("upload %d: quarantine %q", i, q)
		}
	}
}

func TestFasterThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(o *intake.Options) { o.MessagesPerMinute = 2 })
		var got []string
		for range 3 {
			r.post(t, "/", "line accepted")
		}
		time.Sleep(time.Minute) //nolint:forbidigo // fake time inside a bubble
		r.post(t, "/", "line accepted")
		for _, e := range r.disk.entries {
			got = append(got, e.Quarantine)
		}
		if diff := cmp.Diff([]string{"", "", "too-fast", ""}, got); diff != "" {
			t.Errorf("quarantine by upload (-want +got):\n%s", diff)
		}
	})
}
