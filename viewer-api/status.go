package viewerapi

import "net/http"

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
	Simulated    bool               `json:"simulated"`
	Journal      JournalStatus      `json:"journal"`
	Store        StoreStatus        `json:"store"`
	Listeners    []ListenerStatus   `json:"listeners"`
	Devices      DeviceCounts       `json:"devices"`
	Quarantine   QuarantineStatus   `json:"quarantine"`
	Unrecognized UnrecognizedStatus `json:"unrecognized"`
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

// StoreStatus is how the store stands.
type StoreStatus struct {
	Kind string `json:"kind"`
	// State is the word of a storage.State.
	State string `json:"state"`
	// Since is when this state began.
	Since Time  `json:"since"`
	Bytes int64 `json:"bytes"`
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

// getHealth says that the program lives.
func (a *API) getHealth(w http.ResponseWriter, _ *http.Request) error {
	return writeBody(w, "text/plain; charset=utf-8", []byte("ok"))
}

// getStatus says how the program stands.
func (a *API) getStatus(w http.ResponseWriter, r *http.Request) error {
	s := a.Status.Status(r.Context())
	if s.Messages == nil {
		s.Messages = []StatusMessage{}
	}
	if s.Listeners == nil {
		s.Listeners = []ListenerStatus{}
	}
	return writeJSON(w, s)
}
