package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"halley"
	"halley/storage"
)

// silentFor is how long a place may not be reached before that is a finding.
const silentFor = time.Hour

// Finding is something that a person should know.
type Finding struct {
	// Code is stable, Text is plain English that says what to do; Failing says that it is worse than degraded.
	Code    string
	Failing bool
	Text    string
}

// Findings says in words what a person should know of the proof. It never waits.
func (l *Ledger) Findings() []Finding {
	at := now()
	var list []Finding
	for _, p := range openFindings(l.results.of(storage.ProofVerify)) {
		list = append(list, verificationFinding(&p))
	}
	for _, s := range l.setBacks(at) {
		list = append(list, Finding{Code: s.What + "-set-back", Text: s.Text + " This is shown for 30 days."})
	}
	if newest := l.results.of(storage.ProofVerify); len(newest) > 0 {
		if s, ok := summaryOf(&newest[0]); ok && s.Problem != "" {
			list = append(list, Finding{Code: "verification-failed", Text: fmt.Sprintf(
				"The database could not be verified at %s: %s. It is tried again each day; the page Proof starts it at once.", words(newest[0].At), s.Problem)})
		}
	}
	if l.opts.Keys.Lost() {
		list = append(list, Finding{Code: "ledger-key-lost", Text: "The signing key of this server was not in its keys folder, and a new one was made. What the former key signed can still be checked. Give those who keep its public key the new one."})
	}
	for _, p := range l.places {
		if since, problem := p.failing(); since != 0 && at-since >= halley.Millis(silentFor.Milliseconds()) {
			list = append(list, Finding{Code: "checkpoint-not-sent", Text: fmt.Sprintf(
				"No checkpoint could be sent to %s since %s: %s. It is tried again; the newest one is sent then.", p.Text, words(since), problem)})
		}
	}
	return list
}

func summaryOf(p *storage.Proof) (s storage.VerifySummary, ok bool) {
	return s, json.Unmarshal([]byte(p.Summary), &s) == nil
}

func verificationFinding(p *storage.Proof) Finding {
	s, _ := summaryOf(p)
	text := fmt.Sprintf("The verification of %s found %d things in the database that are not as they were recorded", words(p.At), s.FindingCount)
	if s.FindingCount == 1 {
		text = fmt.Sprintf("The verification of %s found one thing in the database that is not as it was recorded", words(p.At))
	}
	if len(s.Findings) > 0 {
		text += ": " + s.Findings[0].Text
	}
	return Finding{Code: "verification-found", Failing: true, Text: text + " The page Proof lists them; keep the database as it is until it is clear why."}
}

// openFindings gives of results, newest first, those that found something which no later verification of the same range found in
// order; a later one that found something there stands for it.
func openFindings(list []storage.Proof) []storage.Proof {
	var open []storage.Proof
	var later []halley.Span
	for _, p := range list {
		s, ok := summaryOf(&p)
		if !ok || s.Problem != "" && s.FindingCount == 0 {
			continue
		}
		own := halley.Span{From: s.From, To: s.To}
		if own.To == 0 {
			own = halley.Span{From: halley.EarliestMillis, To: halley.LatestMillis}
		}
		if s.FindingCount > 0 && !own.Within(later) {
			open = append(open, p)
		}
		if s.Problem == "" {
			later = append(later, own)
		}
	}
	return open
}
