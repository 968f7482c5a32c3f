package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"halley"
	"halley/server/durable"
	form "halley/storage/ledger"
)

// A folder outside has, below halley-NODE, a folder a month with a file a checkpoint, and the public keys by which they are checked.
// Nothing in it is ever written over, so that it may lie where files can be added and not changed.
const (
	monthLayout = "2006-01"
	monthLength = len(monthLayout)
)

// leave writes a checkpoint into the folder. A share that hangs is left to itself when ctx ends.
func (p *place) leave(ctx context.Context, c *form.Checkpoint) error {
	done := make(chan error, 1)
	folder, key := p.folder(), p.ledger.opts.Keys.Public()
	go func() { done <- leave(folder, c, key) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return &halley.Error{
			Kind: halley.Unavailable, Op: "leave a checkpoint", Code: "folder-failed",
			Message: "the folder " + p.Target + " cannot be written: check that it is there and that the service's account may write it", Err: err,
		}
	}
	return nil
}

func (p *place) folder() string {
	return filepath.Join(filepath.FromSlash(p.Target), "halley-"+p.ledger.opts.Node)
}

func leave(folder string, c *form.Checkpoint, key form.Key) error {
	// The folder that is configured must be there: where a share is not mounted, nothing may be left under its mount point.
	if _, err := os.Stat(filepath.Dir(folder)); err != nil {
		return fmt.Errorf("looking at the folder: %w", err)
	}
	month := filepath.Join(folder, c.At.Time().Format(monthLayout))
	if err := os.MkdirAll(month, 0o755); err != nil { //nolint:gosec // for the auditor to read
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := addFile(filepath.Join(folder, "ledger-"+key.Node+"-"+key.ID+".pub"), key.Text()); err != nil {
		return err
	}
	return addFile(filepath.Join(month, fileName(c)), c.Text())
}

// addFile writes a file that is there whole or not at all, unless there is one of this name.
func addFile(path string, content []byte) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	readable := func(f *os.File) error { return f.Chmod(0o644) } // for the auditor to read
	return durable.WriteFile(path, durable.Options{Prepare: readable, Shared: true}, durable.Content(content))
}

// newestIn gives the newest checkpoint that this node left in a folder; found is false where there is none.
func newestIn(folder string) (c form.Checkpoint, found bool, err error) {
	months, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return form.Checkpoint{}, false, nil
	}
	if err != nil {
		return form.Checkpoint{}, false, fmt.Errorf("reading the folder of checkpoints: %w", err)
	}
	for _, m := range slices.Backward(months) {
		if !m.IsDir() || len(m.Name()) != monthLength {
			continue
		}
		files, err := os.ReadDir(filepath.Join(folder, m.Name()))
		if err != nil {
			return form.Checkpoint{}, false, fmt.Errorf("reading the folder of checkpoints: %w", err)
		}
		for _, f := range slices.Backward(files) {
			if !strings.HasPrefix(f.Name(), "halley-checkpoint-") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder, m.Name(), f.Name()))
			if err != nil {
				return form.Checkpoint{}, false, fmt.Errorf("reading a checkpoint: %w", err)
			}
			list, err := form.ParseCheckpoints(text)
			if err != nil {
				return form.Checkpoint{}, false, fmt.Errorf("reading %s: %w", f.Name(), err)
			}
			return list[0], true, nil
		}
	}
	return form.Checkpoint{}, false, nil
}
