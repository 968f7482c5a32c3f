package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"halley"
	"halley/server/durable"
)

// DefaultFileBytes is the size at which a new file begins where Options say nothing.
const DefaultFileBytes = 256 << 20

// Options say how a journal is kept.
type Options struct {
	// Dir is the folder of the files; it must exist, on a disk of this machine.
	Dir string
	// FileBytes is the size at which a new file begins; 0 is DefaultFileBytes.
	FileBytes int64
	// Dictionary is text that uploads are likely to hold, for compression: raw zstd dictionary content, nil for none. It
	// counts for files that begin from now on.
	Dictionary []byte
	// Log gets what happens to the journal, never what is in it; nil for none.
	Log *slog.Logger
	// Fail is called once when the disk failed in a way that leaves open what is on it: the process must end. It is called from
	// the journal's own goroutine, after all who waited were answered. Nil for none.
	Fail func(error)

	// opened lets a test reach the connection of every file that is written; nil for none.
	opened func(*sql.DB)
}

// State says whether a journal can be written.
type State string

// The states of a journal.
const (
	// StateOK takes entries.
	StateOK State = "ok"
	// StateFull found its disk full at the last flush. The next one tries again.
	StateFull State = "full"
	// StateFailing could not be written at the last flush for another reason.
	StateFailing State = "failing"
)

// Usage describes a journal.
type Usage struct {
	// Bytes is what the files take on disk, Files how many there are.
	Bytes int64
	Files int
	State State
	// Since is when State began; for the first, when the journal was opened.
	Since time.Time
}

// Journal is an open journal. All methods may be called at the same time.
type Journal struct {
	// origin is the id in the journal's files.
	origin  string
	options Options
	log     *slog.Logger
	readers *readers
	waiting atomic.Int64
	// work holds a token when the queue has something, or the journal is closing; done is closed when the writer has ended.
	work chan struct{}
	done chan struct{}
	// renewing is held by whoever changes the identity.
	renewing sync.Mutex

	mu       sync.Mutex
	identity identity
	clock    clock
	// queue holds the groups that gather, the oldest first; only the last is added to.
	queue []*group
	spare [][]byte
	// room is closed when the queue has become shorter; nil while nobody waits for that.
	room chan struct{}
	// changed is closed when last grows; nil while nobody waits for that.
	changed chan struct{}
	last    uint64
	hash    [32]byte
	files   []file // ascending; replaced, never changed; the last is written
	closed  bool
	state   State
	since   time.Time
	// fatal is why the journal cannot be written until the process starts again; nil while it can.
	fatal error
	// closeErr is what went wrong when the writer ended. It is set before done is closed.
	closeErr error
}

// Open creates the journal in a folder, or continues the one that is there. It reads the newest file as a whole and checks its
// running hash: a file that is damaged is an error that says what to do, and is left as it is. A full disk is Unavailable.
func Open(ctx context.Context, options Options) (*Journal, error) {
	if options.Dir == "" {
		return nil, &halley.Error{Kind: halley.Invalid, Op: opOpen, Field: "Dir", Message: "name the folder of the journal"}
	}
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the journal's folder: %w", err)
	}
	options.Dir = dir
	if options.FileBytes <= 0 {
		options.FileBytes = DefaultFileBytes
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	opened := time.Now()
	files, err := listFiles(ctx, &options)
	if err != nil {
		return nil, openError(err)
	}
	if len(files) == 0 {
		f, err := firstFile(ctx, &options, opened)
		if err != nil {
			return nil, openError(err)
		}
		files = []file{f}
	}
	r, err := recoverNewest(ctx, files)
	if err != nil {
		return nil, openError(err)
	}
	own, err := readIdentity(ctx, &options, r.out.meta.journalID)
	if err != nil {
		return nil, openError(errors.Join(err, r.close()))
	}
	j := &Journal{
		origin: own.Origin, identity: own, options: options, log: options.Log, readers: r.readers,
		work: make(chan struct{}, 1), done: make(chan struct{}),
		clock: startClock(opened, r.micros), last: r.last, hash: r.hash, files: files,
		state: StateOK, since: opened,
	}
	if options.opened != nil {
		options.opened(r.out.db)
	}
	// The writer ends with Close, not with the context of Open.
	go j.run(context.WithoutCancel(ctx), r.out)
	return j, nil
}

// firstFile begins a journal.
func firstFile(ctx context.Context, options *Options, now time.Time) (file, error) {
	id, err := newID()
	if err != nil {
		return file{}, err
	}
	m := fileMeta{journalID: id, first: 1, dictionary: options.Dictionary}
	m.previous = chainStart(m.journalID)
	f := newFile(options.Dir, 1, now.UnixMicro())
	if err := createFile(ctx, &f, &m); err != nil {
		return file{}, err
	}
	return f, nil
}

// ID gives the journal's identity: 32 hexadecimal digits, random. Only Renew changes it.
func (j *Journal) ID() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.identity.ID
}

// First gives the sequence number of the oldest entry that was not pruned; where there is none, that of the next.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.files[0].first
}

// Last gives the sequence number of the newest durable entry; 0 where there is none.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Waiting says how many callers of Append wait now.
func (j *Journal) Waiting() int { return int(j.waiting.Load()) }

// Changed gives a channel that is closed once Last is above after, or the journal is closed. After Close it is closed from the
// beginning; a follower learns that from Read.
func (j *Journal) Changed(after uint64) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last > after || j.closed {
		c := make(chan struct{})
		close(c)
		return c
	}
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return j.changed
}

// Wait waits until Last is above after. It is Unavailable once the journal is closed without more.
func (j *Journal) Wait(ctx context.Context, after uint64) error {
	for j.Last() <= after {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the journal: %w", ctx.Err())
		case <-j.Changed(after):
		}
		if j.isClosed() && j.Last() <= after {
			return errClosed("wait for the journal")
		}
	}
	return nil
}

func (j *Journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}

// wake wakes all who wait for a change. The caller holds mu.
func (j *Journal) wake() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// Usage says what the journal takes on disk and how it stands.
func (j *Journal) Usage() Usage {
	j.mu.Lock()
	files := j.files
	u := Usage{Files: len(files), State: j.state, Since: j.since}
	j.mu.Unlock()
	for i := range files {
		if i == len(files)-1 {
			u.Bytes += files[i].size()
		} else {
			u.Bytes += files[i].bytes
		}
	}
	return u
}

// Pruned says what Prune removed.
type Pruned struct {
	Files int
	Bytes int64
	// LastSeq is the newest sequence number that was removed; 0 where nothing was.
	LastSeq uint64
}

// Prune removes whole files, the oldest first, until the journal takes no more than keepBytes: only those whose last entry is
// not above recorded, and never the newest. It waits for those who read such a file. After an error it says what it removed.
func (j *Journal) Prune(ctx context.Context, recorded uint64, keepBytes int64) (Pruned, error) {
	var p Pruned
	for total := j.Usage().Bytes; total > keepBytes; {
		if err := ctx.Err(); err != nil {
			return p, fmt.Errorf("pruning the journal: %w", err)
		}
		f, last, ok := j.oldest(recorded)
		if !ok {
			break
		}
		err := j.readers.without(f.path, func() error {
			removeFile(f.path)
			if len(existing(f.path)) > 0 {
				return fmt.Errorf("%s could not be removed", f.path)
			}
			return nil
		})
		if err != nil {
			return p, &halley.Error{Kind: halley.Internal, Op: "prune the journal", Err: err}
		}
		j.mu.Lock()
		j.files = slices.Clone(slices.DeleteFunc(slices.Clone(j.files), func(g file) bool { return g.path == f.path }))
		j.mu.Unlock()
		total -= f.bytes
		p.Files, p.Bytes, p.LastSeq = p.Files+1, p.Bytes+f.bytes, last
	}
	if p.Files == 0 {
		return p, nil
	}
	return p, durable.SyncFolder(j.options.Dir)
}

// oldest gives the oldest file if it may be removed, with its last sequence number.
func (j *Journal) oldest(recorded uint64) (f file, last uint64, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.files) < 2 {
		return file{}, 0, false
	}
	last = j.files[1].first - 1
	return j.files[0], last, last <= recorded
}

// Close takes no more entries, writes those that wait, and closes the files. Where ctx ends first it returns, and the journal
// goes on closing.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	j.closed = true
	j.nudge()
	j.mu.Unlock()
	select {
	case <-j.done:
		return j.closeErr
	case <-ctx.Done():
		return fmt.Errorf("closing the journal: %w", ctx.Err())
	}
}

// openError gives Open's errors their kind.
func openError(err error) error {
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	e := &halley.Error{Kind: halley.Internal, Op: opOpen, Err: err}
	if severityOf(err) == diskFull {
		e.Kind, e.Code, e.Message = halley.Unavailable, "journal-full", "the journal's disk is full"
	}
	return e
}
