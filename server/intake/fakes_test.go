package intake_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"halley"
	"halley/protocols"
	"halley/server/intake"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// line is a family whose body is "line SERIAL REST"; a REST of "broken" cannot be decoded, "ahead" is measured in two hours,
// "key=K" carries a customer key.
type line struct{ protocols.Protocol }

func (line) Family() halley.Family { return halley.WebSensor }

func (line) Recognizes(body []byte) bool { return bytes.HasPrefix(body, []byte("line")) }

func (line) Decode(body []byte) (halley.Upload, error) {
	up := halley.Upload{DeviceKey: halley.DeviceKey{Family: halley.WebSensor}}
	parts := strings.Fields(string(body))
	if len(parts) < 2 {
		return up, &protocols.DecodeError{Field: "serial", Why: "is missing"}
	}
	up.Serial = parts[1]
	m := halley.Message{}
	for _, p := range parts[2:] {
		switch {
		case p == "broken":
			return up, &protocols.DecodeError{Field: "value", Why: "is broken"}
		case p == "ahead":
			m.Clock, m.Sample = halley.ClockValid, halley.MillisOf(time.Now().Add(2*time.Hour))
		case strings.HasPrefix(p, "key="):
			up.CustomerKey = halley.Secret(p[4:])
		}
	}
	up.Messages = []halley.Message{m}
	return up, nil
}

func (line) Reply(_ *halley.Upload, o protocols.Outcome) protocols.Reply {
	status := map[protocols.Outcome]int{
		protocols.Stored: 200, protocols.Unavailable: 503, protocols.Refused: 403, protocols.NotUnderstood: 400,
	}[o]
	return protocols.Reply{Status: status, ContentType: "text/x-line", Body: []byte(o.Reason())}
}

func (line) Redact(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte("hidden"), []byte("***"))
}

// devices is a registry with what the test puts in.
type devices struct {
	states      map[string]halley.DeviceState
	ids         map[string]halley.DeviceID
	entryPoints map[string]storage.Credential
	credentials map[halley.DeviceID]storage.Credential
}

func (d devices) Device(key halley.DeviceKey) (halley.Device, bool) {
	s, ok := d.states[key.Serial]
	return halley.Device{ID: d.ids[key.Serial], DeviceKey: key, State: s}, ok
}

func (d devices) EntryPoint(path string) (storage.Credential, bool) {
	c, ok := d.entryPoints[path]
	return c, ok
}

func (d devices) HasCredential(id halley.DeviceID, kind storage.CredentialKind) (storage.Credential, bool) {
	c, ok := d.credentials[id]
	return c, ok && c.Kind == kind
}

// disk is a journal that keeps entries or fails.
type disk struct {
	mu      sync.Mutex
	entries []journal.Entry
	err     error
}

func (d *disk) Append(_ context.Context, e journal.Entry) (journal.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return journal.Entry{}, d.err
	}
	e.Seq = uint64(len(d.entries) + 1)
	d.entries = append(d.entries, e)
	return e, nil
}

// budget is a quarantine that has room or not.
type budget struct {
	mu       sync.Mutex
	room     bool
	reserved int
}

func (b *budget) Reserve(halley.DeviceKey, quarantine.Reason, int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.room {
		b.reserved++
	}
	return b.room
}

func (b *budget) Cancel(halley.DeviceKey, quarantine.Reason, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved--
}

// rig is an intake with everything around it.
type rig struct {
	*intake.Intake
	disk      *disk
	budget    *budget
	devices   devices
	delivered []intake.Delivered
}

func hash(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func newRig(change func(*intake.Options)) *rig {
	r := &rig{disk: &disk{}, budget: &budget{room: true}, devices: devices{
		states: map[string]halley.DeviceState{
			"accepted": halley.DeviceAccepted, "guarded": halley.DeviceAccepted, "keyed": halley.DeviceAccepted, "new": halley.DeviceNew,
			"suspended": halley.DeviceSuspended, "rejected": halley.DeviceRejected, "retired": halley.DeviceRetired,
		},
		ids:         map[string]halley.DeviceID{"accepted": 1, "guarded": 2, "keyed": 3},
		entryPoints: map[string]storage.Credential{"/e/secret-of-guarded": {ID: 20, DeviceID: 2}},
		credentials: map[halley.DeviceID]storage.Credential{
			2: {ID: 20, DeviceID: 2, Kind: storage.EntryPoint}, 3: {ID: 30, DeviceID: 3, Kind: storage.CustomerKey, Hash: hash("right")},
		},
	}}
	o := intake.Options{
		Families: protocols.Set{line{}}, Devices: r.devices, Journal: r.disk, Quarantine: r.budget, Policy: intake.Approve,
		BodyBytes: 100, ArrayBodyBytes: 1000, ClockAhead: time.Hour, RoomForUnknown: func() bool { return true },
		Deliver: func(d intake.Delivered) { r.delivered = append(r.delivered, d) }, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	r.Intake = intake.New(o)
	return r
}

// post sends a body to a path and gives the answer.
func (r *rig) post(t *testing.T, path, body string) *http.Response {
	t.Helper()
	return r.postFrom(t, "192.0.2.1:1000", path, body)
}

func (r *rig) postFrom(t *testing.T, address, path, body string) *http.Response {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	req.RemoteAddr = address
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
