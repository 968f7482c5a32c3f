package main

import (
	"context"

	"halley"
	"halley/server"
	"halley/server/clock"
	"halley/server/evidence"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// evidenceParts makes files of evidence for the viewer's API.
type evidenceParts struct{ server *server.Server }

// Evidence gathers what the file of a place says.
func (p evidenceParts) Evidence(ctx context.Context, r viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
	e, err := p.server.Evidence(ctx, evidence.Request{Place: r.Place, From: r.From, To: r.To, By: r.Change.Actor, At: r.Change.At})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// auditParts is the trail of acts: what is noted goes through the journal, what is read comes from the store.
type auditParts struct{ server *server.Server }

// NoteAudit notes an act durably.
func (p auditParts) NoteAudit(ctx context.Context, e halley.AuditEntry) error {
	return p.server.NoteAudit(ctx, e)
}

// AuditWhere lists acts.
func (p auditParts) AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	return p.server.Store().AuditWhere(ctx, f)
}

// clockStatus says how the clock stands.
func clockStatus(c clock.Standing) viewerapi.ClockStatus {
	v := viewerapi.ClockStatus{State: string(c.State), Source: c.Source, CheckedAt: viewerapi.Time(c.CheckedAt)}
	if c.CheckedAt != 0 {
		ms := c.Offset.Milliseconds()
		v.OffsetMS = &ms
	}
	return v
}
