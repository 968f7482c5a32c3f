package viewerapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

// trail is an audit trail of n acts, and keeps what is noted.
type trail struct {
	mu    sync.Mutex
	n     int64
	asked []storage.AuditFilter
	noted []string
	fails bool
}

func (l *trail) where(f storage.AuditFilter) ([]halley.AuditEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, f)
	var list []halley.AuditEntry
	for id := l.n; id > 0 && len(list) < f.Limit; id-- {
		if f.Before != 0 && id >= f.Before {
			continue
		}
		list = append(list, halley.AuditEntry{
			ID: id, What: "device.accept", On: "device 12", Old: `{"state":"new"}`, New: `{"state":"accepted"}`,
			Change: halley.Change{Actor: halley.Actor{Kind: "session", Name: "=Anna, \"QA\"", Session: "s"}, At: at, Why: "ours"},
		})
	}
	return list, nil
}

func (l *trail) note(e halley.AuditEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails {
		return &halley.Error{Kind: halley.Unavailable, Op: "note an act", Code: "journal-full", Message: "the disk is full"}
	}
	l.noted = append(l.noted, strings.TrimSpace(e.Change.Actor.Name+" "+e.What+" "+e.On+" "+e.New))
	return nil
}

// check compares what was noted since the last check.
func (l *trail) check(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if diff := cmp.Diff(want, l.noted); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	l.noted = nil
}

// withTrail gives parts of the fleet that have an audit trail.
func withTrail(n int64) (*parts, *trail) {
	p, l := fleet(), &trail{n: n}
	p.auditWhere, p.noteAudit = l.where, l.note
	p.lastUpload = lastUpload
	return p, l
}

func TestAuditIsListedInPages(t *testing.T) {
	t.Parallel()
	p, l := withTrail(3)
	k := newKit(t, p)
	row := func(id int) string {
		return fmt.Sprintf(`{"id":%d,"at":"2026-11-21T13:16:00.000Z","who":"=Anna, \"QA\"","kind":"session","session":"s","what":"device.accept",
			"on":"device 12","old":"{\"state\":\"new\"}","new":"{\"state\":\"accepted\"}","why":"ours"}`, id)
	}
	checkJSON(t, k.get(t, "/api/v1/audit?limit=2"), `{"entries":[`+row(3)+`,`+row(2)+`],"next":"2"}`)
	checkJSON(t, k.get(t, "/api/v1/audit?limit=2&before=2"), `{"entries":[`+row(1)+`],"next":null}`)
	k.get(t, "/api/v1/audit?who=Anna&what=device.*&on=device%2012&from=2026-11-21T13:16:00Z&to=2026-11-21T14:16:00Z")
	want := []storage.AuditFilter{
		{Limit: 3}, {Limit: 3, Before: 2}, {Limit: 101, Who: "Anna", What: "device.*", On: "device 12", From: at, To: at + halley.Hour},
	}
	if diff := cmp.Diff(want, l.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	l.check(t)
	for target, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "before=0": "before", "from=x": "from",
		"from=2026-11-21T13:16:00Z&to=2026-11-21T13:16:00Z": "from", "unknown=1": "unknown",
	} {
		wrong := !strings.HasPrefix(target, "from=2") && !strings.HasPrefix(target, "unknown")
		got := k.do(t, request{target: "/api/v1/audit?" + target, token: k.reader, wrong: wrong})
		checkProblem(t, got, http.StatusBadRequest, "not-valid", field)
	}
}

func TestTheExportOfTheAuditIsWholeAndAudited(t *testing.T) {
	t.Parallel()
	p, l := withTrail(2500)
	k := newKit(t, p)
	got := k.do(t, request{target: "/api/v1/audit?who=Anna", token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
	if got.status != http.StatusOK || len(lines) != 2501 || lines[0] != "id,at,who,kind,session,what,on,old,new,why" {
		t.Fatalf("status %d, %d lines, first %q", got.status, len(lines), lines[0])
	}
	const first = `2500,2026-11-21T13:16:00.000Z,"'=Anna, ""QA""",session,s,device.accept,device 12,"{""state"":""new""}","{""state"":""accepted""}",ours`
	if lines[1] != first {
		t.Errorf("first line %s", lines[1])
	}
	l.check(t, `reader audit.export audit {"from":"","on":"","to":"","what":"","who":"Anna"}`)
	got = k.do(t, request{target: "/api/v1/audit?limit=5", token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	if n := strings.Count(got.body, "\n"); n != 6 {
		t.Errorf("%d lines with limit=5", n)
	}
}

func TestNothingIsExportedThatCannotBeAudited(t *testing.T) {
	t.Parallel()
	p, l := withTrail(5)
	l.fails = true
	k := newKit(t, p)
	for _, target := range []string{
		"/api/v1/audit", "/api/v1/channels/7/samples", "/api/v1/devices/12/last-upload", "/api/v1/devices/12/quarantine",
		"/api/v1/unrecognized", "/api/v1/places/3/evidence",
	} {
		got := k.do(t, request{target: target, token: k.reader, header: map[string]string{"Accept": "text/csv, application/zip"}})
		checkProblem(t, got, http.StatusServiceUnavailable, "journal-full", "")
	}
}

func TestViewsOfWhatDevicesSentAreAuditedOnceForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, l := withTrail(0)
		k := newKit(t, p)
		const last, held = "/api/v1/devices/12/last-upload", "/api/v1/devices/12/quarantine"
		for range 3 {
			k.get(t, last)
		}
		l.check(t, `reader upload.read device 12 {"which":"last upload"}`)
		k.do(t, request{target: last, token: k.admin})
		k.get(t, held)
		k.get(t, "/api/v1/unrecognized")
		l.check(t, `administrator upload.read device 12 {"which":"last upload"}`, `reader upload.read device 12 {"which":"quarantine"}`,
			`reader upload.read unrecognized bodies`)
		time.Sleep(10*time.Minute + time.Second) //nolint:forbidigo // the clock of the bubble
		k.get(t, last)
		l.check(t, `reader upload.read device 12 {"which":"last upload"}`)
		k.get(t, "/api/v1/devices/99/last-upload")
		l.check(t)
	})
}

func TestExportsOfSamplesAreAudited(t *testing.T) {
	t.Parallel()
	p, l := withTrail(0)
	k := newKit(t, p)
	const target = "/api/v1/channels/7/samples?from=2026-11-21T13:16:00Z&to=2026-11-21T14:16:00Z"
	k.get(t, target)
	l.check(t)
	for range 2 {
		k.do(t, request{target: target, token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	}
	l.check(t, `reader samples.export channel 7 {"from":"2026-11-21T13:16:00.000Z","to":"2026-11-21T14:16:00.000Z"}`)
}

// evidenceFile is a file of evidence with a fixed text.
type evidenceFile struct {
	text string
	err  error
	wait <-chan struct{}
}

func (e evidenceFile) FileName() string { return "halley-evidence-a.zip" }

func (e evidenceFile) Write(_ context.Context, w io.Writer) error {
	if e.wait != nil {
		<-e.wait
	}
	if _, err := io.WriteString(w, e.text); err != nil {
		return err
	}
	return e.err
}

func TestEvidenceIsMadeAndAudited(t *testing.T) {
	t.Parallel()
	p, l := withTrail(0)
	var asked viewerapi.EvidenceRequest
	p.evidence = func(r viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
		if r.Place != 3 {
			return nil, notFound()
		}
		asked = r
		return evidenceFile{text: "PK content"}, nil
	}
	k := newKit(t, p)
	const period = "?from=2026-11-21T13:16:00Z&to=2026-11-21T14:16:00Z"
	got := k.get(t, "/api/v1/places/3/evidence"+period)
	if got.status != http.StatusOK || got.body != "PK content" || got.header.Get("Content-Type") != "application/zip" ||
		got.header.Get("Content-Disposition") != `attachment; filename="halley-evidence-a.zip"` || got.header.Get("Content-Encoding") != "" {
		t.Errorf("status %d, header %v, body %q", got.status, got.header, got.body)
	}
	if asked.From != at || asked.To != at+halley.Hour || asked.Change.Actor.Name != "reader" || asked.Change.At == 0 {
		t.Errorf("asked for %+v", asked)
	}
	l.check(t, `reader evidence.make place 3 {"from":"2026-11-21T13:16:00.000Z","to":"2026-11-21T14:16:00.000Z"}`)
	checkProblem(t, k.get(t, "/api/v1/places/4/evidence"+period), http.StatusNotFound, "not-found", "")
	l.check(t)
	checkProblem(t, k.get(t, "/api/v1/places/3/evidence?from=2026-11-21T13:16:00Z&to=2026-11-21T13:16:00Z"), http.StatusBadRequest, "not-valid", "from")
}

func TestAFileOfEvidenceThatEndsEarlyIsCut(t *testing.T) {
	t.Parallel()
	p := fleet()
	p.evidence = func(viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
		return evidenceFile{text: "PK", err: errors.New("the database went away")}, nil
	}
	k := newKit(t, p)
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // what net/http documents to panic with
			t.Errorf("the connection was not cut: %v", v)
		}
	}()
	k.get(t, "/api/v1/places/3/evidence")
}

func TestTwoFilesOfEvidenceAreMadeAtOneTime(t *testing.T) {
	t.Parallel()
	p := fleet()
	gate, begun := make(chan struct{}), make(chan struct{}, 2)
	p.evidence = func(viewerapi.EvidenceRequest) (viewerapi.EvidenceFile, error) {
		begun <- struct{}{}
		return evidenceFile{text: "PK", wait: gate}, nil
	}
	k := newKit(t, p)
	var made sync.WaitGroup
	for range 2 {
		made.Go(func() { k.get(t, "/api/v1/places/3/evidence") })
	}
	<-begun
	<-begun
	checkProblem(t, k.get(t, "/api/v1/places/3/evidence"), http.StatusTooManyRequests, "evidence-busy", "")
	close(gate)
	made.Wait()
}
