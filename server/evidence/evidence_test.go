package evidence_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/completeness"
	"halley/server/evidence"
	"halley/storage"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// options give a Maker over s, with a key.
func options(s *store) evidence.Options {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	return evidence.Options{
		Store: s, Node: "main", Version: "1.2.3",
		Clock: func() string { return "Now it is right." },
		Sign: func(text []byte) (evidence.Signature, error) {
			public, _ := key.Public().(ed25519.PublicKey)
			return evidence.Signature{KeyID: "0123456789abcdef", Public: public, Signature: ed25519.Sign(key, text)}, nil
		},
		Completeness: func(_ context.Context, _ halley.PlaceID, from, to halley.Millis) (completeness.Report, error) {
			return completeness.Report{
				From: from, To: to, Expected: 432, Received: 426, Missing: 6, Late: 3, Gaps: []completeness.Gap{
					{From: begin + halley.Hour, To: begin + 2*halley.Hour, Messages: 5, Cause: completeness.ServerDown, By: "Anna", At: begin + halley.Day, Note: "maintenance"},
					{From: begin + 5*halley.Hour, To: begin + 5*halley.Hour + 20*halley.Minute, Messages: 1, Cause: completeness.Unknown},
				},
			}, nil
		},
	}
}

// threeDays asks for three days of the cold room.
func threeDays() evidence.Request {
	return evidence.Request{
		Place: 3, From: begin, To: begin + 3*halley.Day, At: begin + 10*halley.Day,
		By: halley.Actor{Kind: "session", Name: "Anna", Session: "s1"},
	}
}

// made makes the file and gives its files by name.
func made(t *testing.T, o evidence.Options, r evidence.Request) map[string]string {
	t.Helper()
	e, err := evidence.Gather(t.Context(), o, r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// What a whole file holds is compared with files that a person has read.
func TestTheFileTellsAllOfAPlace(t *testing.T) {
	t.Parallel()
	files := made(t, options(coldRoom()), threeDays())
	names := strings.Join(sorted(files), "\n") + "\n"
	compare(t, "files.txt", names)
	for name, text := range files {
		if name == "manifest.json" || name == "manifest.signature.json" {
			continue // they follow from the others
		}
		compare(t, name, text)
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "cold-room", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestTheManifestListsEveryFileAndIsSigned(t *testing.T) {
	t.Parallel()
	files := made(t, options(coldRoom()), threeDays())
	var m struct {
		Format string
		Files  []struct {
			Name   string
			Bytes  int
			SHA256 string
		}
	}
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Format != "halley-evidence-manifest-1" || len(m.Files) != len(files)-2 {
		t.Errorf("format %q, %d files of %d", m.Format, len(m.Files), len(files))
	}
	for _, f := range m.Files {
		sum := sha256.Sum256([]byte(files[f.Name]))
		if hex.EncodeToString(sum[:]) != f.SHA256 || len(files[f.Name]) != f.Bytes {
			t.Errorf("%s is not the file that the manifest lists", f.Name)
		}
	}
	var s struct {
		Algorithm, Signature string
		PublicKey            string `json:"public_key"`
	}
	if err := json.Unmarshal([]byte(files["manifest.signature.json"]), &s); err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(s.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil {
		t.Fatal(err)
	}
	if s.Algorithm != "Ed25519" || !ed25519.Verify(public, []byte(files["manifest.json"]), signature) {
		t.Errorf("the signature does not hold: %+v", s)
	}
}

func TestAnEmptyPlaceSaysNoneRecorded(t *testing.T) {
	t.Parallel()
	o := options(&store{places: map[halley.PlaceID]string{4: "Empty room"}})
	o.Sign, o.Clock = nil, nil
	o.Completeness = func(context.Context, halley.PlaceID, halley.Millis, halley.Millis) (completeness.Report, error) {
		return completeness.Report{}, nil
	}
	r := threeDays()
	r.Place = 4
	files := made(t, o, r)
	if _, signed := files["manifest.signature.json"]; signed {
		t.Error("there is a signature without a key")
	}
	page := files["report.html"]
	for _, want := range []string{
		"No channel was at this place in the period: none recorded.", "Limits in force: none recorded.", "Calibrations: none recorded.",
		"Backups: none recorded", "Restores for trial: none recorded", "Interruptions in the period: none recorded.",
		"Not verified: no verification was recorded.", "No messages were expected.", "No server was asked how its clock stands now.",
		"It is not signed", "Gaps: none recorded.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for name, text := range files {
		if strings.HasSuffix(name, ".csv") && name != "completeness.csv" && strings.Count(text, "\n") != 1 {
			t.Errorf("%s has more than its header: %q", name, text)
		}
	}
}

// A place belongs to the node that owned it at the end of the period, whatever became of it since, and takes the zone of the nearest
// node above that has one.
func TestThePlaceIsOfTheNodeOfThen(t *testing.T) {
	t.Parallel()
	r := threeDays()
	r.Place = 4
	o := options(&store{
		organizations: []halley.Organization{
			{ID: 1, TimeZone: "UTC"},
			{ID: 2, ParentID: 1, Name: "Acme", TimeZone: "Europe/Prague", From: r.From - halley.Day},
			{ID: 3, ParentID: 2, Name: "Brno", From: r.From - halley.Day},
			{ID: 4, ParentID: 1, Name: "Zenith", TimeZone: "Asia/Tokyo", From: r.From - halley.Day},
		},
		placeStates: []halley.Place{
			{ID: 4, OrganizationID: 3, Name: "Freezer", From: r.From - halley.Day}, {ID: 4, OrganizationID: 4, Name: "Sold freezer", From: r.To},
		},
	})
	o.Completeness = func(context.Context, halley.PlaceID, halley.Millis, halley.Millis) (completeness.Report, error) {
		return completeness.Report{}, nil
	}
	page := made(t, o, r)["report.html"]
	for _, want := range []string{"Freezer", "/Acme/Brno", "Europe/Prague"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, later := range []string{"Sold", "Zenith", "Tokyo"} {
		if strings.Contains(page, later) {
			t.Errorf("the page says %q, which came later", later)
		}
	}
}

// What was done to a device before it came and after it left is not the place's to tell.
func TestADeviceIsToldOfWhileItWasThere(t *testing.T) {
	t.Parallel()
	r := threeDays()
	came, left := r.From+halley.Hour, r.From+halley.Day
	at := func(id int64, at halley.Millis, why string) halley.AuditEntry {
		return halley.AuditEntry{
			ID: id, Change: halley.Change{Actor: halley.Actor{Kind: "session", Name: "somebody"}, At: at, Why: why}, What: "device.rename", On: "device 7",
		}
	}
	o := options(&store{
		step: halley.Hour, first: r.From, last: r.To,
		sample:   func(at halley.Millis) storage.Sample { return storage.Sample{At: at, Value: 5} },
		places:   map[halley.PlaceID]string{r.Place: "Freezer"},
		devices:  []halley.Device{{ID: 7, DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "23960007"}, Name: "name of later", Model: "model of later"}},
		channels: []halley.Channel{{ID: 71, DeviceID: 7, Number: 2, Quantity: "temperature", Unit: "°C", Name: "channel of later"}, {ID: 70, DeviceID: 7, Number: 1, Quantity: "temperature", Unit: "°C", Name: "channel of later"}},
		attachments: []storage.Attachment{
			{Channel: 70, Device: 7, Place: 9, From: halley.EarliestMillis, To: came},
			{Channel: 70, Device: 7, Place: r.Place, From: came, To: left},
			{Channel: 70, Device: 7, Place: 9, From: left, To: halley.LatestMillis},
			{Channel: 71, Device: 7, Place: r.Place, From: came, To: left},
		},
		audit: []halley.AuditEntry{at(1, came-1, "act of before"), at(2, came, "act of here"), at(3, left+halley.Hour, "act of later")},
		causes: []storage.GapCause{
			{ID: 1, Device: 7, From: r.From, To: came, Note: "cause of before"}, {ID: 2, Device: 7, From: came, To: left, Note: "cause of here"},
		},
		facts: map[string][][]any{
			"device_description": {
				{int64(7), int64(1), int64(came - 2), "accepted", "W0741", "", "name of before", nil, nil, nil},
				{int64(7), int64(2), int64(came - 1), "accepted", "W0741", "", "name of coming", nil, nil, nil},
				{int64(7), int64(3), int64(came + 1), "accepted", "W0741", "", "name of here", nil, nil, nil},
				{int64(7), int64(4), int64(left), "accepted", "model of later", "", "name of later", nil, nil, nil},
			},
			"channel_description": {
				{int64(70), int64(came - 1), "channel of here", int64(1), nil},
				{int64(70), int64(left), "channel of later", int64(1), nil},
				{int64(71), int64(left), "first name of all", int64(1), nil},
				{int64(71), int64(left + 1), "channel of later", int64(1), nil},
			},
		},
	})
	o.Completeness = func(context.Context, halley.PlaceID, halley.Millis, halley.Millis) (completeness.Report, error) {
		return completeness.Report{}, nil
	}
	var all strings.Builder
	for _, text := range made(t, o, r) {
		all.WriteString(text)
	}
	for _, want := range []string{"act of here", "cause of here", "name of coming", "name of here", "channel of here", "first name of all"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, never := range []string{"act of before", "act of later", "cause of before", "name of before", "name of later", "channel of later", "model of later"} {
		if strings.Contains(all.String(), never) {
			t.Errorf("the file tells %q", never)
		}
	}
}

func TestSimulatedDataIsSaid(t *testing.T) {
	t.Parallel()
	s := coldRoom()
	const said = "Contains simulated data"
	if files := made(t, options(s), threeDays()); strings.Contains(files["report.html"], said) {
		t.Error("real data is called simulated")
	}
	s.devices[1].Simulated = true
	files := made(t, options(s), threeDays())
	if !strings.Contains(files["report.html"], said) || !strings.Contains(files["manifest.json"], `"contains_simulated_data": true`) {
		t.Error("simulated data is not called so")
	}
}

func TestWhatWasVerifiedIsSaidAndNoMore(t *testing.T) {
	t.Parallel()
	end := begin + 3*halley.Day
	proof := func(at halley.Millis, ok bool, summary storage.VerifySummary) storage.Proof {
		text, err := json.Marshal(summary)
		if err != nil {
			t.Fatal(err)
		}
		return storage.Proof{ID: int64(at), At: at, Kind: storage.ProofVerify, OK: ok, Summary: string(text)}
	}
	for name, c := range map[string]struct {
		proofs []storage.Proof
		want   string
	}{
		"none":           {nil, "Not verified: no verification was recorded."},
		"made too early": {[]storage.Proof{proof(end-1, true, storage.VerifySummary{})}, "Not verified: the newest verification, of "},
		"of another range": {
			[]storage.Proof{proof(end, true, storage.VerifySummary{From: begin + 1, To: end})}, "Not verified: the newest verification, of ",
		},
		"broken off": {
			[]storage.Proof{proof(end, false, storage.VerifySummary{Problem: "the database went away"})}, "did not come to its end (the database went away)",
		},
		"of exactly the range": {
			[]storage.Proof{proof(end, true, storage.VerifySummary{From: begin, To: end, Samples: 9})}, "9 samples in 0 batches, 0 checkpoints. No difference was found. It was checked against this machine only",
		},
		"from outside": {
			[]storage.Proof{proof(end, true, storage.VerifySummary{Outside: true, AnchorAt: end})}, "It was checked against a checkpoint that was kept outside this machine, of 2026-06-04T00:00:00.000Z.",
		},
		"with findings": {
			[]storage.Proof{proof(end, false, storage.VerifySummary{FindingCount: 2, Findings: []storage.FindingSummary{{What: "changed", Text: "a value was <changed>"}}})},
			"2 things were not as they were recorded",
		},
		"an older one that covers behind a newer one that does not": {
			[]storage.Proof{proof(end, true, storage.VerifySummary{Samples: 77}), proof(end+1, true, storage.VerifySummary{From: end, To: end + 1})},
			"77 samples",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := coldRoom()
			s.proofs = c.proofs
			page := made(t, options(s), threeDays())["report.html"]
			if !strings.Contains(page, c.want) {
				t.Errorf("the page does not say %q", c.want)
			}
			if findings := strings.Contains(page, "a value was &lt;changed&gt;"); findings != (name == "with findings") {
				t.Errorf("findings are listed: %v", findings)
			}
		})
	}
}

func TestNoHostileTextGetsThrough(t *testing.T) {
	t.Parallel()
	s := coldRoom()
	s.places[3] = "a\u202eb<img src=x onerror=alert(1)>\x00"
	s.devices[0].Name = "@SUM(1+1)"
	files := made(t, options(s), threeDays())
	for name, text := range files {
		for _, bad := range []string{"<script>alert", "<img", "\u202e", "\x00"} {
			if strings.Contains(text, bad) && strings.HasSuffix(name, ".html") || strings.ContainsRune(text, '\u202e') && name != "manifest.json" {
				t.Errorf("%s holds %q", name, bad)
			}
		}
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, row := range rows {
			for _, f := range row {
				if f != "" && strings.ContainsRune("=@", rune(f[0])) {
					t.Errorf("%s: a spreadsheet would compute %q", name, f)
				}
			}
		}
	}
}

func TestManySamplesAreWrittenInPages(t *testing.T) {
	t.Parallel()
	s := coldRoom()
	const days = 40
	s.step, s.first, s.last = halley.Minute, begin, begin+days*halley.Day
	r := threeDays()
	r.To = begin + days*halley.Day
	files := made(t, options(s), r)
	const want = days*24*60 + 1
	for _, name := range []string{"samples.csv", "messages.csv"} {
		if n := strings.Count(files[name], "\n"); n != want {
			t.Errorf("%s has %d lines, want %d", name, n, want)
		}
	}
	// The swap at noon of a civil day gives that hour and that day to both sensors: 14:00 and the second of June in Prague.
	if n := strings.Count(files["hourly.csv"], "\n"); n != days*24+1 {
		t.Errorf("%d hours", n-1)
	}
	if n := strings.Count(files["daily.csv"], "\n"); n != days+1+1+1 {
		t.Errorf("%d days", n-1)
	}
	if s.longest > 10_000 {
		t.Errorf("a page of %d samples was asked for", s.longest)
	}
}

// BenchmarkAYearOfMinutes writes the file of a place with a sample a minute over a year.
func BenchmarkAYearOfMinutes(b *testing.B) {
	s := coldRoom()
	s.step, s.first, s.last = halley.Minute, begin, begin+365*halley.Day
	r := threeDays()
	r.To = s.last
	for b.Loop() {
		e, err := evidence.Gather(b.Context(), options(s), r)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Write(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func TestWhatCannotBeMadeIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*evidence.Request)
		kind   halley.Kind
	}{
		"no such place":   {func(r *evidence.Request) { r.Place = 99 }, halley.NotFound},
		"an empty period": {func(r *evidence.Request) { r.To = r.From }, halley.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := threeDays()
			c.change(&r)
			if _, err := evidence.Gather(t.Context(), options(coldRoom()), r); halley.KindOf(err) != c.kind || err == nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

// brokenWriter takes some bytes and then fails.
type brokenWriter struct{ left int }

var errBroken = errors.New("the connection is gone")

func (b *brokenWriter) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestAReaderWhoGoesAwayEndsTheWork(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{0, 5_000, 15_000} {
		e, err := evidence.Gather(t.Context(), options(coldRoom()), threeDays())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Write(t.Context(), &brokenWriter{bytes}); !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes: %v", bytes, err)
		}
	}
}

func TestTheNameOfTheFileIsSafe(t *testing.T) {
	t.Parallel()
	for place, want := range map[string]string{
		"Cold room 3":               "halley-evidence-Cold-room-3-20260601T0000Z-20260604T0000Z.zip",
		"../../etc/passwd\"\r\nX: ": "halley-evidence-etc-passwd-X-20260601T0000Z-20260604T0000Z.zip",
		"冷蔵室":                       "halley-evidence-place-20260601T0000Z-20260604T0000Z.zip",
		strings.Repeat("a", 300):    "halley-evidence-" + strings.Repeat("a", 40) + "-20260601T0000Z-20260604T0000Z.zip",
	} {
		s := coldRoom()
		s.places[3] = place
		e, err := evidence.Gather(t.Context(), options(s), threeDays())
		if err != nil {
			t.Fatal(err)
		}
		if got := e.FileName(); got != want {
			t.Errorf("%q gives %q, want %q", place, got, want)
		}
	}
}
