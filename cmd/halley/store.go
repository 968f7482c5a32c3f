package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"path/filepath"
	"time"

	"halley"
	"halley/config"
	"halley/server/datadir"
	"halley/server/logging"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
)

// storeFile is the embedded store in the data folder.
const storeFile = "halley.db"

// openStore opens the database of record that the configuration names. A database of SQL Server may be away: its store says so
// when it is used.
func openStore(ctx context.Context, c config.Config, log *slog.Logger) (storage.Store, error) {
	if c.Store.DSN == "" {
		s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(c.Data, storeFile), Log: log})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := sqlserver.Open(ctx, sqlServerOptions(c, log))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// sqlServerOptions are what the configuration says of the connection.
func sqlServerOptions(c config.Config, log *slog.Logger) sqlserver.Options {
	return sqlserver.Options{DSN: c.Store.DSN, PasswordFile: c.Store.PasswordFile, CertificateFile: c.Store.Certificate, Log: log}
}

// opened is what an administrative command works on, beside a server that may run on the same folder.
type opened struct {
	config config.Config
	data   *datadir.Dir
	store  storage.Store
	log    *slog.Logger
}

// withStore does something with the store and closes it.
func withStore(ctx context.Context, st *settings, io streams, do func(opened) error) (err error) {
	c, err := st.load(io)
	if err != nil {
		return err
	}
	log, err := commandLog(io.err, c.Log.Level)
	if err != nil {
		return err
	}
	data, err := datadir.Open(c.Data)
	if err != nil {
		return err
	}
	c.Data = data.Path()
	if c.Store.DSN == "" {
		// Where root prepares the folder of the service, the store must be the service's.
		if err := data.MakeFile(storeFile); err != nil {
			return err
		}
	}
	store, err := openStore(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := usable(ctx, store); err != nil {
		return err
	}
	err = do(opened{config: c, data: data, store: store, log: log})
	io.trail.noteIn(ctx, store, io, err)
	return err
}

// usable asks the store for something small, so that a command whose database is away ends before it did anything.
func usable(ctx context.Context, store storage.Store) error {
	_, err := store.RegistryVersion(ctx)
	e, ok := errors.AsType[*halley.Error](err)
	if !ok || e.Kind != halley.Unavailable {
		return err
	}
	return fmt.Errorf("the database cannot be used: %s; halley config check --connect says more", e.Message)
}

// commandLog tells what a person at a terminal must know: warnings and errors, more only under "debug".
func commandLog(w io.Writer, level string) (*slog.Logger, error) {
	if level != "debug" {
		level = "warn"
	}
	l, err := logging.New(logging.Options{Level: level, Terminal: w})
	if err != nil {
		return nil, err
	}
	return l.Logger, nil
}

// change says, for the audit, that the user of this command did something.
func change(why string) halley.Change {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return halley.Change{Actor: halley.Actor{Kind: "command", Name: name}, At: halley.MillisOf(time.Now()), Why: why}
}
