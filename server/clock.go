package server

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/server/acts"
	"halley/server/clock"
)

const (
	// steppedFor is how long a step of the clock is told.
	steppedFor = halley.Hour
	// silentSourceAfter is how long the time source may be silent before that is told.
	silentSourceAfter = halley.Hour
	// noteWithin bounds the notes of a start and a stop.
	noteWithin = 2 * time.Second
)

// prepareClock builds what watches the clock and, where that is configured, what gives the time to sensors. An address that cannot be
// opened keeps nothing else from working: it is a finding.
func (s *Server) prepareClock(ctx context.Context) error {
	c := s.opts.Config.Clock
	s.clock = clock.New(clock.Options{
		Node: s.opts.Config.Node, Source: c.NTP, WarnAt: c.WarnAt.Duration, Note: s.NoteAudit, Log: s.opts.Log.With("part", "clock"),
	})
	if c.Serve == "" {
		return nil
	}
	conn, err := clock.Listen(ctx, c.Serve)
	if err != nil {
		s.noTime = fmt.Sprintf("Sensors get no time from this server: %s cannot be opened. See that no other time service uses it and that this account may, then start the server again.", c.Serve)
		s.opts.Log.Error("the time service cannot be opened", "address", c.Serve, "err", err)
		return nil
	}
	s.timeService = clock.Serve(conn, s.clock)
	return nil
}

// watchClock watches the clock, and gives the time, until ctx ends.
func (s *Server) watchClock(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.clock.Run(ctx) })
	if s.timeService != nil {
		g.Go(func() error { return s.timeService.Run(ctx) })
	}
	return g.Wait()
}

// TimeService gives the address at which sensors may ask for the time; "" for none.
func (s *Server) TimeService() string {
	if s.timeService == nil {
		return ""
	}
	return s.timeService.Address()
}

// clockFindings says in words what is wrong with the clock.
func (s *Server) clockFindings(st *Status) []Finding {
	var list []Finding
	add := func(code, format string, args ...any) {
		list = append(list, Finding{Code: code, Severity: Degraded, Text: fmt.Sprintf(format, args...)})
	}
	c := &st.Clock
	withheld := orElse(s.timeService != nil && c.Withheld(), " Until then sensors get no time from here.")
	if c.State == clock.Wrong {
		add("clock-wrong", "The clock of this machine is %s the time source %s. Set it right, or have the operating system follow a time source.%s",
			offsetWords(c.Offset), quoted(c.Source), withheld)
	}
	if c.SteppedAt != 0 && st.At-c.SteppedAt < steppedFor {
		add("clock-step", "The clock of this machine jumped by %s on %s, or the machine was suspended. Nothing that is stored was changed; times that this server gave since follow the new clock.%s",
			c.StepBy.Round(time.Millisecond), words(c.SteppedAt), orElse(c.State == clock.Stepped, withheld))
	}
	if c.Problem != "" && st.At-max(c.CheckedAt, st.StartedAt) >= silentSourceAfter {
		add("clock-source-silent", "The time source %s gives no time since %s: the clock of this machine is not checked. Look at the source and at [clock] ntp.",
			quoted(c.Source), words(max(c.CheckedAt, st.StartedAt)))
	}
	if s.noTime != "" {
		add("clock-not-served", "%s", s.noTime)
	}
	return list
}

// offsetWords says how far a clock is off.
func offsetWords(d time.Duration) string {
	if d < 0 {
		return (-d).Round(time.Millisecond).String() + " behind"
	}
	return d.Round(time.Millisecond).String() + " ahead of"
}

// ClockWords says how the clock stands, for a document.
func (s *Server) ClockWords() string {
	c := s.clock.Standing()
	at := c.CheckedAt.String()
	switch {
	case c.Source == "":
		return "The clock of this server is checked against no time source; jumps are noticed."
	case c.CheckedAt == 0:
		return fmt.Sprintf("The clock of this server could not be checked against %s yet.", quoted(c.Source))
	case c.State == clock.OK:
		return fmt.Sprintf("The clock of this server was %s %s on %s, which is within %s.", offsetWords(c.Offset), quoted(c.Source), at, s.opts.Config.Clock.WarnAt)
	}
	return fmt.Sprintf("The clock of this server is not known to be right now (%s); it was %s %s on %s.", c.State, offsetWords(c.Offset), quoted(c.Source), at)
}

// noteStart notes for the audit trail that the program starts, and what changed in its configuration.
func (s *Server) noteStart(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	var err error
	s.run, err = acts.Start(ctx, acts.Options{
		File:     s.data.Join(acts.FileName),
		Write:    func(b []byte) error { return s.data.WriteFilePrivate(acts.FileName, b) },
		Note:     s.NoteAudit,
		Node:     s.opts.Config.Node,
		Version:  s.opts.Version,
		Settings: s.opts.Config.Settings(),
	}, halley.MillisOf(time.Now()))
	if err != nil {
		s.opts.Log.Error("the start could not be audited", "err", err)
	}
}

// noteStop notes that the program stops by itself.
func (s *Server) noteStop(ctx context.Context) {
	if s.run == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	if err := s.run.Stop(ctx, halley.MillisOf(time.Now())); err != nil {
		s.opts.Log.Error("the stop could not be audited", "err", err)
	}
}
