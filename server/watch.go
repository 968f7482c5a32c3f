package server

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"halley"
	"halley/server/journal"
	"halley/storage"
)

const (
	// infoEvery is how often the store is asked how large it is.
	infoEvery = 15 * time.Second
	// standEvery is how often it is looked whether the store has gone away or come back.
	standEvery = time.Second
)

// infoWatch keeps what the store last said of itself, and how much the disk has free, so that the status never waits for them.
type infoWatch struct {
	mu   sync.Mutex
	last storage.Info
	free int64
}

func (w *infoWatch) get() (info storage.Info, free int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.free
}

// describer is a store that says what it is.
type describer interface {
	Info(ctx context.Context) (storage.Info, error)
}

// look asks the store and the disk once. Where one gives no answer its last one stays.
func (w *infoWatch) look(ctx context.Context, store describer, disk func() (int64, error)) {
	info, storeErr := store.Info(ctx)
	free, diskErr := disk()
	w.mu.Lock()
	defer w.mu.Unlock()
	if storeErr == nil { // else the recorder says that the store is away
		w.last = info
	}
	if diskErr == nil {
		w.free = free
	}
}

// watchStore follows how the store stands until ctx ends.
func (s *Server) watchStore(ctx context.Context) error {
	info, stand := time.NewTicker(infoEvery), time.NewTicker(standEvery)
	defer info.Stop()
	defer stand.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-info.C:
			s.info.look(ctx, s.gate.Asking(infoPatience), s.data.Free)
		case <-stand.C:
			was := away
			away = s.gate.Standing().State == storage.Away
			if away && !was {
				s.keepRecorded() // it does not change while the store is away
			}
			if was && !away {
				s.info.look(ctx, s.gate.Asking(infoPatience), s.data.Free)
				s.maintenance.Wake()
			}
		}
	}
}

// NoteAudit notes an act that changes nothing in the store, such as a sign-in. It is durable in the journal when this returns, also
// while the store is away, and comes into the audit of the store as a sample comes into the store.
func (s *Server) NoteAudit(ctx context.Context, e halley.AuditEntry) error {
	body, err := journal.EncodeAct(e)
	if err != nil {
		return err
	}
	_, err = s.journal.Append(ctx, journal.Entry{Kind: journal.Act, Body: body})
	return err
}

// prune keeps the journal within its budget, where it has one. What it removes is recorded, and the removal is audited.
func (s *Server) prune(ctx context.Context, recorded uint64) {
	keep := s.opts.Config.Journal.KeepBytes
	if keep <= 0 || s.journal.Usage().Bytes <= keep {
		return
	}
	gone, err := s.journal.Prune(ctx, recorded, keep)
	if err != nil {
		s.opts.Log.Warn("the journal could not be kept within its budget", "err", err)
	}
	if gone.Files == 0 {
		return
	}
	s.opts.Log.Info("the oldest files of the journal were removed", "files", gone.Files, "bytes", gone.Bytes, "last_seq", gone.LastSeq)
	removed, err := json.Marshal(struct {
		Files   int    `json:"files"`
		Bytes   int64  `json:"bytes"`
		LastSeq uint64 `json:"last_seq"`
	}{gone.Files, gone.Bytes, gone.LastSeq})
	if err == nil {
		err = s.NoteAudit(ctx, halley.AuditEntry{
			Change: halley.Change{
				Actor: halley.Actor{Kind: "program", Name: "journal"}, At: halley.MillisOf(time.Now()), Why: "[journal] keep-bytes",
			},
			What: "journal.prune", On: "journal " + s.journal.ID(), New: string(removed),
		})
	}
	if err != nil {
		s.opts.Log.Error("the removal of journal files could not be audited", "last_seq", gone.LastSeq, "err", err)
	}
}

// oldestWaiting remembers the receive time of the oldest journal entry that waits, so that the journal is read for it once.
type oldestWaiting struct {
	read func(seq uint64) (halley.Millis, bool)
	mu   sync.Mutex
	seq  uint64
	at   halley.Millis
}

func (o *oldestWaiting) of(seq uint64) halley.Millis {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seq != seq {
		at, ok := o.read(seq)
		if !ok {
			return 0
		}
		o.seq, o.at = seq, at
	}
	return o.at
}

func (s *Server) receivedAt(seq uint64) (halley.Millis, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	e, err := s.journal.Entry(ctx, seq)
	return e.ReceivedAt(), err == nil
}
