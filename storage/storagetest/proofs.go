package storagetest

import (
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func proofTests() []test {
	return []test{
		{"results of checks are kept by kind, newest first, each with an act", proofs},
		{"a result that cannot be kept is refused", badProofs},
		{"interruptions come in with batches, each once", interruptions},
		{"an interruption that cannot be stored is refused", badInterruptions},
		{"a person says why messages are missing", gapCauses},
		{"a cause of nothing, or of no device, is refused", badGapCauses},
		{"a channel is at a place from one instant to another", attachments},
		{"the audit trail is listed by who, what, on what and when", auditWhere},
	}
}

func proofs(t *testing.T, p *plot) {
	add := func(kind storage.ProofKind, ok bool, summary string) storage.Proof {
		t.Helper()
		x := storage.Proof{At: Start + halley.Hour, Node: p.journal(1), Kind: kind, OK: ok, Summary: summary}
		var err error
		x.ID, err = p.AddProof(t.Context(), x, By("eva"))
		must(t, "AddProof", err)
		return x
	}
	long := `{"text":"` + strings.Repeat("é", 100_000) + `"}`
	first := add(storage.ProofVerify, true, `{"samples":3}`)
	add(storage.ProofBackup, true, `{}`)
	second := add(storage.ProofVerify, false, long)
	list, err := p.Proofs(t.Context(), storage.ProofVerify, 0, 2)
	must(t, "Proofs", err)
	equal(t, "verifications", []storage.Proof{second, first}, list)
	list, err = p.Proofs(t.Context(), storage.ProofVerify, second.ID, 1)
	must(t, "Proofs before the newest", err)
	equal(t, "verifications before the newest", []storage.Proof{first}, list)
	equal(t, "acts", []string{"proof.verify", "proof.backup", "proof.verify"}, p.whats(t))
	CheckLedger(t, p)
}

func badProofs(t *testing.T, p *plot) {
	good := storage.Proof{At: Start, Node: "n", Kind: storage.ProofDrill, Summary: "{}"}
	for name, spoil := range map[string]func(x *storage.Proof){
		"no node":                    func(x *storage.Proof) { x.Node = "" },
		"no time":                    func(x *storage.Proof) { x.At = 0 },
		"a kind that nobody knows":   func(x *storage.Proof) { x.Kind = "guess" },
		"a summary that is no JSON":  func(x *storage.Proof) { x.Summary = "all well" },
		"a summary without end":      func(x *storage.Proof) { x.Summary = `"` + strings.Repeat("x", 1<<20) + `"` },
		"a summary with a bare byte": func(x *storage.Proof) { x.Summary = "\"\xff\"" },
	} {
		x := good
		spoil(&x)
		_, err := p.AddProof(t.Context(), x, By("eva"))
		wantKind(t, name, err, halley.Invalid)
	}
	p.nothing(t)
}

func interruptions(t *testing.T, p *plot) {
	// No other test has interruptions of these years.
	begin := Start + halley.Millis(1000+p.number)*halley.Day
	down := func(node string, kind storage.InterruptionKind, from, to int) storage.Interruption {
		return storage.Interruption{Node: node, Kind: kind, From: begin + halley.Millis(from), To: begin + halley.Millis(to)}
	}
	a, b, c := down("a", storage.ServerDown, 100, 200), down("b", storage.ServerDown, 100, 300), down("a", storage.ServerRefused, 50, 101)
	f, g := p.feed(), p.feedOf(2)
	add := func(f *plotFeed, list ...storage.Interruption) {
		t.Helper()
		batch := f.Batch()
		batch.Interruptions = list
		_, err := p.Append(t.Context(), batch)
		must(t, "Append of interruptions", err)
	}
	add(f, a, c, a)
	add(g, a, b)
	longer := a
	longer.To += 1000
	add(f, longer)
	p.reopen(t)
	for _, x := range []struct {
		name     string
		from, to int
		want     []storage.Interruption
	}{
		{"all, by begin and node", 0, 1000, []storage.Interruption{c, a, b}},
		{"those that end behind the begin", 200, 201, []storage.Interruption{b}},
		{"those that begin before the end", 0, 100, []storage.Interruption{c}},
		{"none", 300, 1000, []storage.Interruption{}},
	} {
		got, err := p.Interruptions(t.Context(), begin+halley.Millis(x.from), begin+halley.Millis(x.to))
		must(t, "Interruptions", err)
		equal(t, x.name, x.want, got)
	}
	CheckLedger(t, p)
}

func badInterruptions(t *testing.T, p *plot) {
	for name, i := range map[string]storage.Interruption{
		"no node":             {Kind: storage.ServerDown, From: Start, To: Start + 1},
		"an unknown kind":     {Node: "n", Kind: "asleep", From: Start, To: Start + 1},
		"an end at its begin": {Node: "n", Kind: storage.ServerDown, From: Start, To: Start},
		"a begin before 2000": {Node: "n", Kind: storage.ServerDown, From: 1, To: Start},
	} {
		b := p.feed().Batch()
		b.Interruptions = []storage.Interruption{i}
		_, err := p.Append(t.Context(), b)
		wantKind(t, name, err, halley.Invalid)
	}
	p.nothing(t)
}

func gapCauses(t *testing.T, p *plot) {
	f, d, e := p.feed(), WiFi(p.serial(1), 1), WiFi(p.serial(2), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)), e.Upload(0, e.Message(Start, 1)))
	id := p.device(t, 1)
	add := func(device halley.DeviceID, from, to int, cause string) storage.GapCause {
		t.Helper()
		g := storage.GapCause{Device: device, From: Start + halley.Millis(from), To: Start + halley.Millis(to), Cause: cause, Note: "Kühlraum 🥶"}
		got, err := p.AddGapCause(t.Context(), g, By("eva"))
		must(t, "AddGapCause", err)
		g.ID, g.By, g.At = got.ID, "eva", By("eva").At
		equal(t, "the cause", g, got)
		return g
	}
	first, second := add(id, 100, 200, "switched-off"), add(id, 150, 300, "no-network")
	add(p.device(t, 2), 100, 200, "unknown")
	list, err := p.GapCauses(t.Context(), id, Start, Start+halley.Day)
	must(t, "GapCauses", err)
	equal(t, "causes", []storage.GapCause{first, second}, list)
	list, err = p.GapCauses(t.Context(), id, Start+200, Start+halley.Day)
	must(t, "GapCauses behind the first", err)
	equal(t, "causes behind the first", []storage.GapCause{second}, list)
	acts := p.acts(t)
	last := acts[len(acts)-1]
	if last.What != "gap.explain" || !strings.Contains(last.New, "unknown") || last.Change.Actor.Name != "eva" {
		t.Errorf("the newest act is %+v", last)
	}
	CheckLedger(t, p)
}

func badGapCauses(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	f.Append(t, d.Upload(0, d.Message(Start, 1)))
	acts := len(p.acts(t))
	good := storage.GapCause{Device: p.device(t, 1), From: Start, To: Start + 1, Cause: "unknown"}
	for name, c := range map[string]struct {
		spoil func(g *storage.GapCause)
		want  halley.Kind
	}{
		"no device":           {func(g *storage.GapCause) { g.Device = 1 << 40 }, halley.NotFound},
		"no cause":            {func(g *storage.GapCause) { g.Cause = "" }, halley.Invalid},
		"a cause without end": {func(g *storage.GapCause) { g.Cause = strings.Repeat("x", 33) }, halley.Invalid},
		"a note without end":  {func(g *storage.GapCause) { g.Note = strings.Repeat("x", 4001) }, halley.Invalid},
		"an empty span":       {func(g *storage.GapCause) { g.To = g.From }, halley.Invalid},
	} {
		g := good
		c.spoil(&g)
		_, err := p.AddGapCause(t.Context(), g, By("eva"))
		wantKind(t, name, err, c.want)
	}
	equal(t, "acts", acts, len(p.acts(t)))
}

func attachments(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 2)
	f.Append(t, d.Upload(0, d.Message(Start, 1)))
	place := p.devices(t)[0].PlaceID
	want := []storage.Attachment{}
	for n := range 2 {
		want = append(want, storage.Attachment{
			Channel: p.channel(t, n+1), Device: p.device(t, 1), Place: place, From: halley.EarliestMillis, To: halley.LatestMillis,
		})
	}
	got, err := p.Attachments(t.Context(), place, Start, Start+1)
	must(t, "Attachments", err)
	equal(t, "attachments", want, got)
	got, err = p.Attachments(t.Context(), place+1_000_000, Start, Start+1)
	must(t, "Attachments of no place", err)
	equal(t, "attachments of no place", []storage.Attachment{}, got)
	got, err = p.Attachments(t.Context(), place, 0, halley.EarliestMillis)
	must(t, "Attachments before all", err)
	equal(t, "attachments before all", []storage.Attachment{}, got)
}

func auditWhere(t *testing.T, p *plot) {
	mine := p.name("place")
	act := func(n int, who, what, on string) halley.AuditEntry {
		t.Helper()
		e := halley.AuditEntry{Change: By(who), What: what, On: on}
		e.Change.At += halley.Millis(n) * halley.Hour
		must(t, "NoteAudit", p.NoteAudit(t.Context(), e))
		return e
	}
	list := []halley.AuditEntry{
		act(0, "eva", "report.make", mine), act(1, "adam", "report.send", mine), act(2, "eva", "reporter", mine),
		act(3, "Eva", "report", mine), act(4, "eva ", "report.make ", mine),
	}
	act(0, "eva", "report.make", mine+" ")
	for _, c := range []struct {
		name string
		f    storage.AuditFilter
		want []int
	}{
		{"all of a subject", storage.AuditFilter{}, []int{4, 3, 2, 1, 0}},
		{"of one person", storage.AuditFilter{Who: "eva"}, []int{2, 0}},
		{"of one deed", storage.AuditFilter{What: "report.make"}, []int{0}},
		{"of deeds that begin alike", storage.AuditFilter{What: "report.*"}, []int{4, 1, 0}},
		{"of any deed", storage.AuditFilter{What: "*"}, []int{4, 3, 2, 1, 0}},
		{"from an instant on", storage.AuditFilter{From: list[2].Change.At}, []int{4, 3, 2}},
		{"up to an instant", storage.AuditFilter{To: list[2].Change.At}, []int{1, 0}},
		{"at most so many", storage.AuditFilter{Limit: 2}, []int{4, 3}},
		{"of one person and deed", storage.AuditFilter{Who: "eva", What: "reporter"}, []int{2}},
		{"of a deed that nobody did", storage.AuditFilter{What: "Report.make"}, []int{}},
	} {
		if c.f.On = mine; c.f.Limit == 0 {
			c.f.Limit = 100
		}
		got, err := p.AuditWhere(t.Context(), c.f)
		must(t, "AuditWhere", err)
		want := []halley.AuditEntry{}
		for _, i := range c.want {
			want = append(want, list[i])
		}
		for i := range got {
			got[i].ID = 0
		}
		equal(t, c.name, want, got)
	}
	all, err := p.AuditWhere(t.Context(), storage.AuditFilter{On: mine, Limit: 100})
	must(t, "AuditWhere", err)
	older, err := p.AuditWhere(t.Context(), storage.AuditFilter{On: mine, Limit: 100, Before: all[1].ID})
	must(t, "AuditWhere before an act", err)
	equal(t, "before an act", all[2:], older)
}
