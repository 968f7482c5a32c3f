package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halley"
)

// maxSmallFile bounds a file of the configuration or the keys.
const maxSmallFile = 4 << 20

// tarFile is a file of a piece.
type tarFile struct {
	// name is its path in the piece, with slashes.
	name   string
	bytes  int64
	reader func() (io.ReadCloser, error)
}

// textFile gives a file that is at hand.
func textFile(name string, text []byte) tarFile {
	return tarFile{name: name, bytes: int64(len(text)), reader: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}}
}

// writeTar writes files one behind the other.
func writeTar(w io.Writer, files []tarFile) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: f.bytes, Mode: 0o600, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
		in, err := f.reader()
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.name, err)
		}
		_, err = io.CopyN(t, in, f.bytes)
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
	}
	if err := t.Close(); err != nil {
		return fmt.Errorf("writing the end: %w", err)
	}
	return nil
}

// readTar puts the files of a piece where place says; "" leaves one out. A name that leads out of its folder is an error.
func readTar(r io.Reader, place func(name string) string) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the files of a piece: %w", err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(filepath.FromSlash(h.Name)) || path.Clean(h.Name) != h.Name {
			return fmt.Errorf("the piece holds %q, which no backup has", h.Name)
		}
		to := place(h.Name)
		if to == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return &localError{err: fmt.Errorf("making a folder: %w", err)}
		}
		if err := writeFile(to, t); err != nil {
			return err
		}
	}
}

// writeFile writes a file that is not there yet, for the owner alone, and returns when it is on stable storage.
func writeFile(to string, from io.Reader) (err error) {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &localError{err: fmt.Errorf("making a file: %w", err)}
	}
	w := &markedWriter{w: f}
	_, err = io.Copy(w, from)
	if err == nil {
		w.err = f.Sync()
	}
	if closeErr := f.Close(); w.err == nil && err == nil {
		w.err = closeErr
	}
	if w.err != nil {
		return &localError{err: localFault(to, w.err)}
	}
	return err
}

// localFault says what is wrong with this machine's own disk.
func localFault(to string, err error) error {
	err = fmt.Errorf("writing %s: %w", filepath.Base(to), err)
	if !isFull(err) {
		return err
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: "write a file", Code: "backup-room",
		Message: "the disk of " + filepath.Dir(to) + " is full: free some space, or name a folder on another disk", Err: err,
	}
}

// keyFiles gives the files of a folder of keys, but for those that are never in a backup: the private keys that sign the ledger,
// and what without names.
func keyFiles(folder string, without []string) ([]tarFile, error) {
	var list []tarFile
	err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if e.IsDir() || signsLedger(e.Name()) || strings.HasPrefix(e.Name(), ".") || isOneOf(name, without) {
			return nil
		}
		f, err := smallFile(name)
		if err != nil || f == nil {
			return err
		}
		below, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		list = append(list, textFile(path.Join("keys", filepath.ToSlash(below)), f))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	return list, nil
}

// signsLedger says that a file holds a private key by which this server signs: a restored server makes its own.
func signsLedger(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "ledger-") && strings.HasSuffix(name, ".key")
}

// isOneOf says that a path is the same file as one of others.
func isOneOf(name string, others []string) bool {
	info, err := os.Stat(name)
	return err == nil && slices.ContainsFunc(others, func(o string) bool {
		other, err := os.Stat(o)
		return err == nil && os.SameFile(info, other)
	})
}

// smallFile reads a file whole; nil for what is no file, or too large to be one that belongs here.
func smallFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSmallFile {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if text == nil && err == nil {
		text = []byte{}
	}
	return text, err
}
