package server

import (
	"context"
	"time"

	"halley"
	"halley/server/journal"
	"halley/server/live"
	"halley/storage"
)

const (
	// replayPage is how many journal entries are replayed at a time, replayMost how many at the start: what devices said before is
	// their newest only where they have been silent for long, and then the store has it.
	replayPage = 4096
	replayMost = 50_000
	// completeEvery is how often it is looked whether the newest values that were not known at the start can be had.
	completeEvery = time.Second
)

// restoreLive loads the newest message of each device from the store, and then what the journal holds beyond it. While the store
// is away it takes what the end of the journal holds; completeLive loads the rest later.
func (s *Server) restoreLive(ctx context.Context) error {
	after := s.journal.First() - 1
	store := s.gate.Within(livePatience)
	pos, err := store.Position(ctx, s.journal.ID())
	if err == nil {
		err = s.loadLatest(ctx)
	}
	switch {
	case err != nil:
		s.liveLacks = true
		s.opts.Log.Warn("the store cannot be asked for the newest values: they are shown from the journal alone", "err", err)
	case pos.JournalID == s.journal.ID():
		after = max(after, pos.Seq)
	}
	if last := s.journal.Last(); last > after+replayMost {
		s.liveLacks, after = true, last-replayMost
	}
	return s.replayJournal(ctx, after)
}

// loadLatest takes over the newest message of each device from the store.
func (s *Server) loadLatest(ctx context.Context) error {
	latest, err := s.gate.Within(livePatience).Latest(ctx, nil)
	if err != nil {
		return err
	}
	for i := range latest {
		if m, ok := s.fromStore(&latest[i]); ok {
			s.live.Restore(m)
		}
	}
	return nil
}

// completeLive loads the newest values that could not be had at the start, once the store has them all.
func (s *Server) completeLive(ctx context.Context) error {
	if !s.liveLacks {
		return nil
	}
	last := s.journal.Last()
	tick := time.NewTicker(completeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if r := s.recorder.State(); r.Store != storage.OK || r.Recorded < last {
			continue
		}
		err := s.devices.Refresh(ctx)
		if err == nil {
			err = s.loadLatest(ctx)
		}
		if err == nil {
			s.live.DevicesChanged()
			return nil
		}
		s.opts.Log.Debug("the newest values cannot be loaded yet", "err", err)
	}
}

func (s *Server) fromStore(m *storage.LatestMessage) (*live.Message, bool) {
	d, ok := s.devices.DeviceByID(m.DeviceID)
	if !ok {
		return nil, false
	}
	byID := map[halley.ChannelID]halley.Channel{}
	for _, c := range s.devices.Channels(d.ID) {
		byID[c.ID] = c
	}
	out := &live.Message{
		Key: d.DeviceKey, MeasuredAt: m.MeasuredAt, SentAt: m.SentAt, ReceivedAt: m.ReceivedAt, Interval: m.Interval,
		Buffer: m.Buffer, Kind: m.Kind, Battery: halley.Unknown,
	}
	if m.JournalID == s.journal.ID() {
		out.Seq = m.Seq
	}
	for _, v := range m.Values {
		if c, ok := byID[v.ChannelID]; ok {
			out.Readings = append(out.Readings, halley.Reading{
				Number: c.Number, Name: c.Name, Quantity: c.Quantity, Unit: c.Unit, Decimals: c.Decimals, Value: v.Value, Quality: v.Quality,
			})
		}
	}
	return out, true
}

// replayJournal takes over what the journal holds behind an entry.
func (s *Server) replayJournal(ctx context.Context, after uint64) error {
	for after < s.journal.Last() {
		entries, err := s.journal.Read(ctx, after, replayPage)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		for i := range entries {
			s.replay(&entries[i])
		}
		after = entries[len(entries)-1].Seq
	}
	return nil
}

func (s *Server) replay(e *journal.Entry) {
	if e.Quarantine != "" || (e.Kind != journal.Upload && e.Kind != journal.Release) {
		return
	}
	family := s.opts.Families.Family(e.Family)
	if family == nil {
		return
	}
	if up, err := family.Decode(e.Body); err == nil {
		s.live.Take(&up, e.ReceivedAt(), e.Seq)
	}
}
