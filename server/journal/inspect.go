package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"halley"
	"halley/server/durable"
)

// Contents is what the files of a journal hold.
type Contents struct {
	// Origin is the id in the files.
	Origin string
	// First and Last are the sequence numbers of the oldest and the newest entry; Last is First-1 where there is none.
	First, Last uint64
	// Hash is the running hash after Last; HashAt that after the number that Inspect was asked for, zero where no row ends there.
	Hash, HashAt [32]byte
	// LastAt is when the newest entry was received; 0 where there is none.
	LastAt halley.Millis
}

// Inspect reads the files of a journal that nobody writes, from the first to the last, and checks their running hash and that
// nothing is missing between them. at is a sequence number at whose end the hash is wanted, 0 for none. A damaged file is an error
// that names it. Found is false where there are none.
func Inspect(ctx context.Context, dir string, at uint64) (c Contents, found bool, err error) {
	const op = "check the journal"
	files, err := lookFor(dir)
	if err != nil || len(files) == 0 {
		return Contents{}, false, err
	}
	for i := range files {
		if err := c.follow(ctx, &files[i], at, i == 0); err != nil {
			return Contents{}, false, readError(op, openDamage(ctx, files[i].path, err))
		}
	}
	return c, true, nil
}

// follow reads one file behind those before.
func (c *Contents) follow(ctx context.Context, f *file, at uint64, first bool) (err error) {
	in, err := openAlone(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.db.Close()); in.dec.Close() }()
	switch {
	case first:
		c.Origin, c.First, c.Last, c.Hash = in.meta.journalID, in.meta.first, in.meta.first-1, in.meta.previous
		if in.meta.first == 1 && c.Hash != chainStart(c.Origin) {
			return errChain
		}
	case in.meta.journalID != c.Origin:
		return fmt.Errorf("%w: it is one of another journal", errForeign)
	case in.meta.first != c.Last+1 || in.meta.previous != c.Hash:
		return fmt.Errorf("%w: it does not go on where the file before ends", errChain)
	}
	if c.Last == at {
		c.HashAt = c.Hash
	}
	return in.rows(ctx, in.meta.first, maxSeq, func(r *row) (bool, error) {
		entries, err := in.entries(r)
		if err != nil {
			return false, err
		}
		c.Last, c.Hash = r.last(), r.hash
		c.LastAt = halley.Millis(entries[len(entries)-1].ReceivedMicros / 1000)
		if c.Last == at {
			c.HashAt = c.Hash
		}
		return true, nil
	})
}

// CutAfter takes out of a journal that nobody writes what was received after an instant, in whole flushes: one that holds such an
// entry goes as a whole. The files that held it are moved into the folder aside, as they were; cut says that there were some.
func CutAfter(ctx context.Context, dir string, at halley.Millis, aside string) (cut bool, err error) {
	const op = "cut the journal"
	files, err := lookFor(dir)
	if err != nil {
		return false, err
	}
	for i := len(files) - 1; i >= 0; i-- {
		more, err := cutFile(ctx, &files[i], at, aside)
		if err != nil {
			return cut, readError(op, err)
		}
		if !more {
			return cut, nil
		}
		cut = true
	}
	return cut, nil
}

// cutFile cuts one file; more says that it was cut, so that the file before may have to be.
func cutFile(ctx context.Context, f *file, at halley.Millis, aside string) (more bool, err error) {
	short := file{path: f.path + ".cut", day: f.day, first: f.first}
	defer func() { removeFile(short.path) }()
	removeFile(short.path)
	c, err := copyRows(ctx, f, &short, func(in *reader, r *row) (bool, error) {
		entries, err := in.entries(r)
		if err != nil {
			return false, err
		}
		return halley.Millis(entries[len(entries)-1].ReceivedMicros/1000) <= at, nil
	})
	if err != nil || !c.cut {
		return false, err
	}
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return false, fmt.Errorf("making the folder for what was taken out: %w", err)
	}
	if err := os.Rename(f.path, filepath.Join(aside, filepath.Base(f.path))); err != nil {
		return false, fmt.Errorf("moving a journal file aside: %w", err)
	}
	if c.rows == 0 {
		return true, nil
	}
	if err := syncFile(short.path); err != nil {
		return false, err
	}
	if err := os.Rename(short.path, f.path); err != nil {
		return false, fmt.Errorf("naming a journal file: %w", err)
	}
	return true, durable.SyncFolder(filepath.Dir(f.path))
}
