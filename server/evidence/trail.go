package evidence

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"halley"
	"halley/storage"
)

const (
	// trailMost bounds the acts that one question to the audit trail gives; what is left out is said.
	trailMost = 2000
	// proofsMost bounds how many results of checks are looked through for one that covers the period.
	proofsMost, proofsPage = 2000, 200
	// resultsMost is how many backups and drills are listed.
	resultsMost = 50
)

// trail is what the audit trail says.
type trail struct {
	// acts are those on the place, over all time, and on its devices while they were there, by id; programs are starts, stops and changes of the configuration
	// in the period; clock are its steps and drifts in the period.
	acts, programs, clock []halley.AuditEntry
	// cut says that there were more than are listed.
	cut bool
}

// gatherTrail reads who did what.
func (e *Evidence) gatherTrail(ctx context.Context) error {
	subjects := []storage.AuditFilter{{On: "place " + strconv.FormatInt(int64(e.req.Place), 10)}}
	for i := range e.devices {
		d := &e.devices[i]
		for _, s := range d.there {
			f := storage.AuditFilter{On: "device " + strconv.FormatInt(int64(d.ID), 10), From: s.From}
			if s.To < halley.LatestMillis {
				f.To = s.To + 1 // The act by which it left is the place's too.
			}
			subjects = append(subjects, f)
		}
	}
	for _, f := range subjects {
		if err := e.acts(ctx, &e.trail.acts, f); err != nil {
			return err
		}
	}
	slices.SortFunc(e.trail.acts, func(a, b halley.AuditEntry) int { return cmp.Compare(a.ID, b.ID) })
	for what, into := range map[string]*[]halley.AuditEntry{
		"program.*": &e.trail.programs, "config.*": &e.trail.programs, "clock.*": &e.trail.clock,
	} {
		if err := e.acts(ctx, into, storage.AuditFilter{What: what, From: e.req.From, To: e.req.To}); err != nil {
			return err
		}
	}
	slices.SortFunc(e.trail.programs, func(a, b halley.AuditEntry) int { return cmp.Compare(a.ID, b.ID) })
	slices.Reverse(e.trail.clock)
	return nil
}

// actsPage is how many acts are read at once.
const actsPage = 500

// acts appends what a filter lets through, newest first.
func (e *Evidence) acts(ctx context.Context, into *[]halley.AuditEntry, f storage.AuditFilter) error {
	f.Limit = actsPage
	for read := 0; ; {
		page, err := e.opts.Store.AuditWhere(ctx, f)
		if err != nil {
			return fmt.Errorf("reading the audit trail: %w", err)
		}
		*into = append(*into, page...)
		read += len(page)
		switch {
		case len(page) < actsPage:
			return nil
		case read >= trailMost:
			e.trail.cut = true
			return nil
		}
		f.Before = page[len(page)-1].ID
	}
}

// checks are the kept results of checks.
type checks struct {
	// verified is the newest verification that covers the period; at is 0 where none does. newest is the newest of all.
	verified, newest verification
	// backups and drills are those from the period's begin until now, newest first; setBack those of the period.
	backups []backup
	drills  []drill
	setBack []setBack
}

type verification struct {
	at   halley.Millis
	node string
	ok   bool
	storage.VerifySummary
}

type backup struct {
	at halley.Millis
	ok bool
	storage.BackupSummary
}

type drill struct {
	at halley.Millis
	ok bool
	storage.DrillSummary
}

type setBack struct {
	at halley.Millis
	storage.SetBackSummary
}

// covers says whether the verification looked at all of the period, after it had ended.
func (v *verification) covers(from, to halley.Millis) bool {
	all := v.From == 0 && v.To == 0
	return v.Problem == "" && v.at >= to && (all || v.From <= from && (v.To == 0 || v.To >= to))
}

// gatherChecks reads what was verified, backed up and restored for trial.
func (e *Evidence) gatherChecks(ctx context.Context) error {
	err := e.proofs(ctx, storage.ProofVerify, func(p storage.Proof) (bool, error) {
		v := verification{at: p.At, node: p.Node, ok: p.OK}
		if err := json.Unmarshal([]byte(p.Summary), &v.VerifySummary); err != nil {
			return false, err
		}
		if e.checks.newest.at == 0 {
			e.checks.newest = v
		}
		if v.covers(e.req.From, e.req.To) {
			e.checks.verified = v
			return false, nil
		}
		return v.at >= e.req.To, nil
	})
	if err != nil {
		return err
	}
	err = e.proofs(ctx, storage.ProofBackup, func(p storage.Proof) (bool, error) {
		b := backup{at: p.At, ok: p.OK}
		err := json.Unmarshal([]byte(p.Summary), &b.BackupSummary)
		e.checks.backups = append(e.checks.backups, b)
		return p.At >= e.req.From && len(e.checks.backups) < resultsMost, err
	})
	if err != nil {
		return err
	}
	err = e.proofs(ctx, storage.ProofDrill, func(p storage.Proof) (bool, error) {
		d := drill{at: p.At, ok: p.OK}
		err := json.Unmarshal([]byte(p.Summary), &d.DrillSummary)
		e.checks.drills = append(e.checks.drills, d)
		return p.At >= e.req.From && len(e.checks.drills) < resultsMost, err
	})
	if err != nil {
		return err
	}
	return e.proofs(ctx, storage.ProofSetBack, func(p storage.Proof) (bool, error) {
		s := setBack{at: p.At}
		err := json.Unmarshal([]byte(p.Summary), &s.SetBackSummary)
		if p.At >= e.req.From {
			e.checks.setBack = append(e.checks.setBack, s)
		}
		return p.At >= e.req.From, err
	})
}

// proofs hands the results of a kind to each, newest first, until that says that it is enough.
func (e *Evidence) proofs(ctx context.Context, kind storage.ProofKind, each func(storage.Proof) (goOn bool, err error)) error {
	before := int64(0)
	for read := 0; read < proofsMost; read += proofsPage {
		page, err := e.opts.Store.Proofs(ctx, kind, before, proofsPage)
		if err != nil {
			return fmt.Errorf("reading the results of checks: %w", err)
		}
		for _, p := range page {
			goOn, err := each(p)
			if err != nil {
				return fmt.Errorf("reading the result %d of a %s: %w", p.ID, kind, err)
			}
			if !goOn {
				return nil
			}
		}
		if len(page) < proofsPage {
			return nil
		}
		before = page[len(page)-1].ID
	}
	return nil
}
