package viewerapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

func TestGapsSayWhichPersonGaveTheirCause(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.ofPlace = func(id halley.PlaceID, from, to halley.Millis) (viewerapi.CompletenessReport, error) {
		if id != 3 || from != at-halley.Hour || to != at {
			t.Errorf("asked for place %d from %s to %s", id, from, to)
		}
		return viewerapi.CompletenessReport{
			Expected: 9, Received: 6, Missing: 3,
			Gaps: []viewerapi.Gap{
				{From: from, To: from + halley.Minute, Messages: 1, Cause: "unknown"},
				{From: from, To: to, Messages: 2, Cause: "switched-off", By: "eva", At: at, Note: "Defrosting."},
			},
		}, nil
	}
	k := newKit(t, p)
	checkJSON(t, k.get(t, "/api/v1/places/3/completeness?from=2026-11-21T12:16:00Z&to=2026-11-21T13:16:00Z"),
		`{"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T13:16:00.000Z","expected":9,"received":6,"late":0,"missing":3,"uncertain":0,
		"duplicates":0,"conflicts":0,"extra":0,"gaps":[
		{"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T12:17:00.000Z","messages":1,"cause":"unknown"},
		{"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T13:16:00.000Z","messages":2,"cause":"switched-off",
		"note":"Defrosting.","by":"eva","at":"2026-11-21T13:16:00.000Z"}]}`)
	checkProblem(t, k.get(t, "/api/v1/places/4/completeness"), http.StatusNotFound, "not-found", "")
	checkProblem(t, k.do(t, request{target: "/api/v1/places/3/completeness?from=x", token: k.reader, wrong: true}),
		http.StatusBadRequest, "not-valid", "from")
}

// oneDay is the overview of the tests: the cellar on 2026-11-20.
func oneDay(int64, int64) ([]viewerapi.DeviceCompleteness, error) {
	day := storage.DayCount{
		DeviceDay: storage.DeviceDay{Device: 12, Day: int64(at/halley.Day) - 1},
		Expected:  10, Received: 8, Late: 1, Missing: 2, Uncertain: 3, Duplicates: 4, Conflicts: 5, Extra: 6,
	}
	formula := attic
	formula.Name = "=1+1"
	return []viewerapi.DeviceCompleteness{
		{Device: cellar, Total: day, Days: []storage.DayCount{day}},
		{Device: formula, Total: day, Days: []storage.DayCount{day}},
	}, nil
}

func TestAllDevicesAreListedByDays(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.ofDays = oneDay
	k := newKit(t, p)
	numbers := `"expected":10,"received":8,"late":1,"missing":2,"uncertain":3`
	device := numbers + `,"duplicates":4,"conflicts":5,"extra":6,"days":[{"day":"2026-11-20",` + numbers + `}]`
	checkJSON(t, k.get(t, "/api/v1/completeness?from=2026-11-01&to=2026-11-21"), `{"from":"2026-11-01","to":"2026-11-21","devices":[
		{"device_id":12,"device":"Cellar","place_id":3,"place":"Cold room 3",`+device+`},
		{"device_id":13,"device":"=1+1","place_id":null,"place":"",`+device+`}]}`)
	got := k.do(t, request{
		target: "/api/v1/completeness?from=2026-11-01&to=2026-11-21", token: k.reader, header: map[string]string{"Accept": "text/csv"},
	})
	want := "device_id,family,serial,device,place,day,expected,received,late,missing,uncertain,duplicates,conflicts,extra\n" +
		"12,wifi,23960001,Cellar,Cold room 3,2026-11-20,10,8,1,2,3,4,5,6\n" +
		"13,websensor,00000007,'=1+1,,2026-11-20,10,8,1,2,3,4,5,6\n"
	if diff := cmp.Diff(want, got.body); diff != "" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
		t.Errorf("CSV, %s (-want +got):\n%s", got.header.Get("Content-Type"), diff)
	}
}

func TestDaysAreThirtyAndTodayUnlessSaid(t *testing.T) {
	t.Parallel()
	var from, to int64
	p := fleet()
	p.ofDays = func(f, u int64) ([]viewerapi.DeviceCompleteness, error) {
		from, to = f, u
		return nil, nil
	}
	k := newKit(t, p)
	before := int64(halley.MillisOf(time.Now()) / halley.Day)
	k.get(t, "/api/v1/completeness")
	after := int64(halley.MillisOf(time.Now()) / halley.Day)
	if to-1 < before || to-1 > after || to-from != 31 {
		t.Errorf("days %d to %d, want the 30 before today %d and today", from, to, after)
	}
	k.get(t, "/api/v1/completeness?to=2026-11-21")
	if day := int64(at / halley.Day); to != day || from != day-31 {
		t.Errorf("days %d to %d, want the 31 before %d", from, to, day)
	}
	for target, field := range map[string]string{
		"from=2026-11-21&to=2026-11-21": "from", "from=2026-11-22&to=2026-11-21": "from", "from=2020-01-01&to=2026-11-21": "from",
		"to=21.11.2026": "to", "from=1980-01-01": "from", "day=2026-11-21": "day",
	} {
		checkProblem(t, k.do(t, request{target: "/api/v1/completeness?" + target, token: k.reader, wrong: !strings.HasPrefix(target, "from=20") && !strings.HasPrefix(target, "from=1980") && !strings.HasPrefix(target, "day")}),
			http.StatusBadRequest, "not-valid", field)
	}
}

func TestAPersonExplainsAGap(t *testing.T) {
	t.Parallel()
	var noted []storage.GapCause
	var by halley.Change
	p := fleet()
	p.addGapCause = func(g storage.GapCause, c halley.Change) (storage.GapCause, error) {
		noted, by = append(noted, g), c
		g.ID, g.By, g.At = 4, c.Actor.Name, at
		return g, nil
	}
	p.gapCauses = func(id halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
		if from == halley.EarliestMillis && to == halley.LatestMillis && id == 12 {
			return []storage.GapCause{{ID: 4, Device: 12, From: at - halley.Hour, To: at, Cause: "no-network", By: "eva", At: at}}, nil
		}
		return nil, nil
	}
	k := newKit(t, p)
	post := func(body, token string, wrong bool) answer {
		return k.do(t, request{method: http.MethodPost, target: "/api/v1/devices/12/gap-causes", body: body, token: token, wrong: wrong})
	}
	span := `{"from":"2026-11-21T12:16:00Z","to":"2026-11-21T14:16:00+01:00",`
	got := post(span+`"cause":"switched-off","note":" Defrosting. "}`, k.admin, false)
	if got.status != http.StatusCreated {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	got.status = http.StatusOK
	checkJSON(t, got, `{"id":4,"from":"2026-11-21T12:16:00.000Z","to":"2026-11-21T13:16:00.000Z","cause":"switched-off",
		"note":"Defrosting.","by":"administrator","at":"2026-11-21T13:16:00.000Z"}`)
	want := []storage.GapCause{{Device: 12, From: at - halley.Hour, To: at, Cause: "switched-off", Note: "Defrosting."}}
	if diff := cmp.Diff(want, noted); diff != "" || by.Actor.Name != "administrator" || by.Why != "Defrosting." {
		t.Errorf("noted by %+v (-want +got):\n%s", by, diff)
	}
	checkJSON(t, k.get(t, "/api/v1/devices/12/gap-causes"), `{"gap_causes":[{"id":4,"from":"2026-11-21T12:16:00.000Z",
		"to":"2026-11-21T13:16:00.000Z","cause":"no-network","note":"","by":"eva","at":"2026-11-21T13:16:00.000Z"}]}`)
	checkJSON(t, k.get(t, "/api/v1/devices/12/gap-causes?from=2026-11-21T12:16:00Z"), `{"gap_causes":[]}`)
	if got := post(span+`"cause":"no-network"}`, k.admin, false); got.status != http.StatusCreated {
		t.Errorf("without a note: %d %s", got.status, got.body)
	}
	if got := post(span+`"cause":"no-network"}`, k.reader, false); got.status != http.StatusForbidden {
		t.Errorf("a reader: %d", got.status)
	}
	noted = nil
	for body, code := range map[string][2]string{
		span + `"cause":"switched-off","note":"  "}`:                                       {"reason-required", "note"},
		span + `"cause":"order-gap"}`:                                                      {"not-valid", "cause"},
		span + `"cause":"bad luck"}`:                                                       {"not-valid", "cause"},
		span + `"cause":"no-network","note":"a\u0000b"}`:                                   {"not-valid", "note"},
		span + `"cause":"no-network","note":"` + strings.Repeat("a", 501) + `"}`:           {"not-valid", "note"},
		`{"to":"2026-11-21T12:16:00Z","cause":"no-network"}`:                               {"not-valid", "from"},
		`{"from":"2026-11-21T12:16:00Z","to":"soon","cause":"no-network"}`:                 {"not-valid", "to"},
		`{"from":"2026-11-21T12:16:00Z","to":"2026-11-21T12:16:00Z","cause":"no-network"}`: {"not-valid", "from"},
	} {
		// What is wrong with some of them only this server knows.
		fine := strings.Contains(body, `"note":"  "`) || strings.Contains(body, `\u0000`) || strings.Contains(body, `12:16:00Z","to":"2026-11-21T12`)
		checkProblem(t, post(body, k.admin, !fine), http.StatusBadRequest, code[0], code[1])
	}
	checkProblem(t, k.do(t, request{
		method: http.MethodPost, target: "/api/v1/devices/99/gap-causes", body: span + `"cause":"no-network"}`, token: k.admin,
	}), http.StatusNotFound, "not-found", "")
	if diff := cmp.Diff([]storage.GapCause(nil), noted, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("refused, and noted all the same:\n%s", diff)
	}
}
