// Package live knows the newest message of every device and tells those who watch, from the moment at which an upload is
// durable and without asking the store. What it holds can be built anew from the store and the journal.
package live

import (
	"cmp"
	"slices"
	"sync"

	"halley"
)

// maxWaiting is how many events one watcher may leave unread before some are dropped.
const maxWaiting = 1024

// Message is the newest message of a device.
type Message struct {
	Key                               halley.DeviceKey
	MeasuredAt, SentAt, ReceivedAt    halley.Millis
	Interval, Buffer, Signal, Battery int
	Kind                              halley.MessageKind
	Readings                          []halley.Reading
	// Seq is the journal entry that holds it; 0 where it came from the store at the start.
	Seq uint64
}

// Late says whether it came late.
func (m *Message) Late() bool {
	return halley.Late(m.MeasuredAt, m.ReceivedAt, m.Interval, m.Buffer)
}

// Event is what a watcher gets.
type Event struct {
	// Message is set for a new message.
	Message *Message
	// Devices says that a device is new or has changed.
	Devices bool
	// Missed says that events were dropped because the watcher was too slow.
	Missed bool
}

// Live holds the newest messages. Its methods may be called at the same time.
type Live struct {
	mu       sync.RWMutex
	newest   map[halley.DeviceKey]*Message
	heard    map[halley.DeviceKey]halley.Millis
	watchers map[*Watcher]struct{}
}

// New makes an empty Live.
func New() *Live {
	return &Live{
		newest: map[halley.DeviceKey]*Message{}, heard: map[halley.DeviceKey]halley.Millis{}, watchers: map[*Watcher]struct{}{},
	}
}

// Take takes over an upload that is durable: each message goes to the watchers, the newest by time of measuring is kept.
func (l *Live) Take(up *halley.Upload, received halley.Millis, seq uint64) {
	for i := range up.Messages {
		m := &up.Messages[i]
		l.put(&Message{
			Key: up.DeviceKey, MeasuredAt: m.MeasuredAt(received), SentAt: m.SentAt(received), ReceivedAt: received,
			Interval: m.Interval, Buffer: m.Buffer, Signal: m.Signal, Battery: m.Battery, Kind: m.Kind, Readings: m.Readings, Seq: seq,
		})
	}
}

// Restore takes over a message from the store, where nothing as new is known of its device. Watchers are not told: it is no news.
func (l *Live) Restore(m *Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.newest[m.Key]; old == nil || m.MeasuredAt > old.MeasuredAt {
		l.newest[m.Key] = m
	}
	l.heard[m.Key] = max(l.heard[m.Key], m.ReceivedAt)
}

func (l *Live) put(m *Message) {
	l.mu.Lock()
	if old := l.newest[m.Key]; old == nil || m.MeasuredAt >= old.MeasuredAt {
		l.newest[m.Key] = m
	}
	l.heard[m.Key] = max(l.heard[m.Key], m.ReceivedAt)
	l.mu.Unlock()
	l.tell(Event{Message: m})
}

// DevicesChanged tells the watchers that a device is new or has changed.
func (l *Live) DevicesChanged() { l.tell(Event{Devices: true}) }

func (l *Live) tell(e Event) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for w := range l.watchers {
		w.tell(e)
	}
}

// Newest gives the newest message of a device, and when it was last heard of; ok is false where there is none.
func (l *Live) Newest(key halley.DeviceKey) (m *Message, heardAt halley.Millis, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	m, ok = l.newest[key]
	return m, l.heard[key], ok
}

// All gives the newest message of every device, by key.
func (l *Live) All() []*Message {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]*Message, 0, len(l.newest))
	for _, m := range l.newest {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *Message) int {
		return cmp.Or(cmp.Compare(a.Key.Family, b.Key.Family), cmp.Compare(a.Key.Serial, b.Key.Serial))
	})
	return all
}

// Watcher receives events. It is made by Watch and ended by Close.
type Watcher struct {
	live   *Live
	events chan Event
	mu     sync.Mutex
	missed bool
}

// Watch begins to receive events. The caller closes the watcher.
func (l *Live) Watch() *Watcher {
	w := &Watcher{live: l, events: make(chan Event, maxWaiting)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[w] = struct{}{}
	return w
}

// Events gives the events. The channel is never closed.
func (w *Watcher) Events() <-chan Event { return w.events }

// Close ends the watcher.
func (w *Watcher) Close() {
	w.live.mu.Lock()
	defer w.live.mu.Unlock()
	delete(w.live.watchers, w)
}

// tell never waits: to a watcher that is too slow it says once that events are missing.
func (w *Watcher) tell(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.missed && len(w.events) < maxWaiting/2 {
		w.missed = false
	}
	if w.missed {
		return
	}
	if len(w.events) == maxWaiting-1 {
		w.missed = true
		e = Event{Missed: true}
	}
	w.events <- e
}
