package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"testing"
)

// numbered is the id of what was made.
type numbered struct{ ID int64 }

// decide makes what people decide of one another: organizations, places, people, roles, and a review of it. Two devices are swapped.
func decide(ctx context.Context, t *testing.T, a *api) {
	t.Helper()
	act := func(method, path string, body map[string]any, out any) {
		t.Helper()
		body["why"] = "a new plant"
		if err := a.act(ctx, method, path, body, out); err != nil {
			t.Fatal(err)
		}
	}
	var acme, brno, room numbered
	act(http.MethodPost, "/organizations", map[string]any{"parent_id": 1, "name": "Acme"}, &acme)
	act(http.MethodPost, "/organizations", map[string]any{"parent_id": 1, "name": "Brno"}, &brno)
	act(http.MethodPatch, fmt.Sprintf("/organizations/%d", brno.ID), map[string]any{"parent_id": acme.ID}, nil)
	act(http.MethodPost, "/places", map[string]any{"organization_id": acme.ID, "name": "Room"}, &room)
	act(http.MethodPatch, fmt.Sprintf("/places/%d", room.ID), map[string]any{"organization_id": brno.ID}, nil)
	act(http.MethodPost, "/roles", map[string]any{"name": "watch", "organization_id": 1, "permissions": []string{"place.read", "sample.read"}}, nil)
	for _, name := range []string{"olga", "pavel"} {
		var made struct{ Person struct{ Grants []numbered } }
		act(http.MethodPost, "/people", map[string]any{
			"name": name, "organization_id": acme.ID, "grants": []map[string]any{
				{"role": "view-by-measured-places", "organization_id": brno.ID, "place_id": room.ID}, {"role": "watch", "organization_id": acme.ID},
			},
		}, &made)
	}
	var list struct {
		People []struct {
			ID     int64
			Name   string
			Grants []numbered
		}
	}
	if err := a.ask(ctx, http.MethodGet, "/people", &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list.People {
		if p.Name == "pavel" {
			act(http.MethodDelete, fmt.Sprintf("/people/%d/grants/%d", p.ID, p.Grants[1].ID), map[string]any{}, nil)
			act(http.MethodPatch, fmt.Sprintf("/people/%d", p.ID), map[string]any{"state": "disabled"}, nil)
		}
	}
	swapTwo(ctx, t, a)
	var audit struct{ Entries []numbered }
	if err := a.ask(ctx, http.MethodGet, "/audit", &audit); err != nil {
		t.Fatal(err)
	}
	if err := a.post(ctx, "/audit/reviews", map[string]any{"up_to": audit.Entries[0].ID, "note": "nothing strange"}, nil); err != nil {
		t.Fatal(err)
	}
}

// swapTwo puts a device in the place of another of the same family.
func swapTwo(ctx context.Context, t *testing.T, a *api) {
	t.Helper()
	var list struct {
		Devices []struct {
			ID     int64
			Family string
			Place  *numbered
		}
	}
	if err := a.ask(ctx, http.MethodGet, "/devices", &list); err != nil {
		t.Fatal(err)
	}
	for i, old := range list.Devices {
		for _, other := range list.Devices[i+1:] {
			if old.Place == nil || other.Family != old.Family {
				continue
			}
			err := a.post(ctx, fmt.Sprintf("/places/%d/swap", old.Place.ID), map[string]any{
				"from_device": old.ID, "to_device": other.ID, "why": "calibration",
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("no two devices are of one family")
}

// tablesOfRights are those that tamperingsWithRights change, but for attachments.
func tablesOfRights() []string {
	return []string{
		"audit_review", "device_description", "organization_description", "person", "person_description", "place_description",
		"role", "role_description", "role_grant", "role_grant_end", "token",
	}
}

// keyed is a tampering with the row of a table of which query gives the number of what it is about: statement changes it.
func keyed(query, statement, noun string) tamperingCase {
	return tamperingCase{what: []string{"setting"}, tamper: func(t *testing.T, db *unguarded) []string {
		var key int64
		db.read(t, query, &key)
		db.change(t, statement, sql.Named("key", key))
		return []string{fmt.Sprintf("%s %d", noun, key)}
	}}
}

// tamperingsWithRights are those with who may do what where, and with who says to have looked.
func tamperingsWithRights() map[string]tamperingCase {
	const (
		placed = `SELECT MIN(role_grant_id) FROM "role_grant" WHERE place_id IS NOT NULL`
		whole  = `SELECT MIN(role_grant_id) FROM "role_grant" WHERE place_id IS NULL`
		ended  = `SELECT MIN(role_grant_id) FROM "role_grant_end"`
		off    = `SELECT MIN(person_id) FROM "person_description" WHERE state = 'disabled'`
		moved  = `SELECT MAX(organization_id) FROM "organization_description" WHERE parent_id IS NOT NULL`
		given  = `SELECT MAX(place_id) FROM "place_description" WHERE organization_id IS NOT NULL`
		review = `SELECT MAX(audit_review_id) FROM "audit_review"`
		role   = `SELECT MAX(role_id) FROM "role"`
		by     = ` WHERE role_grant_id = @key`
	)
	return map[string]tamperingCase{
		"a grant widened to all places": keyed(placed, `UPDATE "role_grant" SET place_id = NULL`+by, "the grant of a role"),
		"a grant moved up the tree":     keyed(whole, `UPDATE "role_grant" SET organization_id = 1`+by, "the grant of a role"),
		"a grant of a higher role":      keyed(whole, `UPDATE "role_grant" SET role = 'administrator'`+by, "the grant of a role"),
		"a grant of somebody else":      keyed(whole, `UPDATE "role_grant" SET person_id = 3 - person_id`+by, "the grant of a role"),
		"a grant added": keyed(`SELECT MAX(role_grant_id) + 1 FROM "role_grant"`, `INSERT INTO "role_grant"
			(role_grant_id, person_id, role, organization_id, from_at) VALUES (@key, 1, 'administrator', 1, 1780000000000)`, "the grant of a role"),
		"a grant removed":       keyed(placed, `DELETE FROM "role_grant"`+by, "the grant of a role"),
		"a grant's end removed": keyed(ended, `DELETE FROM "role_grant_end"`+by, "the end of a grant"),
		"a grant's end moved":   keyed(ended, `UPDATE "role_grant_end" SET ended_at = ended_at + 86400000`+by, "the end of a grant"),
		"a grant ended": keyed(whole, `INSERT INTO "role_grant_end" (role_grant_id, ended_at) VALUES (@key, 1780000000000)`,
			"the end of a grant"),
		"a person let in again": keyed(off, `UPDATE "person_description" SET state = 'active' WHERE person_id = @key AND state = 'disabled'`,
			"the description of a person"),
		"a person's last state removed": keyed(off, `DELETE FROM "person_description" WHERE person_id = @key AND state = 'disabled'`,
			"the description of a person"),
		"a person of another organization": keyed(off, `UPDATE "person_description" SET organization_id = 1 WHERE person_id = @key`,
			"the description of a person"),
		"a person with another name": keyed(off, `UPDATE "person" SET name = 'viktor' WHERE person_id = @key`, "the person"),
		"a person added": keyed(`SELECT MAX(person_id) + 1 FROM "person"`,
			`INSERT INTO "person" (person_id, name, created_at) VALUES (@key, 'viktor', 1780000000000)`, "the person"),
		"a role with more permissions": keyed(role, `UPDATE "role_description" SET permissions = '["person.change"]' WHERE role_id = @key`,
			"the description of a role"),
		"a role of another organization": keyed(role, `UPDATE "role" SET organization_id = 2 WHERE role_id = @key`, "the role"),
		"an organization moved": keyed(moved, `UPDATE "organization_description" SET parent_id = 1 WHERE organization_id = @key AND parent_id IS NOT NULL`,
			"the description of an organization"),
		"an organization closed": keyed(moved, `UPDATE "organization_description" SET closed = 1 WHERE organization_id = @key AND parent_id IS NOT NULL`,
			"the description of an organization"),
		"a place of another organization": keyed(given, `UPDATE "place_description" SET organization_id = 1 WHERE place_id = @key AND organization_id IS NOT NULL`,
			"the description of a place"),
		"a device of another organization": keyed(`SELECT MAX(device_id) FROM "device_description"`,
			`UPDATE "device_description" SET organization_id = 2 WHERE device_id = @key`, "the description of a device"),
		"a sensor that continues another's history": keyed(`SELECT MAX(attachment_id) FROM "attachment" WHERE series <> channel_id`,
			`UPDATE "attachment" SET series = channel_id WHERE attachment_id = @key`, "the attachment"),
		"a token that reaches more": keyed(`SELECT MIN(token_id) FROM "token"`,
			`UPDATE "token" SET organization_id = 2, places = '[1]' WHERE token_id = @key`, "the token"),
		"a review moved":   keyed(review, `UPDATE "audit_review" SET up_to = up_to - 1 WHERE audit_review_id = @key`, "the review of the audit trail"),
		"a review removed": keyed(review, `DELETE FROM "audit_review" WHERE audit_review_id = @key`, "the review of the audit trail"),
		"a review of somebody else": keyed(review, `UPDATE "audit_review" SET who = 'olga' WHERE audit_review_id = @key`,
			"the review of the audit trail"),
	}
}
