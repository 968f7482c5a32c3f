package viewerapi_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
)

func TestRefusalsAreAudited(t *testing.T) {
	t.Parallel()
	const noPlace, noPermission = `"status":404,"code":"not-found","count":1}`, `"status":403,"code":"permission-missing","count":1}`
	tests := map[string]struct {
		asked request
		want  []string
	}{
		"a change": {
			request{method: http.MethodPatch, target: "/api/v1/places/7", body: `{"name":"x","why":"w"}`},
			[]string{`place 7 {"operation":"changePlace",` + noPermission},
		},
		"reading what is held nowhere": {
			request{target: "/api/v1/audit"}, []string{`operation listAudit {"operation":"listAudit",` + noPermission},
		},
		"reading a thing that is not theirs to know of": {
			request{target: "/api/v1/places/7000"}, []string{`place 7000 {"operation":"getPlace",` + noPlace},
		},
		"narrowing a list to a node that is not theirs": {
			request{target: "/api/v1/places?organization_id=99"}, []string{`operation listPlaces {"operation":"listPlaces",` + noPlace},
		},
		"not what is given":               {request{target: "/api/v1/places"}, nil},
		"not what their own account says": {request{target: "/api/v1/me"}, nil},
	}
	k, store := onSQLite(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			who := "guest who asks for " + name[:min(len(name), 70)]
			guest := signInTo(t, k, store, who, halley.Grant{Role: halley.Guest, OrganizationID: halley.RootOrganization})
			tt.asked.header = guest
			for range 3 {
				k.do(t, tt.asked)
			}
			rows, err := store.AuditWhere(t.Context(), storage.AuditFilter{What: "access.refuse", Who: who, Limit: 100})
			check(t, err)
			var got []string
			for _, row := range slices.Backward(rows) {
				got = append(got, row.On+" "+row.New)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUnknownTokenIsAudited(t *testing.T) {
	t.Parallel()
	k, store := onSQLite(t)
	for range 3 {
		got := k.do(t, request{target: "/api/v1/places", token: "halley_AAAAAAAAAAAAAAAAAAAAAAAAAA"})
		checkProblem(t, got, http.StatusUnauthorized, "token-not-valid", "")
	}
	rows, err := store.AuditWhere(t.Context(), storage.AuditFilter{What: "token.refuse", Limit: 100})
	check(t, err)
	if len(rows) != 1 || rows[0].Change.Actor != (halley.Actor{Kind: "token"}) || rows[0].On != "token" {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
}
