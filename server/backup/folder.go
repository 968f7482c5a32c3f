package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"halley"
	"halley/server/durable"
)

const (
	// partialPrefix and partialSuffix mark a backup that is not complete.
	partialPrefix = "."
	partialSuffix = ".partial"
	// writeBuffer is how much is written to a share at a time, in bytes.
	writeBuffer = 1 << 20
)

// folder keeps backups in a folder of this machine or of a share.
type folder struct {
	path string
	make bool
	// only is the one backup that was named instead of the folder around it; "" for all.
	only string
}

func newFolder(p Place) (*folder, error) {
	if strings.TrimSpace(p.At) == "" {
		return nil, &halley.Error{Kind: halley.Invalid, Op: "find the backups", Field: "to", Message: "name a folder, or s3://BUCKET/PREFIX"}
	}
	path, err := filepath.Abs(p.At)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of the backups: %w", err)
	}
	f := &folder{path: path, make: p.Make}
	if filepath.Base(path) == manifestName {
		path = filepath.Dir(path)
	}
	if _, err := os.Stat(filepath.Join(path, manifestName)); err == nil {
		f.path, f.only = filepath.Dir(path), filepath.Base(path)
	}
	return f, nil
}

// String gives the path.
func (f *folder) String() string { return filepath.Join(f.path, f.only) }

// Ready makes sure that the folder is there.
func (f *folder) Ready(context.Context) error {
	const what = "find the folder of the backups"
	if f.only != "" {
		return &halley.Error{Kind: halley.Invalid, Op: what, Field: "to", Message: f.String() + " is a backup: name the folder around it"}
	}
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) && f.make {
		if err = os.Mkdir(f.path, 0o700); err == nil {
			return nil
		}
	}
	if err == nil && !info.IsDir() {
		return &halley.Error{Kind: halley.Invalid, Op: what, Field: "to", Message: f.path + " is a file: name a folder"}
	}
	return targetError(f, what, err)
}

func (f *folder) partial(name string) string {
	return filepath.Join(f.path, partialPrefix+name+partialSuffix)
}

// Put writes a piece.
func (f *folder) Put(_ context.Context, name, piece string, _ int64, write func(io.Writer) error) error {
	const what = "write the backup"
	if err := os.Mkdir(f.partial(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return targetError(f, what, err)
	}
	out, err := os.OpenFile(filepath.Join(f.partial(name), piece), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return targetError(f, what, err)
	}
	marked := &markedWriter{w: out}
	b := bufio.NewWriterSize(marked, writeBuffer)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		if err = out.Sync(); err != nil {
			marked.err = err
		}
	}
	if closeErr := out.Close(); err == nil && closeErr != nil {
		err, marked.err = closeErr, closeErr
	}
	if marked.err != nil {
		return targetError(f, what, marked.err)
	}
	return err
}

// markedWriter remembers that it was the place which failed, not what was to be written.
type markedWriter struct {
	w   io.Writer
	err error
}

// Write writes on.
func (m *markedWriter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	if err != nil {
		m.err = err
	}
	return n, err
}

// Complete writes the manifest and gives the folder its name.
func (f *folder) Complete(ctx context.Context, name string, manifest []byte) error {
	const what = "complete the backup"
	if _, err := os.Lstat(filepath.Join(f.path, name)); err == nil {
		return nameTaken(true)
	}
	err := f.Put(ctx, name, manifestName, int64(len(manifest)), func(w io.Writer) error {
		_, err := w.Write(manifest)
		return err
	})
	if err != nil {
		return err
	}
	err = durable.SyncShared(f.partial(name))
	if err == nil {
		err = os.Rename(f.partial(name), filepath.Join(f.path, name))
	}
	if err == nil {
		err = durable.SyncShared(f.path)
	}
	return targetError(f, what, err)
}

// nameTaken says that a name is that of another backup; nil where it is not.
func nameTaken(is bool) error {
	if !is {
		return nil
	}
	return &halley.Error{Kind: halley.Conflict, Op: "write the backup", Code: "backup-exists", Message: "there is a backup of this name already: try again in a second"}
}

// Discard removes what there is of a backup that is not complete.
func (f *folder) Discard(_ context.Context, name string) error {
	return targetError(f, "remove an incomplete backup", removeFiles(f.partial(name), append(pieceNames(), manifestName)))
}

// removeFiles removes these files of a folder and then the folder, where it is empty.
func removeFiles(path string, names []string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var errs []error
	for _, name := range names {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if rest, err := os.ReadDir(path); err != nil || len(rest) > 0 {
		return err // others put something there, which is theirs
	}
	return os.Remove(path)
}

// Incomplete lists what was begun and not completed.
func (f *folder) Incomplete(context.Context) ([]string, error) {
	return f.names(func(name string) (string, bool) {
		rest, ok := strings.CutSuffix(name, partialSuffix)
		return strings.TrimPrefix(rest, partialPrefix), ok && strings.HasPrefix(rest, partialPrefix)
	})
}

// List lists the complete backups.
func (f *folder) List(context.Context) ([]string, error) {
	if f.only != "" {
		return []string{f.only}, nil
	}
	return f.names(func(name string) (string, bool) {
		if strings.HasPrefix(name, partialPrefix) {
			return "", false
		}
		_, err := os.Stat(filepath.Join(f.path, name, manifestName))
		return name, err == nil
	})
}

func (f *folder) names(of func(string) (string, bool)) ([]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, targetError(f, "list the backups", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := of(e.Name()); ok && e.IsDir() {
			names = append(names, name)
		}
	}
	return names, nil
}

// Manifest gives the text of a manifest.
func (f *folder) Manifest(_ context.Context, name string) ([]byte, error) {
	in, err := os.Open(filepath.Join(f.path, name, manifestName))
	if err != nil {
		return nil, targetError(f, "read a backup", err)
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifestBytes))
	return text, targetError(f, "read a backup", errors.Join(err, in.Close()))
}

// Open opens a piece.
func (f *folder) Open(_ context.Context, name, piece string) (io.ReadCloser, error) {
	in, err := os.Open(filepath.Join(f.path, name, piece))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missingPiece(name, piece)
	}
	if err != nil {
		return nil, targetError(f, "read a backup", err)
	}
	return in, nil
}

func missingPiece(name, piece string) error {
	return &halley.Error{
		Kind: halley.Invalid, Op: "read a backup", Code: CodeDamaged,
		Message: fmt.Sprintf("the backup %s is damaged: its file %s is missing. Choose another backup", name, piece),
	}
}

// Remove removes a backup, its manifest first.
func (f *folder) Remove(_ context.Context, name string, pieces []string) error {
	path := filepath.Join(f.path, name)
	if err := os.Remove(filepath.Join(path, manifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return targetError(f, "remove an old backup", err)
	}
	return targetError(f, "remove an old backup", removeFiles(path, pieces))
}
