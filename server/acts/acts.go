// Package acts notes what the program itself does, for the audit trail: that it started and stopped, in which version, whether the
// stop before was clean, and what had changed in its configuration since.
//
// What it needs of the start before it keeps in a file of the data folder. No secret is in it.
package acts

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"halley"
	"halley/config"
)

// FileName is the file in the data folder.
const FileName = "last-start.json"

// Options are the parts of a Run.
type Options struct {
	// File is the path of the file, Write writes it so that all of it or what was before is there after a crash.
	File  string
	Write func(content []byte) error
	// Note keeps an act for the audit trail, also while the store is away.
	Note func(ctx context.Context, e halley.AuditEntry) error
	// Node and Version are this server's, Settings its configuration.
	Node, Version string
	Settings      []config.Effective
}

// Run is one run of the program, from Start to Stop.
type Run struct {
	opts Options
	kept kept
}

// kept is the content of the file. The names are stored.
type kept struct {
	Version   string        `json:"version"`
	StartedAt halley.Millis `json:"started_at"`
	// StoppedAt is 0 while the program runs, and stays so where it did not stop by itself.
	StoppedAt halley.Millis `json:"stopped_at"`
	// Settings are by key. Of a secret a mark is kept, by which a change is seen.
	Settings map[string]string `json:"settings"`
	Marks    map[string]string `json:"marks"`
	// Salt goes into the marks.
	Salt string `json:"salt"`
}

// Start notes that the program starts and what has changed since it did so last, and keeps its configuration for the next time. An
// unreadable file counts as none.
func Start(ctx context.Context, o Options, now halley.Millis) (*Run, error) {
	last, known, err := read(o.File)
	if err != nil {
		return nil, err
	}
	r := &Run{opts: o}
	if r.kept, err = describe(o, last.Salt, now); err != nil {
		return nil, err
	}
	if err := r.note(ctx, now, started(o.Version, last, known)); err != nil {
		return nil, err
	}
	if known {
		for _, c := range r.changes(last) {
			if err := r.note(ctx, now, c); err != nil {
				return nil, err
			}
		}
	}
	if err := r.keep(); err != nil {
		return nil, err
	}
	return r, nil
}

// Stop notes that the program stops by itself.
func (r *Run) Stop(ctx context.Context, now halley.Millis) error {
	err := r.note(ctx, now, act{what: "program.stop", to: map[string]any{"version": r.opts.Version}})
	if err != nil {
		return err
	}
	r.kept.StoppedAt = now
	return r.keep()
}

// read reads the file; known is false where there is none that can be read.
func read(file string) (k kept, known bool, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept{}, false, nil
	}
	if err != nil {
		return kept{}, false, fmt.Errorf("reading what the last start was: %w", err)
	}
	known = json.Unmarshal(text, &k) == nil
	if !known {
		k = kept{}
	}
	return k, known, nil
}

// describe gives what is kept of this start.
func describe(o Options, salt string, now halley.Millis) (kept, error) {
	k := kept{Version: o.Version, StartedAt: now, Settings: map[string]string{}, Marks: map[string]string{}, Salt: salt}
	if k.Salt == "" {
		k.Salt = rand.Text()
	}
	for _, s := range o.Settings {
		if !s.Secret {
			k.Settings[s.Key] = bounded(s.Value)
			continue
		}
		mark, err := markOf(s.Value, k.Salt+s.Key)
		if err != nil {
			return kept{}, err
		}
		k.Marks[s.Key] = mark
	}
	return k, nil
}

// bounded cuts a value to what a row of the audit trail can hold.
func bounded(s string) string {
	const most = 1000
	if r := []rune(strings.ToValidUTF8(s, "?")); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// markOf gives what tells a secret from another one. It has 16 bits: of 65,536 changes one goes unseen, and whoever reads the file
// learns no more than 16 bits, at the cost of a slow hash for each guess.
func markOf(secret, salt string) (string, error) {
	const rounds, markBytes = 100_000, 2
	if secret == "" {
		return "", nil
	}
	sum, err := pbkdf2.Key(sha256.New, secret, []byte(salt), rounds, markBytes)
	if err != nil {
		return "", fmt.Errorf("marking a secret: %w", err)
	}
	return hex.EncodeToString(sum), nil
}

// act is what is noted.
type act struct {
	what     string
	from, to map[string]any
}

// started says that the program starts.
func started(version string, last kept, known bool) act {
	a := act{what: "program.start", to: map[string]any{"version": version}}
	switch {
	case !known:
		a.to["last_stop"] = "none known"
		return a
	case last.StoppedAt != 0:
		a.to["last_stop"], a.to["stopped_at"] = "clean", last.StoppedAt.String()
	default:
		a.to["last_stop"] = "not clean"
	}
	a.to["last_start"] = last.StartedAt.String()
	if last.Version != version {
		a.from = map[string]any{"version": last.Version}
	}
	return a
}

// changes gives what differs from the start before, by key.
func (r *Run) changes(last kept) []act {
	var list []act
	for _, key := range keysOf(r.kept.Settings, last.Settings) {
		was, had := last.Settings[key]
		is, has := r.kept.Settings[key]
		if was == is && had == has {
			continue
		}
		a := act{what: "config.change"}
		if had {
			a.from = map[string]any{key: was}
		}
		if has {
			a.to = map[string]any{key: is}
		}
		list = append(list, a)
	}
	for _, key := range keysOf(r.kept.Marks, last.Marks) {
		if r.kept.Marks[key] != last.Marks[key] {
			list = append(list, act{what: "config.change", to: map[string]any{key: "changed"}})
		}
	}
	return list
}

// keysOf gives the keys of both, ascending.
func keysOf(a, b map[string]string) []string {
	var keys []string
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (r *Run) note(ctx context.Context, now halley.Millis, a act) error {
	e := halley.AuditEntry{
		Change: halley.Change{Actor: halley.Actor{Kind: "program", Name: "halley"}, At: now},
		What:   a.what, On: "server " + r.opts.Node,
	}
	for _, v := range []struct {
		values map[string]any
		into   *string
	}{{a.from, &e.Old}, {a.to, &e.New}} {
		if v.values == nil {
			continue
		}
		text, err := json.Marshal(v.values)
		if err != nil {
			return fmt.Errorf("describing the act %s: %w", a.what, err)
		}
		*v.into = string(text)
	}
	if err := r.opts.Note(ctx, e); err != nil {
		return fmt.Errorf("noting the act %s: %w", a.what, err)
	}
	return nil
}

func (r *Run) keep() error {
	text, err := json.MarshalIndent(r.kept, "", "  ")
	if err == nil {
		err = r.opts.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keeping what this start was: %w", err)
	}
	return nil
}
