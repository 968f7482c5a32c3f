package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"halley"
	"halley/server/journal"
)

// fillJournal brings the journal's files into the folder: those of the backup, and over them those of the old server's journal.
func (s *staged) fillJournal(ctx context.Context) error {
	quarantineHere := s.from.journal.Location == s.from.base.Location
	err := s.unpack(ctx, s.from.journal, PartJournal, func(name string) string {
		if name == quarantineFile && !quarantineHere || strings.Contains(name, "/") {
			return ""
		}
		return s.dir.Join(name)
	})
	if err != nil {
		return err
	}
	if !quarantineHere {
		// What is in quarantine goes with the store: what the journal holds beyond it comes there anew.
		err := s.unpack(ctx, s.from.base, PartJournal, func(name string) string {
			if name != quarantineFile {
				return ""
			}
			return s.dir.Join(name)
		})
		if err != nil {
			return err
		}
	}
	if s.options.Journal == "" {
		return nil
	}
	return s.fillOldJournal(ctx)
}

// fillOldJournal puts the old server's journal in the place of the backup's.
func (s *staged) fillOldJournal(ctx context.Context) (err error) {
	scratch := s.dir.Join("old-journal")
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	s.old, err = journal.TakeSnapshot(ctx, s.options.Journal, scratch)
	if err != nil {
		return err
	}
	j := s.from.journal.Manifest.Journal
	if err := fits(s.old, j, s.options.Journal); err != nil {
		return err
	}
	if err := s.removeFrom(s.old); err != nil {
		return err
	}
	for i := range s.old.Files {
		f := &s.old.Files[i]
		if err := writeFile(s.dir.Join(f.Name), f.Reader()); err != nil {
			return err
		}
	}
	err = errors.Join(s.old.Close(), os.RemoveAll(scratch))
	s.old = nil
	return err
}

// fits makes sure that a journal is the backup's and goes at least as far.
func fits(old *journal.Snapshot, j Journal, dir string) error {
	e := &halley.Error{Kind: halley.Conflict, Op: opRestore, Field: "journal", Code: "other-journal"}
	switch {
	case old.Origin != j.Origin:
		e.Message = "the journal in " + dir + " is not the one of the server that wrote this backup"
	case old.Last < j.Last:
		e.Message = fmt.Sprintf("the journal in %s ends at entry %d, before the backup's at %d: leave out --journal", dir, old.Last, j.Last)
	case old.First > j.Last+1:
		e.Message = fmt.Sprintf("the journal in %s begins at entry %d, and the backup's ends at %d: what lies between is missing. Choose a newer backup, or leave out --journal",
			dir, old.First, j.Last)
	default:
		return nil
	}
	return e
}

// removeFrom removes the backup's journal files that the old journal holds itself, and goes by the old journal's identity.
func (s *staged) removeFrom(old *journal.Snapshot) error {
	entries, err := os.ReadDir(s.dir.Path())
	if err != nil {
		return fmt.Errorf("looking at the journal: %w", err)
	}
	for _, e := range entries {
		if e.Name() == journal.IdentityFile || journal.FirstOf(e.Name()) >= old.First {
			if err := os.Remove(s.dir.Join(e.Name())); err != nil {
				return fmt.Errorf("removing a file: %w", err)
			}
		}
	}
	return nil
}

// settleJournal makes sure that the journal holds together and is the one that the manifest says, and cuts it where a point in time
// was asked for.
func (s *staged) settleJournal(ctx context.Context) error {
	want := s.from.journal.Manifest.Journal
	c, found, err := journal.Inspect(ctx, s.dir.Path(), want.Last)
	if err != nil {
		return damagedPiece(Piece{Name: pieceName(PartJournal, s.from.journal.Manifest.Encrypted())}, err)
	}
	if want.Origin == "" && !found {
		return nil
	}
	if !found || c.Origin != want.Origin || c.Last < want.Last || fmt.Sprintf("%x", c.HashAt) != want.Hash {
		return &halley.Error{
			Kind: halley.Conflict, Op: opRestore, Code: "other-journal",
			Message: "the journal is not the one of which the backup was made: leave out --journal, or choose another backup",
		}
	}
	if until := s.options.Choice.Until; !until.IsZero() {
		if c, err = s.cut(ctx, halley.MillisOf(until), c); err != nil {
			return err
		}
	}
	s.restored.Last, s.restored.LastAt = c.Last, c.LastAt
	return nil
}

// cut takes out of the journal what came later, and keeps it aside.
func (s *staged) cut(ctx context.Context, until halley.Millis, c journal.Contents) (journal.Contents, error) {
	cut, err := journal.CutAfter(ctx, s.dir.Path(), until, s.dir.Join(RestoredFolder, asideFolder))
	if err != nil || !cut {
		return c, err
	}
	s.restored.Aside = filepath.Join(RestoredFolder, asideFolder)
	c, _, err = journal.Inspect(ctx, s.dir.Path(), 0)
	return c, err
}
