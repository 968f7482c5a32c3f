package viewerapi

import (
	"context"
	"strconv"
	"strings"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

const (
	// auditLooked is how many acts are looked through at a time for those that a caller may see, auditLooks how often for one answer.
	auditLooked, auditLooks = 1000, 20
)

// auditSeen lists newest first what a filter and a choice let through of what was done to things that the caller may see the trail of, at most
// f.Limit. next is the id below which there may be more; 0 where there is no more. An answer may hold less than f.Limit, and even
// nothing, and still have a next: it looks through a bounded number of acts.
func (a *API) auditSeen(
	ctx context.Context, rights directory.Rights, f storage.AuditFilter, c auditChoice,
) (list []halley.AuditEntry, next int64, err error) {
	limit, all := f.Limit, c.everything() && rights.Everywhere(halley.PermitAuditRead)
	if f.Limit = limit + 1; !all {
		f.Limit = auditLooked
	}
	list = []halley.AuditEntry{}
	for range auditLooks {
		page, err := a.Audit.AuditWhere(ctx, f)
		if err != nil {
			return nil, 0, err
		}
		for i := range page {
			if !all && !c.lets(rights, &page[i]) {
				continue
			}
			if len(list) == limit {
				return list, list[limit-1].ID, nil
			}
			list = append(list, page[i])
		}
		if len(page) < f.Limit {
			return list, 0, nil
		}
		f.Before = page[len(page)-1].ID
	}
	return list, f.Before, nil
}

// actedOn reads what an act was done to, as thing.String writes it. What was done to a role or an operation counts where the role can
// be granted, or nowhere but at the root; ok is false there.
func actedOn(state *directory.State, on string) (t thing, ok bool) {
	word, number, _ := strings.Cut(on, " ")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return thing{}, false
	}
	switch s := scope(word); s {
	case scopeOrganization, scopePlace, scopeDevice, scopeChannel, scopePerson:
		return thing{s, id}, true
	case scopeNone, scopeAnywhere, scopeServer, scopeHandler:
	}
	if word == "role" && state != nil {
		for _, role := range state.CustomRoles() {
			if role.ID == id {
				return thing{scopeOrganization, int64(role.OrganizationID)}, true
			}
		}
	}
	return thing{}, false
}
