package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
	"halley/server"
	"halley/server/access"
	"halley/server/outagetest"
	"halley/server/passwords"
	"halley/server/reach"
	"halley/storage"
)

// behind gives options on a store that o says how it stands; o is set when the server has opened it.
func behind(folder string, mode outagetest.Mode, change func(*config.Config)) (o server.Options, away **outagetest.Store) {
	o, away = options(folder, change), new(*outagetest.Store)
	open := o.OpenStore
	o.StoreKind = "sqlite"
	o.OpenStore = func(ctx context.Context) (storage.Store, error) {
		store, err := open(ctx)
		if err != nil {
			return nil, err
		}
		*away = outagetest.New(store)
		(*away).Set(mode)
		return *away, nil
	}
	return o, away
}

// people gives who signs in on a server, as the program assembles it.
func (r *rig) people() *access.Access {
	data := r.Data()
	return access.New(access.Options{
		Tokens:   access.NewKnownTokens(r.Store(), r.Devices()),
		Sessions: access.NewSessions(r.Sessions()),
		First: access.NewFirstSignIn(access.FirstSignInOptions{
			Folder: data.Path(), Address: "https://localhost",
			Write: func(path string, b []byte) error { return data.WriteFilePrivate(filepath.Base(path), b) },
		}),
		Audit: r.Server, Directory: r.Devices(), People: r.Store(), Passwords: passwords.New(passwords.Standard()),
		Log: slog.New(slog.DiscardHandler),
	})
}

// signIn signs somebody in for the first time and gives the cookie.
func signIn(tb testing.TB, people *access.Access) string {
	tb.Helper()
	secret, err := people.First.Issue(halley.MillisOf(time.Now()))
	if err != nil {
		tb.Fatal(err)
	}
	h := http.Header{}
	if _, err := people.SignInFirst(tb.Context(), h, secret, access.Visitor{Address: "192.0.2.7:4000"}); err != nil {
		tb.Fatalf("signing in: %v", err)
	}
	cookies := (&http.Response{Header: h}).Cookies()
	if len(cookies) != 1 {
		tb.Fatalf("signing in set %d cookies", len(cookies))
	}
	return cookies[0].Value
}

// until waits for a status.
func (r *rig) until(tb testing.TB, what string, ok func(server.Status) bool) server.Status {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		st := r.Status()
		if ok(st) {
			return st
		}
		select {
		case <-ctx.Done():
			tb.Fatalf("waiting for %s: the status is %+v", what, st)
		case <-again.C:
		}
	}
}

func isAway(st server.Status) bool { return st.Store.State == storage.Away }

// at gives the golden message of a WiFi sensor as measured at a minute past three.
func at(tb testing.TB, minute int) []byte {
	tb.Helper()
	return bytes.ReplaceAll(golden(tb, "wifi", "periodic"), []byte("2026-11-21T14:00:0"), fmt.Appendf(nil, "2026-11-21T15:%02d:0", minute))
}

func (r *rig) confirmed(tb testing.TB, body []byte) {
	tb.Helper()
	if status, text := r.post(tb, "/", body); status != http.StatusOK || !strings.Contains(text, "true") {
		tb.Fatalf("a message was answered %d %s, want 200 and true", status, text)
	}
}

func find(tb testing.TB, people *access.Access, p access.Presented) error {
	tb.Helper()
	_, err := people.Authenticate(tb.Context(), p)
	return err
}

const sessionsAudited = `SELECT what, count(*) FROM audit WHERE what LIKE 'session.%' GROUP BY what ORDER BY what`

// TestANightWithoutTheDatabase begins with a server whose database is away at the start, and again at a restart.
func TestANightWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, nil)
	r.confirmed(t, at(t, 0))
	r.flush(t)
	token, _, err := access.NewTokens(r.Store()).Create(t.Context(), access.NewToken{Name: "wall"}, halley.Change{At: halley.MillisOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Devices().Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	o, _ := behind(folder, outagetest.Refused, approve)
	r = startOn(t, o)
	r.until(t, "a database that is away", isAway)
	people := r.people()
	if err := find(t, people, access.Presented{Bearer: token}); err != nil {
		t.Errorf("a token from before: %v", err)
	}
	unknown := find(t, people, access.Presented{Bearer: "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"})
	if halley.KindOf(unknown) != halley.Unavailable {
		t.Errorf("a token that nobody can look up: %v, want Unavailable", unknown)
	}
	cookie := signIn(t, people)
	r.confirmed(t, at(t, 1))
	st := r.Status()
	r.checkAway(t, &st, 1)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	o, away := behind(folder, outagetest.Refused, approve)
	r = startOn(t, o)
	people = r.people()
	if err := find(t, people, access.Presented{Cookie: cookie}); err != nil {
		t.Errorf("the session from before the restart: %v", err)
	}
	r.confirmed(t, at(t, 2))
	r.until(t, "a database that is away", isAway)
	st = r.Status()
	r.checkAway(t, &st, 2)
	if err := people.SignOut(t.Context(), http.Header{}, cookie); err != nil {
		t.Errorf("signing out: %v", err)
	}
	if err := find(t, people, access.Presented{Cookie: cookie}); halley.KindOf(err) != halley.Unauthenticated {
		t.Errorf("a session that was ended: %v, want Unauthenticated", err)
	}

	(*away).Set(outagetest.There)
	st = r.until(t, "a database that is back", func(st server.Status) bool {
		return st.Store.State == storage.OK && st.Journal.Recorded == st.Journal.Last
	})
	if len(st.Findings) != 0 {
		t.Errorf("findings when the database is back: %+v", st.Findings)
	}
	if diff := cmp.Diff([]string{"3"}, rows(t, folder, "SELECT count(*) FROM message WHERE part = 0")); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"session.begin|1", "session.end|1"}, rows(t, folder, sessionsAudited)); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0"}, rows(t, folder, "SELECT count(*) FROM session")); diff != "" {
		t.Errorf("sessions in the database after the sign-out (-want +got):\n%s", diff)
	}
}

// checkAway looks at a server whose database is away, with a message at a minute past three as the newest.
func (r *rig) checkAway(t *testing.T, st *server.Status, minute int) {
	t.Helper()
	if st.Store.Kind != "sqlite" || st.Store.Since == 0 || st.Store.Problem == "" {
		t.Errorf("the store in the status: %+v", st.Store)
	}
	if len(st.Findings) != 1 || st.Findings[0].Code != "store-away" || st.Findings[0].Severity != server.Degraded {
		t.Errorf("findings while the database is away: %+v", st.Findings)
	}
	// What was recorded before is not counted as waiting.
	if waiting := st.Journal.Last - st.Journal.Recorded; waiting == 0 || st.Journal.Recorded == 0 || st.Journal.OldestWaiting == 0 {
		t.Errorf("the journal in the status: %+v", st.Journal)
	}
	if len(st.Nodes) != 1 || !st.Nodes[0].Self || st.Nodes[0].Waiting != int64(st.Journal.Last-st.Journal.Recorded) {
		t.Errorf("the servers in the status: %+v", st.Nodes)
	}
	key := halley.DeviceKey{Family: halley.WiFi, Serial: "20960042"}
	if d, ok := r.Devices().Device(key); !ok || d.State != halley.DeviceAccepted || len(r.Devices().Channels(d.ID)) == 0 {
		t.Errorf("the copy of the device: %+v, %v", d, ok)
	}
	m, _, ok := r.Live().Newest(key)
	if want := fmt.Sprintf("2026-11-21T14:%02d:00.000Z", minute); !ok || m.MeasuredAt.String() != want {
		t.Errorf("the newest message: %+v, want the one of %s", m, want)
	}
	_, err := r.Store().Audit(t.Context(), 0, 1)
	if e, ok := errors.AsType[*halley.Error](err); !ok || e.Code != reach.CodeAway || !strings.Contains(e.Message, "away since") {
		t.Errorf("asking the database: %v, want an error that says since when it is away", err)
	}
}

func TestNewestValuesThatTheJournalLacksComeWithTheDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, nil)
	r.confirmed(t, at(t, 0))
	r.flush(t)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "journal-*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files of the journal: %v, %v", files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	o, away := behind(folder, outagetest.Refused, nil)
	r = startOn(t, o)
	key := halley.DeviceKey{Family: halley.WiFi, Serial: "20960042"}
	if m, _, ok := r.Live().Newest(key); ok {
		t.Fatalf("the newest message is known from nowhere: %+v", m)
	}
	(*away).Set(outagetest.There)
	r.until(t, "newest values", func(server.Status) bool {
		m, _, ok := r.Live().Newest(key)
		return ok && m.MeasuredAt.String() == "2026-11-21T14:00:00.000Z" && len(m.Readings) == 3
	})
}

func TestADatabaseThatCannotBeWrittenIsStillRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode outagetest.Mode
		want storage.State
		text string
	}{
		{outagetest.ReadOnly, storage.ReadOnly, "Let the database be written again"},
		{outagetest.Full, storage.Full, "Free some space"},
	} {
		t.Run(string(tt.want), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			o, store := behind(folder, outagetest.There, nil)
			r := startOn(t, o)
			r.confirmed(t, at(t, 0))
			r.flush(t)
			(*store).Set(tt.mode)
			r.confirmed(t, at(t, 1))
			if _, _, err := r.Flush(t.Context()); halley.KindOf(err) != halley.Unavailable {
				t.Errorf("flushing: %v, want Unavailable", err)
			}
			st := r.until(t, "the state", func(st server.Status) bool { return st.Store.State == tt.want })
			if len(st.Findings) != 1 || st.Findings[0].Code != "store-"+string(tt.want) || !strings.Contains(st.Findings[0].Text, tt.text) {
				t.Errorf("findings: %+v, want one that says %q", st.Findings, tt.text)
			}
			if list, err := r.Store().Devices(t.Context(), storage.DeviceFilter{}); err != nil || len(list) != 1 {
				t.Errorf("reading the devices: %+v, %v", list, err)
			}
			(*store).Set(outagetest.There)
			r.until(t, "a database that takes batches", func(st server.Status) bool {
				return st.Store.State == storage.OK && st.Journal.Recorded == st.Journal.Last
			})
			if diff := cmp.Diff([]string{"2"}, rows(t, folder, "SELECT count(*) FROM message WHERE part = 0")); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

// The test ends only because a driver that does not answer is not waited for.
func TestAStopDoesNotWaitForADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	o, store := behind(t.TempDir(), outagetest.There, nil)
	r := startOn(t, o)
	r.confirmed(t, at(t, 0))
	r.flush(t)
	asked := func() int { return (*store).Calls("Append") + (*store).Calls("Position") }
	before := asked()
	(*store).Set(outagetest.Stuck)
	defer (*store).Set(outagetest.There)
	r.confirmed(t, at(t, 1))
	flushed := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _, err := r.Flush(ctx)
		flushed <- err
	}()
	r.until(t, "a recorder that hangs", func(server.Status) bool { return asked() > before })
	if err := r.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	cancel()
	<-flushed
}

func TestADatabaseIsFoundAwayAlsoWhileNoDeviceSends(t *testing.T) {
	t.Parallel()
	o, store := behind(t.TempDir(), outagetest.There, nil)
	r := startOn(t, o)
	r.flush(t)
	(*store).Set(outagetest.Refused)
	first := r.until(t, "a database that is away", isAway)
	r.confirmed(t, at(t, 0))
	if _, _, err := r.Flush(t.Context()); halley.KindOf(err) != halley.Unavailable {
		t.Errorf("flushing: %v, want Unavailable", err)
	}
	if again := r.Status(); again.Store.Since != first.Store.Since {
		t.Errorf("away since %v, and a moment later since %v", first.Store.Since, again.Store.Since)
	}
	(*store).Set(outagetest.There)
	r.flushed(t)
}

// flushed waits until all that is journaled is recorded, also by a recorder that has to find its store again.
func (r *rig) flushed(t *testing.T) {
	t.Helper()
	r.until(t, "everything recorded", func(st server.Status) bool {
		return st.Store.State == storage.OK && st.Journal.Recorded == st.Journal.Last
	})
}

func TestATokenEndsSoonAfterItWasRevoked(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	people, elsewhere := r.people(), access.NewTokens(r.Store())
	by := halley.Change{At: halley.MillisOf(time.Now())}
	token, _, err := elsewhere.Create(t.Context(), access.NewToken{Name: "wall"}, by)
	if err != nil {
		t.Fatal(err)
	}
	if err := find(t, people, access.Presented{Bearer: token}); err != nil {
		t.Errorf("a token of a moment ago: %v", err)
	}
	if err := elsewhere.Revoke(t.Context(), "wall", by); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the end of the token", func(server.Status) bool {
		return halley.KindOf(find(t, people, access.Presented{Bearer: token})) == halley.Unauthenticated
	})
}
