package server

import (
	"context"
	"time"

	"halley/server/reach"
)

// How long the store is waited for, by those who wait. A store that hangs must not hang what asks it.
const (
	// viewerPatience is for one call on behalf of a person; a statement takes a second at most.
	viewerPatience = 5 * time.Second
	// versionPatience is for the question that is asked every second and shows whether the store is there; registryPatience for
	// reading all devices.
	versionPatience  = 5 * time.Second
	registryPatience = time.Minute
	// sessionPatience is short: sessions that began here do not need the store.
	sessionPatience     = time.Second
	maintenancePatience = 5 * time.Second
	infoPatience        = time.Second
	// livePatience is for reading the newest message of every device.
	livePatience = 15 * time.Second
)

// How the five seconds of a stop are shared: open requests have stopWithin, the recorder has until drainWithin since the stop began,
// but at least shortestDrain; then the store has closeWithin.
const (
	drainWithin   = 3 * time.Second
	shortestDrain = 750 * time.Millisecond
	closeWithin   = 750 * time.Millisecond
)

// registrySource reads the registry, and gives up sooner on the question whether anything changed.
type registrySource struct {
	*reach.Store
	version *reach.Store
}

// RegistryVersion is storage.Registry's.
func (r registrySource) RegistryVersion(ctx context.Context) (int64, error) {
	return r.version.RegistryVersion(ctx)
}

// recorderStanding says how the recorder finds the store.
func (s *Server) recorderStanding() reach.Standing {
	r := s.recorder.State()
	return reach.Standing{State: r.Store, Since: r.Since, Problem: r.Problem, Code: r.Code}
}

// recorderBusy says that the recorder has a batch's worth to record, before which other work has to stand back.
func (s *Server) recorderBusy() bool {
	waiting, _ := s.waiting()
	return waiting >= int64(max(s.opts.Config.Recorder.Samples/samplesPerEntry, 1))
}

// samplesPerEntry is what an entry of the journal is taken to hold.
const samplesPerEntry = 4
