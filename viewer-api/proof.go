package viewerapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"halley"
	"halley/storage"
)

const (
	// resultsPage is how many results are listed at a time where no limit is given, mostResults how many at most.
	resultsPage = 100
	mostResults = 1000
	// setBackShown is how long it is shown that something was set back.
	setBackShown = 30 * halley.Day
	// sentLooked is how many sendings are looked through for the newest one of each place.
	sentLooked = 500
)

// proofView says what was proven of the store.
type proofView struct {
	Verification *verificationView `json:"verification"`
	Checkpoint   *checkpointView   `json:"checkpoint"`
	Backup       *backupView       `json:"backup"`
	Drill        *drillView        `json:"drill"`
	SetBack      []setBackView     `json:"set_back"`
}

// verificationView is the newest verification, and how far one that runs has come.
type verificationView struct {
	At           Time          `json:"at"`
	OK           bool          `json:"ok"`
	From         Time          `json:"from"`
	To           Time          `json:"to"`
	Samples      int64         `json:"samples"`
	Batches      int64         `json:"batches"`
	Checkpoints  int64         `json:"checkpoints"`
	Outside      bool          `json:"outside"`
	AnchorAt     Time          `json:"anchor_at"`
	FindingCount int64         `json:"finding_count"`
	Findings     []findingView `json:"findings"`
	Problem      string        `json:"problem"`
	Running      bool          `json:"running"`
	Progress     float64       `json:"progress"`
}

// findingView is something that is not as it was recorded.
type findingView struct {
	What string `json:"what"`
	Text string `json:"text"`
}

// checkpointView is this server's newest checkpoint.
type checkpointView struct {
	At   Time       `json:"at"`
	Node string     `json:"node"`
	Sent []sentView `json:"sent"`
}

// sentView is what became last of sending checkpoints to a place.
type sentView struct {
	To      string `json:"to"`
	At      Time   `json:"at"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem"`
}

// backupView is the newest backup.
type backupView struct {
	At         Time   `json:"at"`
	EndAt      Time   `json:"end_at"`
	OK         bool   `json:"ok"`
	Name       string `json:"name"`
	To         string `json:"to"`
	Bytes      int64  `json:"bytes"`
	Encrypted  bool   `json:"encrypted"`
	Problem    string `json:"problem"`
	Configured bool   `json:"configured"`
	Overdue    bool   `json:"overdue"`
}

// drillView is the newest restore for trial.
type drillView struct {
	At       Time          `json:"at"`
	OK       bool          `json:"ok"`
	Backup   string        `json:"backup"`
	BackupAt Time          `json:"backup_at"`
	Samples  int64         `json:"samples"`
	Problem  string        `json:"problem"`
	Overdue  bool          `json:"overdue"`
	Findings []findingView `json:"findings"`
}

// setBackView says that the store or a journal was found older than it was known to be.
type setBackView struct {
	At   Time   `json:"at"`
	What string `json:"what"`
	Text string `json:"text"`
}

// getProof says what was verified, sent out, backed up and restored for trial, and when.
func (a *API) getProof(w http.ResponseWriter, r *http.Request) error {
	now := a.Proof.ProofNow(r.Context())
	var verify storage.VerifySummary
	verified, err := a.newestProof(r, storage.ProofVerify, &verify)
	if err != nil {
		return err
	}
	var backup storage.BackupSummary
	backedUp, err := a.newestProof(r, storage.ProofBackup, &backup)
	if err != nil {
		return err
	}
	var drill storage.DrillSummary
	drilled, err := a.newestProof(r, storage.ProofDrill, &drill)
	if err != nil {
		return err
	}
	v := proofView{
		Verification: viewOfVerification(verified, &verify, &now), Backup: viewOfBackup(backedUp, &backup, &now),
		Drill: viewOfDrill(drilled, &drill, &now),
	}
	if v.Checkpoint, err = a.viewOfCheckpoint(r, &now); err != nil {
		return err
	}
	if v.SetBack, err = a.viewOfSetBacks(r); err != nil {
		return err
	}
	return writeJSON(w, v)
}

// newestProof gives the newest result of a kind with its summary; nil where there is none.
func (a *API) newestProof(r *http.Request, kind storage.ProofKind, summary any) (*storage.Proof, error) {
	list, err := a.Proof.Proofs(r.Context(), kind, 0, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], readSummary(&list[0], summary)
}

// readSummary reads what is kept with a result.
func readSummary(p *storage.Proof, summary any) error {
	if err := json.Unmarshal([]byte(p.Summary), summary); err != nil {
		return &halley.Error{Kind: halley.Internal, Op: "read a kept result", Err: err}
	}
	return nil
}

func viewOfVerification(p *storage.Proof, s *storage.VerifySummary, now *ProofNow) *verificationView {
	if p == nil && !now.Verifying {
		return nil
	}
	v := &verificationView{Findings: []findingView{}, Running: now.Verifying, Progress: now.Progress}
	if p != nil {
		v.At, v.OK, v.From, v.To, v.Samples, v.Batches, v.Checkpoints = Time(p.At), p.OK, Time(s.From), Time(s.To), s.Samples, s.Batches, s.Checkpoints
		v.Outside, v.AnchorAt, v.FindingCount, v.Problem = s.Outside, Time(s.AnchorAt), s.FindingCount, s.Problem
		v.Findings = viewOfFindings(s.Findings)
	}
	return v
}

func viewOfFindings(list []storage.FindingSummary) []findingView {
	views := make([]findingView, len(list))
	for i, f := range list {
		views[i] = findingView(f)
	}
	return views
}

// viewOfCheckpoint gives this server's newest checkpoint with what became of sending to each place.
func (a *API) viewOfCheckpoint(r *http.Request, now *ProofNow) (*checkpointView, error) {
	c, found, err := a.Proof.NewestCheckpoint(r.Context(), now.Node)
	if err != nil || !found {
		return nil, err
	}
	sent, err := a.Proof.Proofs(r.Context(), storage.ProofSent, 0, sentLooked)
	if err != nil {
		return nil, err
	}
	v := &checkpointView{At: Time(c.At), Node: c.Node, Sent: make([]sentView, 0, len(now.Places))}
	for _, place := range now.Places {
		s := sentView{To: place}
		for i := range sent {
			var summary storage.SentSummary
			if err := readSummary(&sent[i], &summary); err != nil {
				return nil, err
			}
			if sent[i].Node == now.Node && summary.To == place {
				s.At, s.OK, s.Problem = Time(sent[i].At), sent[i].OK, summary.Problem
				break
			}
		}
		v.Sent = append(v.Sent, s)
	}
	return v, nil
}

func viewOfBackup(p *storage.Proof, s *storage.BackupSummary, now *ProofNow) *backupView {
	v := &backupView{Configured: now.BackupConfigured, Overdue: now.BackupOverdue}
	if p == nil && !now.BackupConfigured {
		return nil
	}
	if p != nil {
		v.At, v.EndAt, v.OK, v.Name, v.To = Time(p.At), Time(s.EndAt), p.OK, s.Name, s.To
		v.Bytes, v.Encrypted, v.Problem = s.Bytes, s.Encrypted, s.Problem
	}
	return v
}

func viewOfDrill(p *storage.Proof, s *storage.DrillSummary, now *ProofNow) *drillView {
	if p == nil && !now.DrillOverdue {
		return nil
	}
	v := &drillView{Overdue: now.DrillOverdue, Findings: []findingView{}}
	if p != nil {
		v.At, v.OK, v.Backup, v.BackupAt = Time(p.At), p.OK, s.Backup, Time(s.BackupAt)
		v.Samples, v.Problem, v.Findings = s.Samples, s.Problem, viewOfFindings(s.Findings)
	}
	return v
}

// viewOfSetBacks lists what was found set back in the last 30 days, newest first.
func (a *API) viewOfSetBacks(r *http.Request) ([]setBackView, error) {
	list, err := a.Proof.Proofs(r.Context(), storage.ProofSetBack, 0, resultsPage)
	if err != nil {
		return nil, err
	}
	views := []setBackView{}
	since := halley.MillisOf(time.Now()) - setBackShown
	for i := range list {
		var s storage.SetBackSummary
		if err := readSummary(&list[i], &s); err != nil {
			return nil, err
		}
		if list[i].At >= since {
			views = append(views, setBackView{At: Time(list[i].At), What: s.What, Text: s.Text})
		}
	}
	return views, nil
}

// verifyStore begins a verification of a span of measured-at, or of all. 409 where one is running.
func (a *API) verifyStore(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	var from, to halley.Millis
	var err error
	if in.From != "" || in.To != "" {
		from, to = halley.EarliestMillis, halley.LatestMillis
		if in.From != "" {
			if from, err = bodyInstant("from", in.From); err != nil {
				return err
			}
		}
		if in.To != "" {
			if to, err = bodyInstant("to", in.To); err != nil {
				return err
			}
		}
		if from >= to {
			return invalid("from", "from must lie before to")
		}
	}
	if err := a.Proof.Verify(r.Context(), from, to, change(r, halley.MillisOf(time.Now()), "")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// resultView is a kept result of a check.
type resultView struct {
	ID      int64             `json:"id"`
	At      Time              `json:"at"`
	Node    string            `json:"node"`
	Kind    storage.ProofKind `json:"kind"`
	OK      bool              `json:"ok"`
	Summary json.RawMessage   `json:"summary"`
}

// listResults lists what was kept of checks, newest first.
func (a *API) listResults(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "kind", "before", "limit")
	kinds := proofKinds()
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	if kind := q.word("kind", words...); kind != "" {
		kinds = []storage.ProofKind{storage.ProofKind(kind)}
	}
	before := q.number("before", 1, 1<<62, 0)
	limit := int(q.number("limit", 1, mostResults, resultsPage))
	if q.err != nil {
		return q.err
	}
	var list []storage.Proof
	for _, kind := range kinds {
		some, err := a.Proof.Proofs(r.Context(), kind, before, limit)
		if err != nil {
			return err
		}
		list = append(list, some...)
	}
	slices.SortFunc(list, func(a, b storage.Proof) int { return cmp.Compare(b.ID, a.ID) })
	var page struct {
		Results []resultView `json:"results"`
		Next    *int64       `json:"next"`
	}
	page.Results = make([]resultView, 0, min(limit, len(list)))
	for _, p := range list[:min(limit, len(list))] {
		page.Results = append(page.Results, resultView{ID: p.ID, At: Time(p.At), Node: p.Node, Kind: p.Kind, OK: p.OK, Summary: json.RawMessage(p.Summary)})
	}
	if len(page.Results) == limit {
		page.Next = &page.Results[limit-1].ID
	}
	return writeJSON(w, page)
}

func proofKinds() []storage.ProofKind {
	return []storage.ProofKind{
		storage.ProofVerify, storage.ProofBackup, storage.ProofDrill, storage.ProofRestore, storage.ProofSetBack, storage.ProofSent,
	}
}
