// Package accesstest is a store for tests of who may use the API: it keeps people, tokens, sessions and audit rows in memory.
package accesstest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"halley"
	"halley/storage"
)

// Memory is a storage.Access, an access.People, an access.Directory and an access.Auditor without a database. Its zero value is empty
// and ready.
type Memory struct {
	mu       sync.Mutex
	fail     func(op string) error
	tokens   []storage.Token
	sessions map[string]storage.Session
	audit    []halley.AuditEntry
	lookups  int
	people   people
}

// FailWith has fail asked before each call from now on, by the name of the call; an error that it returns is the outcome. Nil
// ends it.
func (m *Memory) FailWith(fail func(op string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// enter begins a call; the lock is held afterwards in any case.
func (m *Memory) enter(op string) error {
	m.mu.Lock()
	if m.fail != nil {
		return m.fail(op)
	}
	return nil
}

// CreateToken adds a token; Conflict where the name is used.
func (m *Memory) CreateToken(_ context.Context, t storage.Token, c halley.Change) (storage.Token, error) {
	defer m.mu.Unlock()
	if err := m.enter("create token"); err != nil {
		return storage.Token{}, err
	}
	if slices.ContainsFunc(m.tokens, func(o storage.Token) bool { return o.Name == t.Name && o.RevokedAt == 0 }) {
		return storage.Token{}, &halley.Error{Kind: halley.Conflict, Op: "create a token", Message: "choose another name"}
	}
	t.ID, t.By = int64(len(m.tokens)+1), c.Actor
	m.tokens = append(m.tokens, t)
	return t, nil
}

// Token finds a token that counts.
func (m *Memory) Token(_ context.Context, hash []byte) (storage.Token, error) {
	defer m.mu.Unlock()
	if err := m.enter("token"); err != nil {
		return storage.Token{}, err
	}
	m.lookups++
	for _, t := range m.tokens {
		if bytes.Equal(t.Hash, hash) && t.RevokedAt == 0 {
			return t, nil
		}
	}
	return storage.Token{}, &halley.Error{Kind: halley.NotFound, Op: "find a token"}
}

// Tokens lists all.
func (m *Memory) Tokens(context.Context) ([]storage.Token, error) {
	defer m.mu.Unlock()
	if err := m.enter("tokens"); err != nil {
		return nil, err
	}
	return slices.Clone(m.tokens), nil
}

// RevokeToken ends a token.
func (m *Memory) RevokeToken(_ context.Context, name string, c halley.Change) error {
	defer m.mu.Unlock()
	if err := m.enter("revoke token"); err != nil {
		return err
	}
	for i := range m.tokens {
		if m.tokens[i].Name == name && m.tokens[i].RevokedAt == 0 {
			m.tokens[i].RevokedAt = c.At
			return nil
		}
	}
	return &halley.Error{Kind: halley.NotFound, Op: "revoke a token"}
}

// Session gives what was saved, until it expires.
func (m *Memory) Session(_ context.Context, hash string, now halley.Millis) (data []byte, found bool, err error) {
	defer m.mu.Unlock()
	if err = m.enter("session"); err != nil {
		return nil, false, err
	}
	s, ok := m.sessions[hash]
	if !ok || now >= s.ExpiresAt {
		return nil, false, nil
	}
	return slices.Clone(s.Data), true, nil
}

// SaveSession keeps a session; NotFound where its person is not there or it is to be renewed and is not there.
func (m *Memory) SaveSession(_ context.Context, s storage.Session) error {
	defer m.mu.Unlock()
	if err := m.enter("save session"); err != nil {
		return err
	}
	_, there := m.sessions[s.Hash]
	if s.Renews && !there || s.PersonID != 0 && !m.people.maySignIn(s.PersonID) {
		return &halley.Error{Kind: halley.NotFound, Op: "keep a session"}
	}
	if m.sessions == nil {
		m.sessions = make(map[string]storage.Session)
	}
	s.Data, s.Renews = slices.Clone(s.Data), false
	m.sessions[s.Hash] = s
	return nil
}

// PersonSessions lists those of a person, of all people where it is 0, that have not expired, by hash.
func (m *Memory) PersonSessions(_ context.Context, person halley.PersonID, now halley.Millis) ([]storage.Session, error) {
	defer m.mu.Unlock()
	if err := m.enter("person sessions"); err != nil {
		return nil, err
	}
	list := []storage.Session{}
	for _, hash := range slices.Sorted(maps.Keys(m.sessions)) {
		if s := m.sessions[hash]; (person == 0 || s.PersonID == person) && now < s.ExpiresAt {
			list = append(list, s)
		}
	}
	return list, nil
}

// DeleteSession forgets a session.
func (m *Memory) DeleteSession(_ context.Context, hash string) error {
	defer m.mu.Unlock()
	if err := m.enter("delete session"); err != nil {
		return err
	}
	delete(m.sessions, hash)
	return nil
}

// NoteAudit keeps an audit row.
func (m *Memory) NoteAudit(_ context.Context, e halley.AuditEntry) error {
	defer m.mu.Unlock()
	if err := m.enter("note audit"); err != nil {
		return err
	}
	m.audit = append(m.audit, e)
	return nil
}

// Audited gives the audit rows so far, oldest first.
func (m *Memory) Audited() []halley.AuditEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.audit)
}

// Lookups says how often a token was looked up.
func (m *Memory) Lookups() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lookups
}

// Keys gives the keys under which sessions are kept.
func (m *Memory) Keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := make([]string, 0, len(m.sessions))
	for k := range m.sessions {
		keys = append(keys, k)
	}
	return keys
}

// Spoil replaces the data of every session by data.
func (m *Memory) Spoil(data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, s := range m.sessions {
		s.Data = data
		m.sessions[k] = s
	}
}

var _ storage.Access = (*Memory)(nil)
