package backup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"halley"
	"halley/server/datadir"
)

// scratchPrefix begins the names of folders for what is on its way.
const scratchPrefix = "halley-scratch-"

// scratch is a folder for what is on its way, for the owner alone, locked while it is in use.
type scratch struct{ *datadir.Dir }

// newScratch makes one in a folder, which is made too, and removes those of programs that were ended before they could.
func newScratch(folder string) (*scratch, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for temporary files: %w", err)
	}
	if err := sweepScratch(folder); err != nil {
		return nil, err
	}
	d, err := datadir.Open(filepath.Join(folder, scratchPrefix+strings.ToLower(rand.Text()[:12])))
	if err != nil {
		return nil, err
	}
	if err := d.Lock(); err != nil {
		return nil, err
	}
	return &scratch{Dir: d}, nil
}

// sweepScratch removes the folders that nobody holds any more.
func sweepScratch(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("looking for temporary files: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), scratchPrefix) {
			continue
		}
		d, err := datadir.Open(filepath.Join(folder, e.Name()))
		if err != nil || d.Lock() != nil {
			continue // it is another's, or in use
		}
		if err := errors.Join(d.Unlock(), os.RemoveAll(d.Path())); err != nil {
			return fmt.Errorf("removing old temporary files: %w", err)
		}
	}
	return nil
}

// room makes sure that so many bytes can be written in a folder of this process and reserve stays free.
func room(s *datadir.Dir, bytes, reserve int64) error {
	free, err := s.Free()
	if err != nil {
		return err
	}
	if free-reserve >= bytes {
		return nil
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: "make room for a copy", Code: "backup-room",
		Message: fmt.Sprintf("%s are needed in %s, where only %s may be used: free some space there, or name a folder on another disk",
			megabytes(bytes), filepath.Dir(s.Path()), megabytes(max(free-reserve, 0))),
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+999_999)/1_000_000) }

// remove removes it with all that is in it.
func (s *scratch) remove() error {
	if err := errors.Join(s.Unlock(), os.RemoveAll(s.Path())); err != nil {
		return fmt.Errorf("removing temporary files: %w", err)
	}
	return nil
}
