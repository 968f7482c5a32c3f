package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"halley"
	"halley/server/datadir"
	"halley/server/durable"
	"halley/server/journal"
	"halley/storage"
)

const (
	// RestoredFolder is where, below a restored data folder, the configuration of the old server lies.
	RestoredFolder = "restored"
	// restoredFile says that a data folder was restored, and under which name its server goes.
	restoredFile = "restored.json"
	// asideFolder holds journal files with what was received after the instant that was asked for.
	asideFolder = "journal-after"

	opRestore = "restore a backup"
)

// RestoreOptions say what is restored, and where.
type RestoreOptions struct {
	From   Target
	Choice Choice
	// Data is the new data folder: it must not be there, or be empty.
	Data string
	// Node is the name of the restored server; "" for one made of the old server's.
	Node string
	// Identities open backups that are encrypted.
	Identities []age.Identity
	// Store is where the database goes; its kind must be the backup's. OpenShared, instead, opens the database of a backup that
	// holds a journal alone: its server shared it with others.
	Store      Engine
	OpenShared func(ctx context.Context) (storage.Store, error)
	// Journal is a folder with the journal of the old server, which holds more than the backup; "" for none.
	Journal string
	// Actor does it, for the audit.
	Actor halley.Actor
}

// Restored says what was restored.
type Restored struct {
	Manifest Manifest
	// JournalFrom is the backup of which the journal is, where that is another one.
	JournalFrom string
	// Node is the restored server's name.
	Node string
	// Samples are in the database; the entries of the journal up to Last that are behind Recorded are recorded at the first start.
	Samples        int64
	Recorded, Last uint64
	// LastAt is when the newest entry was received; 0 where there is none.
	LastAt halley.Millis
	// Aside says that later entries were taken out, and lie in a folder of that name.
	Aside string
}

// Restore makes a new data folder of a backup. Everything is put together beside its place and gets its name at the end: where it
// fails, nothing is there.
func Restore(ctx context.Context, o RestoreOptions) (_ Restored, err error) {
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return Restored{}, fmt.Errorf("finding the new data folder: %w", err)
	}
	if err := mustBeNew(data); err != nil {
		return Restored{}, err
	}
	from, err := choose(ctx, o.From, o.Choice)
	if err != nil {
		return Restored{}, err
	}
	s, err := stage(&o, from, data)
	if err != nil {
		return Restored{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.discard(ctx))
		}
	}()
	if err := s.fill(ctx); err != nil {
		return Restored{}, err
	}
	if err := s.settle(ctx); err != nil {
		return Restored{}, err
	}
	return s.restored, s.finish(ctx, data)
}

// mustBeNew makes sure that nothing is at the new place.
func mustBeNew(data string) error {
	entries, err := os.ReadDir(data)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return &halley.Error{Kind: halley.Invalid, Op: opRestore, Field: "data", Message: data + " cannot be used: name a new folder", Err: err}
	}
	return &halley.Error{
		Kind: halley.Conflict, Op: opRestore, Field: "data", Code: "not-empty",
		Message: data + " is not empty: a backup is restored to a new folder only, so that nothing is written over",
	}
}

// staged is a restore that is being put together.
type staged struct {
	options  *RestoreOptions
	from     chosen
	dir      *datadir.Dir
	landing  Landing
	restored Restored
	// old is the journal of the old server, where it is at hand.
	old *journal.Snapshot
}

// stage makes the folder in which it is put together, beside its place.
func stage(o *RestoreOptions, from chosen, data string) (*staged, error) {
	if o.Node == from.base.Manifest.Node {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: opRestore, Field: "node", Code: "node-name",
			Message: "the restored server needs a name that the old one did not have: the two have chains of their own in the ledger",
		}
	}
	d, err := datadir.Open(filepath.Join(filepath.Dir(data), "."+filepath.Base(data)+".restoring"))
	if err != nil {
		return nil, err
	}
	if err := d.Lock(); err != nil {
		return nil, err
	}
	s := &staged{options: o, from: from, dir: d}
	if err := emptyBut(d.Path(), "halley.lock"); err != nil { // what a restore left that was killed
		return nil, errors.Join(err, d.Unlock())
	}
	s.restored = Restored{Manifest: from.base.Manifest, Node: o.Node}
	if s.restored.Node == "" {
		s.restored.Node = NewNode(from.base.Manifest.Node, time.Now())
	}
	if from.journal.Location != from.base.Location {
		s.restored.JournalFrom = from.journal.Location
	}
	return s, nil
}

// emptyBut removes what is in a folder but for one file.
func emptyBut(path, name string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("looking at what an earlier restore left: %w", err)
	}
	for _, e := range entries {
		if e.Name() == name {
			continue
		}
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			return fmt.Errorf("removing what an earlier restore left: %w", err)
		}
	}
	return nil
}

var restoredSuffix = regexp.MustCompile(`-r\d{12}$`)

// maxNode is how long a node's name may be.
const maxNode = 64

// NewNode names a restored server after the old one and the minute.
func NewNode(old string, at time.Time) string {
	suffix := "-r" + at.UTC().Format("200601021504")
	old = restoredSuffix.ReplaceAllString(old, "")
	return old[:min(len(old), maxNode-len(suffix))] + suffix
}

// fill brings the pieces into the folder, each checked to its end.
func (s *staged) fill(ctx context.Context) error {
	if err := room(s.dir, s.from.base.Manifest.content(), 0); err != nil {
		return err
	}
	if err := s.tryKey(ctx); err != nil {
		return err
	}
	if err := s.landStore(ctx); err != nil {
		return err
	}
	return s.fillPieces(ctx)
}

// tryKey opens the smallest piece, so that a wrong key is told before the store is read.
func (s *staged) tryKey(ctx context.Context) error {
	m := &s.from.base.Manifest
	if !m.Encrypted() || len(m.Pieces) == 0 {
		return nil
	}
	least := slices.MinFunc(m.Pieces, func(a, b Piece) int { return cmp.Compare(a.Bytes, b.Bytes) })
	return s.read(ctx, s.from.base, least.Part, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
}

// fillPieces brings in the pieces once there is room for the store.
func (s *staged) fillPieces(ctx context.Context) error {
	if s.landing != nil {
		err := s.read(ctx, s.from.base, PartStore, func(r io.Reader) error { return writeFile(s.landing.Path(), r) })
		if err != nil {
			return err
		}
	}
	if err := s.fillJournal(ctx); err != nil {
		return err
	}
	below := func(folder string) func(string) string {
		return func(name string) string {
			if signsLedger(filepath.Base(name)) {
				return ""
			}
			return s.dir.Join(folder, filepath.FromSlash(name))
		}
	}
	if err := s.unpack(ctx, s.from.base, PartConfiguration, below(RestoredFolder)); err != nil {
		return err
	}
	return s.unpack(ctx, s.from.base, PartKeys, below(""))
}

// unpack reads a piece with files.
func (s *staged) unpack(ctx context.Context, from Found, part Part, place func(string) string) error {
	return s.read(ctx, from, part, func(r io.Reader) error { return readTar(r, place) })
}

// read reads a piece to its end.
func (s *staged) read(ctx context.Context, from Found, part Part, read func(io.Reader) error) error {
	p, ok := from.Manifest.piece(part)
	if !ok {
		return missingPiece(from.Location, pieceName(part, from.Manifest.Encrypted()))
	}
	in, err := from.At.Open(ctx, from.Location, p.Name)
	if err != nil {
		return err
	}
	err = unseal(ctx, in, p, s.options.Identities, read)
	return errors.Join(err, in.Close())
}

// landStore makes room for the store.
func (s *staged) landStore(ctx context.Context) (err error) {
	m, engine := &s.from.base.Manifest, s.options.Store
	if m.Store.Kind == "" {
		if s.options.OpenShared == nil {
			return &halley.Error{
				Kind: halley.Invalid, Op: opRestore, Field: "store", Code: "journal-only",
				Message: "this backup holds the journal alone, for its server shared its database with others: restore the database first, then name it with --store",
			}
		}
		return nil
	}
	if engine.Kind() != m.Store.Kind {
		return wrongKind(m.Store.Kind)
	}
	s.landing, err = engine.Land(ctx, LandOptions{Data: s.dir.Path(), Name: m.Name})
	return err
}

func wrongKind(kind string) error {
	e := &halley.Error{Kind: halley.Invalid, Op: opRestore, Field: "store", Code: "wrong-store"}
	if kind == "sqlserver" {
		e.Message = "this backup holds a database of SQL Server: name the new database with --store 'sqlserver://...?database=NAME'"
	} else {
		e.Message = "this backup holds the embedded database: leave out --store"
	}
	return e
}

// settle makes a server of the pieces: a journal that holds together, a store that knows what it was restored from.
func (s *staged) settle(ctx context.Context) error {
	if err := s.settleJournal(ctx); err != nil {
		return err
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	err = s.note(ctx, store)
	if err == nil {
		var info StoreInfo
		info, _, err = Describe(ctx, store, s.from.base.Manifest.Store.Kind, s.from.journal.Manifest.Journal.ID)
		s.restored.Samples, s.restored.Recorded = info.Samples, info.RecordedSeq
	}
	return errors.Join(err, store.Close())
}

func (s *staged) openStore(ctx context.Context) (storage.Store, error) {
	if s.landing == nil {
		return s.options.OpenShared(ctx)
	}
	return s.landing.Open(ctx)
}

// note writes into the restored store that it was restored, from what, and where the chains ended there.
func (s *staged) note(ctx context.Context, store storage.Store) error {
	m := &s.from.base.Manifest
	heads, err := m.Heads.ledgerHeads()
	if err != nil {
		return damagedPiece(Piece{Name: manifestName}, err)
	}
	summary, err := json.Marshal(storage.RestoreSummary{
		Backup: m.Name, BackupAt: halley.MillisOf(m.End), OldNode: m.Node, Heads: heads,
	})
	if err != nil {
		return fmt.Errorf("describing the restore: %w", err)
	}
	now := halley.MillisOf(time.Now())
	_, err = store.AddProof(ctx, storage.Proof{
		At: now, Node: s.restored.Node, Kind: storage.ProofRestore, OK: true, Summary: string(summary),
	}, halley.Change{Actor: s.options.Actor, At: now, Why: "restored from the backup " + m.Name})
	if err != nil {
		return fmt.Errorf("noting the restore: %w", err)
	}
	return nil
}

// finish gives the folder its name.
func (s *staged) finish(ctx context.Context, data string) error {
	text, err := json.MarshalIndent(Origin{
		Node: s.restored.Node, OldNode: s.restored.Manifest.Node, Backup: s.restored.Manifest.Name, At: time.Now().UTC().Truncate(time.Second),
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the restore: %w", err)
	}
	if err := s.dir.WriteFilePrivate(restoredFile, append(text, '\n')); err != nil {
		return err
	}
	if s.landing != nil {
		if err := s.landing.Keep(ctx); err != nil {
			return err
		}
	}
	if err := giveLike(data, s.dir.Path()); err != nil {
		return err
	}
	if err := s.dir.Unlock(); err != nil {
		return err
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &halley.Error{
			Kind: halley.Invalid, Op: opRestore, Field: "data", Message: data + " cannot be replaced: name a new folder below it", Err: err,
		}
	}
	if err := os.Rename(s.dir.Path(), data); err != nil {
		return fmt.Errorf("naming the restored folder: %w", err)
	}
	if err := durable.SyncShared(filepath.Dir(data)); err != nil {
		return fmt.Errorf("naming the restored folder: %w", err)
	}
	return nil
}

// discard removes everything.
func (s *staged) discard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardWithin)
	defer cancel()
	var errs []error
	if s.old != nil {
		errs = append(errs, s.old.Close())
	}
	if s.landing != nil {
		errs = append(errs, s.landing.Discard(ctx))
	}
	return errors.Join(append(errs, s.dir.Unlock(), os.RemoveAll(s.dir.Path()))...)
}

// Origin says that a data folder was restored.
type Origin struct {
	// Node is the restored server's name, OldNode that of the one which wrote the backup.
	Node    string    `json:"node"`
	OldNode string    `json:"old_node"`
	Backup  string    `json:"backup"`
	At      time.Time `json:"at"`
}

// OriginOf says from what a data folder was restored; found is false where it was not.
func OriginOf(data string) (o Origin, found bool, err error) {
	text, err := os.ReadFile(filepath.Join(data, restoredFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Origin{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		return Origin{}, false, fmt.Errorf("reading %s, which says under which name this server goes: %w", restoredFile, err)
	}
	return o, strings.TrimSpace(o.Node) != "", nil
}
