package sessions_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/sessions"
	"halley/storage"
)

// begin begins a session of a person.
func (n *node) begin(t *testing.T, hash string, person halley.PersonID) {
	t.Helper()
	err := n.SaveSession(t.Context(), storage.Session{Hash: hash, PersonID: person, Data: []byte(hash), ExpiresAt: in(time.Hour)})
	if err != nil {
		t.Fatalf("beginning %s: %v", hash, err)
	}
}

// lists wants these hashes among the sessions of a person, in this order.
func (n *node) lists(t *testing.T, person halley.PersonID, want ...string) {
	t.Helper()
	list, err := n.PersonSessions(t.Context(), person, in(0))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, x := range list {
		got = append(got, x.Hash)
		if string(x.Data) != x.Hash || person != 0 && x.PersonID != person {
			t.Errorf("session %s has the data %q of person %d", x.Hash, x.Data, x.PersonID)
		}
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("the sessions of person %d (-want +got):\n%s", person, diff)
	}
}

// pair runs two servers over one database.
func pair(t *testing.T, d *database) (here, there *node) {
	t.Helper()
	here = open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
	there = open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
	return here, there
}

func TestTheSessionsOfAPersonAreListedFromAllServers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		here, there := pair(t, d)
		defer here.stopped()
		defer there.stopped()
		here.begin(t, "a", 7)
		here.begin(t, "b", 8)
		pass(time.Second)
		there.begin(t, "c", 7)
		synctest.Wait()
		here.lists(t, 7, "a", "c")
		there.lists(t, 7, "a", "c")
		there.lists(t, 0, "a", "b", "c")

		// While the database is away each server lists what began on it.
		d.failWith(away)
		here.lists(t, 7, "a")
		there.lists(t, 7, "c")
		there.lists(t, 9)
		d.failWith(nil)

		// One that was ended here is not listed, although the database may have it still.
		here.end(t, "a")
		here.lists(t, 7, "c")
	})
}

func TestEndingAllSessionsOfAPersonEndsThemOnEveryServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		here, there := pair(t, d)
		defer here.stopped()
		defer there.stopped()
		here.begin(t, "a", 7)
		there.begin(t, "b", 7)
		there.begin(t, "c", 7)
		there.begin(t, "other", 8)
		synctest.Wait()
		list, err := here.PersonSessions(t.Context(), 7, in(0))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			here.end(t, x.Hash)
		}
		// Nobody has used those of the other server meanwhile; they end all the same.
		pass(6 * time.Second)
		for _, hash := range []string{"a", "b", "c"} {
			here.want(t, hash, "")
			there.want(t, hash, "")
			holds(t, d, hash, "")
		}
		there.want(t, "other", "other")
		pass(10 * time.Minute)
		there.lists(t, 0, "other")
	})
}

func TestTheSessionsOfADeletedPersonEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		n := open(t, d, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.begin(t, "carried", 7)
		synctest.Wait()
		d.failWith(away)
		n.begin(t, "begun while the database was away", 7)
		n.begin(t, "other", 8)
		d.failWith(nil)
		d.deletePerson(7)
		pass(6 * time.Second)
		n.want(t, "carried", "")
		n.want(t, "begun while the database was away", "")
		n.want(t, "other", "other")
		n.lists(t, 0, "other")
	})
}

func TestASessionOfAnotherServerDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		here, there := pair(t, d)
		defer here.stopped()
		defer there.stopped()
		there.begin(t, "a", 7)
		synctest.Wait()
		here.want(t, "a", "a")
		there.end(t, "a")
		synctest.Wait()
		err := here.SaveSession(t.Context(), storage.Session{Hash: "a", PersonID: 7, Data: []byte("a"), ExpiresAt: in(time.Hour)})
		if halley.KindOf(err) != halley.Unauthenticated {
			t.Errorf("keeping a session alive that was ended on its own server: %v, want Unauthenticated", err)
		}
		holds(t, d, "a", "")
	})
}

func TestTheFileSaysWhoseASessionIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase()
		d.failWith(away)
		file := filepath.Join(t.TempDir(), "sessions.json")
		n := open(t, d, file).run(t)
		n.begin(t, "a", 7)
		n.begin(t, "ended", 7)
		n.end(t, "ended")
		n.stopped()
		open(t, d, file).lists(t, 7, "a")
		data, err := os.ReadFile(file)
		if err != nil || !json.Valid(data) || strings.Contains(string(data), "ZW5kZWQ") {
			t.Errorf("the file is %s, %v; want nothing of what an ended session held", data, err)
		}
	})
}

func TestSessionsOfAnEarlierVersionEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.json")
	if err := os.WriteFile(file, []byte(`{"a":{"Data":"b25l","Expires":4102444799999,"Waiting":true}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	n := open(t, newDatabase(), file)
	n.want(t, "a", "")
	n.lists(t, 0)
}

// moving is a database that another takes the place of.
type moving struct {
	sessions.Remote
	mu sync.Mutex
	to sessions.Remote
}

func (m *moving) now() sessions.Remote {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.to
}

func (m *moving) SaveSession(ctx context.Context, x storage.Session) error {
	return m.now().SaveSession(ctx, x)
}

func (m *moving) PersonSessions(ctx context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	return m.now().PersonSessions(ctx, person, now)
}

func TestAnotherDatabaseEndsNoSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, second := newDatabase(), newDatabase()
		m := &moving{to: first}
		n := openOver(t, m, filepath.Join(t.TempDir(), "sessions.json")).run(t)
		defer n.stopped()
		n.begin(t, "a", 7)
		synctest.Wait()
		holds(t, first, "a", "a")
		n.CarryAnew()
		m.mu.Lock()
		m.to = second
		m.mu.Unlock()
		pass(6 * time.Second)
		n.want(t, "a", "a")
		holds(t, second, "a", "a")
	})
}
