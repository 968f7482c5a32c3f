package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func nodeTests() []test {
	return []test{
		{"a node is seen first once and last each time", nodeSeen},
		{"two journals under one name are two servers", nodeJournals},
		{"nodes are listed by name, then journal", nodeOrder},
		{"nodes that attend at the same time do not lose each other", nodesAttending},
		{"a node that cannot be is refused", badNodes},
	}
}

// attend attends and gives the nodes of the plot, whose names begin with the plot's own.
func attend(t testing.TB, p *plot, n storage.Node) []storage.Node {
	t.Helper()
	all, err := p.Attend(t.Context(), n)
	must(t, "Attend", err)
	list := []storage.Node{}
	for _, x := range all {
		if x.AgeMillis < 0 || x.SeenAt < x.FirstSeenAt || !x.FirstSeenAt.Storable() || !x.SeenAt.Storable() {
			t.Errorf("Attend has %+v, want an age from 0 and times that can be", x)
		}
		if slices.ContainsFunc([]string{"", "-2", "-10", "-3"}, func(s string) bool { return x.Name == p.node()+s }) {
			list = append(list, x)
		}
	}
	return list
}

// node gives a name that no other test on the same store uses.
func (p *plot) node() string { return fmt.Sprintf("node%03d", p.number) }

// said gives what nodes said of themselves, without the times of the database.
func said(list []storage.Node) []storage.Node {
	list = slices.Clone(list)
	for i := range list {
		list[i].FirstSeenAt, list[i].SeenAt, list[i].AgeMillis = 0, 0, 0
	}
	return list
}

func nodeSeen(t *testing.T, p *plot) {
	n := storage.Node{Name: p.node(), JournalID: "j", Holder: "h1", Version: "1.0 é🥶", Waiting: 7, OldestWaiting: Start}
	first := attend(t, p, n)
	equal(t, "after attending", []storage.Node{n}, said(first))
	n.Holder, n.Version, n.Waiting, n.OldestWaiting = "h2", "1.1", 0, 0
	// What is handed over of these does not count.
	n.FirstSeenAt, n.SeenAt, n.AgeMillis = 1, 2, 3
	second := attend(t, p, n)
	equal(t, "after attending again", said([]storage.Node{n}), said(second))
	equal(t, "FirstSeenAt", first[0].FirstSeenAt, second[0].FirstSeenAt)
	if second[0].SeenAt < first[0].SeenAt {
		t.Errorf("SeenAt went from %v to %v", first[0].SeenAt, second[0].SeenAt)
	}
	p.reopen(t)
	n.Waiting, n.OldestWaiting = 1<<60, halley.LatestMillis-1
	third := attend(t, p, n)
	equal(t, "after opening again", said([]storage.Node{n}), said(third))
	equal(t, "FirstSeenAt after opening again", first[0].FirstSeenAt, third[0].FirstSeenAt)
}

func nodeJournals(t *testing.T, p *plot) {
	a := storage.Node{Name: p.node(), JournalID: "j1", Holder: "a", Version: "1", Waiting: 1, OldestWaiting: Start}
	b := storage.Node{Name: p.node(), JournalID: "j2", Holder: "b", Version: "2"}
	c := storage.Node{Name: p.node(), JournalID: "J1 ", Holder: "c", Version: "3"}
	attend(t, p, a)
	equal(t, "after the second", []storage.Node{a, b}, said(attend(t, p, b)))
	equal(t, "after a third whose journal looks alike", 3, len(attend(t, p, c)))
	a.Waiting = 2
	equal(t, "after the first again", 3, len(attend(t, p, a)))
}

func nodeOrder(t *testing.T, p *plot) {
	want := []storage.Node{}
	for _, name := range []string{"", "-10", "-2", "-3"} {
		for _, journal := range []string{"j1", "j2", "j3"} {
			want = append(want, storage.Node{Name: p.node() + name, JournalID: journal, Holder: "h", Version: "1"})
		}
	}
	var got []storage.Node
	for _, i := range []int{7, 2, 11, 0, 5, 9, 1, 10, 3, 8, 4, 6} {
		got = attend(t, p, want[i])
	}
	equal(t, "nodes", want, said(got))
}

func nodesAttending(t *testing.T, p *plot) {
	names := []string{"", "-2", "-3", "-10"}
	group, ctx := errgroup.WithContext(t.Context())
	for _, name := range names {
		for range 2 {
			group.Go(func() error {
				for i := range int64(4) {
					n := storage.Node{Name: p.node() + name, JournalID: "j", Holder: "h", Version: "1", Waiting: i}
					if _, err := p.Attend(ctx, n); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	must(t, "attending at the same time", group.Wait())
	equal(t, "nodes", len(names), len(attend(t, p, storage.Node{Name: p.node(), JournalID: "j", Holder: "h", Version: "1"})))
}

func badNodes(t *testing.T, p *plot) {
	good := storage.Node{Name: p.node(), JournalID: "j", Holder: "h", Version: "1"}
	for name, spoil := range map[string]func(n *storage.Node){
		"no name":                 func(n *storage.Node) { n.Name = "" },
		"no journal":              func(n *storage.Node) { n.JournalID = "" },
		"a name with a NUL":       func(n *storage.Node) { n.Name = "a\x00" },
		"a version without UTF-8": func(n *storage.Node) { n.Version = "\xff" },
	} {
		bad := good
		spoil(&bad)
		_, err := p.Attend(t.Context(), bad)
		wantKind(t, name, err, halley.Invalid)
	}
	equal(t, "nodes", []storage.Node{good}, said(attend(t, p, good)))
}
