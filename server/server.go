// Package server assembles the parts of Halley and runs them: what a device sends goes through intake into the journal, the
// recorder moves it into the store, and the live values and the viewer read what is there.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/config"
	"halley/protocols"
	"halley/server/acts"
	"halley/server/alive"
	"halley/server/backup"
	"halley/server/clock"
	"halley/server/datadir"
	"halley/server/decoded"
	"halley/server/intake"
	"halley/server/journal"
	"halley/server/ledger"
	"halley/server/live"
	"halley/server/maintenance"
	"halley/server/pki"
	"halley/server/quarantine"
	"halley/server/reach"
	"halley/server/recorder"
	"halley/server/registry"
	"halley/server/release"
	"halley/server/sessions"
	"halley/storage"
)

// Options say what to run.
type Options struct {
	Config  config.Config
	Version string
	// Families are the device families that are understood.
	Families protocols.Set
	// OpenStore opens the database of record that Config names. It does not fail because that is away. StoreKind is its
	// storage.Info's Kind.
	OpenStore func(ctx context.Context) (storage.Store, error)
	StoreKind string
	// NextStore opens the database that the configuration names by now, once the content of the present one has moved out of it;
	// nil where it still names the present one. Nil for a server whose store never moves.
	NextStore func(ctx context.Context) (storage.Store, error)
	// Backup makes a backup at all places that Config names, Drill restores the newest for trial. Nil where Config names no place.
	Backup func(ctx context.Context) []backup.Result
	Drill  func(ctx context.Context) backup.DrillResult
	Log    *slog.Logger
}

// Server is the running whole. New makes it, Listen opens its addresses, Run works until its context ends, Close releases all.
type Server struct {
	opts      Options
	startedAt time.Time
	data      *datadir.Dir
	gate      *reach.Gate
	// store is the database for those that people wait for.
	store       *reach.Store
	journal     *journal.Journal
	life        *alive.Life
	held        *quarantine.Store
	devices     *registry.Registry
	sessions    *sessions.Store
	maintenance *maintenance.Maintenance
	backups     *backup.Scheduler
	live        *live.Live
	ring        *decoded.Ring
	intake      *intake.Intake
	recorder    *recorder.Recorder
	memory      *journal.Memory
	keys        *ledger.Keys
	proof       *ledger.Ledger
	releaser    *release.Releaser
	room        *room
	info        infoWatch
	oldest      oldestWaiting
	remembered  recordedFile
	listeners   []*listener
	// liveLacks says that the newest values are not all known, for the store could not be asked for them at the start.
	liveLacks bool
	// identities are the certificates in use, by the file they come from.
	identities map[string]*pki.Identity
	// clock watches the clock; timeService gives the time to sensors, nil for none; noTime says why it cannot.
	clock       *clock.Watch
	timeService *clock.Service
	noTime      string
	// run is this run of the program, once its start is audited.
	run   *acts.Run
	fatal chan error
	// apart receives after uploads went into quarantine.
	apart chan struct{}
	// further are the parts that were added from outside.
	further []Further
}

// New opens the data folder, the store and the journal, and builds the parts. Nothing is listened to yet.
func New(ctx context.Context, opts Options) (*Server, error) {
	s := &Server{opts: opts, startedAt: time.Now(), live: live.New(), ring: &decoded.Ring{}, identities: map[string]*pki.Identity{}, fatal: make(chan error, 1), apart: make(chan struct{}, 1)}
	s.oldest.read = s.receivedAt
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"opening the data folder", s.openData},
		{"opening the store", s.openStore},
		{"opening the journal", s.openJournal},
		{"reading when this server was there last", s.openLife},
		{"opening the quarantine", s.openQuarantine},
		{"opening what proves that nothing was changed", s.openProof},
		{"preparing the recorder", s.prepareRecorder},
		{"loading the devices", s.openRegistry},
		{"preparing the release of uploads", s.prepareReleaser},
		{"loading the sessions", s.openSessions},
		{"preparing the maintenance", s.prepareMaintenance},
		{"preparing the backups", s.prepareBackups},
		{"loading the newest values", s.restoreLive},
		{"preparing intake", s.prepareIntake},
		{"preparing the clock", s.prepareClock},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

func (s *Server) openData(context.Context) error {
	d, err := datadir.Open(s.opts.Config.Data)
	if err != nil {
		return err
	}
	s.data = d
	s.room = newRoom(d.Free, s.opts.Config.Journal.ReserveBytes)
	return d.Lock()
}

func (s *Server) openStore(ctx context.Context) error {
	store, err := s.opts.OpenStore(ctx)
	if err != nil {
		return err
	}
	s.gate = reach.New(store, s.recorderStanding, func() { s.recorder.Hurry() })
	s.store = s.gate.Within(viewerPatience)
	s.info.look(ctx, s.gate.Asking(infoPatience), s.data.Free)
	return nil
}

func (s *Server) openJournal(ctx context.Context) (err error) {
	s.journal, err = journal.Open(ctx, journal.Options{
		Dir:        s.data.Path(),
		FileBytes:  s.opts.Config.Journal.FileBytes,
		Dictionary: dictionary(s.opts.Families),
		Log:        s.opts.Log.With("part", "journal"),
		Fail:       s.fail,
	})
	if err == nil {
		s.openRecordedFile()
	}
	return err
}

// fail ends the program: after a failed sync nothing that is written can be trusted.
func (s *Server) fail(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

func (s *Server) openQuarantine(ctx context.Context) (err error) {
	q := s.opts.Config.Quarantine
	s.held, err = quarantine.Open(ctx, filepath.Join(s.data.Path(), "quarantine.db"),
		quarantine.Budget{Devices: q.Devices, DeviceBytes: q.DeviceBytes, Bytes: q.Bytes})
	return err
}

func (s *Server) openRegistry(ctx context.Context) (err error) {
	s.devices, err = registry.Open(ctx, registry.Options{
		Source: registrySource{Store: s.gate.Asking(registryPatience), version: s.gate.Probing(versionPatience)},
		File:   s.data.Join("registry.json"),
		Write: func(_ string, content func(io.Writer) error) error {
			return s.data.StreamFilePrivate("registry.json", content)
		},
		Log: s.opts.Log.With("part", "registry"),
	})
	return err
}

func (s *Server) openSessions(context.Context) error {
	s.sessions = sessions.Open(sessions.Options{
		File:   s.data.Join("sessions.json"),
		Write:  func(content func(io.Writer) error) error { return s.data.StreamFilePrivate("sessions.json", content) },
		Remote: s.gate.Within(sessionPatience),
		Log:    s.opts.Log.With("part", "sessions"),
	})
	return nil
}

func (s *Server) prepareRecorder(context.Context) error {
	c := s.opts.Config.Recorder
	s.recorder = recorder.New(recorder.Options{
		Node:       s.opts.Config.Node,
		Journal:    s.journal,
		Store:      s.gate.Asking(0),
		Quarantine: s.held,
		Families:   s.opts.Families,
		Decoded:    s.ring.Take,
		Every:      c.Every.Duration,
		Samples:    c.Samples,
		Recorded:   s.recorded,
		Memory:     s.memory,
		SetBack:    s.setBack,
		Log:        s.opts.Log.With("part", "recorder"),
	})
	return nil
}

func (s *Server) prepareReleaser(context.Context) error {
	s.releaser = &release.Releaser{
		Devices: s.devices, Journal: s.journal, Quarantine: s.held, Log: s.opts.Log.With("part", "quarantine"),
		Deliver: s.released,
	}
	return nil
}

func (s *Server) prepareMaintenance(context.Context) error {
	s.maintenance = maintenance.New(maintenance.Options{
		Node:      s.opts.Config.Node,
		Version:   s.opts.Version,
		JournalID: s.journal.ID,
		Waiting:   s.waiting,
		Family: func(id halley.DeviceID) (halley.Family, bool) {
			d, ok := s.devices.DeviceByID(id)
			return d.Family, ok
		},
		Uploads: s.journal.Waiting,
		Busy:    s.recorderBusy,
		Store:   s.gate.Within(maintenancePatience),
		Log:     s.opts.Log.With("part", "maintenance"),
	})
	return nil
}

func (s *Server) prepareIntake(context.Context) error {
	c := s.opts.Config.Devices
	s.intake = intake.New(intake.Options{
		Families:          s.opts.Families,
		Devices:           s.devices,
		Journal:           s.life,
		Quarantine:        s.held,
		Policy:            intake.Policy(c.Accept),
		BodyBytes:         c.BodyBytes,
		ArrayBodyBytes:    c.ArrayBodyBytes,
		ClockAhead:        c.ClockAhead.Duration,
		MessagesPerMinute: c.MessagesPerMinute,
		RoomForUnknown:    s.room.forUnknown,
		Deliver:           s.deliver,
		Log:               s.opts.Log.With("part", "intake"),
	})
	return nil
}

// Run works until ctx ends or the journal fails, and then stops within five seconds. ready is called when all listeners
// accept.
func (s *Server) Run(ctx context.Context, ready func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		s.devices.Run, s.recorder.Run, s.sessions.Run, s.maintenance.Run, s.settle, s.watchStore, s.completeLive, s.awaitFatal,
		s.goOver, s.proof.Run, s.life.Run, s.watchClock, s.backups.Run,
	} {
		g.Go(func() error { return part(ctx) })
	}
	for _, f := range s.further {
		if f.Run != nil {
			g.Go(func() error { return f.Run(ctx) })
		}
	}
	for _, l := range s.listeners {
		g.Go(func() error { return l.serve() })
	}
	stopBegan := make(chan time.Time, 1)
	g.Go(func() error {
		<-ctx.Done()
		stopBegan <- time.Now()
		s.intake.StopTaking()
		return s.stopListening(context.WithoutCancel(ctx))
	})
	s.life.Started(ctx)
	s.noteStart(ctx)
	ready()
	err := g.Wait()
	// What open requests took of the time is not there for the recorder.
	left := max(drainWithin-time.Since(<-stopBegan), shortestDrain)
	after, end := context.WithTimeout(context.WithoutCancel(ctx), left)
	defer end()
	s.noteStop(after)
	s.life.Stopped(after)
	s.recorder.Drain(after)
	s.proof.Stop(after)
	s.keepRecorded()
	return err
}

// awaitFatal ends the program where the journal cannot be written any more.
func (s *Server) awaitFatal(ctx context.Context) error {
	select {
	case err := <-s.fatal:
		return fmt.Errorf("the journal cannot be written safely any more: %w", err)
	case <-ctx.Done():
		return nil
	}
}

// settle releases what the acceptance of devices settles, whenever devices change, and tells those who watch.
func (s *Server) settle(ctx context.Context) error {
	changed := s.devices.Watch()
	for {
		if err := s.releaser.Settle(ctx); err != nil && ctx.Err() == nil {
			s.opts.Log.Warn("uploads stay in quarantine for now", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			s.live.DevicesChanged()
		case <-s.apart:
		}
	}
}

// Close releases everything that New opened. It may be called on a Server that New could not finish.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.close())
	}
	if s.timeService != nil {
		errs = append(errs, s.timeService.Close())
	}
	if s.journal != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		errs = append(errs, s.journal.Close(ctx))
	}
	if s.held != nil {
		errs = append(errs, s.held.Close())
	}
	if s.gate != nil {
		closed, err := s.gate.Close(closeWithin)
		if !closed {
			s.opts.Log.Warn("the store does not answer and was not waited for; what it did not confirm is recorded at the next start")
		}
		errs = append(errs, err)
	}
	if s.data != nil {
		errs = append(errs, s.data.Unlock())
	}
	return errors.Join(errs...)
}

// ListenViewer opens the address for people and programs, behind which handler answers.
func (s *Server) ListenViewer(ctx context.Context, handler http.Handler) error {
	c := s.opts.Config.Viewer
	l, err := s.listen(ctx, listenOptions{purpose: "viewer", address: c.Address, handler: handler, plainOnLoopback: c.PlainOnLoopback})
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, l)
	return nil
}

// Store gives the database of record. Its calls end within seconds, and fail at once with reach.CodeAway while it is known to be
// away; reading still works while it is full or can only be read.
func (s *Server) Store() storage.Store { return s.store }

// Sessions gives the sessions of browsers, which do not need the store.
func (s *Server) Sessions() *sessions.Store { return s.sessions }

// Data gives the data folder.
func (s *Server) Data() *datadir.Dir { return s.data }

// Devices gives this server's own copy of what is known of devices.
func (s *Server) Devices() *registry.Registry { return s.devices }

// Live gives the newest messages.
func (s *Server) Live() *live.Live { return s.live }

// Flush waits until everything is recorded that is in the journal now, and gives the position and the journal's end.
func (s *Server) Flush(ctx context.Context) (recorded, last uint64, err error) {
	recorded, err = s.recorder.Flush(ctx)
	return recorded, s.journal.Last(), err
}
