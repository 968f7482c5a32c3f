package sqlkit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// readiness remembers whether the database behind the present connections can be used.
type readiness struct {
	schema atomic.Int64
	mu     sync.Mutex
	// sure says that the database was ready at generation.
	sure       bool
	generation int64
	// asking is closed when the answer that somebody waits for is there.
	asking chan struct{}
	answer error
}

// generation gives the number of the newest connection; 0 always for an engine that has one database only.
func (s *Store) generation() int64 {
	if s.dialect.Generation == nil {
		return 0
	}
	return s.dialect.Generation()
}

// makeReady gives nil where the database can be used. Where that is not known, one caller asks and all others wait for the
// answer, so that they do not all wait in turn for a database that is away.
func (s *Store) makeReady(ctx context.Context) error {
	if s.dialect.Ready == nil {
		return nil
	}
	r := &s.ready
	for {
		r.mu.Lock()
		if r.sure && r.generation == s.generation() {
			r.mu.Unlock()
			return nil
		}
		asking := r.asking
		if asking == nil {
			r.asking = make(chan struct{})
			r.mu.Unlock()
			return s.askReady(ctx)
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-asking:
		}
		r.mu.Lock()
		err := r.answer
		r.mu.Unlock()
		// An answer that failed because its own caller gave up says nothing.
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// askReady asks the dialect until no connection was made meanwhile, at most three times: the first answer makes one itself.
func (s *Store) askReady(ctx context.Context) error {
	var schema int
	var err error
	generation := s.generation()
	for range 3 {
		if schema, err = s.dialect.Ready(ctx, s.reader); err != nil {
			break
		}
		before := generation
		if generation = s.generation(); generation == before {
			break
		}
	}
	r := &s.ready
	r.mu.Lock()
	r.sure, r.answer, r.generation = err == nil, err, generation
	close(r.asking)
	r.asking = nil
	r.mu.Unlock()
	if err != nil {
		return err
	}
	r.schema.Store(int64(schema))
	s.measureOnce(ctx)
	return nil
}
