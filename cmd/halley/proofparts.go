package main

import (
	"context"

	"halley"
	"halley/config"
	"halley/server"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// proofParts shows the viewer's API what was proven.
type proofParts struct {
	storage.Store
	server *server.Server
	config config.Config
}

// ProofNow says how the proof stands.
func (p proofParts) ProofNow(context.Context) viewerapi.ProofNow {
	backups := p.server.Backups()
	now := viewerapi.ProofNow{
		Node: p.config.Node, Places: p.config.Ledger.Outside,
		BackupConfigured: backups.Configured, BackupOverdue: backups.Overdue, DrillOverdue: backups.DrillOverdue,
	}
	now.Verifying, now.Progress = p.server.Verification()
	return now
}

// Verify begins a verification of what is stored.
func (p proofParts) Verify(ctx context.Context, from, to halley.Millis, c halley.Change) error {
	return p.server.Verify(ctx, from, to, c)
}
