package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"halley"
	"halley/config"
	"halley/server/backup"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
)

// backupEngine gives the store that the configuration names, as backups see it.
func backupEngine(c config.Config, log *slog.Logger) backup.Engine {
	if c.Store.DSN == "" {
		return &embeddedBackup{data: c.Data, log: log}
	}
	keeper := sqlServerOptions(c, log)
	if c.Backup.SQLServerDSN != "" {
		keeper.DSN, keeper.PasswordFile = c.Backup.SQLServerDSN, c.Backup.SQLServerPasswordFile
	}
	return &sqlServerBackup{
		service: sqlServerOptions(c, log), keeper: keeper, folder: c.Backup.SQLServerFolder, here: c.Backup.SQLServerFolderHere,
	}
}

// embeddedBackup is the embedded store.
type embeddedBackup struct {
	data string
	log  *slog.Logger
}

// Kind is that of storage.Info.
func (e *embeddedBackup) Kind() string { return "sqlite" }

// Room is the size of the file with its log.
func (e *embeddedBackup) Room(context.Context) (n int64) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(filepath.Join(e.data, storeFile) + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

// Copy copies the file and asks the copy how far it goes.
func (e *embeddedBackup) Copy(ctx context.Context, o backup.CopyOptions) (backup.StoreCopy, error) {
	c := backup.StoreCopy{Path: filepath.Join(o.Scratch, storeFile)}
	done, err := sqlite.Copy(ctx, filepath.Join(e.data, storeFile), c.Path)
	if err != nil {
		return backup.StoreCopy{}, err
	}
	c.At = done.At
	store, err := sqlite.Open(ctx, sqlite.Options{Path: c.Path, Log: e.log})
	if err != nil {
		return backup.StoreCopy{}, err
	}
	c.Info, c.Heads, err = backup.Describe(ctx, store, e.Kind(), o.JournalID)
	if err = errors.Join(err, store.Close()); err != nil {
		return backup.StoreCopy{}, err
	}
	if log, err := os.Stat(c.Path + "-wal"); err == nil && log.Size() > 0 {
		return backup.StoreCopy{}, fmt.Errorf("the copy of the store keeps its log beside it")
	}
	return c, nil
}

// Land puts the store where the server expects it.
func (e *embeddedBackup) Land(_ context.Context, o backup.LandOptions) (backup.Landing, error) {
	return &embeddedLanding{path: filepath.Join(o.Data, storeFile), log: e.log}, nil
}

type embeddedLanding struct {
	path string
	log  *slog.Logger
}

// Path is the store's file.
func (l *embeddedLanding) Path() string { return l.path }

// Open checks the file and opens it.
func (l *embeddedLanding) Open(ctx context.Context) (storage.Store, error) {
	if err := sqlite.QuickCheck(ctx, l.path); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Path: l.path, Log: l.log})
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Keep removes the copy that a change of the schema left: the backup is one.
func (l *embeddedLanding) Keep(context.Context) error {
	copies, err := filepath.Glob(l.path + ".schema*.backup")
	for _, c := range copies {
		err = errors.Join(err, os.Remove(c))
	}
	return err
}

// Discard leaves it to the folder around it.
func (l *embeddedLanding) Discard(context.Context) error { return nil }

// sqlServerBackup is a database of SQL Server. folder is where it writes, here the same folder as this process sees it.
type sqlServerBackup struct {
	service, keeper sqlserver.Options
	folder, here    string
}

// Kind is that of storage.Info.
func (e *sqlServerBackup) Kind() string { return "sqlserver" }

// Room is nothing: SQL Server writes into a folder of its own.
func (e *sqlServerBackup) Room(context.Context) int64 { return 0 }

// there joins a name to the folder as the machine of SQL Server does, which may be of another kind than this one.
func (e *sqlServerBackup) there(name string) string {
	separator := "/"
	if strings.Contains(e.folder, `\`) {
		separator = `\`
	}
	return strings.TrimRight(e.folder, separator) + separator + name
}

func (e *sqlServerBackup) configured() error {
	if e.folder != "" && e.here != "" {
		return nil
	}
	return &halley.Error{
		Kind: halley.Invalid, Op: "back up the database", Field: "backup.sqlserver-folder", Code: "no-folder",
		Message: "name a folder that SQL Server and this server both reach: [backup] sqlserver-folder as SQL Server sees it, sqlserver-folder-here as this server does",
	}
}

// Copy has SQL Server write its backup. How far it goes is asked before, so that it holds that at least.
func (e *sqlServerBackup) Copy(ctx context.Context, o backup.CopyOptions) (backup.StoreCopy, error) {
	if err := e.configured(); err != nil {
		return backup.StoreCopy{}, err
	}
	store, err := sqlserver.Open(ctx, e.service)
	if err != nil {
		return backup.StoreCopy{}, err
	}
	at := change("").At
	info, heads, err := backup.Describe(ctx, store, e.Kind(), o.JournalID)
	if err = errors.Join(err, store.Close()); err != nil {
		return backup.StoreCopy{}, err
	}
	name := o.Name + ".bak"
	c := backup.StoreCopy{Path: filepath.Join(e.here, name), At: at, Info: info, Heads: heads}
	c.Remove = func() error { return removeIfThere(c.Path) }
	if err := sqlserver.BackupDatabase(ctx, e.keeper, e.there(name)); err != nil {
		return backup.StoreCopy{}, errors.Join(err, c.Remove())
	}
	if f, err := os.Open(c.Path); err != nil {
		return backup.StoreCopy{}, &halley.Error{
			Kind: halley.Unavailable, Op: "back up the database", Code: "folder-differs", Err: err,
			Message: "SQL Server wrote its backup to " + e.there(name) + ", and this server cannot read " + c.Path +
				": see that both are one folder and that this account may read there. The file there is not encrypted: remove it",
		}
	} else if err := f.Close(); err != nil {
		return backup.StoreCopy{}, errors.Join(err, c.Remove())
	}
	return c, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the backup that SQL Server wrote, which is not encrypted: %w", err)
	}
	return nil
}

// Land chooses the database: for a trial one that is dropped again, else the one of the address, which must not be there yet.
func (e *sqlServerBackup) Land(_ context.Context, o backup.LandOptions) (backup.Landing, error) {
	if err := e.configured(); err != nil {
		return nil, err
	}
	checked, err := sqlserver.Check(e.service)
	if err != nil {
		return nil, err
	}
	l := &sqlServerLanding{engine: e, file: o.Name + "-" + strings.ToLower(rand.Text()[:8]) + ".bak", database: checked.Database}
	if o.Trial {
		l.trial, l.database = true, sqlserver.ScratchPrefix+strings.ToLower(rand.Text()[:12])
	}
	return l, nil
}

type sqlServerLanding struct {
	engine         *sqlServerBackup
	file, database string
	trial, made    bool
}

// Path is the file from which SQL Server restores.
func (l *sqlServerLanding) Path() string { return filepath.Join(l.engine.here, l.file) }

// Open has SQL Server restore the file into the database.
func (l *sqlServerLanding) Open(ctx context.Context) (storage.Store, error) {
	// The account of SQL Server is another one than this.
	if err := os.Chmod(l.Path(), 0o644); err != nil { //nolint:gosec // see above; the file is removed right after
		return nil, fmt.Errorf("letting SQL Server read its backup: %w", err)
	}
	err := sqlserver.RestoreDatabase(ctx, l.engine.keeper, sqlserver.Restore{File: l.engine.there(l.file), Database: l.database})
	if err != nil {
		return nil, err
	}
	l.made = true
	at, err := l.engine.keeper.OnDatabase(l.database)
	if err != nil {
		return nil, err
	}
	store, err := sqlserver.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Keep removes the file.
func (l *sqlServerLanding) Keep(context.Context) error { return removeIfThere(l.Path()) }

// Discard removes the file, and the database of a trial. One that was restored to stay is never dropped by this program.
func (l *sqlServerLanding) Discard(ctx context.Context) error {
	err := removeIfThere(l.Path())
	switch {
	case l.trial:
		return errors.Join(err, sqlserver.DropScratch(ctx, l.engine.keeper, l.database))
	case l.made:
		return errors.Join(err, fmt.Errorf("the database %s was restored and stays: drop it before you try again", l.database))
	}
	return err
}
