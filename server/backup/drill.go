package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"filippo.io/age"

	"halley"
	"halley/storage"
)

// CodeUnproven is Forbidden: a drill could check the files of a backup, and not restore it.
const CodeUnproven = "restore-unproven"

// DrillOptions say what is tried.
type DrillOptions struct {
	From Target
	// Node is the server whose newest backup is tried; "" where only one server's are there.
	Node string
	// Scratch is a folder of this machine for the trial; Reserve is how much of its disk stays free.
	Scratch string
	Reserve int64
	// Identities open backups that are encrypted; without one a drill checks their files only.
	Identities []age.Identity
	Store      Engine
	// Verify verifies the restored store.
	Verify func(ctx context.Context, s storage.Store) (storage.VerifySummary, error)
}

// DrillResult is what became of a drill.
type DrillResult struct {
	Summary storage.DrillSummary
	// Err says why the restore is not proven; nil where it is.
	Err error
}

// Drill restores the newest backup for trial, verifies it and removes it again.
func Drill(ctx context.Context, o DrillOptions) DrillResult {
	began := time.Now()
	var r DrillResult
	r.Err = drill(ctx, &o, &r.Summary)
	r.Summary.Millis = time.Since(began).Milliseconds()
	if r.Err != nil {
		r.Summary.Problem = Problem(r.Err)
	}
	return r
}

func drill(ctx context.Context, o *DrillOptions, sum *storage.DrillSummary) (err error) {
	from, err := choose(ctx, o.From, Choice{Node: o.Node})
	if err != nil {
		return err
	}
	m := from.base.Manifest
	sum.Backup, sum.BackupAt = m.Name, halley.MillisOf(m.End)
	if m.Encrypted() && len(o.Identities) == 0 {
		return checkFiles(ctx, from.base)
	}
	dir, err := newScratch(o.Scratch)
	if err != nil {
		return err
	}
	s := &staged{from: from, dir: dir.Dir, options: &RestoreOptions{Identities: o.Identities, Store: o.Store}}
	defer func() { err = errors.Join(err, s.discard(ctx)) }()
	if err := room(dir.Dir, m.content(), o.Reserve); err != nil {
		return err
	}
	return s.try(ctx, o, sum)
}

// checkFiles does what can be done without a key.
func checkFiles(ctx context.Context, f Found) error {
	for _, p := range f.Manifest.Pieces {
		in, err := f.At.Open(ctx, f.Location, p.Name)
		if err != nil {
			return err
		}
		if err := errors.Join(verifyPiece(ctx, in, p), in.Close()); err != nil {
			return err
		}
	}
	return &halley.Error{
		Kind: halley.Forbidden, Op: "restore a backup for trial", Code: CodeUnproven,
		Message: "the files of the backup are as they were written. That it can be restored is not proven: it is encrypted, and there is no drill key. Name one with [backup] drill-key, or run halley backup drill where the key is",
	}
}

// try restores everything and holds it against the manifest.
func (s *staged) try(ctx context.Context, o *DrillOptions, sum *storage.DrillSummary) (err error) {
	m := &s.from.base.Manifest
	if m.Store.Kind != "" && (o.Store == nil || o.Store.Kind() != m.Store.Kind) {
		return wrongKind(m.Store.Kind)
	}
	if m.Store.Kind != "" {
		if s.landing, err = o.Store.Land(ctx, LandOptions{Data: s.dir.Path(), Name: m.Name, Trial: true}); err != nil {
			return err
		}
	}
	if err := s.fillPieces(ctx); err != nil {
		return err
	}
	if err := s.settleJournal(ctx); err != nil {
		return err
	}
	if s.landing == nil {
		return nil
	}
	store, err := s.landing.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return verifyRestored(ctx, store, m, o, sum)
}

// verifyRestored counts and verifies a restored store.
func verifyRestored(ctx context.Context, store storage.Store, m *Manifest, o *DrillOptions, sum *storage.DrillSummary) error {
	info, heads, err := Describe(ctx, store, m.Store.Kind, m.Journal.ID)
	if err != nil {
		return err
	}
	sum.Samples = info.Samples
	if why := differs(m, info, headsOf(heads)); why != "" {
		return &halley.Error{
			Kind: halley.Invalid, Op: "verify a restored backup", Code: CodeDamaged,
			Message: "the restored database is not the one that was backed up: " + why + ". Make a new backup and try that one",
		}
	}
	v, err := o.Verify(ctx, store)
	if err != nil {
		return fmt.Errorf("verifying the restored database: %w", err)
	}
	sum.Samples, sum.Batches, sum.Findings = v.Samples, v.Batches, v.Findings
	switch {
	case v.FindingCount > 0:
		return &halley.Error{
			Kind: halley.Invalid, Op: "verify a restored backup", Code: "drill-findings",
			Message: fmt.Sprintf("the backup was restored, and verifying it found %d things that are not as they were recorded. Run halley verify to see whether the database itself has them too",
				v.FindingCount),
		}
	case v.Problem != "":
		return &halley.Error{Kind: halley.Unavailable, Op: "verify a restored backup", Message: v.Problem}
	}
	return nil
}

// differs says in words what a restored store lacks against its manifest; "" for nothing. A database that wrote its backup itself
// holds at least what it held before.
func differs(m *Manifest, info StoreInfo, heads Heads) string {
	embedded := m.Store.Kind == "sqlite"
	switch {
	case info.Samples < m.Store.Samples || embedded && info.Samples != m.Store.Samples:
		return fmt.Sprintf("it holds %d samples instead of %d", info.Samples, m.Store.Samples)
	case info.LastBatch < m.Store.LastBatch || embedded && info.LastBatch != m.Store.LastBatch:
		return fmt.Sprintf("its last batch is %d instead of %d", info.LastBatch, m.Store.LastBatch)
	case info.RecordedSeq < m.Store.RecordedSeq:
		return fmt.Sprintf("it has recorded the journal up to entry %d instead of %d", info.RecordedSeq, m.Store.RecordedSeq)
	case embedded && (heads.Fact != m.Heads.Fact || !slices.Equal(heads.Batches, m.Heads.Batches)):
		return "its ledger ends otherwise"
	}
	return ""
}
