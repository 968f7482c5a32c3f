package fleet_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"halley"
	"halley/cmd/halley/internal/fleet"
	"halley/protocols"
)

// start is when the test's fleets are switched on: 2026-11-21T12:00:00Z, unless they send at real times.
const start = halley.Millis(1_795_262_400_000)

// arrival is one request as it reached the test's server.
type arrival struct {
	upload     halley.Upload
	path       string
	connection string
}

// key names a message as a server would know it.
func (a *arrival) key() string {
	m := a.upload.Messages[0]
	return a.upload.Serial + " " + m.Sample.String() + " " + strconv.FormatInt(m.Order, 10)
}

// receiver is a server that decodes what comes and answers as its test decides.
type receiver struct {
	*httptest.Server
	set protocols.Set

	mu       sync.Mutex
	arrivals []arrival
}

// verdict decides on the n-th request, from 0: what the server does with it.
type verdict func(n int, a *arrival) action

// action is what a server does with a request.
type action uint8

const (
	store action = iota
	refuse
	unavailable
	// storeAndCut stores and cuts the connection before the answer.
	storeAndCut
	// cut ends the connection in the middle of the answer.
	cut
	chunked
	chatter
)

func receive(t *testing.T, decide verdict) *receiver {
	t.Helper()
	r := &receiver{}
	for _, l := range fleet.Lines() {
		r.set = append(r.set, l.Protocol)
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.serve(t, w, q, decide) }))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(t *testing.T, w http.ResponseWriter, q *http.Request, decide verdict) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		t.Errorf("reading a request: %v", err)
		return
	}
	p := r.set.Recognize(body)
	if p == nil {
		t.Errorf("no family recognizes %q", body)
		return
	}
	up, err := p.Decode(body)
	if err != nil || len(up.Messages) != 1 || len(up.Messages[0].Remarks) > 0 {
		t.Errorf("decoding %q: %v, %+v", body, err, up)
		return
	}
	a := arrival{upload: up, path: q.URL.Path, connection: q.RemoteAddr}
	r.mu.Lock()
	n := len(r.arrivals)
	r.arrivals = append(r.arrivals, a)
	r.mu.Unlock()
	r.answer(w, p, decide(n, &a))
}

func (*receiver) answer(w http.ResponseWriter, p protocols.Protocol, do action) {
	outcome := protocols.Stored
	switch do {
	case refuse:
		outcome = protocols.Refused
	case unavailable:
		outcome = protocols.Unavailable
	case storeAndCut, cut:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		if do == cut {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"Result\":true")
		}
		conn.Close()
		return
	case chunked:
		_, _ = io.WriteString(w, `{"Result":`)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "true}")
		return
	case chatter:
		w.WriteHeader(http.StatusContinue)
		w.Header().Set("X-Other", "1")
	case store:
	}
	reply := p.Reply(nil, outcome)
	w.Header().Set("Content-Type", reply.ContentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(reply.Body)))
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
}

// all gives what arrived.
func (r *receiver) all() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.arrivals...)
}

func always(do action) verdict { return func(int, *arrival) action { return do } }

// first does one thing with the first requests and stores all others.
func first(n int, do action) verdict {
	return func(i int, _ *arrival) action {
		if i < n {
			return do
		}
		return store
	}
}

// options are those of one device of a family that sends as fast as answers come.
func (r *receiver) options(family halley.Family, messages int) fleet.Options {
	return fleet.Options{
		To: r.URL + "/upload", Lines: fleet.LinesOf(string(family)), Devices: 1, First: 1, Messages: messages, Seed: 42, Start: start,
		Patience: 20 * time.Second,
	}
}

func run(t *testing.T, o fleet.Options) fleet.Counts {
	t.Helper()
	c, err := fleet.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
