package server

import (
	"context"

	"halley/protocols"
	"halley/server/intake"
	"halley/server/journal"
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
	s.keepRecordedNowAndThen()
	s.maintenance.Wake()
	if p.Quarantined {
		select {
		case s.apart <- struct{}{}:
		default:
		}
	}
}
