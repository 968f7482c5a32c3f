// Package intake takes uploads from devices: it reads the body within bounds, has its family decode it, finds the device in this
// server's own copy of the registry, decides whether the upload is trusted, appends it to the journal and answers only when it
// is durable there.
//
// It never asks the database and never writes the address of a device down.
package intake

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"halley"
	"halley/protocols"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// Devices is what intake needs to know of devices.
type Devices interface {
	Device(key halley.DeviceKey) (halley.Device, bool)
	EntryPoint(path string) (storage.Credential, bool)
	HasCredential(id halley.DeviceID, kind storage.CredentialKind) (storage.Credential, bool)
}

// Journal is where uploads become durable.
type Journal interface {
	Append(ctx context.Context, e journal.Entry) (journal.Entry, error)
}

// Quarantine is the budget for uploads that are not trusted.
type Quarantine interface {
	Reserve(key halley.DeviceKey, reason quarantine.Reason, size int) bool
	Cancel(key halley.DeviceKey, reason quarantine.Reason, size int)
}

// Policy says what happens to a device that is not known.
type Policy string

// The policies.
const (
	// Approve keeps its uploads in quarantine until a person decides.
	Approve Policy = "approve"
	// Any accepts it at its first upload.
	Any Policy = "any"
	// ByEntryPoint is like Approve; devices that are to be recorded at once are given an entry point before.
	ByEntryPoint Policy = "entry-point"
)

// Delivered is an upload that is durable.
type Delivered struct {
	Entry  journal.Entry
	Upload halley.Upload
}

// Options configure an Intake.
type Options struct {
	Families   protocols.Set
	Devices    Devices
	Journal    Journal
	Quarantine Quarantine
	Policy     Policy
	// BodyBytes bounds a body, ArrayBodyBytes one that is a JSON array of messages.
	BodyBytes, ArrayBodyBytes int64
	// ClockAhead is how far ahead of the receive time a message may be measured.
	ClockAhead time.Duration
	// MessagesPerMinute bounds what one device may send directly; 0 is no bound.
	MessagesPerMinute int
	// RoomForUnknown says whether there is disk to spare for devices that are not known.
	RoomForUnknown func() bool
	// Deliver is called for each upload after it is durable and before it is acknowledged. It must not wait.
	Deliver func(Delivered)
	Log     *slog.Logger
}

// Intake is the handler behind the device listeners.
type Intake struct {
	opts         Options
	unrecognized *unrecognized
	senders      *senders
	pacer        *pacer
	large        *semaphore.Weighted
	closing      atomic.Bool
	counts       counters
}

type counters struct{ stored, refused, unavailable, notUnderstood atomic.Int64 }

// Counts says what became of the requests since the start.
type Counts struct{ Stored, Refused, Unavailable, NotUnderstood int64 }

// New makes an Intake.
func New(opts Options) *Intake {
	return &Intake{
		opts: opts, unrecognized: newUnrecognized(), senders: newSenders(), pacer: newPacer(opts.MessagesPerMinute),
		large: semaphore.NewWeighted(max(largeBodies, opts.ArrayBodyBytes)),
	}
}

// Counts gives what became of the requests since the start.
func (in *Intake) Counts() Counts {
	c := &in.counts
	return Counts{c.stored.Load(), c.refused.Load(), c.unavailable.Load(), c.notUnderstood.Load()}
}

// StopTaking makes every further request be answered "not stored", so that the program can end.
func (in *Intake) StopTaking() { in.closing.Store(true) }

// Unrecognized gives how many bodies could not be read since the start, and the last of them.
func (in *Intake) Unrecognized() (int64, []Unrecognized) { return in.unrecognized.list() }

// ServeHTTP takes one upload. Any path, query and content type will do.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "POST, PUT")
		answer(w, plain(http.StatusMethodNotAllowed, "devices send their messages here by POST"))
		return
	}
	body, done, err := in.readBody(r)
	defer done()
	if err != nil {
		in.answerUnread(w, r, err)
		return
	}
	family := in.opts.Families.Recognize(body)
	if family == nil {
		in.notUnderstood(w, body, protocols.ErrUnrecognized, nil)
		return
	}
	up, decodeErr := family.Decode(body)
	v := in.judge(r, &up, len(body), decodeErr)
	if v.notUnderstood {
		in.notUnderstood(w, body, decodeErr, family)
		return
	}
	if v.refuse {
		in.counts.refused.Add(1)
		answer(w, family.Reply(&up, protocols.Refused))
		return
	}
	in.journal(w, r, taken{family: family, upload: up, verdict: v, body: body})
}

// taken is an upload that is to be journaled.
type taken struct {
	family  protocols.Protocol
	upload  halley.Upload
	verdict verdict
	body    []byte
}

func (in *Intake) journal(w http.ResponseWriter, r *http.Request, t taken) {
	if in.closing.Load() {
		in.cancel(t)
		in.unavailable(w, t)
		return
	}
	e, err := in.opts.Journal.Append(r.Context(), journal.Entry{
		Kind:       journal.Upload,
		Family:     t.upload.Family,
		Serial:     t.upload.Serial,
		EntryPoint: t.verdict.entryPoint,
		Admission:  uint8(t.verdict.admission),
		Quarantine: string(t.verdict.quarantine),
		Body:       t.body,
	})
	if err != nil {
		in.cancel(t)
		in.unavailable(w, t)
		return
	}
	in.opts.Deliver(Delivered{Entry: e, Upload: t.upload})
	in.counts.stored.Add(1)
	answer(w, t.family.Reply(&t.upload, protocols.Stored))
}

func (in *Intake) cancel(t taken) {
	if t.verdict.reserved {
		in.opts.Quarantine.Cancel(t.upload.DeviceKey, t.verdict.quarantine, len(t.body))
	}
}

func (in *Intake) unavailable(w http.ResponseWriter, t taken) {
	in.counts.unavailable.Add(1)
	answer(w, t.family.Reply(&t.upload, protocols.Unavailable))
}

func (in *Intake) notUnderstood(w http.ResponseWriter, body []byte, why error, family protocols.Protocol) {
	in.counts.notUnderstood.Add(1)
	shown := body
	if family != nil {
		shown = family.Redact(body)
	}
	in.unrecognized.add(shown, len(body), why.Error())
	if family == nil {
		answer(w, plain(http.StatusBadRequest, why.Error()))
		return
	}
	reply := family.Reply(nil, protocols.NotUnderstood)
	if reply.Status < http.StatusBadRequest {
		reply.Status = http.StatusBadRequest
	}
	answer(w, reply)
}

// answerUnread answers a request whose body did not arrive whole or is too large.
func (in *Intake) answerUnread(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Connection", "close")
	if errors.Is(err, errCrowded) {
		in.counts.unavailable.Add(1)
		answer(w, plain(http.StatusServiceUnavailable, protocols.Unavailable.Reason()))
		return
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		in.counts.refused.Add(1)
		in.unrecognized.add(nil, int(r.ContentLength), "the body is larger than a device's message can be")
		answer(w, plain(http.StatusRequestEntityTooLarge, "the body is larger than a device's message can be"))
		return
	}
	in.counts.notUnderstood.Add(1)
	answer(w, plain(http.StatusBadRequest, "the body did not arrive whole"))
}

// answer writes a reply with its length, never chunked.
func answer(w http.ResponseWriter, reply protocols.Reply) {
	h := w.Header()
	if reply.ContentType != "" {
		h["Content-Type"] = []string{reply.ContentType}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(reply.Body))}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // a device that has gone will send again, or has the answer
}

func plain(status int, text string) protocols.Reply {
	return protocols.Reply{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text + "\n")}
}
