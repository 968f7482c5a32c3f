package viewerapi

import (
	"context"
	"math"
	"net/http"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// The states of the program as a whole, and the severities of its messages.
const (
	StateOK       = "ok"
	StateDegraded = "degraded"
	StateFailing  = "failing"
)

// Status is how the program stands.
type Status struct {
	At Time `json:"at"`
	// State is StateOK, StateDegraded or StateFailing.
	State     string          `json:"state"`
	Messages  []StatusMessage `json:"messages"`
	Version   string          `json:"version"`
	Node      string          `json:"node"`
	StartedAt Time            `json:"started_at"`
	// Simulated says that the store holds data of simulated devices.
	Simulated bool          `json:"simulated"`
	Journal   JournalStatus `json:"journal"`
	Store     StoreStatus   `json:"store"`
	// Nodes are the servers that share the store, by name. It has at least this one.
	Nodes        []NodeStatus       `json:"nodes"`
	Listeners    []ListenerStatus   `json:"listeners"`
	Devices      DeviceCounts       `json:"devices"`
	Quarantine   QuarantineStatus   `json:"quarantine"`
	Unrecognized UnrecognizedStatus `json:"unrecognized"`
	Clock        ClockStatus        `json:"clock"`
}

// StatusMessage is one thing that a person should know.
type StatusMessage struct {
	// Code is a stable word.
	Code string `json:"code"`
	// Severity is StateDegraded or StateFailing.
	Severity string `json:"severity"`
	// Text says in plain English what is wrong and what to do.
	Text string `json:"text"`
}

// JournalStatus is how the journal stands.
type JournalStatus struct {
	ID string `json:"id"`
	// Last is the newest sequence number, Recorded the one up to which everything is in the store.
	Last            uint64 `json:"last"`
	Recorded        uint64 `json:"recorded"`
	Waiting         uint64 `json:"waiting"`
	OldestWaitingAt Time   `json:"oldest_waiting_at"`
	Bytes           int64  `json:"bytes"`
	Files           int    `json:"files"`
	// State is "ok", "full" or "failing".
	State string `json:"state"`
}

// StoreStatus is how the store stands, and how it grows.
type StoreStatus struct {
	// Kind is "sqlite" or "sqlserver".
	Kind string `json:"kind"`
	// Engine says in words which engine it is, with edition and version; "" where it was not reached yet.
	Engine string `json:"engine"`
	// State is the word of a storage.State.
	State string `json:"state"`
	// Since is when this state began.
	Since Time `json:"since"`
	// Problem says in plain English why the state is not "ok" and what to do; "" where it is.
	Problem string `json:"problem"`
	// Schema is the number of the newest migration; 0 where it was not read yet.
	Schema int `json:"schema"`
	// Bytes is what the database takes on disk and Samples how many it holds; 0 where it is not known.
	Bytes   int64 `json:"bytes"`
	Samples int64 `json:"samples"`
	// BytesPerSample is Bytes by Samples, SamplesPerDay how many are recorded in a day; 0 where it is not known.
	BytesPerSample float64 `json:"bytes_per_sample"`
	SamplesPerDay  float64 `json:"samples_per_day"`
	// LimitBytes is what the database may take at most, 0 where nothing sets a limit; Limit says what sets it: LimitEdition,
	// LimitFileSize or LimitDisk.
	LimitBytes int64  `json:"limit_bytes"`
	Limit      string `json:"limit"`
	// FullAt is when the database will have grown to LimitBytes if it grows as now; 0 where it is not known.
	FullAt Time `json:"full_at"`
}

// What sets the limit of a store: the engine's edition (10 GB with SQL Server Express), the size that its file may grow to, or
// the disk under it.
const (
	LimitEdition  = "edition"
	LimitFileSize = "file-size"
	LimitDisk     = "disk"
)

// NodeStatus is how one of the servers that share the store stands, as it said itself when it was seen last.
type NodeStatus struct {
	// Name is the configured name of the server, Version its program's.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Self says that it is the server that answers.
	Self bool `json:"self"`
	// SeenAt is when it was seen last; Silent says that this is too long ago.
	SeenAt Time `json:"seen_at"`
	Silent bool `json:"silent"`
	// Waiting is how many entries of its journal were not recorded then, OldestWaitingAt since when; 0 for none.
	Waiting         int64 `json:"waiting"`
	OldestWaitingAt Time  `json:"oldest_waiting_at"`
	// Leads says that it does the work that is done once for all servers.
	Leads bool `json:"leads"`
}

// ListenerStatus is how one listener stands.
type ListenerStatus struct {
	// Purpose is "devices" or "viewer".
	Purpose       string `json:"purpose"`
	Address       string `json:"address"`
	TLS           bool   `json:"tls"`
	Requests      int64  `json:"requests"`
	LastRequestAt Time   `json:"last_request_at"`
	// Note says in plain English what to check; "" where nothing is wrong.
	Note string `json:"note"`
}

// DeviceCounts counts devices by state, and the accepted ones by whether they report.
type DeviceCounts struct {
	New       int `json:"new"`
	Accepted  int `json:"accepted"`
	Suspended int `json:"suspended"`
	Rejected  int `json:"rejected"`
	Retired   int `json:"retired"`
	Reporting int `json:"reporting"`
	Silent    int `json:"silent"`
}

// QuarantineStatus is what quarantine holds and may hold.
type QuarantineStatus struct {
	Uploads      int64 `json:"uploads"`
	Bytes        int64 `json:"bytes"`
	BudgetBytes  int64 `json:"budget_bytes"`
	Devices      int   `json:"devices"`
	DeviceBudget int   `json:"device_budget"`
	// Refused counts uploads that the budget had no room for.
	Refused int64 `json:"refused"`
}

// UnrecognizedStatus counts bodies that no family recognized, and those that were kept.
type UnrecognizedStatus struct {
	Count int64 `json:"count"`
	Kept  int   `json:"kept"`
}

// ClockStatus is how the server's clock stands.
type ClockStatus struct {
	// State is "not-checked", "ok", "wrong", "stepped" (it jumped since it was checked) or "no-answer" (of the time source).
	State string `json:"state"`
	// OffsetMS is how far the clock lay ahead of the time source when that answered last, in milliseconds; nil where it never did.
	OffsetMS *int64 `json:"offset_ms"`
	// Source is the configured time source; "" for none. CheckedAt is when it answered last.
	Source    string `json:"source"`
	CheckedAt Time   `json:"checked_at"`
}

// getHealth says that the program lives.
func (a *API) getHealth(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, "text/plain; charset=utf-8", []byte("ok"))
}

// getStatus says how the program stands. It asks nothing that may be away and has no way to fail: a figure that JSON cannot
// write is one that is not known. What concerns the server alone is for those who look after it, and devices are counted as far as the
// caller may see them.
func (a *API) getStatus(w http.ResponseWriter, r *http.Request) error {
	s, rights := a.Status.Status(r.Context()), rightsOf(r)
	if !rights.Everywhere(halley.PermitDeviceRead) {
		counts, err := a.countDevices(r.Context(), rights)
		if err != nil {
			return err
		}
		s.Devices = counts
	}
	if !rights.Holds(halley.PermitServerRead) {
		return writeJSON(w, briefStatus(&s))
	}
	if s.Messages == nil {
		s.Messages = []StatusMessage{}
	}
	if s.Listeners == nil {
		s.Listeners = []ListenerStatus{}
	}
	if s.Nodes == nil {
		s.Nodes = []NodeStatus{}
	}
	s.Store.BytesPerSample, s.Store.SamplesPerDay = figure(s.Store.BytesPerSample), figure(s.Store.SamplesPerDay)
	return writeJSON(w, s)
}

// briefStatusView is what of the status everybody may see. The names are those of Status; what is of the server alone is null.
type briefStatusView struct {
	At           Time            `json:"at"`
	State        string          `json:"state"`
	Messages     []StatusMessage `json:"messages"`
	Version      string          `json:"version"`
	Node         *string         `json:"node"`
	StartedAt    Time            `json:"started_at"`
	Simulated    bool            `json:"simulated"`
	Journal      *struct{}       `json:"journal"`
	Store        briefStoreView  `json:"store"`
	Nodes        *struct{}       `json:"nodes"`
	Listeners    *struct{}       `json:"listeners"`
	Devices      DeviceCounts    `json:"devices"`
	Quarantine   *struct{}       `json:"quarantine"`
	Unrecognized *struct{}       `json:"unrecognized"`
	Clock        briefClockView  `json:"clock"`
}

// briefStoreView says whether the database can be used.
type briefStoreView struct {
	State   string `json:"state"`
	Since   Time   `json:"since"`
	Problem string `json:"problem"`
}

// briefClockView says whether the server's clock is right.
type briefClockView struct {
	State string `json:"state"`
}

// askWhoLooks stands for what is said of the server to those who look after it.
const askWhoLooks = "The server needs attention. Ask whoever looks after it."

// briefStatus gives what of the status everybody may see. What is said of the server in words names disks, hosts and devices of others:
// instead it says whom to ask.
func briefStatus(s *Status) briefStatusView {
	v := briefStatusView{
		At: s.At, State: s.State, Messages: []StatusMessage{}, Version: s.Version, StartedAt: s.StartedAt, Simulated: s.Simulated,
		Store: briefStoreView{State: s.Store.State, Since: s.Store.Since}, Devices: s.Devices, Clock: briefClockView{State: s.Clock.State},
	}
	if s.Store.State != string(storage.OK) {
		v.Store.Problem = askWhoLooks
	}
	if len(s.Messages) > 0 {
		v.Messages = append(v.Messages, StatusMessage{
			Code: "server-needs-attention", Severity: worstOf(s.Messages), Text: askWhoLooks,
		})
	}
	return v
}

// worstOf gives the worst severity of some messages.
func worstOf(messages []StatusMessage) string {
	for i := range messages {
		if messages[i].Severity == StateFailing {
			return StateFailing
		}
	}
	return StateDegraded
}

// countDevices counts the devices that the rights show.
func (a *API) countDevices(ctx context.Context, rights directory.Rights) (n DeviceCounts, err error) {
	if !rights.Holds(halley.PermitDeviceRead) {
		return n, nil
	}
	list, err := a.seenDevices(ctx, rights, storage.DeviceFilter{}, deviceChoice{})
	if err != nil {
		return n, err
	}
	now := halley.MillisOf(time.Now())
	for i := range list {
		d := &list[i]
		switch d.State {
		case halley.DeviceNew:
			n.New++
		case halley.DeviceSuspended:
			n.Suspended++
		case halley.DeviceRejected:
			n.Rejected++
		case halley.DeviceRetired:
			n.Retired++
		case halley.DeviceAccepted:
			n.Accepted++
			m, known := a.Live.LatestOf(d.ID)
			if silent, _ := silence(*d, m, known, now); silent {
				n.Silent++
			} else {
				n.Reporting++
			}
		}
	}
	return n, nil
}

// figure gives 0 for what is no count or size.
func figure(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return 0
	}
	return f
}
