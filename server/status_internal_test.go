package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/journal"
	"halley/server/maintenance"
	"halley/server/recorder"
	"halley/storage"
)

const noon halley.Millis = 1795262400000 // 2026-11-21T12:00:00Z

func TestWhenAStoreIsFull(t *testing.T) {
	t.Parallel()
	const gb = 1 << 30
	// 20 bytes a sample, 10 million samples a day: 200 MB a day.
	growing := StoreStatus{Bytes: 2 * gb, Samples: gb / 10, BytesPerSample: 20, SamplesPerDay: 1e7, LimitBytes: 10 * gb, Limit: limitEdition}
	with := func(change func(*StoreStatus)) StoreStatus {
		s := growing
		change(&s)
		return s
	}
	tests := map[string]struct {
		store StoreStatus
		want  string // the day it is full
		text  string // part of what people are told
	}{
		"Express at 200 MB a day":       {growing, "2027-01-03", "is full on 3 January 2027 if it grows as now: it takes 2.0 GB, and SQL Server Express holds at most 10 GB"},
		"slower, beyond three months":   {with(func(s *StoreStatus) { s.SamplesPerDay = 1e6 }), "2028-01-24", ""},
		"beyond the century":            {with(func(s *StoreStatus) { s.SamplesPerDay = 1 }), "", ""},
		"at the limit":                  {with(func(s *StoreStatus) { s.LimitBytes = s.Bytes }), "2026-11-21", "has reached its limit"},
		"without a limit":               {with(func(s *StoreStatus) { s.LimitBytes = 0 }), "", ""},
		"of unknown size":               {with(func(s *StoreStatus) { s.Bytes = 0 }), "", ""},
		"of unknown growth":             {with(func(s *StoreStatus) { s.SamplesPerDay = 0 }), "", ""},
		"with too few samples to say":   {with(func(s *StoreStatus) { s.Samples, s.BytesPerSample = 9999, 200_000 }), "", ""},
		"full already, as people know":  {with(func(s *StoreStatus) { s.State = storage.Full }), "2027-01-03", ""},
		"on the disk of the folder":     {with(func(s *StoreStatus) { s.Limit = limitDisk }), "2027-01-03", "Make room on the disk"},
		"in files that may not grow":    {with(func(s *StoreStatus) { s.Limit = limitFileSize }), "2027-01-03", "Let them grow"},
		"under a limit of another sort": {with(func(s *StoreStatus) { s.Limit = "quota" }), "2027-01-03", "Raise that limit"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.store.FullAt = tt.store.fullAt(noon)
			got := ""
			if tt.store.FullAt != 0 {
				got = tt.store.FullAt.Time().Format("2006-01-02")
			}
			if got != tt.want {
				t.Errorf("full on %q, want %q", got, tt.want)
			}
			f, told := growthFinding(&Status{At: noon, Store: tt.store})
			if told != (tt.text != "") || !strings.Contains(f.Text, tt.text) {
				t.Errorf("finding %v: %+v, want %q", told, f, tt.text)
			}
		})
	}
}

func TestServersOnOneDatabase(t *testing.T) {
	t.Parallel()
	self := storage.Node{Name: "north", JournalID: "aaaa", Holder: "me", SeenAt: noon}
	other := func(change func(*storage.Node)) storage.Node {
		n := storage.Node{Name: "south", JournalID: "bbbb", Holder: "other", Version: "1.2", SeenAt: noon - 3_000, AgeMillis: 3_000, Waiting: 7, OldestWaiting: noon - halley.Hour}
		change(&n)
		return n
	}
	ago := func(n *storage.Node, age halley.Millis) { n.SeenAt, n.AgeMillis = noon-age, int64(age) }
	tests := map[string]struct {
		node    storage.Node
		shown   bool
		finding string // the code
		text    string
	}{
		"another that works": {other(func(*storage.Node) {}), true, "", ""},
		"one that is silent and holds entries back": {
			other(func(n *storage.Node) { ago(n, 10*halley.Minute) }), true, "node-silent",
			`The server "south" was last seen at 2026-11-21 11:50 UTC with 7 entries that are not in the database yet, the oldest from 2026-11-21 11:00 UTC: they lie on its disk only. Start it again, and they are recorded.`,
		},
		"one that is silent and holds nothing back": {other(func(n *storage.Node) { ago(n, 10*halley.Minute); n.Waiting = 0 }), true, "", ""},
		"one that has been gone for long":           {other(func(n *storage.Node) { ago(n, 40*halley.Day); n.Waiting = 0 }), false, "", ""},
		"one under the same name":                   {other(func(n *storage.Node) { n.Name = "north" }), true, "node-name-used-twice", `Two servers use the name "north"`},
		"its own run before":                        {other(func(n *storage.Node) { n.Name = "north"; ago(n, 50*halley.Second) }), true, "", ""},
		"its own journal before, recorded":          {other(func(n *storage.Node) { n.Name = "north"; ago(n, halley.Hour); n.Waiting = 0 }), false, "", ""},
		"its own journal before, not recorded": {
			other(func(n *storage.Node) { n.Name = "north"; ago(n, halley.Hour); n.Waiting = 1 }), true, "node-silent", "An earlier data folder of this server (journal bbbb)",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := maintenance.State{Nodes: []storage.Node{self, tt.node}, Since: noon - 30_000, At: noon, Holder: "me", Leader: "other"}
			st := Status{At: noon, Node: "north", Version: "1.3"}
			want := []NodeStatus{{Name: "north", Version: "1.3", Self: true, SeenAt: noon}}
			if tt.shown {
				n := tt.node
				want = append(want, NodeStatus{
					Name: n.Name, Version: n.Version, SeenAt: n.SeenAt, Silent: n.AgeMillis > 120_000, Waiting: n.Waiting,
					OldestWaiting: n.OldestWaiting, Leads: true,
				})
			}
			if diff := cmp.Diff(want, nodeStatuses(&m, &st)); diff != "" {
				t.Errorf("servers (-want +got):\n%s", diff)
			}
			code, text := "", ""
			for _, f := range nodeFindings(&m, &st) {
				code, text = f.Code, f.Text
			}
			if code != tt.finding || !strings.Contains(text, tt.text) {
				t.Errorf("finding %q: %s, want %q: %s", code, text, tt.finding, tt.text)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	waiting := JournalStatus{Last: 12, Recorded: 5, Usage: journal.Usage{State: journal.StateOK}}
	tests := map[string]struct {
		status Status
		want   []Finding
	}{
		"nothing": {Status{Journal: waiting, Store: StoreStatus{State: storage.OK}}, nil},
		"away": {
			Status{Journal: waiting, Store: StoreStatus{State: storage.Away, Since: noon, Problem: "Nobody answers."}},
			[]Finding{{"store-away", Degraded, "Nobody answers. The database is away since 2026-11-21 12:00 UTC. 7 entries wait in the journal and are recorded afterwards; nothing is lost."}},
		},
		"a disk of this machine": {
			Status{Journal: waiting, Store: StoreStatus{State: storage.OK}, Recorder: recorder.State{Problem: "The journal cannot be read.", Code: "journal-unreadable"}},
			[]Finding{{"journal-unreadable", Failing, "The journal cannot be read. 7 entries wait in the journal and are recorded afterwards; nothing is lost."}},
		},
		"stopped": {
			Status{Journal: waiting, Store: StoreStatus{State: storage.OK}, Recorder: recorder.State{Stopped: true, Problem: "Ten in a row."}},
			[]Finding{{"recorder-stopped", Failing, "Ten in a row."}},
		},
		"a journal with a new identity": {
			Status{Journal: waiting, Store: StoreStatus{State: storage.OK}, Recorder: recorder.State{Renewed: &recorder.Renewal{At: noon, Why: "It was copied."}}},
			[]Finding{{"journal-renewed", Degraded, "It was copied. The journal goes on under a new identity since 2026-11-21 12:00 UTC, and all of it is recorded again; nothing is stored twice."}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, findings(&tt.status)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
