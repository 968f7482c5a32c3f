package server_test

import (
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/config"
	"halley/storage"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden gives the body of a family's golden case.
func golden(tb testing.TB, family, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("..", "protocols", family, "testdata", "cases", name, "request.body"))
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// post sends a body to the device listener and gives the status and the answer.
func (r *rig) post(tb testing.TB, path string, body []byte) (int, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://"+r.devices+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	if len(res.TransferEncoding) != 0 || res.ContentLength < 0 {
		tb.Errorf("the answer is chunked or has no length: %v, %d", res.TransferEncoding, res.ContentLength)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// rows reads the embedded store as any other tool would, each row as one line.
func rows(tb testing.TB, folder, query string, args ...any) []string {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "halley.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	r, err := db.QueryContext(tb.Context(), query, args...)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	columns, err := r.Columns()
	if err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for r.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := r.Scan(values...); err != nil {
			tb.Fatal(err)
		}
		var parts []string
		for _, v := range values {
			parts = append(parts, fmt.Sprint(*v.(*any)))
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	if err := r.Err(); err != nil {
		tb.Fatal(err)
	}
	return lines
}

const values = `SELECT device_serial, channel_number, quantity, unit, measured_at, value, quality FROM samples
	ORDER BY device_serial, measured_ms, variant, channel_number`

func TestEachFamilyIsStoredAsItsDocumentSays(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, nil)
	for _, c := range []struct{ family, name, answer string }{
		{"websensor", "t3510-normal", "InsertTx5xxSampleResponse"},
		{"wifi", "periodic", `"Result":true`},
		{"tax6xx", "periodic", `"Result":true`},
		{"modem", "version-6", "OK"},
	} {
		status, text := r.post(t, "/any/path?and=query", golden(t, c.family, c.name))
		if status != http.StatusOK || !strings.Contains(strings.ReplaceAll(text, `": `, `":`), c.answer) {
			t.Errorf("%s: answered %d %s, want 200 with %s", c.family, status, text, c.answer)
		}
	}
	r.flush(t)
	got := rows(t, folder, values)
	for i, line := range got { // web sensors have the time of their receipt
		if f := strings.Split(line, "|"); strings.Contains(f[6], "server-time") {
			if at, err := halley.ParseMillis(f[4]); err != nil || halley.MillisOf(time.Now())-at > halley.Minute {
				t.Errorf("time of receipt: %s, %v", f[4], err)
			}
			f[4] = "now"
			got[i] = strings.Join(f, "|")
		}
	}
	file := filepath.Join("testdata", "families.txt")
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), strings.Join(got, "\n")); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
}

func TestTheSameMessageTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, nil)
	for range 3 {
		for _, family := range []string{"wifi", "tax6xx"} {
			if status, text := r.post(t, "/", golden(t, family, "periodic")); status != http.StatusOK {
				t.Fatalf("%s: answered %d %s", family, status, text)
			}
		}
	}
	r.flush(t)
	if diff := cmp.Diff([]string{"2"}, rows(t, folder, "SELECT count(*) FROM message WHERE part = 0")); diff != "" {
		t.Errorf("messages stored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"4"}, rows(t, folder, "SELECT sum(duplicates) FROM tally")); diff != "" {
		t.Errorf("duplicates counted (-want +got):\n%s", diff)
	}
}

func approve(c *config.Config) { c.Devices.Accept = "approve" }

func TestANewDeviceWaitsAndIsStoredWhenItIsAccepted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, approve)
	body := golden(t, "wifi", "periodic")
	if status, _ := r.post(t, "/", body); status != http.StatusOK {
		t.Fatalf("a new device was answered %d", status)
	}
	r.flush(t)
	if got := rows(t, folder, values); len(got) != 0 {
		t.Errorf("samples of a device that nobody accepted: %v", got)
	}
	devices, err := r.Store().Devices(t.Context(), storage.DeviceFilter{})
	if err != nil || len(devices) != 1 || devices[0].State != halley.DeviceNew {
		t.Fatalf("devices: %+v, %v; want one that is new", devices, err)
	}
	key := devices[0].DeviceKey
	if held := r.Held()[key]; held.Uploads != 1 || held.Bytes != int64(len(body)) {
		t.Errorf("quarantine of the new device: %+v", held)
	}
	first, err := r.FirstValues(t.Context(), key)
	if err != nil || len(first) == 0 {
		t.Errorf("first values: %v, %v", first, err)
	}
	accept(t, r, devices[0].ID)
	await(t, r, func() bool { return len(r.Held()) == 0 })
	r.flush(t)
	if got := rows(t, folder, values); len(got) != len(first) {
		t.Errorf("samples after acceptance: %v, want the %d that waited", got, len(first))
	}
	if raw, err := r.LastUpload(t.Context(), key); err != nil || !bytes.Equal(raw.Body, body) || raw.Reason != "" {
		t.Errorf("last upload: %s, %v", raw.Body, err)
	}
	want := []string{"device.accept|command|tester|it is ours"}
	if diff := cmp.Diff(want, rows(t, folder, "SELECT what, actor_kind, actor_name, why FROM audit WHERE what = 'device.accept'")); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func accept(t *testing.T, r *rig, id halley.DeviceID) {
	t.Helper()
	state := halley.DeviceAccepted
	c := halley.Change{Actor: halley.Actor{Kind: "command", Name: "tester"}, At: halley.MillisOf(time.Now()), Why: "it is ours"}
	if _, err := r.Store().ChangeDevice(t.Context(), id, storage.DeviceUpdate{State: &state}, c); err != nil {
		t.Fatalf("accepting the device: %v", err)
	}
	r.Devices().Poke()
}

// await waits for what the server does by itself: it looks again whenever devices or values change, and fails after a minute.
func await(t *testing.T, r *rig, done func() bool) {
	t.Helper()
	w := r.Live().Watch()
	defer w.Close()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-w.Events():
		case <-again.C:
		case <-limit.C:
			t.Fatal("the server did not do what was awaited within a minute")
		}
	}
}

func TestWhatWasJournaledIsRecordedAfterARestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	slow := func(c *config.Config) { c.Recorder.Every.Duration = time.Hour }
	r := start(t, folder, slow)
	bodies := soapBodies(t)
	for n := range 20 {
		if status, _ := r.post(t, "/", bodies(0, n)); status != http.StatusOK {
			t.Fatalf("upload %d: answered %d", n, status)
		}
	}
	last := r.Status().Journal.Last
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, folder, slow)
	if m, _, ok := again.Live().Newest(halley.DeviceKey{Family: halley.WebSensor, Serial: "00000001"}); !ok || len(m.Readings) == 0 {
		t.Error("the newest value is not there after the restart")
	}
	if got := again.Status().Journal.Last; got < last {
		t.Errorf("the journal ends at %d after the restart, and ended at %d", got, last)
	}
	again.flush(t)
	if diff := cmp.Diff([]string{"20"}, rows(t, folder, "SELECT count(*) FROM message WHERE part = 0")); diff != "" {
		t.Errorf("messages stored (-want +got):\n%s", diff)
	}
}

func TestBodiesThatNobodyCanReadAreShown(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	if status, text := r.post(t, "/", []byte("hello")); status != http.StatusBadRequest || strings.Count(text, "\n") != 1 {
		t.Errorf("answered %d %q, want 400 and one line", status, text)
	}
	count, list := r.Unrecognized()
	if count != 1 || len(list) != 1 || string(list[0].Body) != "hello" {
		t.Errorf("unrecognized: %d, %+v", count, list)
	}
}

// withDevice runs a server that has accepted one WiFi sensor, and gives the message that the sensor sent.
func withDevice(t *testing.T, folder string) (r *rig, sent []byte) {
	t.Helper()
	r, sent = start(t, folder, nil), golden(t, "wifi", "periodic")
	r.post(t, "/", sent)
	r.flush(t)
	return r, sent
}

func TestAcceptedDevicesAreNotBlockedByWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r, good := withDevice(t, folder)
	broken := bytes.Replace(good, []byte(`"Time"`), []byte(`"Tome"`), 1)
	status, text := r.post(t, "/", broken)
	if status != http.StatusOK || !strings.Contains(text, "true") {
		t.Errorf("a message without a time of an accepted device was answered %d %s, want 200 and true", status, text)
	}
	r.flush(t)
	for key, held := range r.Held() {
		list, err := r.Quarantined(t.Context(), key, 0, 10)
		if err != nil || len(list) != 1 || list[0].Reason != "not-understood" || list[0].Note == "" || !bytes.Equal(list[0].Body, broken) {
			t.Errorf("quarantine %+v of %v: %+v, %v", held, key, list, err)
		}
	}
	if len(r.Held()) != 1 {
		t.Errorf("%d devices in quarantine, want one", len(r.Held()))
	}
}

func TestStatusSaysHowTheServerStands(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), approve)
	st := r.Status()
	if st.State != "ok" || len(st.Findings) != 0 || st.Store.Kind != "sqlite" || st.Simulated {
		t.Errorf("status of a new server: %+v", st)
	}
	if note := st.Listeners[0].Note; !strings.Contains(note, "Nothing has ever reached this address") {
		t.Errorf("note of a listener that nothing reached: %q", note)
	}
	bodies := soapBodies(t)
	for n := range 3 {
		r.post(t, "/", bodies(n, 0))
	}
	r.flush(t)
	r.Devices().Poke()
	st = r.Status()
	if st.Devices[halley.DeviceNew] != 3 || st.Quarantine.Uploads != 3 || !st.Simulated || st.Listeners[0].Note != "" || st.Listeners[0].Requests != 3 {
		t.Errorf("status with three new simulated devices: %+v", st)
	}
}

func TestASecondServerOnTheFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, folder, nil)
	if _, err := openServer(t, folder); halley.KindOf(err) != halley.Conflict {
		t.Errorf("a second server on the folder: %v, want Conflict", err)
	}
}

func TestABusyPortNamesItsOwner(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir(), nil)
	s, err := openServer(t, t.TempDir(), func(c *config.Config) { c.Devices.Listen = []string{r.devices} })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.ListenDevices(t.Context())
	if halley.KindOf(err) != halley.Unavailable || !strings.Contains(err.Error(), "the port is in use") {
		t.Errorf("listening on a busy port: %v", err)
	}
}

func TestTheJournalIsKeptWithinItsBudget(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := start(t, folder, func(c *config.Config) { c.Journal.FileBytes = 16 << 10 })
	bodies := soapBodies(t)
	for n := range 400 {
		r.post(t, "/", bodies(n%connections, n))
	}
	r.flush(t)
	before := r.Status().Journal
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, folder, func(c *config.Config) { c.Journal.FileBytes, c.Journal.KeepBytes = 16<<10, 64<<10 })
	again.flush(t)
	if files := again.Status().Journal.Files; before.Files < 3 || files >= before.Files {
		t.Errorf("%d journal files before there was a budget and %d after, want some and fewer", before.Files, files)
	}
	if got := again.Status().Journal; got.Last < before.Last {
		t.Errorf("the journal ends at %d after its oldest files went, and ended at %d", got.Last, before.Last)
	}
	if diff := cmp.Diff([]string{"400"}, rows(t, folder, "SELECT count(*) FROM message WHERE part = 0")); diff != "" {
		t.Errorf("messages stored (-want +got):\n%s", diff)
	}
	again.flush(t) // the removal is noted in the journal, behind what was recorded before
	if got := rows(t, folder, "SELECT actor_kind, new_value FROM audit WHERE what = 'journal.prune'"); len(got) == 0 {
		t.Error("the removal was not audited")
	}
}

func TestWhatAPersonReleasesIsRecorded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r, good := withDevice(t, folder)
	ahead := bytes.ReplaceAll(good, []byte("2026-11-21T14:00:0"), []byte("2099-11-21T14:00:0"))
	if status, _ := r.post(t, "/", ahead); status != http.StatusOK {
		t.Fatalf("a message from the future was answered %d", status)
	}
	r.flush(t)
	count := "SELECT count(*) FROM message WHERE part = 0"
	if diff := cmp.Diff([]string{"1"}, rows(t, folder, count)); diff != "" {
		t.Errorf("messages beside one from the future (-want +got):\n%s", diff)
	}
	d, _ := r.Devices().Device(halley.DeviceKey{Family: halley.WiFi, Serial: "20960042"})
	c := halley.Change{Actor: halley.Actor{Kind: "command", Name: "tester"}, At: halley.MillisOf(time.Now()), Why: "it was a test"}
	if err := r.Release(t.Context(), d, c); err != nil {
		t.Fatal(err)
	}
	r.flush(t)
	if diff := cmp.Diff([]string{"2"}, rows(t, folder, count)); diff != "" {
		t.Errorf("messages after the release (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tester|it was a test"}, rows(t, folder, "SELECT actor_name, why FROM audit WHERE what = 'quarantine.release'")); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
	d.State = halley.DeviceSuspended
	if err := r.Release(t.Context(), d, c); halley.KindOf(err) != halley.Conflict {
		t.Errorf("releasing of a suspended device: %v, want Conflict", err)
	}
}
