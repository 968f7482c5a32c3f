package registry_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/registry"
)

// treeOnly is a store of which the tree alone may be read.
type treeOnly struct {
	organizations []halley.Organization
	places        []halley.Place
	roles         []halley.CustomRole
	err           error
}

func (s *treeOnly) Organizations(context.Context) ([]halley.Organization, error) {
	return s.organizations, s.err
}

// PlaceStates gives one place a page.
func (s *treeOnly) PlaceStates(_ context.Context, after halley.PlaceID, _ int) ([]halley.Place, error) {
	for _, p := range s.places {
		if p.ID > after {
			return []halley.Place{p}, nil
		}
	}
	return nil, nil
}

func (s *treeOnly) Roles(context.Context) ([]halley.CustomRole, error) { return s.roles, nil }

func TestTheTreeAloneCanBeRead(t *testing.T) {
	t.Parallel()
	shift := halley.CustomRole{ID: 3, Name: "night-shift", OrganizationID: 2, Permissions: []halley.Permission{halley.PermitStatusRead}}
	s, err := registry.ReadTree(t.Context(), &treeOnly{
		organizations: []halley.Organization{{ID: halley.RootOrganization, Name: "Root"}, {ID: 2, ParentID: halley.RootOrganization, Name: "Brno"}},
		places:        []halley.Place{{ID: 7, Name: "Cold room", OrganizationID: 2}, {ID: 9, Name: "Attic", OrganizationID: halley.RootOrganization}},
		roles:         []halley.CustomRole{shift},
	})
	if err != nil {
		t.Fatal(err)
	}
	if id, there := s.FindPath("/Brno"); !there || id != 2 {
		t.Errorf("/Brno is %d, %v, want 2", id, there)
	}
	names := map[halley.PlaceID]string{}
	for _, p := range s.Places() {
		names[p.ID] = p.Name
	}
	if diff := cmp.Diff(map[halley.PlaceID]string{7: "Cold room", 9: "Attic"}, names); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]halley.CustomRole{shift}, s.CustomRoles()); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestATreeThatCannotBeReadIsNone(t *testing.T) {
	t.Parallel()
	away := errors.New("the store is away")
	if s, err := registry.ReadTree(t.Context(), &treeOnly{err: away}); !errors.Is(err, away) || s != nil {
		t.Errorf("reading gives %v and %v, want %v", s, err, away)
	}
}
