// Package alive keeps in a node's own journal when the node was there: a sign of life every now and then, at each start since when it
// was away, and the spans in which the journal could not be written and devices heard "not stored". What is missing of devices without
// a memory is explained by that, and by nothing that this server only supposes.
package alive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"halley"
	"halley/server/journal"
)

// The words of Event.Event.
const (
	// Alive is a sign of life.
	Alive = "alive"
	// Start is a start of the server, Stop that it was asked to stop.
	Start = "start"
	Stop  = "stop"
	// Refused is a span in which the journal could not be written.
	Refused = "refused"
)

// Event is the body of a journal entry of the kind Event, as JSON. The names are stored and never change. Other events have fields of
// their own.
type Event struct {
	Event   string `json:"event"`
	Version string `json:"version,omitempty"`
	// At is when the server started; DownSince when the entry before was received, which is the last that is known of the server
	// before; 0 in a new journal. Both belong to Start.
	At        halley.Millis `json:"at,omitempty"`
	DownSince halley.Millis `json:"down_since,omitempty"`
	// From and To belong to Refused.
	From halley.Millis `json:"from,omitempty"`
	To   halley.Millis `json:"to,omitempty"`
}

// Journal is the node's journal; *journal.Journal has these methods.
type Journal interface {
	Append(ctx context.Context, e journal.Entry) (journal.Entry, error)
	Entry(ctx context.Context, seq uint64) (journal.Entry, error)
	First() uint64
	Last() uint64
}

// Options configure a Life.
type Options struct {
	Journal Journal
	// Every is how often a sign of life is noted.
	Every   time.Duration
	Version string
	Log     *slog.Logger
}

// appendWithin bounds one try to note an event.
const appendWithin = 5 * time.Second

// Life notes when this server is there. Append is for all who append what devices send; Run is called once.
type Life struct {
	opts Options
	// downSince is when the journal's last entry was received at the opening; 0 for a new journal.
	downSince halley.Millis
	// wake holds a token when something waits to be noted and the journal takes entries.
	wake chan struct{}

	mu sync.Mutex
	// refusing is since when the journal takes nothing, 0 while it does; refused are spans that wait to be noted.
	refusing halley.Millis
	refused  []Event
	// started is the start that waits to be noted; nil when it was.
	started *Event
}

// New reads when the journal was written last. It must be called before anything is appended.
func New(ctx context.Context, o Options) (*Life, error) {
	l := &Life{opts: o, wake: make(chan struct{}, 1)}
	last := o.Journal.Last()
	if last == 0 || last < o.Journal.First() {
		return l, nil
	}
	e, err := o.Journal.Entry(ctx, last)
	if err != nil {
		return nil, fmt.Errorf("reading the journal's last entry: %w", err)
	}
	l.downSince = halley.Millis(e.ReceivedMicros / 1000)
	return l, nil
}

// Append appends to the journal and remembers when that could not be done.
func (l *Life) Append(ctx context.Context, e journal.Entry) (journal.Entry, error) {
	stored, err := l.opts.Journal.Append(ctx, e)
	switch {
	case err == nil:
		l.took(halley.Millis(stored.ReceivedMicros / 1000))
	case halley.KindOf(err) == halley.Unavailable:
		l.refuse(halley.MillisOf(time.Now()))
	}
	return stored, err
}

// refuse remembers that the journal took nothing at an instant.
func (l *Life) refuse(at halley.Millis) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusing == 0 {
		l.refusing = at
	}
}

// took ends a span of refusals.
func (l *Life) took(at halley.Millis) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusing == 0 {
		return
	}
	if at > l.refusing {
		l.refused = append(l.refused, Event{Event: Refused, From: l.refusing, To: at})
	}
	l.refusing = 0
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Started notes the start of the server; where the journal cannot be written, Run does so later.
func (l *Life) Started(ctx context.Context) {
	l.mu.Lock()
	l.started = &Event{Event: Start, Version: l.opts.Version, At: halley.MillisOf(time.Now()), DownSince: l.downSince}
	l.mu.Unlock()
	l.noteWaiting(ctx)
}

// Run notes a sign of life every now and then, and what waits to be noted, until ctx ends.
func (l *Life) Run(ctx context.Context) error {
	t := time.NewTicker(l.opts.Every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			l.note(ctx, Event{Event: Alive})
		case <-l.wake:
		}
		l.noteWaiting(ctx)
	}
}

// Stopped notes that the server was asked to stop, and what waits to be noted.
func (l *Life) Stopped(ctx context.Context) {
	l.noteWaiting(ctx)
	l.note(ctx, Event{Event: Stop, Version: l.opts.Version})
}

// noteWaiting notes the start and the spans of refusals as far as the journal takes them.
func (l *Life) noteWaiting(ctx context.Context) {
	l.mu.Lock()
	started := l.started
	l.mu.Unlock()
	if started != nil {
		if !l.note(ctx, *started) {
			return
		}
		l.mu.Lock()
		l.started = nil
		l.mu.Unlock()
	}
	for {
		l.mu.Lock()
		if len(l.refused) == 0 {
			l.mu.Unlock()
			return
		}
		e := l.refused[0]
		l.mu.Unlock()
		if !l.note(ctx, e) {
			return
		}
		l.mu.Lock()
		l.refused = l.refused[1:]
		l.mu.Unlock()
	}
}

// note appends an event and says whether that could be done. That the journal cannot be written is itself remembered, and said by
// the journal.
func (l *Life) note(ctx context.Context, e Event) bool {
	bounded, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	body, err := json.Marshal(e)
	if err == nil {
		_, err = l.Append(bounded, journal.Entry{Kind: journal.Event, Body: body})
	}
	if err != nil && ctx.Err() == nil {
		level := slog.LevelWarn
		if halley.KindOf(err) == halley.Unavailable && !errors.Is(err, context.DeadlineExceeded) {
			level = slog.LevelDebug
		}
		l.opts.Log.Log(ctx, level, "cannot note this in the journal for now", "event", e.Event, "err", err)
	}
	return err == nil
}
