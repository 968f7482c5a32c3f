package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"halley/cmd/halley/internal/transfer"
	"halley/config"
	"halley/server/datadir"
	"halley/storage/sqlite"
	"halley/storage/sqlserver"
)

// transferFile keeps how far a move has come, in the data folder.
const transferFile = "migrate.json"

func migrateCommand() *command {
	return &command{
		name:    "migrate",
		summary: "move everything from the embedded store to SQL Server",
		about: "Copies the embedded store into an empty database that halley init has made ready, compares every row of both, and\n" +
			"then closes the embedded store. The server goes on all the while: devices are confirmed, and at the end what they send\n" +
			"waits in the journal. Broken off, it goes on where it was when it is run again. Before it ends, write the database\n" +
			"into [store] dsn of the server's configuration: a server whose configuration names it goes over by itself, another\n" +
			"one after its next start.",
		example: "halley migrate --from sqlite --to sqlserver --config /etc/halley/halley.toml",
		prepare: prepareMigrate,
	}
}

func prepareMigrate(flags *flag.FlagSet) action {
	st := addSettings(flags, []string{"data", "store"})
	from := flags.String("from", "sqlite", "the store to move: `sqlite`")
	to := flags.String("to", "sqlserver", "where it goes: `sqlserver`, the database of --store or [store] dsn")
	restart := flags.Bool("restart", false, "forget how far an earlier run came")
	return func(ctx context.Context, io streams, _ []string) error {
		if *from != "sqlite" || *to != "sqlserver" {
			return misuse("only --from sqlite --to sqlserver can be done")
		}
		c, err := st.load(io)
		if err != nil {
			return err
		}
		if c.Store.DSN == "" {
			return misuse("name the database: --store sqlserver://..., HALLEY_STORE or [store] dsn in the configuration")
		}
		return migrate(ctx, io, c, *restart)
	}
}

// migrate moves the embedded store of a data folder into the database that the configuration names.
func migrate(ctx context.Context, s streams, c config.Config, restart bool) (err error) {
	log, err := commandLog(s.err, c.Log.Level)
	if err != nil {
		return err
	}
	data, err := datadir.Open(c.Data)
	if err != nil {
		return err
	}
	file := filepath.Join(data.Path(), storeFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is no embedded store to move: %w", err)
	}
	source, err := sqlite.Open(ctx, sqlite.Options{Path: file, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	defer func() { noteFailedMove(ctx, s, source, err) }()
	options := sqlServerOptions(c, log)
	checked, err := sqlserver.Check(options)
	if err != nil {
		return err
	}
	target, err := sqlserver.Open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := usable(ctx, target); err != nil {
		return err
	}
	bar := newBar(s.err)
	name := fmt.Sprintf("the database %s on %s", checked.Database, checked.Address)
	report, err := transfer.Run(ctx, transfer.Options{
		Source: source, Target: target, Tables: sqlite.TransferTables(), TargetName: name,
		Load: func() ([]byte, error) { return loadTransfer(data, restart) },
		Save: func(b []byte) error { return data.WriteFilePrivate(transferFile, b) },
		Tell: bar.tell,
	})
	bar.end()
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("broken off; run it again to go on where it was: %w", err)
		}
		return err
	}
	if err := os.Remove(filepath.Join(data.Path(), transferFile)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "moved to %s: %d messages and %d other rows, the same in both\ndigest of all rows: %x\n"+
		"The embedded store takes nothing more. A server whose configuration names the database goes over to it within seconds;\n"+
		"another one after this and a restart:\n\n[store]\ndsn = %q\n", name, report.Messages, report.Rows, report.Digest,
		shownDSN(checked))
	return err
}

// noteFailedMove notes a move that failed in the embedded store, which goes on: a row of its own would keep the new database from
// taking over the rest. What is done is noted in the new database, as everything from then on.
func noteFailedMove(ctx context.Context, s streams, source *sqlite.Store, outcome error) {
	if outcome == nil {
		return
	}
	if elsewhere, err := source.MovedTo(context.WithoutCancel(ctx)); err == nil && elsewhere == "" {
		s.trail.noteIn(ctx, source, s, outcome)
	}
}

// shownDSN is a DSN without what is secret.
func shownDSN(c sqlserver.Checked) string {
	return "sqlserver://" + c.Address + "?database=" + c.Database
}

// loadTransfer reads how far an earlier run came; nil for none.
func loadTransfer(data *datadir.Dir, restart bool) ([]byte, error) {
	if restart {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(data.Path(), transferFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// bar shows progress: a line that is written over on a terminal, else a line now and then.
type bar struct {
	w        io.Writer
	terminal bool
	step     string
	began    time.Time
	told     time.Time
	from     int64
	open     bool
}

func newBar(w io.Writer) *bar { return &bar{w: w, terminal: isTerminal(w)} }

const (
	barWidth = 30
	// tellEvery is how often a line is written where nobody looks at a terminal.
	tellEvery = 10 * time.Second
	drawEvery = 200 * time.Millisecond
)

// tell shows a step forward.
func (b *bar) tell(p transfer.Progress) {
	now := time.Now()
	if p.Step != b.step {
		b.end()
		b.step, b.began, b.told, b.from = p.Step, now, time.Time{}, p.Done
	}
	every := tellEvery
	if b.terminal {
		every = drawEvery
	}
	if now.Sub(b.told) < every && (p.Total == 0 || p.Done < p.Total) {
		return
	}
	b.told = now
	line := barLine(p, now.Sub(b.began), b.from)
	if !b.terminal {
		fmt.Fprintln(b.w, line)
		return
	}
	b.open = true
	fmt.Fprintf(b.w, "\r\x1b[K%s", line)
}

// end leaves the line that is written over.
func (b *bar) end() {
	if b.open {
		fmt.Fprintln(b.w)
	}
	b.open = false
}

// barLine draws a step that took so long since it had done from.
func barLine(p transfer.Progress, took time.Duration, from int64) string {
	if p.Total <= 0 {
		if p.Done == 0 {
			return p.Step
		}
		return fmt.Sprintf("%s: %d", p.Step, p.Done)
	}
	done := min(p.Done, p.Total)
	full := int(done * barWidth / p.Total)
	line := fmt.Sprintf("%s [%s%s] %3d %%  %d of %d", p.Step, strings.Repeat("#", full), strings.Repeat("-", barWidth-full),
		done*100/p.Total, done, p.Total)
	if moved := done - from; moved > 0 && done < p.Total && took > time.Second {
		left := time.Duration(float64(took) / float64(moved) * float64(p.Total-done))
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	return line
}
