package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"halley"
	"halley/server/journal"
	"halley/storage"
)

const (
	// quarantineFile is the store of what is not trusted, in the data folder.
	quarantineFile = "quarantine.db"
	// discardWithin bounds removing what a backup left that failed.
	discardWithin = 30 * time.Second
	// staleAfter is how old a backup that is not complete must be to be removed: a younger one may still be written.
	staleAfter = 24 * time.Hour
	// journalRoom is what the copy of the newest journal file may take besides its own size, in bytes.
	journalRoom = 64 << 20

	opWrite = "write a backup"
)

// Options say what is backed up, and how. The zero Change of an audit row is filled in by who calls.
type Options struct {
	// Data is the server's data folder, Keys the folder of its keys.
	Data, Keys string
	// Version is the program's, Node the server's name.
	Version, Node string
	// Store is the database; nil for a backup of the journal alone, on a server that shares its database with another one which
	// backs that up.
	Store Engine
	// CopyFile copies a SQLite file that is in use, as it stands.
	CopyFile func(ctx context.Context, from, to string) error
	// Settings is the configuration as text, ConfigFile the file from which it was read; "" for none.
	Settings   []byte
	ConfigFile string
	// Named are further files that the configuration names, by the setting: certificates and their keys.
	Named map[string]string
	// Without are files that are never in a backup: keys that open it, passwords.
	Without []string
	// Scratch is a folder of this machine for what is on its way; Reserve is how much of its disk stays free.
	Scratch string
	Reserve int64
	// Recipients are the public keys of age to which backups are encrypted; none for backups in the clear.
	Recipients []string
	// Rule says which backups of this node are kept.
	Rule Rule
	Log  *slog.Logger
}

// Result is what became of a backup at one place.
type Result struct {
	Summary storage.BackupSummary
	// Removed are the older backups that the rule gave up.
	Removed []string
	// Warning says what went wrong after the backup was complete; "" for nothing.
	Warning string
	Err     error
}

// taken is what one backup consists of, before it is written anywhere.
type taken struct {
	options    *Options
	recipients []age.Recipient
	manifest   Manifest
	scratch    *scratch
	store      StoreCopy
	journal    *journal.Snapshot
	quarantine string
}

// Write takes a backup and writes it to each place. The results are in the order of the places; one that fails does not keep the
// others from it. Intake goes on meanwhile.
func Write(ctx context.Context, o Options, to []Target) []Result {
	began := time.Now()
	results := make([]Result, len(to))
	t, err := take(ctx, &o, began)
	for i, target := range to {
		r := &results[i]
		r.Summary.To = target.String()
		if err != nil {
			r.Err = err
		} else {
			t.write(ctx, target, r)
		}
		r.Summary.Millis = time.Since(began).Milliseconds()
		if r.Err != nil {
			r.Summary.Problem = Problem(r.Err)
		}
	}
	if t != nil {
		if err := t.close(); err != nil {
			o.Log.Warn("temporary files of a backup stay behind", "err", err)
		}
	}
	return results
}

// take copies what has to be copied while others write it: store, quarantine, journal, in this order.
func take(ctx context.Context, o *Options, began time.Time) (_ *taken, err error) {
	recipients, err := ParseRecipients(o.Recipients)
	if err != nil {
		return nil, err
	}
	t := &taken{options: o, recipients: recipients, manifest: Manifest{
		Format: manifestFormat, Name: newName(o.Node, began), Version: o.Version, Node: o.Node,
		Began: began.UTC().Truncate(time.Millisecond), Recipients: o.Recipients,
	}}
	if t.scratch, err = newScratch(o.Scratch); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if err := t.takeStore(ctx); err != nil {
		return nil, err
	}
	if err := t.takeQuarantine(ctx); err != nil {
		return nil, err
	}
	if err := t.takeJournal(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *taken) takeStore(ctx context.Context) error {
	o := t.options
	t.manifest.StoreAt = t.manifest.Began
	if o.Store == nil {
		return nil
	}
	id, err := journal.IDOf(ctx, o.Data)
	if err != nil && halley.KindOf(err) != halley.NotFound {
		return err
	}
	if err := room(t.scratch.Dir, o.Store.Room(ctx)+journalRoom, o.Reserve); err != nil {
		return err
	}
	t.store, err = o.Store.Copy(ctx, CopyOptions{Scratch: t.scratch.Path(), Name: t.manifest.Name, JournalID: id})
	if err != nil {
		return fmt.Errorf("copying the store: %w", err)
	}
	t.manifest.Store, t.manifest.Heads, t.manifest.StoreAt = t.store.Info, headsOf(t.store.Heads), t.store.At.Time().UTC()
	return nil
}

// takeQuarantine copies it after the store: what the store no longer expects from the journal is in it.
func (t *taken) takeQuarantine(ctx context.Context) error {
	from := filepath.Join(t.options.Data, quarantineFile)
	if _, err := os.Stat(from); err != nil {
		return nil //nolint:nilerr // there is none before the first start
	}
	to := t.scratch.Join(quarantineFile)
	if err := t.options.CopyFile(ctx, from, to); err != nil {
		return fmt.Errorf("copying the quarantine: %w", err)
	}
	t.quarantine = to
	return nil
}

func (t *taken) takeJournal(ctx context.Context) (err error) {
	t.journal, err = journal.TakeSnapshot(ctx, t.options.Data, t.scratch.Path())
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Kind == halley.NotFound && t.options.Store != nil {
		// A store that no server has run on yet has no journal.
		t.journal, t.manifest.End = nil, t.manifest.StoreAt
		return nil
	}
	if err != nil {
		return err
	}
	j := t.journal
	t.manifest.Journal = Journal{Origin: j.Origin, ID: j.ID, First: j.First, Last: j.Last, Hash: fmt.Sprintf("%x", j.Hash)}
	t.manifest.End = j.At.Time().UTC()
	if recorded := t.manifest.Store.RecordedSeq; t.options.Store != nil && recorded > 0 && j.First > recorded+1 {
		return &halley.Error{
			Kind: halley.Conflict, Op: opWrite, Code: "journal-pruned",
			Message: "old files of the journal were removed while the store was copied, so that the two do not meet: try again, and let [journal] keep-bytes be larger",
		}
	}
	return nil
}

// close removes what was on its way.
func (t *taken) close() error {
	var errs []error
	if t.journal != nil {
		errs = append(errs, t.journal.Close())
	}
	if t.store.Remove != nil {
		errs = append(errs, t.store.Remove())
	}
	return errors.Join(append(errs, t.scratch.remove())...)
}

// write writes the backup to one place.
func (t *taken) write(ctx context.Context, to Target, r *Result) {
	if r.Err = to.Ready(ctx); r.Err != nil {
		return
	}
	m := t.manifest
	r.Err = t.writePieces(ctx, to, &m)
	if r.Err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardWithin)
		defer cancel()
		if err := to.Discard(ctx, m.Name); err != nil {
			t.options.Log.Warn("an incomplete backup stays behind; the next one removes it after a day", "backup", m.Name, "to", to.String(), "err", err)
		}
		return
	}
	r.Summary = storage.BackupSummary{
		Name: m.Name, To: to.String(), Bytes: m.Bytes(), Encrypted: m.Encrypted(), JournalID: m.Journal.ID, Seq: m.Journal.Last,
		LastBatch: m.Store.LastBatch, EndAt: halley.MillisOf(m.End),
	}
	var err error
	if r.Removed, err = tidy(ctx, to, t.options.Node, t.options.Rule); err != nil {
		r.Warning = "older backups were not removed: " + Problem(err)
	}
}

// writePieces writes all pieces and completes the backup.
func (t *taken) writePieces(ctx context.Context, to Target, m *Manifest) error {
	pieces, err := t.pieces()
	if err != nil {
		return err
	}
	m.Pieces = make([]Piece, 0, len(pieces))
	for _, p := range pieces {
		piece := Piece{Name: pieceName(p.part, len(t.recipients) > 0), Part: p.part, Content: p.bytes}
		err := to.Put(ctx, m.Name, piece.Name, p.bytes, func(w io.Writer) error {
			sum := newMeter()
			err := seal(io.MultiWriter(w, sum), t.recipients, func(w io.Writer) error { return p.write(&contextWriter{ctx: ctx, w: w}) })
			piece.Bytes, piece.SHA256 = sum.bytes, sum.digest()
			return err
		})
		if err != nil {
			return fmt.Errorf("writing the %s: %w", p.part, err)
		}
		m.Pieces = append(m.Pieces, piece)
	}
	text, err := m.encode()
	if err != nil {
		return err
	}
	return to.Complete(ctx, m.Name, text)
}

// contextWriter ends a long write when its context ends.
type contextWriter struct {
	ctx context.Context //nolint:containedctx // an io.Writer takes none, and this one lives for one call
	w   io.Writer
}

// Write writes p.
func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, fmt.Errorf("%s: %w", opWrite, err)
	}
	return c.w.Write(p)
}

// content is what a piece holds.
type content struct {
	part  Part
	bytes int64
	write func(io.Writer) error
}

// pieces gives what is to be written, in the order of the parts.
func (t *taken) pieces() ([]content, error) {
	var list []content
	if t.options.Store != nil {
		info, err := os.Stat(t.store.Path)
		if err != nil {
			return nil, fmt.Errorf("looking at the copy of the store: %w", err)
		}
		list = append(list, content{part: PartStore, bytes: info.Size(), write: func(w io.Writer) error { return copyFile(w, t.store.Path) }})
	}
	files, err := t.journalFiles()
	if err != nil {
		return nil, err
	}
	list = append(list, tarred(PartJournal, files))
	configuration, err := t.configurationFiles()
	if err != nil {
		return nil, err
	}
	list = append(list, tarred(PartConfiguration, configuration))
	keys, err := keyFiles(t.options.Keys, t.options.Without)
	if err != nil {
		return nil, err
	}
	return append(list, tarred(PartKeys, keys)), nil
}

func tarred(part Part, files []tarFile) content {
	c := content{part: part, write: func(w io.Writer) error { return writeTar(w, files) }}
	for _, f := range files {
		c.bytes += f.bytes
	}
	return c
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the copy: %w", err)
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

func (t *taken) journalFiles() ([]tarFile, error) {
	var list []tarFile
	if t.journal != nil {
		for _, f := range t.journal.Files {
			list = append(list, tarFile{name: f.Name, bytes: f.Bytes, reader: func() (io.ReadCloser, error) { return io.NopCloser(f.Reader()), nil }})
		}
	}
	if t.quarantine != "" {
		info, err := os.Stat(t.quarantine)
		if err != nil {
			return nil, fmt.Errorf("looking at the copy of the quarantine: %w", err)
		}
		list = append(list, tarFile{name: quarantineFile, bytes: info.Size(), reader: func() (io.ReadCloser, error) { return os.Open(t.quarantine) }})
	}
	return list, nil
}

// configurationFiles gives the configuration and what it names.
func (t *taken) configurationFiles() ([]tarFile, error) {
	list := []tarFile{textFile("settings.txt", t.options.Settings)}
	named := map[string]string{"halley.toml": t.options.ConfigFile}
	maps.Copy(named, t.options.Named)
	for name, file := range named {
		if file == "" || isOneOf(file, t.options.Without) {
			continue
		}
		text, err := smallFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s for the backup: %w", file, err)
		}
		if text != nil {
			list = append(list, textFile(name, text))
		}
	}
	return list, nil
}

// tidy removes the backups of a node that the rule gives up, and what was begun long ago and not completed. What is not one of this
// node's complete backups is never touched otherwise.
func tidy(ctx context.Context, at Target, node string, rule Rule) (removed []string, err error) {
	incomplete, err := at.Incomplete(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range incomplete {
		if began, ok := parseName(name); ok && isOf(node, name) && time.Since(began) > staleAfter {
			if err := at.Discard(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	all, err := manifests(ctx, at, func(name string) bool { return isOf(node, name) })
	if err != nil {
		return nil, err
	}
	var ours []Found
	var began []time.Time
	for _, f := range all {
		if f.Problem == nil && f.Manifest.Name == f.Location && f.Manifest.Node == node {
			ours, began = append(ours, f), append(began, f.Manifest.Began)
		}
	}
	for i, keep := range rule.Keep(began) {
		if keep {
			continue
		}
		var pieces []string
		for _, p := range ours[i].Manifest.Pieces {
			pieces = append(pieces, p.Name)
		}
		if err := at.Remove(ctx, ours[i].Location, pieces); err != nil {
			return removed, err
		}
		removed = append(removed, ours[i].Location)
	}
	return removed, nil
}

// Found is a complete backup at a place.
type Found struct {
	At Target
	// Location is its name there: its own, unless somebody gave the folder another.
	Location string
	Manifest Manifest
	// Problem says why its manifest cannot be read; nil where it can.
	Problem error
}

// manifests reads the manifests of the complete backups at a place, of those names that want says.
func manifests(ctx context.Context, at Target, want func(name string) bool) ([]Found, error) {
	names, err := at.List(ctx)
	if err != nil {
		return nil, err
	}
	var list []Found
	for _, name := range names {
		if !want(name) {
			continue
		}
		f := Found{At: at, Location: name}
		text, err := at.Manifest(ctx, name)
		if err != nil {
			return nil, err
		}
		f.Manifest, f.Problem = decodeManifest(text)
		list = append(list, f)
	}
	return list, nil
}

// Problem says in plain English what went wrong.
func Problem(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Message != "" {
		return e.Message
	}
	if errors.Is(err, context.Canceled) {
		return "it was broken off"
	}
	return "it failed; the log says why"
}
