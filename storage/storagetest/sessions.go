package storagetest

import (
	"fmt"
	"testing"

	"halley"
	"halley/storage"
)

func personSessionTests() []test {
	return []test{
		{"the sessions of a person are listed until they end", personSessions},
		{"a session that was ended is not renewed", renewals},
		{"the sessions of one who is disabled end", disabledSessions},
	}
}

// sessionsOf lists the hashes of the sessions of a person.
func (p *plot) sessionsOf(t testing.TB, id halley.PersonID, now halley.Millis) []string {
	t.Helper()
	list, err := p.PersonSessions(t.Context(), id, now)
	must(t, "PersonSessions", err)
	got := []string{}
	for _, x := range list {
		if id != 0 {
			equal(t, "whose session "+x.Hash+" is", id, x.PersonID)
		}
		got = append(got, x.Hash)
	}
	return got
}

func personSessions(t *testing.T, p *plot) {
	eva, adam := p.person(t, "eva"), p.person(t, "adam")
	hash := func(n int) string { return fmt.Sprintf("%s-%d", p.journal(1), n) }
	const far = Start + 150*halley.Day
	save := func(n int, who halley.PersonID, end halley.Millis) {
		t.Helper()
		must(t, "SaveSession", p.SaveSession(t.Context(), storage.Session{Hash: hash(n), PersonID: who, Data: []byte{1, 0, byte(n)}, ExpiresAt: end}))
	}
	save(1, eva.ID, far+3)
	save(2, eva.ID, far+2)
	save(3, adam.ID, far+1)
	save(4, 0, far+1)
	save(5, eva.ID, far+2)
	equal(t, "eva's", []string{hash(2), hash(5), hash(1)}, p.sessionsOf(t, eva.ID, far))
	equal(t, "those of all", []string{hash(3), hash(4), hash(2), hash(5), hash(1)}, p.sessionsOf(t, 0, far))
	list, err := p.PersonSessions(t.Context(), adam.ID, far)
	must(t, "PersonSessions", err)
	equal(t, "a session", []storage.Session{{Hash: hash(3), PersonID: adam.ID, Data: []byte{1, 0, 3}, ExpiresAt: far + 1}}, list)
	// A session may become another person's: one that began without an account.
	save(4, adam.ID, far+1)
	equal(t, "adam's", []string{hash(3), hash(4)}, p.sessionsOf(t, adam.ID, far))
	must(t, "DeleteSession", p.DeleteSession(t.Context(), hash(3)))
	equal(t, "adam's after one ended", []string{hash(4)}, p.sessionsOf(t, adam.ID, far))
	equal(t, "when some have ended", []string{hash(1)}, p.sessionsOf(t, eva.ID, far+2))
	// What had ended when somebody listed is cleared away by the next that is kept.
	equal(t, "long after", []string{}, p.sessionsOf(t, eva.ID, far+halley.Hour))
	save(6, adam.ID, far+halley.Day)
	equal(t, "eva's after clearing away", []string{}, p.sessionsOf(t, eva.ID, Start))
	wantKind(t, "a session of nobody", p.SaveSession(t.Context(), storage.Session{Hash: hash(7), PersonID: 1 << 40, ExpiresAt: far}), halley.NotFound)
}

func renewals(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	x := storage.Session{Hash: p.journal(1), PersonID: who.ID, Data: []byte("a"), ExpiresAt: Start + 200*halley.Day, Renews: true}
	wantCode(t, "renewing what is not there", p.SaveSession(t.Context(), x), halley.NotFound, "session-not-valid")
	x.Renews = false
	must(t, "SaveSession", p.SaveSession(t.Context(), x))
	x.Renews, x.Data = true, []byte("b")
	must(t, "renewing", p.SaveSession(t.Context(), x))
	data, _, err := p.Session(t.Context(), x.Hash, Start)
	must(t, "Session", err)
	equal(t, "data", "b", string(data))
	must(t, "DeleteSession", p.DeleteSession(t.Context(), x.Hash))
	wantCode(t, "renewing what was ended", p.SaveSession(t.Context(), x), halley.NotFound, "session-not-valid")
	equal(t, "sessions", []string{}, p.sessionsOf(t, who.ID, Start))
}

func disabledSessions(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	x := storage.Session{Hash: p.journal(1), PersonID: who.ID, ExpiresAt: Start + 200*halley.Day}
	must(t, "SaveSession", p.SaveSession(t.Context(), x))
	_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{FullName: new("Eva")}, By("eva"))
	must(t, "ChangePerson", err)
	equal(t, "sessions after another change", 1, len(p.sessionsOf(t, who.ID, Start)))
	_, err = p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{State: new(halley.PersonDisabled)}, By("eva"))
	must(t, "ChangePerson", err)
	equal(t, "sessions of one who is disabled", []string{}, p.sessionsOf(t, who.ID, Start))
	wantKind(t, "a session of one who is disabled", p.SaveSession(t.Context(), x), halley.NotFound)
	_, err = p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{State: new(halley.PersonActive)}, By("eva"))
	must(t, "ChangePerson", err)
	equal(t, "sessions of one who is enabled again", []string{}, p.sessionsOf(t, who.ID, Start))
	must(t, "SaveSession of one who is enabled again", p.SaveSession(t.Context(), x))
}
