package main

import (
	"context"
	"strings"

	"halley"
	"halley/server/directory"
	"halley/server/registry"
)

// withDirectory opens the store and does something with the tree and the people that it holds.
func withDirectory(ctx context.Context, st *settings, io streams, do func(opened, *directory.State) error) error {
	return withStore(ctx, st, io, func(o opened) error {
		s, err := registry.Read(ctx, o.store)
		if err != nil {
			return err
		}
		return do(o, s)
	})
}

// withTree opens the store and does something with the tree that it holds, without reading more.
func withTree(ctx context.Context, st *settings, io streams, do func(opened, *directory.State) error) error {
	return withStore(ctx, st, io, func(o opened) error {
		s, err := registry.ReadTree(ctx, o.store)
		if err != nil {
			return err
		}
		return do(o, s)
	})
}

// openOrganization finds an open organization by its path, also without the first slash; "" is the highest one. Where there is none the
// error lists those whose names are like it.
func openOrganization(s *directory.State, path string) (halley.Organization, error) {
	const most = 5
	if id, there := s.FindPath(path); there {
		if o, _ := s.Organization(id); !o.Closed {
			return o, nil
		}
	}
	path = "/" + strings.Trim(path, "/")
	var near []string
	for _, p := range s.Paths() {
		if isNear(path, p) {
			near = append(near, cell(p))
		}
	}
	why := "there is no open organization " + cell(path)
	if len(near) > 0 {
		why += "; near it are " + strings.Join(near[:min(len(near), most)], ", ")
	}
	return halley.Organization{}, &halley.Error{
		Kind: halley.NotFound, Op: "find an organization", Message: why + ": halley organization list shows those that there are",
	}
}

// isNear says that two paths share a name, or most of the last one, whatever the case.
func isNear(wanted, there string) bool {
	const shortest = 3
	names := func(path string) []string {
		return strings.FieldsFunc(strings.ToLower(path), func(r rune) bool { return r == '/' })
	}
	for _, w := range names(wanted) {
		for _, t := range names(there) {
			n := min(len(w), len(t), max(shortest, len(w)-2))
			if w == t || n >= shortest && w[:n] == t[:n] {
				return true
			}
		}
	}
	return false
}

// placesNamed finds open places at an organization or below it by their names.
func placesNamed(s *directory.State, node halley.OrganizationID, names []string) ([]halley.PlaceID, error) {
	var list []halley.PlaceID
	for _, name := range names {
		found := 0
		for _, p := range s.Places() {
			if !p.Closed && p.Name == name && s.Within(p.OrganizationID, node) {
				list = append(list, p.ID)
				found++
			}
		}
		if found != 1 {
			why := "there is no open place " + cell(name) + " at " + cell(s.Path(node))
			if found > 1 {
				why = "there are several places " + cell(name) + " at " + cell(s.Path(node)) + ": name the organization of the one that you mean"
			}
			return nil, &halley.Error{Kind: halley.NotFound, Op: "find a place", Message: why}
		}
	}
	return list, nil
}

// grantable refuses a role that is not there, or that cannot be given at a node.
func grantable(s *directory.State, role halley.Role, node halley.OrganizationID) error {
	if role.Preset() {
		return nil
	}
	for _, c := range s.CustomRoles() {
		if c.Name == role && !c.Closed && s.Within(node, c.OrganizationID) {
			return nil
		}
	}
	return noRole(role)
}

// possibleRole refuses what cannot be the name of a role, before any store is opened for it.
func possibleRole(role halley.Role) error {
	if role.WellFormed() {
		return nil
	}
	return noRole(role)
}

func noRole(role halley.Role) error {
	return misuse("--role is %s, or one that people made for that organization; %q is none", presetNames(), role)
}

// presetNames lists the roles that Halley has itself.
func presetNames() string {
	var names []string
	for _, r := range append(halley.PresetRoles(), halley.Reader) {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}
