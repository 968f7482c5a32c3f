package main

import (
	"context"
	"database/sql"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSQLServerAwayAtTheStart starts the server twice while its database cannot be reached: devices, people and programs are
// served from the node's own copy, and everything is in the database once when it is back.
func TestSQLServerAwayAtTheStart(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]passage{"refused": cut, "swallowed": held} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, onEngine(t), "north").ready(t)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			board := newBoard("")
			// Half of the devices are known before, the others come while the database is away.
			senders := calm(newSenders(8, board))
			known := atWork(ctx, senders[:4])
			p, a := s.begin(ctx, t)
			board.set(p.devices)
			until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 40 })
			board.set("")
			a.flush(ctx, t)
			olga := &member{name: "olga"}
			olga.joins(ctx, t, p, a)
			p.stop(t)

			s.gate.set(how)
			p, a = s.serve(t)
			board.set(p.devices)
			strangers := atWork(ctx, senders[4:])
			s.goesOnWithout(ctx, t, a, olga.signedIn(ctx, t, p))
			board.set("")
			p.kill()
			p, a = s.serve(t)
			board.set(p.devices)
			s.goesOnWithout(ctx, t, a, olga.signedIn(ctx, t, p))
			before := a.status(ctx, t)
			if before.Journal.Recorded >= before.Journal.Last {
				t.Errorf("nothing waits while the database is away: %+v", before.Journal)
			}

			s.gate.set(open)
			untilState(ctx, t, a, "ok")
			caughtUp(ctx, t, a)
			known.rest(t)
			strangers.rest(t)
			a.flush(ctx, t)
			p.stop(t)
			o := s.account(t, senders)
			if o.refused != 0 {
				t.Errorf("%d messages were refused because of the database", o.refused)
			}
			t.Logf("%v", o)
		})
	}
}

// goesOnWithout looks at a server whose database is away and whose devices send, as a program and as a person who signed in meanwhile.
func (s *site) goesOnWithout(ctx context.Context, t *testing.T, a, person *api) {
	t.Helper()
	first := untilState(ctx, t, a, "away")
	if first.Store.Since == nil || first.Store.Problem == "" || !first.says("store-away", "degraded") {
		t.Errorf("the status does not say since when and why the database is away: %+v", first)
	}
	until(ctx, t, a, "further messages", func(s standing) bool { return s.Journal.Last > first.Journal.Last+40 })
	// The token is from before.
	var devices struct{ Devices []struct{ Serial string } }
	a.isServed(ctx, t, "/devices", &devices)
	if len(devices.Devices) == 0 {
		t.Error("the node has no copy of the devices")
	}
	var latest struct{ Values []struct{ Value *float64 } }
	a.isServed(ctx, t, "/latest", &latest)
	person.isServed(ctx, t, "/me", nil)
	person.isServed(ctx, t, "/latest", &latest)
	person.isServed(ctx, t, "/status", nil)
	if again := a.promptly(ctx, t); again.Store.State == "away" && !again.Store.Since.Equal(*first.Store.Since) {
		t.Errorf("the database is away since %v, and a moment later since %v", first.Store.Since, again.Store.Since)
	}
}

// TestSQLServerAwayUnderLoad takes the database away in several ways while devices send: no device notices, and every message is
// in it once.
func TestSQLServerAwayUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, a := s.begin(ctx, t)
	senders := calm(newSenders(8, newBoard(p.devices)))
	crowd := atWork(ctx, senders)
	until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 40 })
	for _, how := range []passage{cut, held, cut} {
		s.gate.set(how)
		away := untilState(ctx, t, a, "away")
		until(ctx, t, a, "further messages", func(s standing) bool { return s.Journal.Last > away.Journal.Last+100 })
		s.gate.set(open)
		untilState(ctx, t, a, "ok")
		caughtUp(ctx, t, a)
	}
	// So short that it may not be noticed: what was on its way is repeated or not, but never twice in the database.
	for range 10 {
		before := a.status(ctx, t)
		s.gate.set(cut)
		s.gate.set(open)
		until(ctx, t, a, "the next batch", func(s standing) bool { return s.Journal.Recorded > before.Journal.Recorded })
	}
	crowd.rest(t)
	a.flush(ctx, t)
	if now := untilState(ctx, t, a, "ok"); now.Store.Problem != "" {
		t.Errorf("when the database is back the status is %+v", now.Store)
	}
	p.stop(t)
	o := s.account(t, senders)
	if o.refused != 0 {
		t.Errorf("%d messages were refused because of the database", o.refused)
	}
	t.Logf("%v", o)
}

// TestSQLServerWithoutTheRightToInsert serves with a login that may only read: nothing is lost, and the status says what to do.
func TestSQLServerWithoutTheRightToInsert(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reader := s.engine.login(t, s.database)
	if _, err := openSQLServer(t, s.database).ExecContext(ctx, "GRANT SELECT ON SCHEMA::halley TO ["+reader.User.Username()+"]"); err != nil {
		t.Fatal(err)
	}
	s.standsBeforeTheStore(ctx, t, via(reader, s.gate.address()), "right|halley_service")
}

// standsBeforeTheStore serves with another DSN, under which nothing can be recorded and the status must say what to do, and then
// with the site's own.
func (s *site) standsBeforeTheStore(ctx context.Context, t *testing.T, dsn *url.URL, wanted string) {
	t.Helper()
	able := s.dsn
	s.dsn = dsn
	p, _ := s.serve(t)
	// The server has never learned of the token: the person who was let in first looks.
	a := s.signIn(ctx, t, p)
	board := newBoard(p.devices)
	senders := calm(newSenders(4, board))
	crowd := atWork(ctx, senders)
	s.waitsFor(ctx, t, a, wanted)
	board.set("")
	p.stop(t)
	s.dsn = able
	p, a = s.begin(ctx, t)
	board.set(p.devices)
	caughtUp(ctx, t, a)
	crowd.rest(t)
	a.flush(ctx, t)
	p.stop(t)
	t.Logf("%v", s.account(t, senders))
}

// waitsFor wants a server that journals, records nothing, and says in its status one of the words. A slow engine may first be
// taken for one that does not answer.
func (s *site) waitsFor(ctx context.Context, t *testing.T, a *api, words string) {
	t.Helper()
	until(ctx, t, a, "forty journaled messages", func(s standing) bool { return s.Journal.Last > 40 })
	told := until(ctx, t, a, "a status with one of the words "+words, func(s standing) bool {
		return s.Store.State != "ok" && slices.ContainsFunc(strings.Split(words, "|"), func(word string) bool {
			return strings.Contains(s.Store.Problem, word)
		})
	})
	if told.Journal.Recorded != 0 {
		t.Errorf("%d entries are recorded though nothing can be", told.Journal.Recorded)
	}
	t.Logf("the status says: %s", told.Store.Problem)
}

// TestSQLServerBeforeInit serves on a database that nobody has made ready: it says "halley init", keeps journaling, and goes on
// when that was done, without a restart.
func TestSQLServerBeforeInit(t *testing.T) {
	t.Parallel()
	s := newSite(t, onEngine(t), "north")
	s.goesOnAfter(t, "halley init", func() { s.init(t) })
}

// TestSQLServerOfAnotherSchema serves on the schema of another version of the program.
func TestSQLServerOfAnotherSchema(t *testing.T) {
	t.Parallel()
	t.Run("an older one says halley init", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, onEngine(t), "north")
		s.init(t)
		// Without the note of its newest migration it is one of the version before.
		db := openSQLServer(t, s.database)
		var number, at int64
		var name, checksum string
		if err := db.QueryRowContext(t.Context(), `SELECT TOP (1) number, name, checksum, applied_at FROM halley.schema_migration
			ORDER BY number DESC`).Scan(&number, &name, &checksum, &at); err != nil {
			t.Fatal(err)
		}
		s.changes(t, db, "DELETE FROM halley.schema_migration WHERE number = @number", sql.Named("number", number))
		s.goesOnAfter(t, "halley init", func() {
			s.changes(t, db, "INSERT INTO halley.schema_migration (number, name, checksum, applied_at) VALUES (@number, @name, @checksum, @at)",
				sql.Named("number", number), sql.Named("name", name), sql.Named("checksum", checksum), sql.Named("at", at))
		})
	})
	t.Run("a newer one is left alone", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, onEngine(t), "north")
		s.init(t)
		db := openSQLServer(t, s.database)
		s.changes(t, db, `INSERT INTO halley.schema_migration (number, name, checksum, applied_at)
			SELECT MAX(number) + 1, N'later', N'00', MAX(applied_at) FROM halley.schema_migration`)
		before := s.rows(t)
		if out, errs, code := s.run(t, "init", "--data", s.data); code != exitFailed {
			t.Errorf("init ends with %d and says\n%s%s", code, out, errs)
		}
		if diff := cmp.Diff(before, s.rows(t)); diff != "" {
			t.Errorf("init changed a schema that it does not know (-before +after):\n%s", diff)
		}
		s.goesOnAfter(t, "newer|version", func() { s.changes(t, db, "DELETE FROM halley.schema_migration WHERE name = N'later'") })
	})
}

// changes runs a statement that must change one row.
func (s *site) changes(t *testing.T, db *sql.DB, text string, args ...any) {
	t.Helper()
	done, err := db.ExecContext(t.Context(), text, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%s changed %d rows, %v; want 1", text, n, err)
	}
}

// goesOnAfter serves on a database that cannot be used yet, wants a status with one of the words, mends the database and wants
// everything in it.
func (s *site) goesOnAfter(t *testing.T, wanted string, mend func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, _ := s.serve(t)
	// Nobody could make a token: the person who was let in first looks.
	a := s.signIn(ctx, t, p)
	senders := calm(newSenders(4, newBoard(p.devices)))
	crowd := atWork(ctx, senders)
	s.waitsFor(ctx, t, a, wanted)
	mend()
	untilState(ctx, t, a, "ok")
	caughtUp(ctx, t, a)
	crowd.rest(t)
	caughtUp(ctx, t, a)
	p.stop(t)
	t.Logf("%v", s.account(t, senders))
}
