package storagetest

import (
	"math"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func journaledTests() []test {
	return []test{
		{"acts of the journal are stored with their batch, in its order", actsInOrder},
		{"an act is stored once, whichever journal holds it", actsOnce},
		{"acts that differ are kept, also of one instant", actsThatDiffer},
		{"a batch that fails stores no act", actsOrNothing},
		{"texts of acts come back as they were", actTexts},
		{"an act that cannot be stored names its entry", badActs},
	}
}

// act gives an act of the journal on a thing. Its instant is the plot's own, for an act is known by it, and a second later for each
// sequence number.
func (p *plot) act(seq uint64, what, on string) storage.JournaledAct {
	c := By("eva")
	c.At = Start + halley.Millis(p.number)*halley.Day + halley.Millis(seq)*halley.Second
	return storage.JournaledAct{Seq: seq, AuditEntry: halley.AuditEntry{Change: c, What: what, On: on, Old: `{"a":1}`, New: `{"a":2}`}}
}

// appendActs stores a batch with these acts and uploads and ends the test where it cannot. The range ends behind the last act.
func appendActs(t *testing.T, f *plotFeed, acts []storage.JournaledAct, uploads ...storage.Upload) {
	t.Helper()
	must(t, "Append of acts", storeActs(t, f, acts, uploads...))
}

func storeActs(t *testing.T, f *plotFeed, acts []storage.JournaledAct, uploads ...storage.Upload) error {
	t.Helper()
	b := f.Batch(uploads...)
	b.Audit = acts
	for _, a := range acts {
		b.Seq = max(b.Seq, a.Seq)
	}
	f.Seq = b.Seq
	_, err := f.p.Append(t.Context(), b)
	return err
}

// ofPerson gives what a person did, without ids.
func ofPerson(t *testing.T, p *plot) []halley.AuditEntry {
	t.Helper()
	list := []halley.AuditEntry{}
	for _, a := range p.acts(t) {
		if a.ID = 0; a.Change.Actor.Kind != "policy" {
			list = append(list, a)
		}
	}
	return list
}

func actsInOrder(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	late := p.act(3, "alarm.acknowledge", "place 2")
	late.Change.At = Start - halley.Hour
	acts := []storage.JournaledAct{p.act(2, "session.begin", "eva"), late, p.act(4, "session.end", "eva")}
	appendActs(t, f, acts, d.Upload(0, d.Message(Start, 20)))
	equal(t, "the whole trail", 4, len(p.acts(t)))
	want := []halley.AuditEntry{acts[0].AuditEntry, acts[1].AuditEntry, acts[2].AuditEntry}
	equal(t, "acts, in the order of the journal and not of their times", want, ofPerson(t, p))
	appendActs(t, f, []storage.JournaledAct{p.act(9, "session.begin", "eva")})
	want = append(want, p.act(9, "session.begin", "eva").AuditEntry)
	equal(t, "acts after a batch without uploads", want, ofPerson(t, p))
	p.reopen(t)
	equal(t, "acts after opening again", want, ofPerson(t, p))
	equal(t, "version", p.began+1, version(t, p))
}

func actsOnce(t *testing.T, p *plot) {
	acts := []storage.JournaledAct{p.act(1, "session.begin", "eva"), p.act(2, "session.end", "eva")}
	f, g, h := p.feed(), p.feedOf(2), p.feedOf(3)
	appendActs(t, f, []storage.JournaledAct{acts[0], acts[0], acts[1]})
	equal(t, "after an act twice in a batch", []string{"session.begin", "session.end"}, p.whats(t))
	appendActs(t, g, acts)
	equal(t, "after the journal got another id", []string{"session.begin", "session.end"}, p.whats(t))
	p.reopen(t)
	appendActs(t, h, append(acts, p.act(3, "session.begin", "eva")))
	equal(t, "after one more with a third id", []string{"session.begin", "session.end", "session.begin"}, p.whats(t))
	must(t, "NoteAudit", p.NoteAudit(t.Context(), acts[0].AuditEntry))
	equal(t, "after the same act without a journal", 4, len(p.whats(t)))
}

func actsThatDiffer(t *testing.T, p *plot) {
	base := p.act(1, "place.rename", "place 1")
	acts := []storage.JournaledAct{base}
	for _, change := range []func(a *storage.JournaledAct){
		func(a *storage.JournaledAct) { a.Seq = 2 },
		func(a *storage.JournaledAct) { a.Change.At++ },
		func(a *storage.JournaledAct) { a.What = "place.retire" },
		func(a *storage.JournaledAct) { a.What = "Place.rename" },
		func(a *storage.JournaledAct) { a.What = "place.rename " },
		func(a *storage.JournaledAct) { a.On = "place 2" },
		func(a *storage.JournaledAct) { a.On = "place 1 " },
		func(a *storage.JournaledAct) { a.On = "Place 1" },
		func(a *storage.JournaledAct) { a.On = "plàce 1" },
		func(a *storage.JournaledAct) { a.Change.Actor.Name = "adam" },
		func(a *storage.JournaledAct) { a.Change.Actor.Name = "Eva" },
		func(a *storage.JournaledAct) { a.Change.Actor.Name = "eva " },
	} {
		a := base
		change(&a)
		acts = append(acts, a)
	}
	appendActs(t, p.feed(), acts[:6])
	appendActs(t, p.feedOf(2), acts)
	want := []halley.AuditEntry{}
	for _, a := range acts {
		want = append(want, a.AuditEntry)
	}
	equal(t, "acts", want, ofPerson(t, p))
}

func actsOrNothing(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	m := d.Message(Start, math.NaN())
	acts := []storage.JournaledAct{p.act(5, "session.begin", "eva")}
	wantEntry(t, "Append of an act and a bad message", storeActs(t, f, acts, d.Upload(0, m)), 1)
	p.nothing(t)
	f = p.feed()
	appendActs(t, f, nil, d.Upload(0, d.Message(Start, 20)))
	f.Seq = 0
	wantKind(t, "Append of an act in a range that is recorded", storeActs(t, f, []storage.JournaledAct{p.act(1, "session.begin", "eva")}),
		halley.Conflict)
	equal(t, "acts of persons", 0, len(ofPerson(t, p)))
}

func actTexts(t *testing.T, p *plot) {
	long := strings.Repeat("é", 3998) + "🥶"
	var acts []storage.JournaledAct
	for i, text := range append(foreignTexts(), long) {
		a := p.act(uint64(i+1), text, text)
		a.Change.Actor = halley.Actor{Kind: text, Name: text, Session: text}
		a.Change.Why, a.Old, a.New = text, text, text
		if text == long {
			// Only the values and the reason are ever this long.
			a = p.act(uint64(i+1), "place.rename", "place 1")
			a.Change.Why, a.Old, a.New = text, text, text
		}
		acts = append(acts, a)
	}
	appendActs(t, p.feed(), acts)
	appendActs(t, p.feedOf(2), acts)
	want := []halley.AuditEntry{}
	for _, a := range acts {
		want = append(want, a.AuditEntry)
	}
	equal(t, "acts", want, ofPerson(t, p))
}

func badActs(t *testing.T, p *plot) {
	for name, spoil := range map[string]func(a *storage.JournaledAct){
		"no deed":                          func(a *storage.JournaledAct) { a.What = "" },
		"a NUL in the reason":              func(a *storage.JournaledAct) { a.Change.Why = "a\x00b" },
		"a subject that is not UTF-8":      func(a *storage.JournaledAct) { a.On = "\xff" },
		"a value without end":              func(a *storage.JournaledAct) { a.New = strings.Repeat("x", 4001) },
		"no time":                          func(a *storage.JournaledAct) { a.Change.At = 0 },
		"a time that cannot be stored":     func(a *storage.JournaledAct) { a.Change.At = halley.LatestMillis },
		"a sequence number out of range":   func(a *storage.JournaledAct) { a.Seq = 1 << 63 },
		"a value of 4001 units of surplus": func(a *storage.JournaledAct) { a.Old = strings.Repeat("🥶", 2001) },
	} {
		d := WiFi(p.serial(1), 1)
		b := p.feed().Batch(d.Upload(0, d.Message(Start, 20)))
		b.Seq = 3
		b.Audit = []storage.JournaledAct{p.act(2, "session.begin", "eva"), p.act(3, "session.end", "eva")}
		spoil(&b.Audit[1])
		_, err := p.Append(t.Context(), b)
		wantEntry(t, name, err, b.Audit[1].Seq)
	}
	p.nothing(t)
}
