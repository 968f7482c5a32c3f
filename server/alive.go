package server

import (
	"context"
	"slices"
	"time"

	"halley"
	"halley/protocols"
	"halley/server/alive"
	"halley/server/completeness"
	"halley/server/quarantine"
)

// openLife reads when this server was there last, before anything is appended to the journal.
func (s *Server) openLife(ctx context.Context) (err error) {
	s.life, err = alive.New(ctx, alive.Options{
		Journal: s.journal,
		Every:   s.opts.Config.Journal.SignOfLife.Duration,
		Version: s.opts.Version,
		Log:     s.opts.Log.With("part", "journal"),
	})
	return err
}

// Servers gives the servers that share the store, as completeness asks: from when to when each was there.
func (s *Server) Servers(now halley.Millis) []completeness.Server {
	return completeness.Servers(s.maintenance.State().Nodes, s.opts.Config.Node, now)
}

// heldPage is how many uploads of quarantine are read at a time.
const heldPage = 200

// HeldTimes gives, ascending, when the periodic messages were measured that wait in this server's quarantine of a device, from within
// [from, to). What cannot be read has no time and is left out.
func (s *Server) HeldTimes(ctx context.Context, key halley.DeviceKey, from, to halley.Millis) ([]halley.Millis, error) {
	if _, some := s.held.Held()[key]; !some {
		return nil, nil
	}
	family := s.opts.Families.Family(key.Family)
	if family == nil {
		return nil, nil
	}
	var times []halley.Millis
	for after := int64(0); ; {
		page, err := s.held.Uploads(ctx, key, after, heldPage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			times = append(times, heldTimes(family, &page[i], from, to)...)
			after = page[i].ID
		}
		if len(page) < heldPage {
			slices.Sort(times)
			return times, nil
		}
	}
}

// heldTimes gives the times of one upload.
func heldTimes(family protocols.Protocol, u *quarantine.Upload, from, to halley.Millis) (times []halley.Millis) {
	up, err := family.Decode(u.Body)
	if err != nil {
		return nil
	}
	for i := range up.Messages {
		m := &up.Messages[i]
		at := m.MeasuredAt(halley.Millis(u.ReceivedMicros / 1000))
		if m.Kind != halley.Extra && m.Kind != halley.TestMessage && at >= from && at < to {
			times = append(times, at)
		}
	}
	return times
}

// PlaceCompleteness gives the report on a place, with all that this server knows of the causes. It may be asked by whoever makes a
// document on the place too.
func (s *Server) PlaceCompleteness(ctx context.Context, place halley.PlaceID, from, to halley.Millis) (completeness.Report, error) {
	now := halley.MillisOf(time.Now())
	return completeness.OfPlace(ctx, s.store, completeness.PlaceQuery{
		Place: place, From: from, To: to, Now: now, Servers: s.Servers(now),
		Family: func(id halley.DeviceID) (halley.Family, bool) {
			d, ok := s.devices.DeviceByID(id)
			return d.Family, ok
		},
		Held: func(ctx context.Context, id halley.DeviceID, from, to halley.Millis) ([]halley.Millis, error) {
			d, ok := s.devices.DeviceByID(id)
			if !ok {
				return nil, nil
			}
			return s.HeldTimes(ctx, d.DeviceKey, from, to)
		},
	})
}
