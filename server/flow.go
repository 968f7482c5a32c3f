package server

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"halley"
	"halley/protocols"
	"halley/server/intake"
	"halley/server/journal"
	"halley/server/live"
	"halley/server/recorder"
	"halley/storage"
)

// dictionary is what the journal's compression begins with: an example of each family's bodies.
func dictionary(families protocols.Set) []byte {
	var d []byte
	for _, f := range families {
		d = append(d, f.Sample()...)
	}
	return d
}

// deliver hands an upload on that is durable.
func (s *Server) deliver(d intake.Delivered) {
	if d.Entry.Quarantine != "" {
		s.recorder.Hurry()
		return
	}
	up := d.Upload
	s.ring.Put(d.Entry.Seq, &up)
	s.live.Take(&up, d.Entry.ReceivedAt(), d.Entry.Seq)
	if storage.Admission(d.Entry.Admission) == storage.Admit {
		s.recorder.Hurry()
	}
}

// released hands on an upload that left quarantine.
func (s *Server) released(e journal.Entry) {
	s.recorder.Hurry()
	s.replay(&e)
}

// recorded follows a batch before it counts as recorded: where devices are new, this server's copy of them is renewed.
func (s *Server) recorded(ctx context.Context, p recorder.Progress) {
	if p.DevicesChanged {
		if err := s.devices.Refresh(ctx); err != nil {
			s.devices.Poke() // it tries again and says why it cannot
		}
	}
	s.prune(ctx, p.Seq)
	if p.Quarantined {
		select {
		case s.apart <- struct{}{}:
		default:
		}
	}
}

// restoreLive loads the newest message of each device from the store, and then what the journal holds beyond it.
func (s *Server) restoreLive(ctx context.Context) error {
	latest, err := s.store.Latest(ctx, nil)
	if err != nil {
		if halley.KindOf(err) != halley.Unavailable {
			return err
		}
		s.opts.Log.Warn("the store is away: values are shown from the journal alone", "err", err)
	}
	for i := range latest {
		if m, ok := s.fromStore(&latest[i]); ok {
			s.live.Restore(m)
		}
	}
	return s.replayJournal(ctx)
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

// replayPage is how many journal entries are replayed at a time.
const replayPage = 4096

// replayJournal takes over what the store has not recorded yet.
func (s *Server) replayJournal(ctx context.Context) error {
	pos, err := s.store.Position(ctx, s.opts.Config.Node)
	if err != nil && halley.KindOf(err) != halley.Unavailable {
		return err
	}
	after := uint64(0)
	if err == nil && pos.JournalID == s.journal.ID() {
		after = pos.Seq
	}
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

// note journals something that happened to the server itself.
func (s *Server) note(ctx context.Context, event string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"event": event, "version": s.opts.Version})
	if err == nil {
		_, err = s.journal.Append(ctx, journal.Entry{Kind: journal.Event, Body: body})
	}
	if err != nil {
		s.opts.Log.Warn("cannot note this in the journal", "event", event, "err", fmt.Errorf("appending an event: %w", err))
	}
}
