package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"halley"
	"halley/cmd/halley/internal/fleet"
)

func simulateCommand() *command {
	return &command{
		name:    "simulate",
		summary: "be a fleet of devices that send to a server",
		about: "The devices speak the real protocols. They send again, oldest first, what was not confirmed, if their family has a\n" +
			"memory (wifi, tax6xx, modem); web sensors lose it, as real ones do. Their serial numbers are 00000001 to 00009999: a\n" +
			"store that took some says \"contains simulated data\" for ever, so do not aim this at a server in use.\n\n" +
			"At the end, or when stopped, it prints one line, such as \"sent=1003 acknowledged=1000 refused=3\"; sent counts\n" +
			"attempts. The exit code is 0 when every message was acknowledged, 1 when some were not.",
		example: "halley simulate --to http://127.0.0.1:8081 --family all --devices 40 --interval 10s --history 30d\n" +
			"halley simulate --to http://127.0.0.1:8081 --family wifi --model W7710 --devices 200 --interval 0 --messages 1 --cached 2688",
		prepare: prepareSimulate,
	}
}

// simulation is what the options of the command say.
type simulation struct {
	fleet          fleet.Options
	family         string
	model          string
	messages       int
	seed           uint64
	interval       span
	history        span
	lasting        span
	patience       span
	forever        bool
	insecure       bool
	fingerprint    string
	entryPointFile string
	planFile       string
	given          map[string]bool
}

func prepareSimulate(fs *flag.FlagSet) action {
	s := simulation{interval: span(time.Minute), patience: span(30 * time.Second)}
	o := &s.fleet
	fs.StringVar(&o.To, "to", "", "the `URL` that devices send to: http://HOST:PORT or https://HOST:PORT")
	fs.StringVar(&s.family, "family", "all", "the `FAMILY`: websensor, wifi, tax6xx, modem or all (default all)")
	fs.StringVar(&s.model, "model", "", "the `MODEL` that every device is, such as W7710 (default: all of the family in turn)")
	fs.IntVar(&o.Devices, "devices", 10, "`HOW-MANY` devices (default 10)")
	fs.IntVar(&o.First, "first", fleet.FirstSerial, "the `NUMBER` of the first, 1 to 9999 (default 1)")
	fs.Var(&s.interval, "interval", "the `TIME` between two messages of a device, such as 10s; 0 is as fast as answers come (default 1m)")
	fs.IntVar(&s.messages, "messages", 0, "`HOW-MANY` messages each device sends, besides its backlog (default: until stopped)")
	fs.IntVar(&o.Cached, "cached", 0, "`HOW-MANY` messages wait in each device at the start, in families with a memory")
	fs.Var(&s.history, "history", "the `TIME` before now from which messages wait in each device, such as 30d, in families with a memory")
	fs.Var(&s.lasting, "for", "stop after this `TIME`, such as 10m")
	fs.BoolVar(&s.forever, "forever", false, "go on until stopped, which is so without --messages too")
	fs.Uint64Var(&s.seed, "seed", 0, "the `NUMBER` that fixes values and faults (default: another each time)")
	fs.Float64Var(&o.Errors, "errors", 0, "the `SHARE` of messages with a sensor error, 0 to 1")
	fs.Float64Var(&o.Alarms, "alarms", 0, "the `SHARE` of spans of 24 messages with an alarm, 0 to 1")
	fs.Float64Var(&o.Outages, "outages", 0, "the `SHARE` of spans of 24 messages with an outage of the network, 0 to 1")
	fs.Float64Var(&o.Losses, "losses", 0, "the `SHARE` of spans of 24 messages in which messages are lost in one of several ways, 0 to 1")
	fs.StringVar(&s.planFile, "plan-file", "", "with --losses and --messages, the `FILE` that gets, as JSON, what is lost, when and why")
	fs.IntVar(&o.Concurrency, "concurrency", 0, "the most `CONNECTIONS` at one time (default 1000)")
	fs.Var(&s.patience, "patience", "with --messages, a device gives up after this `TIME` without any acknowledgement (default 30s)")
	fs.StringVar(&s.entryPointFile, "entry-point-file", "", "a `FILE` of lines \"SERIAL URL\" as halley device entry-point prints the URL")
	fs.StringVar(&s.fingerprint, "fingerprint", "", "take only the server certificate with this SHA-256 `FINGERPRINT`, whoever signed it")
	fs.BoolVar(&s.insecure, "insecure", false, "take any server certificate")
	return func(ctx context.Context, io streams, _ []string) error {
		s.given = map[string]bool{}
		fs.Visit(func(f *flag.Flag) { s.given[f.Name] = true })
		return s.run(ctx, io)
	}
}

func (s *simulation) run(ctx context.Context, io streams) error {
	if err := s.complete(); err != nil {
		return err
	}
	s.fleet.Log = slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if s.lasting > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.lasting))
		defer cancel()
	}
	s.fleet.Start = halley.MillisOf(time.Now())
	if err := s.writePlan(); err != nil {
		return err
	}
	counts, err := fleet.Run(ctx, s.fleet)
	if err != nil {
		return s.refused(err)
	}
	fmt.Fprintf(io.out, "sent=%d acknowledged=%d refused=%d\n", counts.Sent, counts.Acknowledged, counts.Refused)
	endless := s.fleet.Messages == fleet.Endless
	if counts.All() || endless && (counts.Acknowledged > 0 || counts.Sent == 0) {
		return nil
	}
	last := ""
	if counts.Trouble != "" {
		last = "; the last trouble was: " + counts.Trouble
	}
	return fmt.Errorf("%d of %d messages were not acknowledged%s", counts.Planned-counts.Acknowledged, counts.Planned, last)
}

// refused names the option that a fleet refuses.
func (*simulation) refused(err error) error {
	if wrong, ok := errors.AsType[*halley.Error](err); ok && wrong.Kind == halley.Invalid {
		return misuse("--%s: %s", wrong.Field, wrong.Message)
	}
	return err
}

// complete turns what the command line says into the options of a fleet.
func (s *simulation) complete() error {
	o := &s.fleet
	if o.To == "" {
		return misuse("--to is missing")
	}
	if o.Lines = fleet.LinesOf(s.family); o.Lines == nil {
		return misuse("--family is websensor, wifi, tax6xx, modem or all; %q is none", s.family)
	}
	if s.model != "" {
		if o.Lines = fleet.OnlyModel(o.Lines, s.model); len(o.Lines) == 0 {
			return misuse("--model names no instrument that can be simulated of the family %s: %q", s.family, s.model)
		}
	}
	o.Interval, o.History, o.Patience = time.Duration(s.interval), time.Duration(s.history), time.Duration(s.patience)
	o.Messages = s.messages
	switch {
	case s.given["messages"] && s.forever:
		return misuse("--messages and --forever contradict one another")
	case s.messages < 0:
		return misuse("--messages is 0 or more")
	case !s.given["messages"]:
		// Who runs until stopped waits for a server, however long it is away.
		o.Messages, o.Patience = fleet.Endless, 0
	}
	if s.planFile != "" && (o.Messages == fleet.Endless || o.Interval == 0) {
		return misuse("--plan-file needs --messages and an --interval above 0")
	}
	o.Seed = s.seed
	if !s.given["seed"] {
		o.Seed = rand.Uint64()
	}
	var err error
	if o.TLS, err = s.trust(); err != nil {
		return err
	}
	o.EntryPoints, err = readEntryPoints(s.entryPointFile)
	return err
}

// trust gives the TLS settings; nil for the usual ones.
func (s *simulation) trust() (*tls.Config, error) {
	switch {
	case s.fingerprint != "" && s.insecure:
		return nil, misuse("--fingerprint and --insecure contradict one another")
	case s.fingerprint != "":
		return trustFingerprint(s.fingerprint)
	case s.insecure:
		return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, nil //nolint:gosec // a person asked for it by --insecure
	}
	return nil, nil
}

// span is an option that is a time: "90s", "10m", "24h", "30d", or a bare number of seconds.
type span time.Duration

// String gives the time as package time writes it.
func (s *span) String() string { return time.Duration(*s).String() }

// Set reads the option.
func (s *span) Set(text string) error {
	unit := time.Duration(0)
	number := text
	if days, ok := strings.CutSuffix(text, "d"); ok {
		unit, number = 24*time.Hour, days
	} else if _, err := strconv.ParseFloat(text, 64); err == nil {
		unit = time.Second
	}
	if unit == 0 {
		d, err := time.ParseDuration(text)
		if err == nil && d >= 0 {
			*s = span(d)
			return nil
		}
	} else if n, err := strconv.ParseFloat(number, 64); err == nil && n >= 0 && n*unit.Seconds() < 1e9 {
		*s = span(n * float64(unit))
		return nil
	}
	return errors.New("write a time such as 90s, 10m, 24h or 30d")
}
