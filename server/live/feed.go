package live

import (
	"context"
	"sync"
)

const (
	// feedKept is how many events a Feed keeps for readers who lag behind.
	feedKept = 1024
	// feedAhead is how many of them are handed to a reader ahead of being read, so that it can take several at once.
	feedAhead = 16
)

// Feed hands what a Live tells to any number of readers, put into their words once for all of them. The events that wait lie in one row
// that all readers read from, so that a reader who waits takes next to no memory. T must not be changed by a reader. Its methods may be
// called at the same time.
type Feed[T any] struct {
	watcher *Watcher
	words   func(Event) (T, bool)

	mu sync.Mutex
	// row holds event number n at n modulo its length; next is the number of the one to come.
	row  []T
	next uint64
	// more is closed when next grows; nil while nobody waits for that.
	more    chan struct{}
	readers int
}

// NewFeed gives a Feed of what l tells from now on. words says what readers are told of an event, and false where that is nothing; it is
// called from one goroutine for events and from those of readers that lag for Event.Missed.
func NewFeed[T any](l *Live, words func(Event) (T, bool)) *Feed[T] {
	return &Feed[T]{watcher: l.Watch(), words: words, row: make([]T, feedKept)}
}

// Run hands events over until ctx ends.
func (f *Feed[T]) Run(ctx context.Context) error {
	defer f.watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-f.watcher.Events():
			if !f.isRead() {
				continue
			}
			if told, ok := f.words(e); ok {
				f.put(told)
			}
		}
	}
}

// isRead says whether there is a reader at all.
func (f *Feed[T]) isRead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readers > 0
}

// put appends an event and wakes who waits for it.
func (f *Feed[T]) put(told T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.row[f.next%feedKept] = told
	f.next++
	if f.more != nil {
		close(f.more)
		f.more = nil
	}
}

// Subscribe gives the events from now until ctx ends, when the channel is closed. A reader who lags so far behind that events are lost
// finds what words says of Event.Missed in their place, and goes on with what is new.
func (f *Feed[T]) Subscribe(ctx context.Context) <-chan T {
	out := make(chan T, feedAhead)
	f.mu.Lock()
	f.readers++
	at := f.next
	f.mu.Unlock()
	go func() {
		defer close(out)
		defer f.leave()
		f.pass(ctx, at, out)
	}()
	return out
}

// leave counts a reader off. Once there is none the row keeps nothing alive.
func (f *Feed[T]) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	if f.readers == 0 {
		clear(f.row)
	}
}

// pass hands to a reader what comes from number at on.
func (f *Feed[T]) pass(ctx context.Context, at uint64, out chan<- T) {
	for {
		told, more, missed := f.take(&at)
		if more != nil {
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
			continue
		}
		if missed {
			var ok bool
			if told, ok = f.words(Event{Missed: true}); !ok {
				continue
			}
		}
		select {
		case out <- told:
		case <-ctx.Done():
			return
		}
	}
}

// take gives event number at and counts it on; where that has not come yet, a channel that is closed when it has; where it is there no
// more, it is missed with all that came since.
func (f *Feed[T]) take(at *uint64) (told T, more <-chan struct{}, missed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch behind := f.next - *at; {
	case behind == 0:
		if f.more == nil {
			f.more = make(chan struct{})
		}
		return told, f.more, false
	case behind > feedKept:
		*at = f.next
		return told, nil, true
	}
	told = f.row[*at%feedKept]
	*at++
	return told, nil, false
}
