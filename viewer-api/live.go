package viewerapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/directory"
)

const (
	// heartbeatEvery keeps a quiet stream from being cut on its way.
	heartbeatEvery = 15 * time.Second
	// recheckEvery is how soon a stream notices that its caller may no longer have it where nobody tells it: it was signed out as
	// unused, or its session was ended on another server.
	recheckEvery = 5 * time.Second
	// eventDeadline is how long a reader may take for one event.
	eventDeadline = 10 * time.Second
	// streamsMost and streamsOfCaller bound the streams that are open at one time.
	streamsMost     = 1000
	streamsOfCaller = 20
)

// streams counts open streams.
type streams struct {
	mu       sync.Mutex
	all      int
	byCaller map[string]int
}

// open takes a place for a caller; TooMany where there is none.
func (s *streams) open(caller string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= streamsMost || s.byCaller[caller] >= streamsOfCaller {
		return &halley.Error{
			Kind: halley.TooMany, Op: "open a stream", Code: "too-many-streams",
			Message: fmt.Sprintf("close a stream first: %d may be open for one caller, %d in all", streamsOfCaller, streamsMost),
		}
	}
	s.all++
	s.byCaller[caller]++
	return nil
}

// close gives the place back.
func (s *streams) close(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	s.byCaller[caller]--
	if s.byCaller[caller] == 0 {
		delete(s.byCaller, caller)
	}
}

// The data of events.
type (
	helloEvent struct {
		At Time `json:"at"`
	}
	messageEvent struct {
		DeviceID   halley.DeviceID `json:"device_id"`
		MeasuredAt Time            `json:"measured_at"`
		ReceivedAt Time            `json:"received_at"`
		Interval   *int            `json:"interval"`
		Late       bool            `json:"late"`
		Values     []eventValue    `json:"values"`
	}
	eventValue struct {
		ChannelID halley.ChannelID `json:"channel_id"`
		Value     *float64         `json:"value"`
		Quality   string           `json:"quality"`
	}
	devicesEvent struct {
		Version int64 `json:"version"`
	}
)

// getLive streams new messages and changes of devices as server-sent events, until the caller leaves or may no longer have
// them, or the program stops. Of a message the caller gets what was measured where it may see values. 404 where ?device= is not there; 429 where too many streams are open.
func (a *API) getLive(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "device")
	device := halley.DeviceID(q.number("device", 1, 1<<62, 0))
	if q.err != nil {
		return q.err
	}
	if device != 0 {
		if err := (thing{scopeDevice, int64(device)}).allow(rightsOf(r), halley.PermitSampleRead); err != nil {
			return err
		}
	}
	caller, _ := access.CallerFrom(r.Context())
	key := string(caller.Kind) + " " + caller.Session
	if err := a.streams.open(key); err != nil {
		return err
	}
	defer a.streams.close(key)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &stream{api: a, w: w, connection: http.NewResponseController(w), device: device, credentials: presented(r), rights: caller.Rights}
	s.credentials.Passive = true
	access.DropRights(ctx)
	if err := s.run(ctx, a.Live.Subscribe(ctx), caller.ExpiresAt); err != nil {
		return &begunError{cause: err}
	}
	return nil
}

// stream is one open stream.
type stream struct {
	api         *API
	w           http.ResponseWriter
	connection  *http.ResponseController
	device      halley.DeviceID
	credentials access.Presented
	// rights are the caller's by the directory of when they were looked at last.
	rights directory.Rights
}

// run sends events until the reader has gone (nil), the events end, or the caller's right does.
func (s *stream) run(ctx context.Context, events <-chan Event, expires halley.Millis) error {
	if err := unhurried(s.connection); err != nil {
		return gone(err)
	}
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if err := s.send("hello", helloEvent{At: Time(halley.MillisOf(time.Now()))}); err != nil {
		return gone(err)
	}
	heartbeat, recheck := time.NewTicker(heartbeatEvery), time.NewTicker(recheckEvery)
	defer heartbeat.Stop()
	defer recheck.Stop()
	expired := make(<-chan time.Time)
	if expires != 0 {
		timer := time.NewTimer(time.Until(expires.Time()))
		defer timer.Stop()
		expired = timer.C
	}
	changed := s.api.callers.wait()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-s.api.ended:
			return nil
		case <-expired:
			return nil
		case <-changed:
			if changed = s.api.callers.wait(); !s.stillMay(ctx) {
				return nil
			}
		case <-recheck.C:
			if !s.stillMay(ctx) {
				return nil
			}
		case <-heartbeat.C:
			err = s.write([]byte(": still here\n\n"))
		case e, open := <-events:
			if !open {
				return nil
			}
			var may bool
			may, err = s.tell(e, events, func() bool { return !s.outdated(changed) || s.stillMay(ctx) })
			if !may && err == nil {
				return nil
			}
		}
		if err != nil {
			return gone(err)
		}
	}
}

// gone forgives that the reader has left, which ends every stream. What remains is a fault of ours.
func gone(err error) error {
	if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
		return err
	}
	return nil
}

// stillMay says whether the caller may still have the stream, and looks at its rights anew. While the store cannot be asked the answer
// of before stands.
func (s *stream) stillMay(ctx context.Context) bool {
	caller, err := s.api.Access.Authenticate(ctx, s.credentials)
	if err != nil {
		return halley.KindOf(err) != halley.Unauthenticated
	}
	s.rights = caller.Rights
	if s.device != 0 && !s.rights.AtDevice(halley.PermitSampleRead, s.device) {
		return false
	}
	return caller.Must == "" && s.rights.Holds(halley.PermitSampleRead)
}

func newMessageEvent(m *LiveMessage) messageEvent {
	v := messageEvent{
		DeviceID: m.DeviceID, MeasuredAt: Time(m.MeasuredAt), ReceivedAt: Time(m.ReceivedAt),
		Interval: wholeOrNull(m.Interval, m.Interval > 0), Late: m.Late, Values: make([]eventValue, 0, len(m.Values)),
	}
	for _, lv := range m.Values {
		v.Values = append(v.Values, eventValue{
			ChannelID: lv.ChannelID, Value: valueOrNull(lv.Value, lv.Quality), Quality: lv.Quality.Words(m.Late),
		})
	}
	return v
}

// send sends an event.
func (s *stream) send(name string, data any) error {
	text, err := textOf(name, data)
	if err != nil {
		return err
	}
	return s.write(text)
}

// write sends text at once, with a time limit of its own.
func (s *stream) write(text []byte) error {
	if err := allow(s.connection, eventDeadline); err != nil {
		return err
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.connection.Flush()
}
