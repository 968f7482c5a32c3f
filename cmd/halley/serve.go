package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"halley/config"
	"halley/protocols"
	"halley/protocols/modem"
	"halley/protocols/tax6xx"
	"halley/protocols/websensor"
	"halley/protocols/wifi"
	"halley/server"
	"halley/server/logging"
	"halley/storage"
)

// families are the device families that this program speaks, in the order in which they are asked about a body.
func families() protocols.Set {
	return protocols.Set{websensor.New(), wifi.New(), tax6xx.New(), modem.New()}
}

func serveCommand() *command {
	return &command{
		name:    "serve",
		summary: "run the server in the foreground",
		about: "Prints one line, \"ready\", to standard output once all listeners accept; everything else goes to standard error.\n" +
			"SIGTERM or Ctrl-C stop it within five seconds. Without a configuration it keeps everything in ./halley-data.",
		example: "halley serve --data /srv/halley --devices 192.168.1.10:8081 --accept approve",
		prepare: func(fs *flag.FlagSet) action {
			st := addSettings(fs, everySetting)
			return func(ctx context.Context, io streams, _ []string) error {
				c, err := st.load(io)
				if err != nil {
					return err
				}
				again := func() (config.Config, error) { return st.load(io) }
				return asService(ctx, func(ctx context.Context, running func()) error {
					return serve(ctx, io, source{now: c, again: again, file: st.file}, running)
				})
			}
		},
	}
}

// garbagePercent is how far the heap may grow beyond what is in use before it is collected. It is less than Go's usual 100: with
// 10,000 devices that is some 15 MB, and the processor time of an upload does not change by as much as can be measured.
const garbagePercent = 60

// source gives the configuration: as it was at the start, and as it is when it is read again.
type source struct {
	now   config.Config
	again func() (config.Config, error)
	// file is the one that it was read from; "" for none.
	file string
}

// nextStore opens the store that the configuration names by now; nil where that is the one it named at the start.
func (s source) nextStore(ctx context.Context, log *slog.Logger) (storage.Store, error) {
	c, err := s.again()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration again: %w", err)
	}
	if c.Store == s.now.Store {
		return nil, nil //nolint:nilnil // there is no other store, which is no error
	}
	return openStore(ctx, c, log)
}

// serve runs the server until ctx ends. running is called when all listeners accept.
func serve(ctx context.Context, io streams, from source, running func()) (err error) {
	c := from.now
	if !slices.ContainsFunc(io.environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	}
	onTerminal := isTerminal(io.err)
	log, err := logging.New(logging.Options{
		Level: c.Log.Level, Terminal: io.err, Colour: onTerminal,
		File: c.Log.File, FileBytes: c.Log.FileBytes, Files: c.Log.Files,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	backups, drills := backupsOf(c, from.file, log.Logger)
	srv, err := server.New(ctx, server.Options{
		Config: c, Version: version, Families: families(), Log: log.Logger,
		OpenStore: func(ctx context.Context) (storage.Store, error) {
			return openStore(ctx, c, log.With("part", "store"))
		},
		StoreKind: storeKind(c),
		Backup:    backups, Drill: drills,
		NextStore: func(ctx context.Context) (storage.Store, error) {
			return from.nextStore(ctx, log.With("part", "store"))
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := srv.ListenDevices(ctx); err != nil {
		return err
	}
	if err := listenViewer(ctx, srv, c, log.Logger); err != nil {
		return err
	}
	if err := offerSignIn(srv, withRealPort(c, srv), log.Logger, func(text string) {
		if onTerminal {
			fmt.Fprintf(io.err, "\n  %s\n\n", text)
		}
	}); err != nil {
		return err
	}
	return runUntilDone(ctx, io, running, srv, log.Logger)
}

// storeKind gives the kind of the store that the configuration names, as the store itself says it.
func storeKind(c config.Config) string {
	if c.Store.DSN != "" {
		return "sqlserver"
	}
	return "sqlite"
}

// offerSignIn says where people sign in: while there is no account by an address that works once, which makes the first one.
func offerSignIn(srv *server.Server, c config.Config, log *slog.Logger, tell func(text string)) error {
	first := newFirstSignIn(c, srv.Data())
	if len(srv.Devices().Directory().People()) > 0 {
		tell("Sign in: " + viewerURL(c.Viewer))
		return first.Withdraw()
	}
	link, err := issueFirstSignIn(c, srv.Data())
	if err != nil {
		return err
	}
	tell("Make the first account (once, within one hour): " + link)
	log.Info("the address that makes the first account lies in a file of the data folder", "file", first.Path())
	return nil
}

// withRealPort puts the viewer's port into c where the configuration leaves the choice to the system.
func withRealPort(c config.Config, srv *server.Server) config.Config {
	for _, l := range srv.Status().Listeners {
		if l.Purpose == "viewer" && strings.HasSuffix(c.Viewer.Address, ":0") {
			c.Viewer.Address = l.Address
		}
	}
	return c
}

// runUntilDone works until ctx ends, and tells standard output and systemd when it begins and ends.
func runUntilDone(ctx context.Context, io streams, running func(), srv *server.Server, log *slog.Logger) error {
	tell := func(state string) {
		if err := notifySystemd(context.WithoutCancel(ctx), io.environ, state); err != nil {
			log.Warn("systemd was not told how the service stands", "error", err)
		}
	}
	stopTelling := context.AfterFunc(ctx, func() { tell("STOPPING=1") })
	defer stopTelling()
	err := srv.Run(ctx, func() {
		fmt.Fprintln(io.out, "ready")
		tell("READY=1")
		running()
	})
	// Being asked to stop is no failure.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// isTerminal says whether a person reads w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	// The null device is a character device too.
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
