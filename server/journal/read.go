package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"halley"
)

const (
	// maxSeq is the highest sequence number a file can hold.
	maxSeq = math.MaxInt64
	// readBytes bounds what one Read gives besides its first row.
	readBytes = 16 << 20
)

// errChain says that a row is not what was written there.
var errChain = errors.New("the running hash does not fit the rows")

// Read gives the entries after a sequence number, ascending, whole flushes at a time: at least one where there is one, and no
// further one once there are limit entries or 16 MiB of them. It gives nil where there is none. What was pruned is left out.
// Bodies of one flush share memory; they are not to be changed. The running hash of every row is checked.
func (j *Journal) Read(ctx context.Context, after uint64, limit int) ([]Entry, error) {
	const op = "read the journal"
	j.mu.Lock()
	files, last, closed := j.files, j.last, j.closed
	j.mu.Unlock()
	if closed {
		return nil, errClosed(op)
	}
	if after >= last {
		return nil, nil
	}
	var out []Entry
	size, next := 0, max(after+1, files[0].first)
	for i := holding(files, next); i < len(files) && len(out) < max(limit, 1) && size < readBytes; i++ {
		err := j.readFile(ctx, &files[i], next, last, func(entries []Entry) bool {
			for k := range entries {
				size += len(entries[k].Body)
			}
			out = append(out, entries...)
			next += uint64(len(entries))
			return len(out) < limit && size < readBytes
		})
		if err == nil && len(out) > 0 && out[len(out)-1].Seq != next-1 {
			err = fmt.Errorf("%w: entries before %d are missing", errChain, out[len(out)-1].Seq)
		}
		if err != nil {
			return nil, readError(op, err)
		}
	}
	return out, nil
}

// Entry gives one entry; NotFound where it is not there, or no longer.
func (j *Journal) Entry(ctx context.Context, seq uint64) (Entry, error) {
	const op = "read a journal entry"
	f, err := j.fileOf(op, seq)
	if err != nil {
		return Entry{}, err
	}
	var found *Entry
	err = j.readFile(ctx, &f, seq, seq, func(entries []Entry) bool {
		if len(entries) > 0 {
			found = &entries[0]
		}
		return false
	})
	switch {
	case err != nil:
		return Entry{}, readError(op, err)
	case found == nil:
		return Entry{}, errNotFound(op, seq)
	}
	e := *found
	e.Body = slices.Clone(e.Body) // so that the caller does not keep the whole flush
	return e, nil
}

// Hash gives the running hash after the row that holds seq; for 0 that of the empty journal. Renew does not change it. It is
// NotFound for what is not there, or no longer.
func (j *Journal) Hash(ctx context.Context, seq uint64) ([32]byte, error) {
	const op = "read the journal's hash"
	if seq == 0 {
		return chainStart(j.origin), nil
	}
	f, err := j.fileOf(op, seq)
	if err != nil {
		return [32]byte{}, err
	}
	in, release, err := j.readers.acquire(ctx, &f)
	if err != nil {
		return [32]byte{}, readError(op, err)
	}
	defer release()
	if seq == f.first-1 {
		return in.meta.previous, nil
	}
	r, found, err := in.before(ctx, seq)
	switch {
	case err != nil:
		return [32]byte{}, readError(op, err)
	case !found || r.last() < seq:
		return [32]byte{}, errNotFound(op, seq)
	}
	return r.hash, nil
}

// fileOf gives the file that holds seq. For the number just before the oldest file it gives that file, whose meta row has the
// hash there.
func (j *Journal) fileOf(op string, seq uint64) (file, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return file{}, errClosed(op)
	case seq == 0 || seq > j.last || seq < j.files[0].first-1:
		return file{}, errNotFound(op, seq)
	}
	return j.files[holding(j.files, seq)], nil
}

// holding gives the index of the file that holds seq; of the oldest where none does.
func holding(files []file, seq uint64) int {
	return max(sort.Search(len(files), func(i int) bool { return files[i].first > seq })-1, 0)
}

// readFile gives the entries of a file from one sequence number to another, row by row, while more says so.
func (j *Journal) readFile(ctx context.Context, f *file, from, to uint64, more func([]Entry) bool) error {
	in, release, err := j.readers.acquire(ctx, f)
	if err != nil {
		return err
	}
	defer release()
	return in.rows(ctx, from, to, func(r *row) (bool, error) {
		entries, err := in.entries(r)
		if err != nil {
			return false, err
		}
		if r.first < from {
			entries = entries[min(from-r.first, uint64(len(entries))):]
		}
		return more(entries), nil
	})
}

// entries decodes a row.
func (in *reader) entries(r *row) ([]Entry, error) {
	b, err := in.dec.DecodeAll(r.pack, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: row %d: %w", errPack, r.first, err)
	}
	entries, err := decodeEntries(b, r)
	if err != nil {
		return nil, fmt.Errorf("row %d: %w", r.first, err)
	}
	return entries, nil
}

const selectBefore = `SELECT first_seq, count, hash FROM flush WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`

// before gives the newest row that begins at or before seq, without its pack.
func (in *reader) before(ctx context.Context, seq uint64) (r row, found bool, err error) {
	var first int64
	var hash []byte
	err = in.db.QueryRowContext(ctx, selectBefore, int64(seq)).Scan(&first, &r.count, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, false, nil
	}
	if err != nil {
		return row{}, false, fmt.Errorf("finding a row: %w", err)
	}
	r.first = uint64(first)
	if copy(r.hash[:], hash) != len(r.hash) {
		return row{}, false, errChain
	}
	return r, true, nil
}

const selectRows = `SELECT first_seq, count, at_micros, hash, pack FROM flush WHERE first_seq >= ? AND first_seq <= ? ORDER BY first_seq`

// rows gives the rows from the one that holds from to the one that holds to, and checks that each goes on where the one before
// ended. The pack of a row is valid until do returns.
func (in *reader) rows(ctx context.Context, from, to uint64, do func(*row) (bool, error)) error {
	expect, previous, err := in.start(ctx, from)
	if err != nil {
		return err
	}
	rows, err := in.db.QueryContext(ctx, selectRows, int64(expect), int64(to))
	if err != nil {
		return fmt.Errorf("reading rows: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return err
		}
		if r.first != expect || r.count <= 0 || chain(previous, &r) != r.hash {
			return fmt.Errorf("%w: row %d", errChain, r.first)
		}
		expect, previous = r.last()+1, r.hash
		if more, err := do(&r); err != nil || !more {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading rows: %w", err)
	}
	return nil
}

func scanRow(rows *sql.Rows) (row, error) {
	var (
		r     row
		first int64
		hash  []byte
		pack  sql.RawBytes
	)
	if err := rows.Scan(&first, &r.count, &r.micros, &hash, &pack); err != nil {
		return row{}, fmt.Errorf("reading a row: %w", err)
	}
	r.first, r.pack = uint64(first), pack
	if len(hash) != len(r.hash) {
		return row{}, errChain
	}
	copy(r.hash[:], hash)
	return r, nil
}

// start gives where the row that holds seq begins, and the running hash before it.
func (in *reader) start(ctx context.Context, seq uint64) (first uint64, previous [32]byte, err error) {
	at, found, err := in.before(ctx, seq)
	if err != nil || !found {
		return in.meta.first, in.meta.previous, err
	}
	if at.first <= in.meta.first {
		return at.first, in.meta.previous, nil
	}
	ahead, found, err := in.before(ctx, at.first-1)
	if err == nil && !found {
		err = fmt.Errorf("%w: row %d", errChain, at.first)
	}
	return at.first, ahead.hash, err
}

func errNotFound(op string, seq uint64) error {
	return &halley.Error{
		Kind: halley.NotFound, Op: op, Message: fmt.Sprintf("the journal does not hold entry %d, or no longer", seq),
	}
}

// readError gives the errors of reading their kind.
func readError(op string, err error) error {
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &halley.Error{Kind: halley.Internal, Op: op, Err: err}
}
