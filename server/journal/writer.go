package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"
)

// run is the writer: it flushes one group after the other until the journal is closed or has failed.
func (j *Journal) run(ctx context.Context, out *output) {
	w := writer{Journal: j, out: out}
	err := w.work(ctx)
	if err == nil {
		j.closeErr = w.close(ctx)
		close(j.done)
		return
	}
	refusal := w.abandon(err)
	// The connection stays open: to close it would move the log into the file and so write over what the disk may still hold.
	j.closeErr = errors.Join(refusal, j.readers.close())
	close(j.done)
	if j.options.Fail != nil {
		j.options.Fail(err)
	}
}

// writer is what the writer's goroutine alone uses.
type writer struct {
	*Journal
	out *output
}

// work returns nil when the journal is closed and the queue is empty, else why the process must end.
func (w *writer) work(ctx context.Context) error {
	for {
		w.gather()
		g, open := w.take()
		switch {
		case g != nil:
			if err := w.flush(ctx, g); err != nil {
				return err
			}
		case !open:
			return nil
		default:
			<-w.Journal.work
		}
	}
}

// gather lets those join the oldest group who are about to: whoever can run now does so before it is written, as long as the group
// grows by that. Where flushes are fast, groups would otherwise be small, and each costs the same whatever it holds; measured with
// 64 senders, three times as many share a flush, and a quarter more is acknowledged. A sender that is alone waits for nobody.
func (w *writer) gather() {
	for before := 0; ; {
		w.mu.Lock()
		n := 0
		if len(w.queue) > 0 {
			n = w.queue[0].count
		}
		w.mu.Unlock()
		if n == before {
			return
		}
		before = n
		runtime.Gosched()
	}
}

// take gives the oldest group, nil where there is none, and says whether the journal is open.
func (j *Journal) take() (g *group, open bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.queue) == 0 {
		return nil, !j.closed
	}
	g = j.queue[0]
	j.queue = slices.Delete(j.queue, 0, 1)
	if j.room != nil {
		close(j.room)
		j.room = nil
	}
	return g, true
}

// flush writes a group and answers all who wait for it. An error is one that ends the process.
func (w *writer) flush(ctx context.Context, g *group) error {
	r, err := w.write(ctx, g)
	if err != nil {
		fatal := w.trouble(ctx, err)
		g.err = unavailable(err)
		close(g.done)
		return fatal
	}
	g.first = r.first
	w.stored(g, r)
	if err := w.out.checkpoint(ctx, w.readers); err != nil {
		return w.trouble(ctx, err)
	}
	return nil
}

// write brings a group to stable storage.
func (w *writer) write(ctx context.Context, g *group) (*row, error) {
	r := &row{first: w.last + 1, count: g.count, micros: g.firstMicros}
	if w.out.isDue(r.micros, w.options.FileBytes, w.options.Dictionary) {
		if err := w.rotate(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, w.out.write(ctx, r, w.hash, g.entries)
}

// stored makes a group known and wakes all who wait for it.
func (w *writer) stored(g *group, r *row) {
	w.mu.Lock()
	recovered := w.state != StateOK
	if recovered {
		w.state, w.since = StateOK, time.Now()
	}
	w.last, w.hash = r.last(), r.hash
	if cap(g.entries) <= maxSpareBytes && len(w.spare) < maxSpare {
		w.spare = append(w.spare, g.entries)
	}
	w.wake()
	w.mu.Unlock()
	close(g.done)
	if recovered {
		w.log.Info("the journal can be written again")
	}
}

// abandon refuses all who wait and all who will come, for err.
func (w *writer) abandon(err error) error {
	w.mu.Lock()
	queue := w.queue
	w.queue, w.fatal = nil, unavailable(err)
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
	w.mu.Unlock()
	for _, g := range queue {
		g.err = w.fatal
		close(g.done)
	}
	return w.fatal
}

// trouble notes that the disk does not take what it should, and gives the error back where the process must end.
func (w *writer) trouble(ctx context.Context, err error) error {
	s := severityOf(err)
	state := StateFailing
	if s == diskFull {
		state = StateFull
	}
	w.mu.Lock()
	changed := w.state != state
	if changed {
		w.state, w.since = state, time.Now()
	}
	w.mu.Unlock()
	switch {
	case s == fatal:
		return err
	case changed:
		w.log.LogAttrs(ctx, slog.LevelError, "the journal cannot be written; uploads are answered \"not stored\"",
			slog.String("state", string(state)), slog.Any("error", err))
	}
	return nil
}

// rotate begins a new file with r.
func (w *writer) rotate(ctx context.Context, r *row) error {
	f := newFile(w.options.Dir, r.first, r.micros)
	m := fileMeta{journalID: w.origin, first: r.first, previous: w.hash, dictionary: w.options.Dictionary}
	if err := createFile(ctx, &f, &m); err != nil {
		return err
	}
	out, err := openOutput(ctx, &f)
	if err != nil {
		removeFile(f.path)
		return err
	}
	if w.options.opened != nil {
		w.options.opened(out.db)
	}
	old := w.out
	err = w.readers.without(old.path, func() error {
		w.readers.current = f.path
		return old.seal(ctx)
	})
	w.out = out
	w.mu.Lock()
	w.files = append(slices.Clone(w.files), f)
	w.files[len(w.files)-2] = old.file
	w.mu.Unlock()
	if severityOf(err) == fatal && err != nil {
		return fmt.Errorf("closing a journal file: %w", err)
	}
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelWarn, "a journal file keeps its log beside it until the next start",
			slog.String("file", old.path), slog.Any("error", err))
	}
	return nil
}

// close closes the files at the end.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	w.wake()
	w.mu.Unlock()
	if err := errors.Join(w.readers.close(), w.out.seal(ctx)); err != nil {
		return fmt.Errorf("closing the journal: %w", err)
	}
	return nil
}
