package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"halley"
	"halley/storage"
)

// infoEvery is how often the store is asked how large it is.
const infoEvery = 15 * time.Second

// infoWatch keeps what the store last said of itself, so that the status never waits for it.
type infoWatch struct {
	mu   sync.Mutex
	last storage.Info
}

func (w *infoWatch) get() storage.Info {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// look asks the store once; a store that is away keeps its last answer.
func (w *infoWatch) look(ctx context.Context, store storage.Store) {
	info, err := store.Info(ctx)
	if err != nil {
		return // the recorder says that the store is away
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = info
}

func (s *Server) watchStore(ctx context.Context) error {
	t := time.NewTicker(infoEvery)
	defer t.Stop()
	for {
		s.info.look(ctx, s.store)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
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
	err = s.store.NoteAudit(ctx, halley.AuditEntry{
		Change: halley.Change{
			Actor: halley.Actor{Kind: "program", Name: "journal"}, At: halley.MillisOf(time.Now()), Why: "[journal] keep-bytes",
		},
		What: "journal.prune", On: "journal " + s.journal.ID(),
		New: fmt.Sprintf(`{"files":%d,"bytes":%d,"last_seq":%d}`, gone.Files, gone.Bytes, gone.LastSeq),
	})
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
