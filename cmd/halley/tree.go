package main

import (
	"regexp"
	"strings"

	"halley"
	"halley/server/directory"
)

// openOrganization finds an open organization by its path; "" is the highest one.
func openOrganization(s *directory.State, path string) (halley.Organization, error) {
	id, there := s.FindPath(path)
	o, _ := s.Organization(id)
	if !there || o.Closed {
		return o, &halley.Error{
			Kind: halley.NotFound, Op: "find an organization",
			Message: "there is no open organization " + cell(path) + ": halley organization list shows those that there are",
		}
	}
	return o, nil
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

// madeRole is how the name of a role looks that people made.
var madeRole = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// possibleRole refuses what cannot be the name of a role, before any store is opened for it.
func possibleRole(role halley.Role) error {
	if role.Preset() || madeRole.MatchString(string(role)) {
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
