package main

import (
	"context"
	"database/sql"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// TestSQLServerOfTwoServers lets two servers share a database, half of the devices each. One is killed and started again: nothing
// is lost, nothing is double, and work that is done once has one holder at any time.
func TestSQLServerOfTwoServers(t *testing.T) {
	t.Parallel()
	north := newSite(t, onEngine(t), "north").ready(t)
	south := north.neighbour(t, "south")
	south.token = north.token
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watch := north.watchLeases(ctx, t)
	pn, an := north.begin(ctx, t)
	ps, as := south.begin(ctx, t)
	toNorth, toSouth := newBoard(pn.devices), newBoard(ps.devices)
	senders := calm(newSenders(12, toNorth))
	for _, one := range senders[6:] {
		one.board = toSouth
	}
	crowd := atWork(ctx, senders)
	for _, a := range []*api{an, as} {
		until(ctx, t, a, "a first batch of each", func(s standing) bool { return s.Journal.Recorded > 40 })
		until(ctx, t, a, "a status with both servers", func(s standing) bool {
			return len(s.Nodes) == 2 && s.Nodes[0].Name == "north" && s.Nodes[1].Name == "south" && !s.Nodes[0].Silent && !s.Nodes[1].Silent
		})
		until(ctx, t, a, "one server that leads", func(s standing) bool { return s.leaders() == 1 })
	}
	for range 2 {
		// The one that leads is killed: the other goes on meanwhile.
		dies, stays, board, p := north, as, toNorth, pn
		if a := as.status(ctx, t); a.leads("south") {
			dies, stays, board, p = south, an, toSouth, ps
		}
		board.set("")
		p.kill()
		before := stays.status(ctx, t)
		until(ctx, t, stays, "further batches of the other server", func(s standing) bool { return s.Journal.Recorded > before.Journal.Recorded+40 })
		p, a := dies.serve(t)
		board.set(p.devices)
		if dies == north {
			pn, an = p, a
		} else {
			ps, as = p, a
		}
		last := a.status(ctx, t)
		until(ctx, t, a, "further batches of the one that was killed", func(s standing) bool { return s.Journal.Recorded > last.Journal.Last })
	}
	crowd.rest(t)
	an.flush(ctx, t)
	as.flush(ctx, t)
	pn.stop(t)
	ps.stop(t)
	cancel()
	watch.ends(t)
	t.Logf("%v leases=%d looks=%d", north.account(t, senders), len(watch.fences), watch.looks)
}

// leaders counts the servers that a status shows as the one that does work for all.
func (s standing) leaders() (n int) {
	for _, node := range s.Nodes {
		if node.Leads {
			n++
		}
	}
	return n
}

// leads says whether a status shows the server of this name as the one.
func (s standing) leads(name string) bool {
	for _, node := range s.Nodes {
		if node.Name == name && node.Leads {
			return true
		}
	}
	return false
}

// leases looks at the leases of a database again and again.
type leases struct {
	running sync.WaitGroup
	looks   int
	// holders and fences are those seen last, by name.
	holders map[string]string
	fences  map[string]int64
	wrong   []string
}

// watchLeases looks until ctx ends: a lease that goes to another must have a higher fence.
func (s *site) watchLeases(ctx context.Context, tb testing.TB) *leases {
	tb.Helper()
	db := openSQLServer(tb, s.database)
	l := &leases{holders: map[string]string{}, fences: map[string]int64{}}
	l.running.Go(func() {
		for pause(ctx, retryEvery) {
			// An engine that does not answer now is asked again.
			if err := l.look(ctx, db); err == nil {
				l.looks++
			}
		}
	})
	tb.Cleanup(l.running.Wait)
	return l
}

// look reads all leases and holds them against the look before.
func (l *leases) look(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT name, holder, fence FROM halley.lease")
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var name, holder string
		var fence int64
		if err := rows.Scan(&name, &holder, &fence); err != nil {
			return err
		}
		if seen[name] {
			l.wrong = append(l.wrong, "the lease "+name+" has two rows")
		}
		seen[name] = true
		before, was := l.fences[name], l.holders[name]
		if fence < before || was != "" && was != holder && fence == before {
			l.wrong = append(l.wrong, "the lease "+name+" went to another without a higher fence")
		}
		l.holders[name], l.fences[name] = holder, fence
	}
	return rows.Err()
}

// ends fails where anything was wrong, or nothing was seen.
func (l *leases) ends(t *testing.T) {
	t.Helper()
	l.running.Wait()
	if len(l.wrong) > 0 {
		t.Errorf("%d times a lease was wrong, such as: %v", len(l.wrong), l.wrong[0])
	}
	if len(l.fences) == 0 {
		t.Error("no server took a lease")
	}
}

// TestSQLServerOfAClone starts a server and a copy of its data folder, as of a virtual machine that was cloned: it is noticed,
// nothing is lost, nothing is double.
func TestSQLServerOfAClone(t *testing.T) {
	t.Parallel()
	one := newSite(t, onEngine(t), "north").ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, a := one.begin(ctx, t)
	board := newBoard(p.devices)
	senders := calm(newSenders(12, board))
	first := atWork(ctx, senders[:4])
	until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 40 })
	// Something waits in the journal of both.
	one.gate.set(cut)
	last := untilState(ctx, t, a, "away")
	until(ctx, t, a, "entries that wait", func(s standing) bool { return s.Journal.Last > last.Journal.Last+40 })
	first.rest(t)
	p.stop(t)
	two := one.neighbour(t, one.node)
	two.token = one.token
	copyFolder(t, one.data, two.data)

	one.gate.set(open)
	p, a = one.serve(t)
	q, b := two.serve(t)
	board.set(p.devices)
	toTwo := newBoard(q.devices)
	for _, s := range senders[8:] {
		s.board = toTwo
	}
	second := atWork(ctx, senders[4:])
	var told []string
	for _, each := range []*api{a, b} {
		s := until(ctx, t, each, "a finding about the copy", func(s standing) bool { return len(s.findings()) > 0 })
		told = append(told, s.findings()...)
		until(ctx, t, each, "a batch", func(s standing) bool { return s.Journal.Recorded > last.Journal.Last+80 })
	}
	second.rest(t)
	a.flush(ctx, t)
	b.flush(ctx, t)
	ids := []string{a.journalID(ctx, t), b.journalID(ctx, t)}
	if ids[0] == ids[1] {
		t.Errorf("both servers write the journal %s", ids[0])
	}
	p.stop(t)
	q.stop(t)
	t.Logf("%v findings=%v", one.account(t, senders), slices.Compact(told))
}

// findings gives the codes of the status that speak of a copy.
func (s standing) findings() (codes []string) {
	for _, m := range s.Messages {
		switch m.Code {
		case "journal-renewed", "node-name-used-twice":
			codes = append(codes, m.Code)
		}
	}
	return codes
}

// journalID gives the id that the server's journal goes by.
func (a *api) journalID(ctx context.Context, tb testing.TB) string {
	tb.Helper()
	var s struct{ Journal struct{ ID string } }
	if err := a.ask(ctx, http.MethodGet, "/status", &s); err != nil {
		tb.Fatal(err)
	}
	return s.Journal.ID
}

// copyFolder copies a data folder as it is.
func copyFolder(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		tb.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Mkdir(filepath.Join(to, rest), info.Mode().Perm())
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), content, info.Mode().Perm())
	})
	if err != nil {
		tb.Fatal(err)
	}
}
