package server

import (
	"cmp"
	"slices"
	"time"

	"halley"
	"halley/server/backup"
	"halley/server/clock"
	"halley/server/journal"
	"halley/server/live"
	"halley/server/quarantine"
	"halley/server/recorder"
	"halley/storage"
)

// Severity says how bad a finding is.
type Severity string

// The severities, which are also the states of the whole besides "ok".
const (
	Degraded Severity = "degraded"
	Failing  Severity = "failing"
)

// Finding is something that a person should know.
type Finding struct {
	// Code is stable, Text is plain English that says what to do.
	Code     string
	Severity Severity
	Text     string
}

// Status is how the server stands at one instant.
type Status struct {
	At, StartedAt halley.Millis
	Version, Node string
	// State is "ok" or the worst severity of the findings.
	State     string
	Findings  []Finding
	Simulated bool
	Journal   JournalStatus
	Recorder  recorder.State
	Store     StoreStatus
	// Nodes are the servers that share the store, by name, as they were when this one could ask last.
	Nodes     []NodeStatus
	Listeners []ListenerStatus
	// Devices counts devices by state; Reporting and Silent count the accepted ones.
	Devices           map[halley.DeviceState]int
	Reporting, Silent int
	Quarantine        quarantine.Usage
	Clock             clock.Standing
	Backup            backup.State
	// Unrecognized counts the bodies that nobody could read, Kept how many are at hand.
	Unrecognized int64
	Kept         int
}

// JournalStatus is how the journal stands.
type JournalStatus struct {
	ID             string
	Last, Recorded uint64
	// OldestWaiting is the receive time of the oldest entry that is not recorded; 0 where none waits.
	OldestWaiting halley.Millis
	journal.Usage
}

// StoreStatus is how the database of record stands, as far as this server knows without asking it.
type StoreStatus struct {
	// Kind is "sqlite" or "sqlserver", also where the store was never reached; Engine says in words which engine it is, "" where it
	// was not reached yet.
	Kind, Engine string
	// State says whether it takes batches, Since when, Problem in plain English what is wrong.
	State   storage.State
	Since   halley.Millis
	Problem string
	// Schema is the number of the newest migration, 0 where it is not known.
	Schema int
	// Bytes is what it takes on disk, Samples how many it holds; 0 where it is not known.
	Bytes, Samples int64
	// BytesPerSample is Bytes by Samples, SamplesPerDay how many are recorded in a day; 0 where it is not known.
	BytesPerSample, SamplesPerDay float64
	// LimitBytes is what it may take at most, 0 where that is not known; Limit says what sets it: "edition", "file-size" or "disk".
	LimitBytes int64
	Limit      string
	// FullAt is when the limit is reached at this growth; 0 where that is not known or beyond the year 2100.
	FullAt halley.Millis
}

// NodeStatus is one of the servers that share a store.
type NodeStatus struct {
	Name, Version string
	// Self says that it is this one.
	Self bool
	// SeenAt is when it attended last, by the database's clock; Silent that this is more than two minutes ago.
	SeenAt halley.Millis
	Silent bool
	// Waiting is how many entries of its journal were not recorded then, OldestWaiting since when the oldest waits; 0 for none.
	Waiting       int64
	OldestWaiting halley.Millis
	// Leads says that it does the work that is done once for all.
	Leads bool
}

// ListenerStatus is how one address is used.
type ListenerStatus struct {
	Purpose, Address string
	TLS              bool
	Requests         int64
	LastRequestAt    halley.Millis
	// Note says what to check where nothing has ever arrived.
	Note string
}

// Status gives how the server stands. It answers at once, also while the store is away.
func (s *Server) Status() Status {
	now := halley.MillisOf(time.Now())
	st := Status{
		At: now, StartedAt: halley.MillisOf(s.startedAt), Version: s.opts.Version, Node: s.opts.Config.Node,
		Recorder: s.recorder.State(), Quarantine: s.held.Usage(), Devices: map[halley.DeviceState]int{},
	}
	st.Journal = s.journalStatus(&st.Recorder)
	st.Store = s.storeStatus(now)
	servers := s.maintenance.State()
	st.Nodes = nodeStatuses(&servers, &st)
	for _, l := range s.listeners {
		st.Listeners = append(st.Listeners, l.status())
	}
	for _, d := range s.devices.Devices() {
		st.Devices[d.State]++
		st.Simulated = st.Simulated || d.Simulated
		if d.State == halley.DeviceAccepted {
			if s.silent(d.DeviceKey, now) {
				st.Silent++
			} else {
				st.Reporting++
			}
		}
	}
	count, bodies := s.intake.Unrecognized()
	st.Unrecognized, st.Kept = count, len(bodies)
	st.Clock = s.clock.Standing()
	st.Findings = slices.Concat(findings(&st), nodeFindings(&servers, &st), s.furtherFindings())
	st.Findings = append(st.Findings, s.clockFindings(&st)...)
	st.Findings = append(st.Findings, s.proofFindings(&st)...)
	st.Backup = s.backups.State()
	st.Findings = append(st.Findings, backupFindings(&st.Backup)...)
	slices.SortStableFunc(st.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) }) // failing first
	st.State = worst(st.Findings)
	return st
}

func (s *Server) journalStatus(r *recorder.State) JournalStatus {
	j := JournalStatus{ID: s.journal.ID(), Last: s.journal.Last(), Recorded: s.recordedUpTo(r), Usage: s.journal.Usage()}
	if j.Recorded < j.Last {
		j.OldestWaiting = s.oldest.of(j.Recorded + 1)
	}
	return j
}

func (s *Server) silent(key halley.DeviceKey, now halley.Millis) bool {
	m, heardAt, ok := s.live.Newest(key)
	return !ok || now >= live.SilentAfter(heardAt, m.Interval, m.Buffer)
}

func (l *listener) status() ListenerStatus {
	st := ListenerStatus{
		Purpose: l.purpose, Address: l.address, TLS: l.tls, Requests: l.requests.Load(), LastRequestAt: halley.Millis(l.lastRequest.Load()),
	}
	if st.Requests == 0 && l.purpose == "devices" {
		st.Note = "Nothing has ever reached this address since the start. Check the server address in the sensors, the firewall of this machine, and the route between their network and this one."
	}
	return st
}

func worst(list []Finding) string {
	state := "ok"
	for _, f := range list {
		if f.Severity == Failing {
			return string(Failing)
		}
		state = string(f.Severity)
	}
	return state
}
