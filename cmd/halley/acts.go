package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halley"
	"halley/config"
	"halley/server/datadir"
	"halley/storage"
)

// noteWithin bounds how long a command waits at its end for the audit trail.
const noteWithin = 15 * time.Second

// trail is what the audit trail is to know of a command that runs. A command that reads the configuration to work with a data folder
// or a database leaves a row; withStore writes it where the store is open anyway, else the end of the command does.
type trail struct {
	path      string
	options   map[string]string
	arguments []string
	// config is the configuration that the command loaded; nil where it loaded none.
	config *config.Config
	noted  bool
}

// shownOptions are options whose values are no secret and say what a command did. Of others only the name is noted.
var shownOptions = []string{
	"out", "from", "to", "before", "place", "device", "name", "family", "role", "expires", "state", "reason", "why", "plan",
	"anchor", "restart", "write-config", "organization", "path", "time-zone",
}

// newTrail begins the trail of a command.
func newTrail(path string, fs *flag.FlagSet, arguments []string) *trail {
	t := &trail{path: path, options: map[string]string{}}
	fs.Visit(func(f *flag.Flag) {
		value := "given"
		if v := f.Value.String(); v != "" && slices.Contains(shownOptions, f.Name) {
			value = harmless(v)
		}
		t.options[f.Name] = value
	})
	for _, a := range arguments {
		t.arguments = append(t.arguments, harmless(a))
	}
	return t
}

// harmless gives a value for the audit trail. An address may hold a password, and is left out.
func harmless(s string) string {
	const most = 300
	if strings.Contains(s, "://") {
		return "an address"
	}
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// loaded keeps the configuration that a command works with.
func (t *trail) loaded(c config.Config) {
	if t != nil {
		t.config = &c
	}
}

// quiet says that the command changes nothing and reads nothing out, although it loads a configuration.
func (t *trail) quiet() bool {
	if t == nil || t.config == nil || t.noted {
		return true
	}
	for _, o := range []string{"dry-run", "print-script"} {
		if _, given := t.options[o]; given {
			return true
		}
	}
	for _, p := range []string{"halley serve", "halley config", "halley service"} {
		if t.path == p || strings.HasPrefix(t.path, p+" ") {
			return true
		}
	}
	return false
}

// entry describes the command with its outcome.
func (t *trail) entry(outcome error) (halley.AuditEntry, error) {
	what := struct {
		Outcome   string            `json:"outcome"`
		Options   map[string]string `json:"options,omitempty"`
		Arguments []string          `json:"arguments,omitempty"`
		Version   string            `json:"version"`
	}{"done", t.options, t.arguments, version}
	if outcome != nil {
		what.Outcome = "failed"
	}
	text, err := json.Marshal(what)
	if err != nil {
		return halley.AuditEntry{}, fmt.Errorf("describing the command: %w", err)
	}
	return halley.AuditEntry{Change: change(""), What: "command.run", On: t.path, New: string(text)}, nil
}

// noteIn notes the command in an open store. What keeps it from that is told and does not change the outcome.
func (t *trail) noteIn(ctx context.Context, store storage.Registry, io streams, outcome error) {
	if t.quiet() {
		return
	}
	t.noted = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	e, err := t.entry(outcome)
	if err == nil {
		err = store.NoteAudit(ctx, e)
	}
	if err != nil {
		notNoted(io, err)
	}
}

// note notes a command that did not do so itself. Where there is no store, there is nothing to note it in.
func (t *trail) note(ctx context.Context, io streams, outcome error) {
	if t.quiet() {
		return
	}
	c := *t.config
	if c.Store.DSN == "" {
		if _, err := os.Stat(filepath.Join(c.Data, storeFile)); err != nil {
			return
		}
		data, err := datadir.Open(c.Data)
		if err != nil {
			notNoted(io, err)
			return
		}
		c.Data = data.Path()
	}
	log, err := commandLog(io.err, c.Log.Level)
	if err != nil {
		notNoted(io, err)
		return
	}
	opening, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	store, err := openStore(opening, c, log)
	if err != nil {
		notNoted(io, err)
		return
	}
	unused := false
	if c.Store.DSN != "" {
		unused, err = isUnused(opening, store)
	}
	switch {
	case err != nil:
		notNoted(io, err)
	case !unused:
		t.noteIn(ctx, store, io, outcome)
	}
	if err := store.Close(); err != nil {
		notNoted(io, err)
	}
}

// isUnused says that nothing was ever recorded or decided in a database. Its history begins with the first server or person that uses
// it, or is the one that halley migrate brings along, which has room for no row of another.
func isUnused(ctx context.Context, store storage.Store) (bool, error) {
	batches, err := store.LedgerBatches(ctx, 0, 1)
	if err != nil || len(batches) > 0 {
		return false, err
	}
	facts, err := store.LedgerFacts(ctx, 0, 1)
	return len(facts) == 0, err
}

// notNoted tells that the audit trail does not know of the command.
func notNoted(io streams, err error) {
	fmt.Fprintf(io.err, "warning: the audit trail could not be told of this command: %v\n", err)
}
