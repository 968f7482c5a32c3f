package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"halley/config"
	"halley/server/datadir"
	"halley/storage/sqlserver"
)

func initCommand() *command {
	return &command{
		name:    "init",
		summary: "prepare the data folder and the store, without starting the server",
		about: "Makes the data folder for this account alone and brings the store to the schema of this version. What is there\n" +
			"already stays; run again, it changes nothing. For the embedded store halley serve does the same; a database of\n" +
			"SQL Server is made and changed by this command only, with the login of its owner, which the server does not use.\n\n" +
			"The role halley_reader, for Excel, Power BI and Grafana, sees the samples of every place.",
		example: "halley init --store 'sqlserver://halley_owner@db.example.net?database=halley' --data /var/lib/halley --dry-run",
		prepare: prepareInit,
	}
}

// initOptions are the options of halley init beside the settings.
type initOptions struct {
	write  string
	dry    bool
	ledger bool
	script scriptFlag
}

// scriptFlag is --print-script, alone or with the name of a part.
type scriptFlag string

// String gives the part, "" for none.
func (f *scriptFlag) String() string { return string(*f) }

// Set takes the part; the option alone means all.
func (f *scriptFlag) Set(value string) error {
	if value == "true" {
		value = "all"
	}
	if !slices.Contains(sqlserver.ScriptParts(), value) {
		return fmt.Errorf("--print-script is one of %s", strings.Join(sqlserver.ScriptParts(), ", "))
	}
	*f = scriptFlag(value)
	return nil
}

// IsBoolFlag lets the option stand alone.
func (f *scriptFlag) IsBoolFlag() bool { return true }

func prepareInit(flags *flag.FlagSet) action {
	st := addSettings(flags, []string{"data", "store"})
	var o initOptions
	flags.StringVar(&o.write, "write-config", "", "also write a documented configuration to `FILE`, unless it is there")
	flags.BoolVar(&o.dry, "dry-run", false, "SQL Server: say what would be done and change nothing")
	flags.BoolVar(&o.ledger, "ledger-tables", false, "SQL Server 2022 and newer: also keep the digests in an append-only ledger table, which "+
		"cannot be taken back")
	flags.Var(&o.script, "print-script", "SQL Server: print the T-SQL that an administrator can run instead; with =owner, =service, "+
		"=keeper or =reader only what that login needs, with =ledger what --ledger-tables does")
	return func(ctx context.Context, io streams, _ []string) error {
		c, err := st.load(io)
		if err != nil {
			return err
		}
		switch {
		case c.Store.DSN != "" && o.script != "":
			return printScript(io, c, string(o.script))
		case c.Store.DSN != "":
			return initSQLServer(ctx, io, c, o)
		case o.script != "" || o.dry || o.ledger:
			return misuse("--print-script, --dry-run and --ledger-tables are for SQL Server: name the database with --store")
		}
		return initEmbedded(ctx, st, io, o)
	}
}

// initEmbedded prepares the data folder with the embedded store in it.
func initEmbedded(ctx context.Context, st *settings, io streams, o initOptions) error {
	return withStore(ctx, st, io, func(opened opened) error {
		info, err := opened.store.Info(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(io.out, "data folder: %s\nstore: %s, schema %d\n", opened.data.Path(), info.Kind, info.Schema)
		return writeConfig(io, o.write)
	})
}

func printScript(io streams, c config.Config, part string) error {
	text, err := sqlserver.Script(sqlServerOptions(c, nil), part)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(io.out, text)
	return err
}

// initSQLServer prepares a database of SQL Server, and the data folder.
func initSQLServer(ctx context.Context, io streams, c config.Config, o initOptions) error {
	log, err := commandLog(io.err, c.Log.Level)
	if err != nil {
		return err
	}
	report, err := sqlserver.Init(ctx, sqlServerOptions(c, log), sqlserver.InitOptions{DryRun: o.dry, LedgerTables: o.ledger})
	if err != nil {
		return err
	}
	for _, w := range report.Warnings {
		fmt.Fprintln(io.err, "warning: "+w)
	}
	if o.dry {
		tellReport(io, report, "would ")
		return nil
	}
	data, err := datadir.Open(c.Data)
	if err != nil {
		return err
	}
	fmt.Fprintf(io.out, "data folder: %s\nstore: sqlserver, schema %d\n", data.Path(), report.Schema)
	tellReport(io, report, "")
	return writeConfig(io, o.write)
}

// tellReport says what was done to a database, or would be.
func tellReport(io streams, r sqlserver.InitReport, would string) {
	if r.Engine != "" {
		fmt.Fprintf(io.out, "database: %s on %s\n", r.Database, r.Engine)
	}
	for _, done := range r.Done {
		fmt.Fprintln(io.out, would+done)
	}
	if len(r.Done) == 0 {
		fmt.Fprintln(io.out, "nothing was to be done")
	}
	for _, advice := range r.Advice {
		fmt.Fprintln(io.out, "note: "+advice)
	}
}

// writeConfig writes the documented configuration, where a file is named.
func writeConfig(io streams, file string) error {
	if file == "" {
		return nil
	}
	made, err := writeNew(file, config.Documented(), 0o640)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.out, "configuration: %s, %s\n", file, map[bool]string{true: "written", false: "was there"}[made])
	return err
}

// writeNew writes a file that is not there yet, and says whether it did.
func writeNew(name, text string, mode fs.FileMode) (made bool, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(text)
	return true, errors.Join(err, f.Close())
}
