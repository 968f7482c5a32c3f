package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/cmd/halley/internal/transfer"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// target is a store that takes rows one by one.
type target struct {
	*sqlite.Store
	db *sql.DB
	// fail gives an error instead of taking these rows; nil for none.
	fail func(t storage.TransferTable) error
	rows int
}

func (g *target) ImportRows(ctx context.Context, t storage.TransferTable, rows [][]any, mark bool) (int64, error) {
	if g.fail != nil {
		if err := g.fail(t); err != nil {
			return 0, err
		}
	}
	tx, err := g.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	added := int64(0)
	same := make([]string, t.Key)
	for i := range same {
		same[i] = fmt.Sprintf("%s = ?%d", t.Columns[i], i+1)
	}
	marks := make([]string, len(t.Columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("?%d", i+1)
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO "`+t.Name+`" (`+strings.Join(t.Columns, ", ")+`) SELECT `+
		strings.Join(marks, ", ")+` WHERE NOT EXISTS (SELECT 1 FROM "`+t.Name+`" WHERE `+strings.Join(same, " AND ")+`)`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = insert.Close() }()
	for _, row := range rows {
		r, err := insert.ExecContext(ctx, row...)
		if err != nil {
			return 0, fmt.Errorf("inserting into %s: %w", t.Name, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += n
		if !mark {
			continue
		}
		for level, span := range []halley.Millis{halley.Hour, halley.Day, 32 * halley.Day} {
			at, _ := row[1].(int64)
			if _, err := tx.ExecContext(ctx, "INSERT INTO rollup_mark VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
				row[0], level+1, at/int64(span)); err != nil {
				return 0, err
			}
		}
	}
	g.rows += len(rows)
	return added, tx.Commit()
}

func openAt(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newTarget(t *testing.T) *target {
	t.Helper()
	path := filepath.Join(t.TempDir(), "target.db")
	s := openAt(t, path)
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return &target{Store: s, db: db}
}

// site is a store that goes on growing while it is moved.
type site struct {
	store *sqlite.Store
	feed  *storagetest.Feed
	cold  *storagetest.Device
	warm  *storagetest.Device
	hour  int
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		store: openAt(t, filepath.Join(t.TempDir(), "source.db")),
		cold:  storagetest.WiFi("11000001", 2), warm: storagetest.WiFi("11000002", 11),
	}
	s.feed = storagetest.NewFeed(s.store)
	s.feed.Append(t, storagetest.WiFi("11000003", 1).Upload(0, storagetest.WiFi("11000003", 1).Message(storagetest.Start, 1)))
	for range 8 {
		s.grow(t)
	}
	return s
}

// grow records one hour of both devices, a late message of one, and a repeat.
func (s *site) grow(t *testing.T) {
	t.Helper()
	at := storagetest.Start + halley.Millis(s.hour)*halley.Hour
	s.hour++
	var cold, warm []halley.Message
	for minute := range halley.Millis(60) {
		cold = append(cold, s.cold.Message(at+minute*halley.Minute, float64(s.hour)))
		warm = append(warm, s.warm.Message(at+minute*halley.Minute, float64(minute)))
	}
	late := s.cold.Message(at-3*halley.Hour+30*halley.Second, 99)
	s.feed.Append(t, s.cold.Upload(0, cold...), s.warm.Upload(0, warm...), s.cold.Upload(0, late), s.cold.Upload(0, late))
}

func options(s *site, g *target, file string) transfer.Options {
	return transfer.Options{
		Source: s.store, Target: g, Tables: sqlite.TransferTables(), TargetName: "the database test",
		Load: func() ([]byte, error) {
			b, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil
			}
			return b, err
		},
		Save: func(b []byte) error { return os.WriteFile(file, b, 0o600) },
		Tell: func(transfer.Progress) {},
	}
}

// same holds what both stores say of every device against each other.
func same(t *testing.T, source, moved storage.Store) {
	t.Helper()
	for range 100 {
		lease, held, err := moved.TakeLease(t.Context(), "maintenance", "test", time.Minute)
		if err != nil || !held {
			t.Fatal(held, err)
		}
		left, err := moved.RollUp(t.Context(), lease, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
	}
	want, err := source.Devices(t.Context(), storage.DeviceFilter{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := moved.Devices(t.Context(), storage.DeviceFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("devices (-source +moved):\n%s", diff)
	}
	for _, d := range want {
		for _, c := range storagetest.ChannelsOf(t, source, d.Serial) {
			if diff := cmp.Diff(storagetest.SamplesOf(t, source, c.ID), storagetest.SamplesOf(t, moved, c.ID)); diff != "" {
				t.Errorf("samples of channel %d (-source +moved):\n%s", c.ID, diff)
			}
			for _, width := range []halley.Millis{10 * halley.Minute, halley.Hour, halley.Day} {
				q := storage.BucketQuery{Channel: c.ID, From: halley.EarliestMillis, To: halley.LatestMillis, Width: width}
				ours, err := source.Buckets(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := moved.Buckets(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(ours, theirs); diff != "" {
					t.Errorf("buckets of %v of channel %d (-source +moved):\n%s", width, c.ID, diff)
				}
			}
		}
	}
	position, err := moved.Position(t.Context(), storagetest.Journal)
	if err != nil {
		t.Fatal(err)
	}
	if before, err := source.Position(t.Context(), storagetest.Journal); err != nil || before != position {
		t.Errorf("the position is %v, want %v (%v)", position, before, err)
	}
}

func TestAStoreThatGrowsMeanwhileMovesWhole(t *testing.T) {
	t.Parallel()
	s, g := newSite(t), newTarget(t)
	o := options(s, g, filepath.Join(t.TempDir(), "migrate.json"))
	grown := map[string]bool{}
	o.Tell = func(p transfer.Progress) {
		// Once while it copies messages, once while it compares them.
		if !grown[p.Step] && (p.Step == "copying messages" || p.Step == "comparing messages") {
			grown[p.Step] = true
			s.grow(t)
		}
	}
	report, err := transfer.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(grown) != 2 {
		t.Fatalf("the store grew at %v, want two steps", grown)
	}
	if want := int64(1 + 10*121); report.Messages != want {
		t.Errorf("%d messages were compared, want %d", report.Messages, want)
	}
	same(t, s.store, g.Store)
	_, err = s.store.Append(t.Context(), s.feed.Batch())
	if e, ok := errors.AsType[*halley.Error](err); !ok || e.Code != storage.CodeMoved || e.Kind != halley.Unavailable {
		t.Errorf("Append to the store that moved = %v, want it refused with the code %q", err, storage.CodeMoved)
	}
	if _, err := transfer.Run(t.Context(), o); halley.KindOf(err) != halley.Conflict || !strings.Contains(err.Error(), "the database test already") {
		t.Errorf("a second run = %v, want a Conflict that says where the content is", err)
	}
	// A recorder goes on in the new store where it was.
	s.feed.Seq--
	s.feed.Store = g.Store
	s.grow(t)
}

func TestARunThatWasBrokenOffGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tables := len(sqlite.TransferTables())
	for at := 1; ; at += tables / 5 {
		g, file := newTarget(t), filepath.Join(t.TempDir(), "migrate.json")
		o, calls := options(s, g, file), 0
		g.fail = func(storage.TransferTable) error {
			calls++
			if calls == at {
				return errors.New("the database went away")
			}
			return nil
		}
		_, err := transfer.Run(t.Context(), o)
		if err == nil {
			if at < tables/2 {
				t.Fatalf("the run ended well, want it broken off at write %d", at)
			}
			same(t, s.store, g.Store)
			return
		}
		s.grow(t)
		g.fail = nil
		// It does not move out in this round, so that the next one can begin again.
		stop := errors.New("enough")
		o.Tell = func(p transfer.Progress) {}
		o.Source = stopping{s.store, stop}
		if _, err := transfer.Run(t.Context(), o); !errors.Is(err, stop) {
			t.Fatalf("the run that goes on after write %d: %v", at, err)
		}
		same(t, s.store, g.Store)
	}
}

// stopping does everything but close the store.
type stopping struct {
	*sqlite.Store
	why error
}

func (s stopping) MoveOut(ctx context.Context, target string, do func(context.Context) error) error {
	err := s.Store.MoveOut(ctx, target, func(ctx context.Context) error {
		if err := do(ctx); err != nil {
			return err
		}
		return s.why
	})
	return err
}

func TestARowThatArrivesOtherwiseStopsTheMove(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"comparing messages", "comparing devices, places and what else is known"} {
		t.Run(strings.Fields(step)[1], func(t *testing.T) {
			t.Parallel()
			s, g := newSite(t), newTarget(t)
			o := options(s, g, filepath.Join(t.TempDir(), "migrate.json"))
			changed := false
			o.Tell = func(p transfer.Progress) {
				if changed {
					return
				}
				text := "DROP TRIGGER device_no_update; UPDATE device SET first_seen_at = first_seen_at + 1 WHERE device_id = 2"
				if strings.Contains(step, "messages") {
					if p.Step != "copying messages" {
						return
					}
					text = "DROP TRIGGER message_no_update; UPDATE message SET v1 = v1 + 1 WHERE device_id = 2 AND measured_at = " +
						strconv.FormatInt(int64(storagetest.Start), 10)
				} else if p.Step != step {
					return
				}
				changed = true
				if _, err := g.db.ExecContext(t.Context(), text); err != nil {
					t.Error(err)
				}
			}
			_, err := transfer.Run(t.Context(), o)
			if e, ok := errors.AsType[*halley.Error](err); !ok || e.Code != "row-differs" || !strings.Contains(e.Message, "device_id 2") {
				t.Fatalf("Run = %v, want an error that names the row of device 2", err)
			}
			s.grow(t) // the source goes on
		})
	}
}

func TestADatabaseInUseIsRefused(t *testing.T) {
	t.Parallel()
	s, g := newSite(t), newTarget(t)
	other := storagetest.NewFeed(g.Store)
	other.Append(t, storagetest.WiFi("12000001", 1).Upload(0, storagetest.WiFi("12000001", 1).Message(storagetest.Start, 1)))
	_, err := transfer.Run(t.Context(), options(s, g, filepath.Join(t.TempDir(), "migrate.json")))
	if halley.KindOf(err) != halley.Conflict || g.rows != 0 {
		t.Fatalf("Run = %v after %d rows, want a Conflict and none", err, g.rows)
	}
}
