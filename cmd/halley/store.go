package main

import (
	"context"
	"errors"
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
)

// storeFile is the embedded store in the data folder.
const storeFile = "halley.db"

// openStore opens the database of record that the configuration names.
func openStore(ctx context.Context, data string, log *slog.Logger) (storage.Store, error) {
	s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(data, storeFile), Log: log})
	if err != nil {
		return nil, err
	}
	return s, nil
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
	// Where root prepares the folder of the service, the store must be the service's.
	if err := data.MakeFile(storeFile); err != nil {
		return err
	}
	store, err := openStore(ctx, data.Path(), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return do(opened{config: c, data: data, store: store, log: log})
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
