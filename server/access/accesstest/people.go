package accesstest

import (
	"bytes"
	"context"
	"slices"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// people are the accounts of a Memory.
type people struct {
	// data is what the directory is made of; Organizations begins with the root.
	data    directory.Data
	links   []storage.Secret
	grantID int64
}

func (p *people) newest(id halley.PersonID) (halley.Person, bool) {
	for _, state := range slices.Backward(p.data.People) {
		if state.ID == id {
			return state, true
		}
	}
	return halley.Person{}, false
}

func (p *people) maySignIn(id halley.PersonID) bool {
	person, ok := p.newest(id)
	return ok && person.State != halley.PersonDisabled && person.State != halley.PersonDeleted
}

// Arrange changes what the directory is made of, besides the people, such as organizations and places.
func (m *Memory) Arrange(change func(*directory.Data)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.people.data)
}

// Directory gives the people of this moment, below a root and what Arrange added.
func (m *Memory) Directory() *directory.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.people.data
	d.Organizations = append([]halley.Organization{{ID: halley.RootOrganization}}, d.Organizations...)
	d.People, d.Details = slices.Clone(d.People), slices.Clone(d.Details)
	d.Grants, d.Secrets = slices.Clone(d.Grants), slices.Clone(d.Secrets)
	return directory.New(&d)
}

// Refresh has nothing to do: Directory is never behind.
func (m *Memory) Refresh(context.Context) error {
	defer m.mu.Unlock()
	return m.enter("refresh")
}

// People lists all states of all accounts.
func (m *Memory) People(context.Context) ([]halley.Person, error) {
	defer m.mu.Unlock()
	if err := m.enter("people"); err != nil {
		return nil, err
	}
	return slices.Clone(m.people.data.People), nil
}

// AddPerson adds an account; Conflict where the name is or was used.
func (m *Memory) AddPerson(_ context.Context, n storage.NewPerson, c halley.Change) (halley.Person, error) {
	defer m.mu.Unlock()
	if err := m.enter("add person"); err != nil {
		return halley.Person{}, err
	}
	d := &m.people.data
	last := halley.PersonID(0)
	for _, other := range d.People {
		if storage.NameKey(other.Name) == storage.NameKey(n.Name) {
			return halley.Person{}, &halley.Error{Kind: halley.Conflict, Op: "add a person", Message: "choose another name"}
		}
		last = max(last, other.ID)
	}
	person := n.Person
	person.ID, person.CreatedAt, person.From = last+1, c.At, c.At
	d.People = append(d.People, person)
	detail := n.PersonDetail
	detail.PersonID = person.ID
	d.Details = append(d.Details, detail)
	for _, g := range n.Grants {
		m.grant(person.ID, g, c.At)
	}
	for _, s := range n.Secrets {
		s.PersonID = person.ID
		if s.Kind == storage.SecretPassword {
			s.Key = passwordKey(person.ID)
		}
		m.put(s)
	}
	m.audit = append(m.audit, halley.AuditEntry{Change: c, What: "person.add", On: "person"})
	return person, nil
}

func (m *Memory) grant(id halley.PersonID, g halley.Grant, at halley.Millis) halley.Grant {
	m.people.grantID++
	g.ID, g.PersonID, g.From = m.people.grantID, id, at
	m.people.data.Grants = append(m.people.data.Grants, g)
	return g
}

// ChangePerson changes an account; NotFound where it is not there.
func (m *Memory) ChangePerson(_ context.Context, id halley.PersonID, u storage.PersonUpdate, c halley.Change) (halley.Person, error) {
	defer m.mu.Unlock()
	if err := m.enter("change person"); err != nil {
		return halley.Person{}, err
	}
	person, ok := m.people.newest(id)
	if !ok {
		return halley.Person{}, &halley.Error{Kind: halley.NotFound, Op: "change a person"}
	}
	set(&person.State, u.State)
	set(&person.OrganizationID, u.OrganizationID)
	set(&person.Shared, u.Shared)
	set(&person.Source, u.Source)
	person.From = c.At
	m.people.data.People = append(m.people.data.People, person)
	for i := range m.people.data.Details {
		if d := &m.people.data.Details[i]; d.PersonID == id {
			set(&d.FullName, u.FullName)
			set(&d.Email, u.Email)
			set(&d.SignOutMinutes, u.SignOutMinutes)
		}
	}
	m.audit = append(m.audit, halley.AuditEntry{Change: c, What: "person.change", On: "person"})
	return person, nil
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// NoteSignIn notes when a person signed in last.
func (m *Memory) NoteSignIn(_ context.Context, id halley.PersonID, at halley.Millis) error {
	defer m.mu.Unlock()
	if err := m.enter("note sign-in"); err != nil {
		return err
	}
	for i := range m.people.data.Details {
		if d := &m.people.data.Details[i]; d.PersonID == id {
			d.LastSignInAt = at
		}
	}
	return nil
}

// AddGrant adds a grant.
func (m *Memory) AddGrant(_ context.Context, g halley.Grant, c halley.Change) (halley.Grant, error) {
	defer m.mu.Unlock()
	if err := m.enter("add grant"); err != nil {
		return halley.Grant{}, err
	}
	m.audit = append(m.audit, halley.AuditEntry{Change: c, What: "grant.add", On: "person"})
	return m.grant(g.PersonID, g, c.At), nil
}

// EndGrant ends a grant; NotFound where none counts.
func (m *Memory) EndGrant(_ context.Context, id int64, c halley.Change) error {
	defer m.mu.Unlock()
	if err := m.enter("end grant"); err != nil {
		return err
	}
	for i := range m.people.data.Grants {
		if g := &m.people.data.Grants[i]; g.ID == id && g.To == 0 {
			g.To = c.At
			m.audit = append(m.audit, halley.AuditEntry{Change: c, What: "grant.end", On: "person"})
			return nil
		}
	}
	return &halley.Error{Kind: halley.NotFound, Op: "end a grant"}
}

// list gives where secrets of a kind are kept.
func (m *Memory) list(kind storage.SecretKind) *[]storage.Secret {
	if kind == storage.SecretLink {
		return &m.people.links
	}
	return &m.people.data.Secrets
}

func (m *Memory) find(kind storage.SecretKind, key string) int {
	return slices.IndexFunc(*m.list(kind), func(s storage.Secret) bool { return s.Kind == kind && s.Key == key })
}

func (m *Memory) put(s storage.Secret) {
	list := m.list(s.Kind)
	if i := m.find(s.Kind, s.Key); i >= 0 {
		changed := slices.Clone(*list)
		changed[i] = s
		*list = changed
		return
	}
	*list = append(*list, s)
}

// Secret gives one that has not expired.
func (m *Memory) Secret(_ context.Context, kind storage.SecretKind, key string, now halley.Millis) (storage.Secret, bool, error) {
	defer m.mu.Unlock()
	if err := m.enter("secret"); err != nil {
		return storage.Secret{}, false, err
	}
	i := m.find(kind, key)
	if i < 0 {
		return storage.Secret{}, false, nil
	}
	s := (*m.list(kind))[i]
	return s, s.ExpiresAt == 0 || now < s.ExpiresAt, nil
}

// Secrets lists those of a person.
func (m *Memory) Secrets(_ context.Context, person halley.PersonID) ([]storage.Secret, error) {
	defer m.mu.Unlock()
	if err := m.enter("secrets"); err != nil {
		return nil, err
	}
	all := slices.Concat(m.people.data.Secrets, m.people.links)
	return slices.DeleteFunc(all, func(s storage.Secret) bool { return s.PersonID != person }), nil
}

// SetSecret keeps a secret; Conflict where was is not nil and the stored data are others.
func (m *Memory) SetSecret(_ context.Context, s storage.Secret, was []byte, what string, c halley.Change) error {
	defer m.mu.Unlock()
	if err := m.enter("set secret"); err != nil {
		return err
	}
	if i := m.find(s.Kind, s.Key); was != nil && (i < 0 || !bytes.Equal((*m.list(s.Kind))[i].Data, was)) {
		return &halley.Error{Kind: halley.Conflict, Op: "keep a secret"}
	}
	m.put(s)
	if what != "" {
		m.audit = append(m.audit, halley.AuditEntry{Change: c, What: what, On: "person"})
	}
	return nil
}

// RemoveSecret removes a secret; NotFound where there is none.
func (m *Memory) RemoveSecret(_ context.Context, kind storage.SecretKind, key, what string, c halley.Change) error {
	defer m.mu.Unlock()
	if err := m.enter("remove secret"); err != nil {
		return err
	}
	i := m.find(kind, key)
	if i < 0 {
		return &halley.Error{Kind: halley.NotFound, Op: "remove a secret"}
	}
	list := m.list(kind)
	*list = slices.Delete(slices.Clone(*list), i, i+1)
	if what != "" {
		m.audit = append(m.audit, halley.AuditEntry{Change: c, What: what, On: "person"})
	}
	return nil
}
