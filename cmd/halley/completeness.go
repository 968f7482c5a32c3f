package main

import (
	"context"
	"time"

	"halley"
	"halley/server"
	"halley/server/completeness"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// countWithin bounds how long completeness is counted for one question.
const countWithin = 30 * time.Second

// completenessParts shows to the viewer's API what should have come and what came.
type completenessParts struct {
	server   *server.Server
	overview *completeness.Overview
}

func newCompletenessParts(srv *server.Server) completenessParts {
	return completenessParts{server: srv, overview: completeness.NewOverview()}
}

// counting does what takes long, and says so where it takes too long.
func counting[T any](ctx context.Context, count func(ctx context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	v, err := count(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = &halley.Error{
			Kind: halley.Unavailable, Op: "count the completeness", Code: "too-slow",
			Message: "this takes the database too long: ask for a shorter period", Err: err,
		}
	}
	return v, err
}

// Completeness counts what should have come from a device and what came.
func (p completenessParts) Completeness(ctx context.Context, d halley.Device, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
	r, err := counting(ctx, func(ctx context.Context) (completeness.Report, error) {
		now := halley.MillisOf(time.Now())
		period := completeness.Period{Family: d.Family, From: from, To: to, Now: now}
		store := p.server.Store()
		err := period.Explain(ctx, store, d.ID, p.server.Servers(now))
		if err != nil {
			return completeness.Report{}, err
		}
		if period.Held, err = p.server.HeldTimes(ctx, d.DeviceKey, from, to); err != nil {
			return completeness.Report{}, err
		}
		return completeness.Of(ctx, store, d.ID, period)
	})
	return reportOf(r), err
}

// PlaceCompleteness counts the devices of a place, each while it was there.
func (p completenessParts) PlaceCompleteness(
	ctx context.Context, place halley.PlaceID, from, to halley.Millis,
) (viewerapi.CompletenessReport, error) {
	r, err := counting(ctx, func(ctx context.Context) (completeness.Report, error) {
		return p.server.PlaceCompleteness(ctx, place, from, to)
	})
	return reportOf(r), err
}

// CompletenessDays counts all devices by UTC days, worst first.
func (p completenessParts) CompletenessDays(ctx context.Context, from, to int64) ([]viewerapi.DeviceCompleteness, error) {
	list, err := counting(ctx, func(ctx context.Context) ([]completeness.DeviceDays, error) {
		return p.overview.Days(ctx, p.server.Store(), completeness.DaysQuery{
			From: from, To: to, Now: halley.MillisOf(time.Now()), Devices: p.server.Devices().Devices(),
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]viewerapi.DeviceCompleteness, 0, len(list))
	for _, d := range list {
		out = append(out, viewerapi.DeviceCompleteness{Device: d.Device, Total: d.Total, Days: d.Days})
	}
	return out, nil
}

// GapCauses lists what people said of a device's gaps.
func (p completenessParts) GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
	return p.server.Store().GapCauses(ctx, device, from, to)
}

// AddGapCause notes what a person says of a device's gap.
func (p completenessParts) AddGapCause(ctx context.Context, g storage.GapCause, c halley.Change) (storage.GapCause, error) {
	return p.server.Store().AddGapCause(ctx, g, c)
}

// reportOf gives a report as the API knows it.
func reportOf(r completeness.Report) viewerapi.CompletenessReport {
	out := viewerapi.CompletenessReport{
		Expected: r.Expected, Received: r.Received, Late: r.Late, Missing: r.Missing, Uncertain: r.Uncertain,
		Duplicates: r.Duplicates, Conflicts: r.Conflicts, Extra: r.Extra,
	}
	for _, g := range r.Gaps {
		out.Gaps = append(out.Gaps, viewerapi.Gap{
			From: g.From, To: g.To, Messages: g.Messages, Cause: string(g.Cause), By: g.By, At: g.At, Note: g.Note,
		})
	}
	return out
}
