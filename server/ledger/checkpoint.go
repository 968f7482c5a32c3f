package ledger

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"halley"
	form "halley/storage/ledger"
)

// The kinds of checkpoint.
const (
	kindStart = "start"
	kindHour  = "hour"
	kindDay   = "day"
	kindStop  = "stop"
)

const (
	// soonAgain and seldomAgain bound the wait after a checkpoint that could not be made.
	soonAgain   = 5 * time.Second
	seldomAgain = time.Minute
)

// checkpoints makes checkpoints until ctx ends: at the start, every so often, and for each UTC day. While the store is away none is
// due more than once.
func (l *Ledger) checkpoints(ctx context.Context) {
	kind, day, failures := kindStart, form.DayOf(now()), 0
	for {
		if today := form.DayOf(now()); kind == kindHour && today != day {
			kind = kindDay // the store was away, or this machine slept
		}
		var wait time.Duration
		if err := l.checkpoint(ctx, kind); err != nil {
			l.complain(ctx, failures, err)
			wait = retry(failures, soonAgain, seldomAgain)
			failures++
		} else {
			var at time.Time
			day, failures = form.DayOf(now()), 0
			at, kind = l.due(time.Now())
			wait = time.Until(at)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-l.soon:
			t.Stop()
			if kind == kindDay {
				kind = kindHour // before its time
			}
		}
	}
}

// complain logs the first of some failures in a row.
func (l *Ledger) complain(ctx context.Context, failures int, err error) {
	if ctx.Err() != nil || failures > 0 {
		return
	}
	level := slog.LevelWarn
	if halley.KindOf(err) == halley.Unavailable {
		level = slog.LevelDebug // the recorder says that the database is away
	}
	l.opts.Log.Log(ctx, level, "no checkpoint could be made; it is tried again", "err", err)
}

// due gives when the next checkpoint is due after an instant, and its kind.
func (l *Ledger) due(after time.Time) (time.Time, string) {
	after = after.UTC()
	every := l.opts.Config.CheckpointEvery.Duration
	next, day := after.Truncate(every).Add(every), after.Truncate(24*time.Hour).Add(24*time.Hour)
	if !next.Before(day) {
		return day, kindDay
	}
	return next, kindHour
}

// Stop makes the checkpoint of a stop, after Run has ended and the recorder has recorded what it could.
func (l *Ledger) Stop(ctx context.Context) {
	if err := l.checkpoint(ctx, kindStop); err != nil {
		l.opts.Log.Info("no checkpoint was made at the stop; the next start makes one", "err", err)
	}
	l.results.flush(ctx)
}

// checkpoint signs how far the chains have come, unless nothing changed since the newest checkpoint of this day.
func (l *Ledger) checkpoint(ctx context.Context, kind string) error {
	if err := l.register(ctx); err != nil {
		return err
	}
	heads, err := l.opts.Store.LedgerHeads(ctx)
	if err != nil {
		return fmt.Errorf("reading the ends of the chains: %w", err)
	}
	before, found, err := l.opts.Store.NewestCheckpoint(ctx, l.opts.Node)
	if err != nil {
		return fmt.Errorf("reading the newest checkpoint: %w", err)
	}
	if kind == kindStart {
		// What was sent and told before the start must be known first.
		if err := l.results.look(ctx); err != nil {
			return err
		}
		if err := l.compareCopy(ctx, before, found); err != nil {
			return err
		}
	}
	s := form.Statement{Node: l.opts.Node, At: now(), Kind: kind, Heads: heads}
	if found {
		if (kind == kindHour || kind == kindStop) && unchanged(&before, &s) {
			return nil
		}
		s.Previous = before.BodySum()
	}
	c, err := l.opts.Keys.Sign(s)
	if err != nil {
		return err
	}
	if c.ID, err = l.opts.Store.AddCheckpoint(ctx, c); err != nil {
		return fmt.Errorf("adding a checkpoint: %w", err)
	}
	if err := l.opts.Write(CopyName(l.opts.Node), c.Text()); err != nil {
		l.opts.Log.Warn("the copy of the newest checkpoint in the data folder could not be written", "err", err)
	}
	l.mu.Lock()
	l.newest = c
	l.mu.Unlock()
	for _, p := range l.places {
		p.offer(c)
	}
	return nil
}

// unchanged says that a checkpoint of this UTC day says the same as s would.
func unchanged(before *form.Checkpoint, s *form.Statement) bool {
	was, err := before.Statement()
	return err == nil && form.DayOf(was.At) == form.DayOf(s.At) && reflect.DeepEqual(sorted(was.Heads), sorted(s.Heads))
}

func sorted(h form.Heads) form.Heads {
	h.Batches = slices.SortedFunc(slices.Values(h.Batches), func(a, b form.Head) int { return bytes.Compare([]byte(a.Node), []byte(b.Node)) })
	return h
}

// register makes the store know this node's key.
func (l *Ledger) register(ctx context.Context) error {
	known, err := l.opts.Store.LedgerKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading the public keys: %w", err)
	}
	own := l.opts.Keys.Public()
	if !slices.ContainsFunc(known, func(k form.Key) bool { return k.ID == own.ID && k.Node == own.Node }) {
		why := "the first signing key of this server"
		if l.opts.Keys.Lost() || slices.ContainsFunc(known, func(k form.Key) bool { return k.Node == own.Node }) {
			why = "a new signing key, for the former one was not in the keys folder"
			l.opts.Log.Warn("this server signs with a new key, for the former one was not in the keys folder; what that signed can still be checked",
				"key", own.ID)
		}
		if err := l.opts.Store.AddLedgerKey(ctx, own, by(why)); err != nil {
			return fmt.Errorf("adding the public key: %w", err)
		}
	}
	return nil
}

// compareCopy holds the newest checkpoint in the store against the copy beside it. Where the store lacks what was copied, the copy
// is kept under another name, and it is told that the store is older than it was.
func (l *Ledger) compareCopy(ctx context.Context, newest form.Checkpoint, found bool) error {
	c, there := l.copied()
	// A crash may come between the store and the copy.
	if !there || found && (newest.At > c.At || bytes.Equal(newest.Body, c.Body)) {
		return nil
	}
	kept := fmt.Sprintf("checkpoint-%s-%s.txt", l.opts.Node, c.At.Time().Format(fileLayout))
	if err := os.Rename(l.copyPath(), filepath.Join(l.opts.Folder, kept)); err != nil {
		l.opts.Log.Warn("the copy of a checkpoint that the database lacks could not be kept", "err", err)
	}
	l.mu.Lock()
	told := l.setBack
	l.mu.Unlock()
	if !told {
		to := halley.Millis(0)
		if found {
			to = newest.At
		}
		return l.SetBack(ctx, "store", fmt.Sprintf(
			"This server's database was set back to an earlier time, or is another one: the checkpoint that this server signed at %s is not in it. The checkpoint is kept as %s in the data folder.",
			words(c.At), kept), to)
	}
	return nil
}

// fileLayout writes an instant for the name of a file.
const fileLayout = "20060102T150405.000Z"

// words gives an instant for a sentence.
func words(at halley.Millis) string { return at.Time().Format("2006-01-02 15:04 UTC") }
