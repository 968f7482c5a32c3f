// Package factortest holds what tests of second factors need: secrets in memory, and an authenticator in software.
package factortest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"

	"halley"
	"halley/storage"
)

// Memory keeps secrets as storage.People does, and can be away. The zero value is empty. Its methods may be called at the same time.
type Memory struct {
	mu      sync.Mutex
	secrets map[[2]string]storage.Secret
	away    bool
	audited []string
	// before is called before a change, without the lock.
	before func()
}

// Away makes every later call fail as one of a store that cannot be reached, or not any more.
func (m *Memory) Away(away bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.away = away
}

// BeforeChange has do called before the next change, once.
func (m *Memory) BeforeChange(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = do
}

// Audited gives the audit words of all changes, in order.
func (m *Memory) Audited() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.audited)
}

// Copy gives what is held now, as it would be in memory while the store is away.
func (m *Memory) Copy() *Copy {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Copy{}
	for _, s := range m.secrets {
		c.all = append(c.all, s)
	}
	sortSecrets(c.all)
	return c
}

func (m *Memory) reached(op string) error {
	if m.away {
		return &halley.Error{Kind: halley.Unavailable, Op: op, Message: "the store is away"}
	}
	return nil
}

// Secret gives one that has not expired at now.
func (m *Memory) Secret(
	_ context.Context, kind storage.SecretKind, key string, now halley.Millis,
) (s storage.Secret, found bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.reached("find a secret"); err != nil {
		return storage.Secret{}, false, err
	}
	s, found = m.secrets[[2]string{string(kind), key}]
	if found && s.ExpiresAt != 0 && s.ExpiresAt <= now {
		return storage.Secret{}, false, nil
	}
	return s, found, nil
}

// Secrets lists those of a person.
func (m *Memory) Secrets(_ context.Context, person halley.PersonID) ([]storage.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.reached("list secrets"); err != nil {
		return nil, err
	}
	var all []storage.Secret
	for _, s := range m.secrets {
		if s.PersonID == person {
			all = append(all, s)
		}
	}
	sortSecrets(all)
	return all, nil
}

// SetSecret adds or changes one; Conflict where was is not nil and the data are other.
func (m *Memory) SetSecret(_ context.Context, s storage.Secret, was []byte, what string, _ halley.Change) error {
	m.interrupt()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.reached("set a secret"); err != nil {
		return err
	}
	key := [2]string{string(s.Kind), s.Key}
	if was != nil && !bytes.Equal(m.secrets[key].Data, was) {
		return &halley.Error{Kind: halley.Conflict, Op: "set a secret"}
	}
	if m.secrets == nil {
		m.secrets = make(map[[2]string]storage.Secret)
	}
	m.secrets[key] = s
	m.note(what)
	return nil
}

// RemoveSecret removes one; NotFound where it is not there.
func (m *Memory) RemoveSecret(_ context.Context, kind storage.SecretKind, key, what string, _ halley.Change) error {
	m.interrupt()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.reached("remove a secret"); err != nil {
		return err
	}
	at := [2]string{string(kind), key}
	if _, found := m.secrets[at]; !found {
		return &halley.Error{Kind: halley.NotFound, Op: "remove a secret"}
	}
	delete(m.secrets, at)
	m.note(what)
	return nil
}

func (m *Memory) interrupt() {
	m.mu.Lock()
	do := m.before
	m.before = nil
	m.mu.Unlock()
	if do != nil {
		do()
	}
}

func (m *Memory) note(what string) {
	if what != "" {
		m.audited = append(m.audited, what)
	}
}

// Copy is what a server knows of secrets while the store is away.
type Copy struct{ all []storage.Secret }

// Secrets lists those of a person and a kind.
func (c *Copy) Secrets(person halley.PersonID, kind storage.SecretKind) []storage.Secret {
	var of []storage.Secret
	for _, s := range c.all {
		if s.PersonID == person && s.Kind == kind {
			of = append(of, s)
		}
	}
	return of
}

func sortSecrets(all []storage.Secret) {
	slices.SortFunc(all, func(a, b storage.Secret) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
}
