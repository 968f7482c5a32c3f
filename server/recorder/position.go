package recorder

import (
	"context"
	"fmt"
	"time"

	"halley"
	"halley/storage"
)

// position gives where to go on. A store that does not know this journal gets it from its beginning: what it has already is found
// by the identity of the messages. The same goes for a store whose knowledge of this journal cannot be that of these files: then
// the journal gets a new id first.
func (r *Recorder) position(ctx context.Context) (uint64, error) {
	pos, err := r.reached(ctx)
	if err != nil {
		return 0, err
	}
	r.at = pos
	told, err := r.compare(ctx, pos)
	if err != nil {
		return 0, err
	}
	if pos.JournalID == "" {
		return r.opts.Journal.First() - 1, nil
	}
	why, err := r.foreign(ctx, pos)
	if err != nil {
		return 0, err
	}
	if why != "" {
		if !told {
			if err := r.tell(ctx, r.older(pos), why, 0); err != nil {
				return 0, err
			}
		}
		return r.renew(ctx, why)
	}
	return pos.Seq, nil
}

// reached asks the store how far it has recorded this journal; zero where it does not know it.
func (r *Recorder) reached(ctx context.Context) (storage.Position, error) {
	var pos storage.Position
	id := r.opts.Journal.ID()
	err := r.ask(func() (err error) {
		pos, err = r.opts.Store.Position(ctx, id)
		return err
	})
	if err != nil {
		return storage.Position{}, fmt.Errorf("reading the position from the store: %w", err)
	}
	if pos.JournalID != id {
		return storage.Position{}, nil
	}
	return pos, nil
}

// unmoved makes sure that the store is still where the recorder left it. A store that was put back to an older state takes up
// connections as if nothing had been: without this look the next batch would go in behind a gap.
func (r *Recorder) unmoved(ctx context.Context) error {
	pos, err := r.reached(ctx)
	if err == nil && pos != r.at {
		err = fmt.Errorf("%w from entry %d to %d", errMoved, r.at.Seq, pos.Seq)
	}
	return err
}

// foreign says in plain English why pos cannot be a position in this journal; "" where it is one.
func (r *Recorder) foreign(ctx context.Context, pos storage.Position) (string, error) {
	first, last := r.opts.Journal.First(), r.opts.Journal.Last()
	const copied = "If two copies of this server run, such as a cloned machine, give each a node name of its own."
	switch {
	case pos.Seq > last:
		return fmt.Sprintf("The database has recorded this journal up to entry %d, but its files end at entry %d: they are an older copy, or another copy of this server records too. %s",
			pos.Seq, last, copied), nil
	case pos.Seq < first-1:
		return fmt.Sprintf("The database was put back to an older state: it has recorded this journal up to entry %d, and the journal's files begin at entry %d. What lies between is in a newer copy of the database only. Restore a newer backup of the database if there is one.",
			pos.Seq, first), nil
	}
	hash, err := r.opts.Journal.Hash(ctx, pos.Seq)
	if err != nil {
		return "", journalError(fmt.Errorf("reading the journal at the recorded position: %w", err))
	}
	if hash != pos.Hash {
		return fmt.Sprintf("What the database has recorded of this journal up to entry %d differs from the journal's files: they or the database were put back from a copy, or another copy of this server records too. %s",
			pos.Seq, copied), nil
	}
	return "", nil
}

// renew lets the journal go on under a new id, from the beginning.
func (r *Recorder) renew(ctx context.Context, why string) (uint64, error) {
	oldID, freshID, err := r.opts.Journal.Renew(ctx, why)
	if err != nil {
		return 0, &localError{
			code:    "journal-identity",
			problem: "The journal needs a new identity, and that cannot be written. Look at the disk of the data folder and its rights.",
			err:     err,
		}
	}
	r.opts.Log.Error("the journal goes on under a new identity, and all of it is recorded again; what the store has already is not stored twice",
		"why", why, "old", oldID, "new", freshID)
	pos := r.opts.Journal.First() - 1
	r.at = storage.Position{}
	r.update(func(s *State) {
		s.Recorded = pos
		s.Renewed = &Renewal{At: halley.MillisOf(time.Now()), Why: why, OldID: oldID, NewID: freshID}
	})
	return pos, nil
}
