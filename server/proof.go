package server

import (
	"context"
	"fmt"
	"time"

	"halley"
	"halley/server/journal"
	"halley/server/ledger"
	"halley/server/mail"
	"halley/server/recorder"
	form "halley/storage/ledger"
)

// proofPatience is for a call on behalf of the ledger: some read much.
const proofPatience = 30 * time.Second

// openProof opens the signing key and what the journal remembers of its batches, and prepares what keeps the proof.
func (s *Server) openProof(context.Context) (err error) {
	c, log := s.opts.Config, s.opts.Log.With("part", "ledger")
	folder := ledger.KeysFolder(c.Keys.Path, s.data.Path())
	if s.keys, err = ledger.Open(folder, c.Node); err != nil {
		return err
	}
	if s.keys.Made() {
		log.Info("a signing key was made; its public half may be given to anybody", "key", s.keys.Public().ID, "folder", folder)
	}
	if s.memory, err = journal.OpenMemory(s.data.Path(), log); err != nil {
		return err
	}
	s.proof = ledger.New(ledger.Options{
		Node: c.Node, Version: s.opts.Version, Keys: s.keys,
		Trusted: func() ([]form.Key, error) { return ledger.TrustedKeys(folder) },
		Store:   s.gate.Asking(proofPatience), Config: c.Ledger, Mailer: mail.New(c.Mail),
		Folder: s.data.Path(), Write: s.data.WriteFilePrivate,
		Uploads: s.journal.Waiting, Busy: s.recorderBusy, Log: log,
	})
	return nil
}

// setBack keeps that the store or the journal is older than it was.
func (s *Server) setBack(ctx context.Context, b recorder.SetBack) error {
	return s.proof.SetBack(ctx, b.What, b.Text, b.To)
}

// Keys gives this server's signing key.
func (s *Server) Keys() *ledger.Keys { return s.keys }

// Verify begins a verification of what was measured in [from, to), both 0 for all. Conflict where one is running.
func (s *Server) Verify(ctx context.Context, from, to halley.Millis, c halley.Change) error {
	return s.proof.Verify(ctx, from, to, c)
}

// Verification says whether this server verifies now, and how far it has come, from 0 to 1.
func (s *Server) Verification() (running bool, progress float64) { return s.proof.Verification() }

// proofFindings says in words what a person should know of the proof.
func (s *Server) proofFindings(st *Status) []Finding {
	var list []Finding
	for _, f := range s.proof.Findings() {
		severity := Degraded
		if f.Failing {
			severity = Failing
		}
		list = append(list, Finding{Code: f.Code, Severity: severity, Text: f.Text})
	}
	if d := st.Recorder.Differs; d != nil {
		list = append(list, Finding{Code: "batch-differs", Severity: Degraded, Text: fmt.Sprintf(
			"The entries %d to %d of the journal, recorded again at %s after the database was set back, did not come to what they came to before (batch %d, now %d). Another version of the program, another server that recorded the same messages first, or a database that was changed can be why: run halley verify.",
			d.FirstSeq, d.LastSeq, words(d.At), d.Before, d.After)})
	}
	return list
}
