package server

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"halley"
	"halley/server/recorder"
)

// recordedName is the file that says how far the journal was recorded. The recorder does not need it and never reads it: it asks
// the store. The file is for the status of a server that starts while the store is away.
const recordedName = "recorded.json"

// recordedEvery is how often the file is written while batches are recorded.
const recordedEvery = time.Minute

// recordedFile is that file.
type recordedFile struct {
	mu sync.Mutex
	// found is what the file held at the start, written what it holds and since when.
	found, written recordedTo
	writtenAt      time.Time
}

// recordedTo is a position in a journal.
type recordedTo struct {
	JournalID string `json:"journal_id"`
	Seq       uint64 `json:"seq"`
}

// openRecordedFile reads the file. Without it the status counts the whole journal as waiting until the store is there.
func (s *Server) openRecordedFile() {
	r := &s.remembered
	data, err := os.ReadFile(s.data.Join(recordedName))
	if err != nil {
		return
	}
	if err := json.Unmarshal(data, &r.found); err != nil {
		s.opts.Log.Warn("the file of what was recorded cannot be read", "err", err)
		r.found = recordedTo{}
	}
	r.written = r.found
}

// recordedUpTo gives how far the journal is recorded: what the recorder learned from the store or, until it could, what is
// remembered.
func (s *Server) recordedUpTo(state *recorder.State) uint64 {
	if state.Recorded == 0 && s.remembered.found.JournalID == s.journal.ID() {
		return min(s.remembered.found.Seq, s.journal.Last())
	}
	return min(max(state.Recorded, s.journal.First()-1), s.journal.Last())
}

// waiting gives how many entries of the journal are not recorded, and since when the oldest waits.
func (s *Server) waiting() (entries int64, oldest halley.Millis) {
	state := s.recorder.State()
	recorded, last := s.recordedUpTo(&state), s.journal.Last()
	if recorded >= last {
		return 0, 0
	}
	return int64(last - recorded), s.oldest.of(recorded + 1)
}

// keepRecordedNowAndThen writes the file where it was not written for some time.
func (s *Server) keepRecordedNowAndThen() {
	r := &s.remembered
	r.mu.Lock()
	due := time.Since(r.writtenAt) >= recordedEvery
	r.mu.Unlock()
	if due {
		s.keepRecorded()
	}
}

// keepRecorded writes the file where it is out of date. Nothing depends on it, so that a failure is no reason to end.
func (s *Server) keepRecorded() {
	r, state := &s.remembered, s.recorder.State()
	now := recordedTo{JournalID: s.journal.ID(), Seq: s.recordedUpTo(&state)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now == r.written || state.Recorded == 0 {
		return
	}
	r.writtenAt = time.Now()
	data, err := json.Marshal(now)
	if err == nil {
		err = s.data.WriteFilePrivate(recordedName, append(data, '\n'))
	}
	if err != nil {
		s.opts.Log.Warn("what was recorded cannot be remembered", "err", fmt.Errorf("writing %s: %w", recordedName, err))
		return
	}
	r.written = now
}
