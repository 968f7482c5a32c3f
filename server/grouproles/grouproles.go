// Package grouproles turns the groups that somebody is in elsewhere into grants here, as the configuration maps them.
package grouproles

import (
	"context"
	"log/slog"

	"halley"
	"halley/config"
)

// Tree finds organizations by their path, such as "/Acme/Brno"; directory.State does.
type Tree interface {
	FindPath(path string) (halley.OrganizationID, bool)
}

// Roles are the groups of one section of the configuration that have a role here.
type Roles struct {
	// Section names the setting for people, such as "[ldap] groups".
	Section  string
	Mappings []config.Mapping
	// Tree gives the organizations as they are now.
	Tree func() Tree
	Log  *slog.Logger
}

// Of gives the grants of somebody, each once, in the order of the configuration; member says whether they are in a group. An
// organization that is not there gives nothing, and the log says so.
func (r *Roles) Of(ctx context.Context, member func(config.Mapping) bool) []halley.Grant {
	tree := r.Tree()
	grants := []halley.Grant{}
	have := make(map[halley.Grant]bool)
	for _, m := range r.Mappings {
		if !member(m) {
			continue
		}
		id, ok := tree.FindPath(m.Path)
		if !ok {
			r.Log.WarnContext(ctx, "a role of a group is at an organization that is not there", "setting", r.Section, "path", m.Path)
			continue
		}
		grant := halley.Grant{Role: m.Role, OrganizationID: id}
		if !have[grant] {
			have[grant] = true
			grants = append(grants, grant)
		}
	}
	return grants
}
