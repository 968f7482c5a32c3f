package recorder_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley/server/journal"
	"halley/storage"
)

func TestEventsSayWhenTheNodeCouldNotTakeMessages(t *testing.T) {
	t.Parallel()
	bubble(t, 20_000, func(t *testing.T, r *rig) {
		for _, body := range []string{
			`{"event":"start","version":"1","at":1700000060000,"down_since":1700000000000}`,
			`{"event":"alive"}`,
			`{"event":"refused","from":1700000100000,"to":1700000130000}`,
			// Of a program before it said since when it was away, and of a first start.
			`{"event":"start","version":"1"}`,
			// After steps of the clock, and of a start that does not say when it was: it was when it was noted.
			`{"event":"start","at":1700000060000,"down_since":1700000070000}`,
			`{"event":"refused","from":1700000130000,"to":1700000130000}`,
			`{"event":"start","down_since":1700000000000}`,
			// Others, and what cannot be read.
			`{"event":"clock-step","from":"2023-11-14T22:13:20.000Z","to":"2023-11-14T23:13:20.000Z"}`,
			`{"event":"refused","from":-5,"to":99999999999999999}`,
			`not JSON`,
		} {
			r.journal.add(journal.Entry{Kind: journal.Event, Body: []byte(body)})
		}
		pass(11 * time.Second)
		want := []storage.Interruption{
			{Node: r.store.batches[0].Node, Kind: storage.ServerDown, From: 1_700_000_000_000, To: 1_700_000_060_000},
			{Node: r.store.batches[0].Node, Kind: storage.ServerRefused, From: 1_700_000_100_000, To: 1_700_000_130_000},
		}
		if diff := cmp.Diff(want, r.store.batches[0].Interruptions); diff != "" || r.store.batches[0].Node == "" {
			t.Errorf("interruptions of the batch (-want +got):\n%s", diff)
		}
	})
}
