package transfer_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/cmd/halley/internal/transfer"
	"halley/storage"
	"halley/storage/storagetest"
)

// enrol adds a person with a grant and a link.
func (s *site) enrol(t *testing.T, name string) halley.Person {
	t.Helper()
	n := storagetest.NewPerson(name)
	n.Grants = []halley.Grant{{Role: halley.User, OrganizationID: halley.RootOrganization}}
	n.Secrets = []storage.Secret{
		{Kind: storage.SecretPassword, Data: []byte("of " + name), At: storagetest.Start},
		{Kind: storage.SecretLink, Key: "link of " + name, Data: []byte("{}"), At: storagetest.Start, ExpiresAt: storagetest.Start + halley.Day},
	}
	p, err := s.store.AddPerson(t.Context(), n, storagetest.By("adam"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// samePeople holds what both stores keep of people against each other, and gives it.
func samePeople(t *testing.T, source, moved storage.Exporter) storage.Personal {
	t.Helper()
	want, err := source.Personal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := moved.Personal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is kept of people (-source +moved):\n%s", diff)
	}
	return got
}

func TestPeopleMoveAsTheyAreInTheEnd(t *testing.T) {
	t.Parallel()
	s, g := newSite(t), newTarget(t)
	stays, leaves := s.enrol(t, "eva"), s.enrol(t, "mallory")
	o := options(s, g, filepath.Join(t.TempDir(), "migrate.json"))
	changed := false
	o.Tell = func(p transfer.Progress) {
		if changed || p.Step != "copying messages" {
			return
		}
		changed = true
		s.grow(t)
		mail := "eva@example.org"
		if _, err := s.store.ChangePerson(t.Context(), stays.ID, storage.PersonUpdate{Email: &mail}, storagetest.By("adam")); err != nil {
			t.Error(err)
		}
		if err := s.store.DeletePerson(t.Context(), leaves.ID, storagetest.By("adam")); err != nil {
			t.Error(err)
		}
	}
	if _, err := transfer.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	got := samePeople(t, s.store, g.Store)
	if len(got.Details) != 1 || got.Details[0].Email != "eva@example.org" || len(got.Secrets) != 2 {
		t.Errorf("the new database has %+v, want what is kept of one person as it was in the end", got)
	}
	want, err := s.store.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	people, err := g.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, people); diff != "" || !changed {
		t.Errorf("people (-source +moved), changed meanwhile %v:\n%s", changed, diff)
	}
	storagetest.CheckLedger(t, g.Store)
}

// spoiling is a target that takes what is kept of people otherwise than it is.
type spoiling struct {
	*target
	spoil func(*storage.Personal)
}

func (x spoiling) ReplacePersonal(ctx context.Context, p storage.Personal) error {
	x.spoil(&p)
	return x.target.ReplacePersonal(ctx, p)
}

func TestPeopleThatArriveOtherwiseStopTheMove(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(p *storage.Personal){
		"a detail": func(p *storage.Personal) {
			p.Details = append([]halley.PersonDetail{}, p.Details...)
			p.Details[0].Email = "b"
		},
		"no detail": func(p *storage.Personal) { p.Details = nil },
		"a secret": func(p *storage.Personal) {
			p.Secrets = append([]storage.Secret{}, p.Secrets...)
			p.Secrets[0].Data = []byte("b")
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, g := newSite(t), newTarget(t)
			s.enrol(t, "eva")
			o := options(s, g, filepath.Join(t.TempDir(), "migrate.json"))
			o.Target = spoiling{g, spoil}
			_, err := transfer.Run(t.Context(), o)
			if e, ok := errors.AsType[*halley.Error](err); !ok || e.Code != "row-differs" || strings.Contains(err.Error(), "eva") {
				t.Errorf("Run = %v, want row-differs that names nobody", err)
			}
			if elsewhere, err := s.store.MovedTo(t.Context()); err != nil || elsewhere != "" {
				t.Errorf("the store has moved to %q (%v), want it where it was", elsewhere, err)
			}
		})
	}
}
