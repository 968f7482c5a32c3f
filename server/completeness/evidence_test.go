package completeness_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/server/completeness"
	"halley/storage"
)

func spans(seconds ...int) []halley.Span {
	var list []halley.Span
	for i := 0; i < len(seconds); i += 2 {
		list = append(list, halley.Span{From: sec(seconds[i]), To: sec(seconds[i+1])})
	}
	return list
}

func down(node string, from, to int) storage.Interruption {
	return storage.Interruption{Node: node, Kind: storage.ServerDown, From: sec(from), To: sec(to)}
}

func refused(node string, from, to int) storage.Interruption {
	return storage.Interruption{Node: node, Kind: storage.ServerRefused, From: sec(from), To: sec(to)}
}

func there(node string, from, to int) completeness.Server {
	return completeness.Server{Node: node, From: sec(from), To: sec(to)}
}

func TestADowntimeCountsWhereNoOtherServerWasThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		list          []storage.Interruption
		servers       []completeness.Server
		down, refused []halley.Span
	}{
		{name: "nothing happened", servers: []completeness.Server{there("a", 0, 1000)}},
		{
			name: "one server", servers: []completeness.Server{there("a", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), refused("a", 300, 400)}, down: spans(100, 200), refused: spans(300, 400),
		},
		{
			name: "spans that overlap are one", servers: []completeness.Server{there("a", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), down("a", 150, 300), refused("a", 250, 400)},
			down: spans(100, 300), refused: spans(300, 400),
		},
		{
			name: "two servers, both down", servers: []completeness.Server{there("a", 0, 1000), there("b", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), down("b", 150, 300)}, down: spans(150, 200),
		},
		{
			name: "two servers, one up", servers: []completeness.Server{there("a", 0, 1000), there("b", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), refused("a", 300, 400)},
		},
		{
			name: "one down, the other refuses", servers: []completeness.Server{there("a", 0, 1000), there("b", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), refused("b", 150, 300)}, refused: spans(150, 200),
		},
		{
			name:    "the other came later and went before",
			servers: []completeness.Server{there("a", 0, 1000), there("b", 0, 150), there("b", 400, 420), there("c", 300, 500)},
			list:    []storage.Interruption{down("a", 100, 350), down("a", 450, 480)}, down: spans(150, 300),
		},
		{
			name: "a server got another name", servers: []completeness.Server{there("old", 0, 100), there("new", 202, 1000)},
			list: []storage.Interruption{down("new", 100, 200)}, down: spans(100, 200),
		},
		{
			name: "a server that is known by its downtime alone", servers: []completeness.Server{there("a", 0, 1000)},
			list: []storage.Interruption{down("a", 100, 200), down("gone", 150, 500)}, down: spans(100, 200),
		},
		{name: "no server is known", list: []storage.Interruption{down("a", 100, 200)}, down: spans(100, 200)},
		{name: "a span that runs backwards", servers: []completeness.Server{there("a", 0, 1000)}, list: []storage.Interruption{down("a", 200, 100)}},
	} {
		gotDown, gotRefused := completeness.Interrupted(c.list, c.servers)
		if diff := cmp.Diff(c.down, gotDown, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: down (-want +got)\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.refused, gotRefused, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: refused (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestNodesAreServersAsLongAsTheyWereSeen(t *testing.T) {
	t.Parallel()
	got := completeness.Servers([]storage.Node{
		{Name: "here", FirstSeenAt: 10, SeenAt: 90}, {Name: "there", FirstSeenAt: 20, SeenAt: 80},
	}, "here", 100)
	want := []completeness.Server{{Node: "here", From: 10, To: 100}, {Node: "there", From: 20, To: 80}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// explanations is a store of what explains gaps.
type explanations struct {
	list []storage.Interruption
	said []storage.GapCause
	err  error
}

func (e *explanations) Interruptions(context.Context, halley.Millis, halley.Millis) ([]storage.Interruption, error) {
	return e.list, e.err
}

func (e *explanations) GapCauses(context.Context, halley.DeviceID, halley.Millis, halley.Millis) ([]storage.GapCause, error) {
	return e.said, e.err
}

func TestAPeriodIsExplainedByTheStore(t *testing.T) {
	t.Parallel()
	said := []storage.GapCause{{ID: 1, Cause: "no-network"}}
	p := completeness.Period{From: t0, To: sec(1000)}
	s := &explanations{list: []storage.Interruption{down("a", 100, 200), refused("a", 300, 400)}, said: said}
	if err := p.Explain(t.Context(), s, 1, []completeness.Server{there("a", 0, 1000)}); err != nil {
		t.Fatal(err)
	}
	want := completeness.Period{From: t0, To: sec(1000), Downtime: spans(100, 200), Refused: spans(300, 400), Marks: said}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s.err = errors.New("away")
	if err := p.Explain(t.Context(), s, 1, nil); !errors.Is(err, s.err) {
		t.Errorf("got %v, want the store's error", err)
	}
}
