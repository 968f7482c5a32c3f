package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"slices"
	"sync"

	"halley"
)

// Remembered is what a journal knows of a batch that was recorded from it.
type Remembered struct {
	// Node and JournalID are the names under which it was recorded, FirstSeq and LastSeq its range.
	Node, JournalID   string
	FirstSeq, LastSeq uint64
	// Batch is its number in the store, Digest what the store's ledger says of it.
	Batch  int64
	Digest [32]byte
	// At is when the batch was recorded.
	At halley.Millis
}

// Memory is what is known of the batches that were recorded from the journal in a folder: by it a store that was set back is told
// from one that only waits, and is given the same batches again. What a crash takes of its end does no harm, for the store has that.
// Its methods may be called at any time; one process at a time may have it open.
type Memory struct {
	dir string
	log *slog.Logger

	mu    sync.Mutex
	files []memoryFile
	// upTo is the highest sequence number that is remembered.
	upTo uint64
	// near are those batches of which Recall may be asked next: all that touch [nearFrom, nearTo].
	near             []Remembered
	nearFrom, nearTo uint64
}

// nearby is how many sequence numbers Recall reads ahead.
const nearby = 200_000

// OpenMemory reads what is remembered beside the journal in a folder. A file whose end was torn by a crash is cut there.
func OpenMemory(dir string, log *slog.Logger) (*Memory, error) {
	files, err := listMemory(dir)
	if err != nil {
		return nil, err
	}
	m := &Memory{dir: dir, log: log, files: files}
	if len(files) > 0 {
		newest := &files[len(files)-1]
		if err := newest.repair(); err != nil {
			return nil, fmt.Errorf("reading what was recorded: %w", err)
		}
	}
	for i := range files {
		last, found, err := files[i].last()
		if err != nil {
			return nil, fmt.Errorf("reading what was recorded: %w", err)
		}
		if found {
			m.upTo = max(m.upTo, last.upTo)
		}
	}
	return m, nil
}

// Last gives the batch that was remembered last under a node's name and a journal's id; found is false where there is none.
func (m *Memory) Last(node, journalID string) (r Remembered, found bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range slices.Backward(m.files) {
		f := &m.files[i]
		if f.node != node || f.journalID != journalID {
			continue
		}
		last, found, err := f.last()
		if err != nil {
			return Remembered{}, false, fmt.Errorf("reading what was recorded: %w", err)
		}
		if found {
			return last.Remembered, true, nil
		}
	}
	return Remembered{}, false, nil
}

// Recall gives the batch whose range held a sequence number: of several one under the given names, else one that begins there, and
// of those the newest. Where none held it, it gives the next one behind, if that is not far.
func (m *Memory) Recall(ctx context.Context, seq uint64, node, journalID string) (r Remembered, found bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq > m.upTo {
		m.near = nil
		return Remembered{}, false, nil
	}
	if m.near == nil || seq < m.nearFrom || seq > m.nearTo {
		if err := m.readNear(ctx, seq); err != nil {
			return Remembered{}, false, err
		}
	}
	best := 0
	for _, c := range m.near {
		if c.LastSeq < seq {
			continue
		}
		worth := 1
		switch {
		case c.FirstSeq > seq:
			if best == 0 && (!found || c.FirstSeq < r.FirstSeq) {
				r, found = c, true
			}
			continue
		case c.FirstSeq == seq:
			worth = 2
		}
		if c.Node == node && c.JournalID == journalID {
			worth += 2
		}
		if worth >= best {
			r, found, best = c, true, worth
		}
	}
	return r, found, nil
}

// readNear reads the batches that touch the numbers from seq on. The caller holds mu.
func (m *Memory) readNear(ctx context.Context, seq uint64) error {
	m.near, m.nearFrom, m.nearTo = []Remembered{}, seq, seq+nearby
	for i := range m.files {
		if err := ctx.Err(); err != nil {
			m.near = nil
			return fmt.Errorf("reading what was recorded: %w", err)
		}
		last, found, err := m.files[i].last()
		if err == nil && found && last.upTo >= seq {
			err = m.files[i].each(func(r *remembered) bool {
				if r.LastSeq >= m.nearFrom && r.FirstSeq <= m.nearTo {
					m.near = append(m.near, r.Remembered)
				}
				return true
			})
		}
		if err != nil {
			m.near = nil
			return fmt.Errorf("reading what was recorded: %w", err)
		}
	}
	return nil
}

// Remember notes a batch that is recorded. What lies before first, the oldest sequence number that the journal still has, is
// forgotten now and then.
func (m *Memory) Remember(r Remembered, first uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.files)
	if n == 0 || !m.files[n-1].takes(&r) {
		f, err := createMemory(m.dir, m.files, &r)
		if err != nil {
			return fmt.Errorf("remembering what was recorded: %w", err)
		}
		m.files = append(m.files, f)
		m.forget(first)
	}
	m.upTo = max(m.upTo, r.LastSeq)
	if err := m.files[len(m.files)-1].append(&remembered{Remembered: r, upTo: m.upTo}); err != nil {
		return fmt.Errorf("remembering what was recorded: %w", err)
	}
	if m.near != nil && r.LastSeq >= m.nearFrom && r.FirstSeq <= m.nearTo {
		m.near = append(m.near, r)
	}
	return nil
}

// forget removes the oldest files that say nothing of what the journal still has, but never the newest. The caller holds mu.
func (m *Memory) forget(first uint64) {
	for len(m.files) > 1 {
		last, found, err := m.files[0].last()
		if err != nil || found && last.upTo >= first {
			return
		}
		if err := os.Remove(m.files[0].path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			m.log.Warn("an old file of what was recorded cannot be removed", "file", m.files[0].path, "err", err)
			return
		}
		m.files = m.files[1:]
	}
}

// ReadRemembered gives what is remembered beside the journal in a folder, in the order in which it was recorded; it ends with the
// first error. It takes no lock: another process may be writing.
func ReadRemembered(ctx context.Context, dir string) iter.Seq2[Remembered, error] {
	return func(yield func(Remembered, error) bool) {
		files, err := listMemory(dir)
		if err != nil {
			yield(Remembered{}, err)
			return
		}
		goOn := true
		for i := range files {
			err := ctx.Err()
			if err == nil {
				err = files[i].each(func(r *remembered) bool {
					goOn = yield(r.Remembered, nil)
					return goOn
				})
			}
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was forgotten meanwhile
			}
			if err != nil {
				yield(Remembered{}, fmt.Errorf("reading what was recorded: %w", err))
				return
			}
			if !goOn {
				return
			}
		}
	}
}
