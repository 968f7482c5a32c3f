package server

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"halley/server/maintenance"
	"halley/storage"
)

const (
	// presentWithin is how lately a server attended that is there, silentAfter how long one has not that is missed, and forgetAfter
	// how long one is shown that holds nothing back.
	presentWithin = time.Minute
	silentAfter   = 2 * time.Minute
	forgetAfter   = 30 * 24 * time.Hour
)

// age says how long a server had not attended when this one attended last.
func age(n *storage.Node) time.Duration { return time.Duration(n.AgeMillis) * time.Millisecond }

// nodeStatuses lists the servers on this database by name: this one as it stands now, the others as they were when this one could
// ask last.
func nodeStatuses(m *maintenance.State, st *Status) []NodeStatus {
	list := []NodeStatus{{
		Name: st.Node, Version: st.Version, Self: true, SeenAt: m.At, Waiting: int64(st.Journal.Last - st.Journal.Recorded),
		OldestWaiting: st.Journal.OldestWaiting, Leads: m.Leader == m.Holder,
	}}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		if n.Holder == m.Holder || (n.Waiting == 0 && (age(n) > forgetAfter || superseded(n, m.Nodes))) {
			continue
		}
		list = append(list, NodeStatus{
			Name: n.Name, Version: n.Version, SeenAt: n.SeenAt, Silent: age(n) > silentAfter,
			Waiting: n.Waiting, OldestWaiting: n.OldestWaiting, Leads: m.Leader != "" && n.Holder == m.Leader,
		})
	}
	slices.SortStableFunc(list, func(a, b NodeStatus) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(b.SeenAt, a.SeenAt))
	})
	return list
}

// superseded says that a silent server goes on under its name with another journal.
func superseded(n *storage.Node, all []storage.Node) bool {
	return age(n) > silentAfter && slices.ContainsFunc(all, func(o storage.Node) bool {
		return o.Name == n.Name && o.JournalID != n.JournalID && o.SeenAt > n.SeenAt
	})
}

// nodeFindings says in words what is wrong with the servers on this database.
func nodeFindings(m *maintenance.State, st *Status) []Finding {
	var list []Finding
	for i := range m.Nodes {
		n := &m.Nodes[i]
		switch {
		case n.Holder == m.Holder:
		case twin(n, m, st):
			list = append(list, Finding{Code: "node-name-used-twice", Severity: Degraded, Text: fmt.Sprintf(
				"Two servers use the name %s: give each its own, with the setting node in its configuration.", quoted(n.Name))})
		case age(n) > silentAfter && n.Waiting > 0:
			list = append(list, Finding{Code: "node-silent", Severity: Degraded, Text: silentWords(n, st)})
		}
	}
	return list
}

// twin says that another server attends under this one's name. It must have done so since this process began, for the row of this
// server's own run before looks the same until then.
func twin(n *storage.Node, m *maintenance.State, st *Status) bool {
	return n.Name == st.Node && age(n) <= presentWithin && n.SeenAt > m.Since
}

// silentWords says what a server that is not there any more holds back.
func silentWords(n *storage.Node, st *Status) string {
	who := "The server " + quoted(n.Name)
	what := "Start it again, and they are recorded."
	if n.Name == st.Node {
		who = fmt.Sprintf("An earlier data folder of this server (journal %.8s)", n.JournalID)
		what = "Start a server on that folder, under a name of its own, and they are recorded."
	}
	since := ""
	if n.OldestWaiting != 0 {
		since = ", the oldest from " + words(n.OldestWaiting)
	}
	entries := fmt.Sprintf("%d entries that are", n.Waiting)
	if n.Waiting == 1 {
		entries = "1 entry that is"
	}
	return fmt.Sprintf("%s was last seen at %s with %s not in the database yet%s: they lie on its disk only. %s",
		who, words(n.SeenAt), entries, since, what)
}
