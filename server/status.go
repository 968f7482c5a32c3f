package server

import (
	"fmt"
	"time"

	"halley"
	"halley/server/journal"
	"halley/server/live"
	"halley/server/quarantine"
	"halley/server/recorder"
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
	StoreKind string
	// StoreBytes is what the store takes on disk; 0 where it is not known.
	StoreBytes int64
	Listeners  []ListenerStatus
	// Devices counts devices by state; Reporting and Silent count the accepted ones.
	Devices           map[halley.DeviceState]int
	Reporting, Silent int
	Quarantine        quarantine.Usage
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
	st.Journal = s.journalStatus(st.Recorder.Recorded)
	info := s.info.get()
	st.StoreKind, st.StoreBytes = info.Kind, info.Bytes
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
	st.Findings = findings(&st)
	st.State = worst(st.Findings)
	return st
}

func (s *Server) journalStatus(recorded uint64) JournalStatus {
	j := JournalStatus{ID: s.journal.ID(), Last: s.journal.Last(), Recorded: recorded, Usage: s.journal.Usage()}
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

// findings says in words what a person should know, worst first.
func findings(st *Status) []Finding {
	var list []Finding
	add := func(code string, severity Severity, text string) {
		list = append(list, Finding{Code: code, Severity: severity, Text: text})
	}
	switch st.Journal.State {
	case journal.StateOK:
	case journal.StateFull:
		add("journal-full", Failing, "The disk of the data folder is full: devices are told that nothing is stored. Free some space; nothing else is needed.")
	case journal.StateFailing:
		add("journal-failing", Failing, "The journal cannot be written: devices are told that nothing is stored. Look at the disk of the data folder.")
	}
	if st.Recorder.Stopped {
		add("recorder-stopped", Failing, st.Recorder.Problem)
	} else if st.Recorder.Store != "ok" {
		add("store-"+string(st.Recorder.Store), Degraded, fmt.Sprintf("%s Since %s %d entries wait in the journal; nothing is lost.",
			st.Recorder.Problem, st.Recorder.Since, st.Journal.Last-st.Journal.Recorded))
	}
	if st.Recorder.Parked > 0 {
		add("uploads-parked", Degraded, fmt.Sprintf("The database refused the content of %d uploads since the start. They are kept in quarantine.", st.Recorder.Parked))
	}
	if st.Quarantine.Refused > 0 {
		add("quarantine-full", Degraded, fmt.Sprintf("The quarantine has no room: %d uploads of devices that nobody has accepted were refused since the start. Accept or reject the new devices.", st.Quarantine.Refused))
	}
	return list
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
