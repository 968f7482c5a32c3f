package viewerapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/storage"
	viewerapi "halley/viewer-api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// series answers from a slice of samples, as a store does.
func series(all []storage.Sample) func(storage.SampleQuery) ([]storage.Sample, error) {
	return func(q storage.SampleQuery) ([]storage.Sample, error) {
		var page []storage.Sample
		for _, s := range all {
			behind := q.After == 0 || s.At > q.After || s.At == q.After && s.Variant > q.AfterVariant
			if s.At >= q.From && s.At < q.To && behind && len(page) < q.Limit {
				page = append(page, s)
			}
		}
		return page, nil
	}
}

// mixed are samples of every sort.
var mixed = []storage.Sample{
	{At: at, Value: 20.3},
	{At: at + halley.Minute, Value: -0.1, Late: true},
	{At: at + halley.Minute, Variant: 1, Value: 1e-7, Quality: halley.ServerTime},
	{At: at + 2*halley.Minute, Quality: halley.QualityOf(halley.SensorError, 53)},
	{At: at + 3*halley.Minute + 250, Value: 1e21, Quality: halley.Quality(0).WithAlarms(halley.AlarmHigh, halley.AlarmActive)},
	{At: at + 4*halley.Minute, Value: 0, Quality: halley.ClockInvalid | halley.Test},
	{At: at + 5*halley.Minute, Quality: halley.QualityOf(halley.AboveRange, 0)},
	{At: at + 6*halley.Minute, Value: 123456789012},
	{At: at + 7*halley.Minute, Value: 20.3, Late: true},
}

const mixedRange = "?from=2026-11-21T13:16:00Z&to=2026-11-21T14:16:00Z"

func withSeries(all []storage.Sample) *parts {
	p := fleet()
	p.samples = series(all)
	return p
}

func TestRawSamplesAsColumns(t *testing.T) {
	t.Parallel()
	k := newKit(t, withSeries(mixed))
	checkJSON(t, k.get(t, "/api/v1/channels/7/samples"+mixedRange), `{"channel_id":7,
		"from":"2026-11-21T13:16:00.000Z","to":"2026-11-21T14:16:00.000Z","start":"2026-11-21T13:16:00.000Z",
		"time":[0,60000,0,60000,60250,59750,60000,60000,60000],
		"value":[20.3,-0.1,1e-7,null,1e21,0,null,123456789012,20.3],
		"quality":[0,1,2,3,4,5,6,0,1],
		"qualities":["good","good late","good server-time","error-53","good alarm1-high alarm2","good clock-invalid test","above-range"],
		"next":null}`)
	checkJSON(t, k.get(t, "/api/v1/channels/9/samples?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z"), `{"channel_id":9,
		"from":"2001-01-01T00:00:00.000Z","to":"2001-01-02T00:00:00.000Z","start":null,"time":[],"value":[],"quality":[],"qualities":[],"next":null}`)
	checkProblem(t, k.get(t, "/api/v1/channels/99/samples"), http.StatusNotFound, "not-found", "")
}

func TestSamplesComeInPages(t *testing.T) {
	t.Parallel()
	k := newKit(t, withSeries(mixed))
	type page struct {
		Start time.Time
		Time  []int64
		Value []*float64
		Next  *string
	}
	for limit := 1; limit <= len(mixed)+1; limit++ {
		var got []halley.Millis
		target := fmt.Sprintf("/api/v1/channels/7/samples%s&limit=%d", mixedRange, limit)
		for after, pages := "", 0; ; pages++ {
			var p page
			if err := json.Unmarshal([]byte(k.get(t, target+after).body), &p); err != nil {
				t.Fatal(err)
			}
			if len(p.Time) != len(p.Value) || len(p.Time) > limit || pages > len(mixed) {
				t.Fatalf("limit %d: a page of %d times and %d values", limit, len(p.Time), len(p.Value))
			}
			current := halley.MillisOf(p.Start)
			for _, d := range p.Time {
				current += halley.Millis(d)
				got = append(got, current)
			}
			if p.Next == nil {
				break
			}
			after = "&after=" + *p.Next
		}
		var want []halley.Millis
		for _, s := range mixed {
			want = append(want, s.At)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d: all pages (-want +got):\n%s", limit, diff)
		}
	}
}

// many gives a sample a second.
func many(n int) []storage.Sample {
	all := make([]storage.Sample, n)
	for i := range all {
		all[i] = storage.Sample{At: at - halley.Day + halley.Millis(i)*halley.Second, Value: float64(i) / 10}
	}
	return all
}

func TestLongAnswersReadTheStoreInPages(t *testing.T) {
	t.Parallel()
	const n = 25_001
	all := many(n)
	p := withSeries(nil)
	calls := 0
	p.samples = func(q storage.SampleQuery) ([]storage.Sample, error) {
		calls++
		if q.Limit > 10_001 {
			t.Errorf("one call asks for %d samples", q.Limit)
		}
		from := 0
		if q.After != 0 {
			from = int((q.After-all[0].At)/halley.Second) + 1
		}
		return all[from:min(from+q.Limit, n)], nil
	}
	k := newKit(t, p)
	span := "?from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z"
	got := k.do(t, request{target: "/api/v1/channels/7/samples" + span, token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	if lines := strings.Count(got.body, "\n"); lines != n+1 || calls != 3 {
		t.Errorf("%d lines in %d calls, want %d in 3", lines, calls, n+1)
	}
	var columns struct {
		Time []int64
		Next *string
	}
	for query, want := range map[string]int{"": 10_000, "&limit=100000": n, "&limit=25001": n, "&limit=20000": 20_000} {
		a := k.get(t, "/api/v1/channels/7/samples"+span+query)
		columns.Next = nil
		if err := json.Unmarshal([]byte(a.body), &columns); err != nil {
			t.Fatal(err)
		}
		if more := columns.Next != nil; len(columns.Time) != want || more != (want < n) {
			t.Errorf("%s: %d samples, more %v, want %d", query, len(columns.Time), more, want)
		}
	}
	a := k.do(t, request{target: "/api/v1/channels/7/samples" + span + "&limit=3", token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	if strings.Count(a.body, "\n") != 4 {
		t.Errorf("CSV with limit=3:\n%s", a.body)
	}
}

func TestSamplesAsCSV(t *testing.T) {
	t.Parallel()
	k := newKit(t, withSeries(mixed))
	got := k.do(t, request{
		target: "/api/v1/channels/7/samples" + mixedRange, token: k.reader, header: map[string]string{"Accept": "text/csv"},
	})
	golden(t, "samples.csv", got.body)
	if ct := got.header.Get("Content-Type"); ct != "text/csv; charset=utf-8; header=present" {
		t.Errorf("Content-Type = %q", ct)
	}
	if got.header.Get("Vary") == "" || got.header.Get("Content-Disposition") != `attachment; filename="channel-7.csv"` {
		t.Errorf("headers = %v", got.header)
	}
	rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	w := csv.NewWriter(&again)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if again.String() != got.body {
		t.Error("encoding/csv writes it otherwise")
	}
	empty := k.do(t, request{
		target: "/api/v1/channels/7/samples?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z", token: k.reader,
		header: map[string]string{"Accept": "text/csv"},
	})
	if empty.body != "time,value,quality\n" {
		t.Errorf("no samples: %q", empty.body)
	}
}

var someBuckets = []storage.Bucket{
	{Start: at, Count: 3, Min: -1, Max: 2, Sum: 1.5},
	{Start: at + 20*halley.Minute, Count: 3, Min: 0.1, Max: 0.1, Sum: 0.1 + 0.1 + 0.1},
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	p := fleet()
	var asked storage.BucketQuery
	p.buckets = func(q storage.BucketQuery) ([]storage.Bucket, error) {
		asked = q
		return someBuckets, nil
	}
	k := newKit(t, p)
	target := "/api/v1/channels/7/samples" + mixedRange + "&points=6"
	checkJSON(t, k.get(t, target), `{"channel_id":7,"from":"2026-11-21T13:16:00.000Z","to":"2026-11-21T14:16:00.000Z","width_ms":1200000,
		"start":"2026-11-21T13:16:00.000Z","time":[0,1200000],"min":[-1,0.1],"mean":[0.5,0.1],"max":[2,0.1],"count":[3,3]}`)
	want := storage.BucketQuery{Channel: 7, From: at, To: at + halley.Hour, Width: 20 * halley.Minute}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	got := k.do(t, request{target: target, token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	golden(t, "buckets.csv", got.body)
}

func TestNoBuckets(t *testing.T) {
	t.Parallel()
	k := newKit(t, fleet())
	checkJSON(t, k.get(t, "/api/v1/channels/7/samples"+mixedRange+"&points=100"), `{"channel_id":7,
		"from":"2026-11-21T13:16:00.000Z","to":"2026-11-21T14:16:00.000Z","width_ms":37000,"start":null,
		"time":[],"min":[],"mean":[],"max":[],"count":[]}`)
}

func TestBucketWidth(t *testing.T) {
	t.Parallel()
	day := halley.Millis(1_795_219_200_000) // 2026-11-21T00:00:00Z.
	tests := map[string]struct {
		from, to halley.Millis
		points   int64
		want     halley.Millis
	}{
		"an hour in 3,600":                 {day, day + halley.Hour, 3600, halley.Second},
		"an hour in 60":                    {day, day + halley.Hour, 60, halley.Minute},
		"an hour in 59":                    {day, day + halley.Hour, 59, 62 * halley.Second},
		"an hour in 1":                     {day, day + halley.Hour, 1, halley.Hour},
		"a day in 144":                     {day, day + halley.Day, 144, 10 * halley.Minute},
		"a day in 143":                     {day, day + halley.Day, 143, 20 * halley.Minute},
		"a day not at its beginning":       {day + 1, day + halley.Day + 1, 144, 20 * halley.Minute},
		"a year in 2,000 by whole hours":   {day, day + 365*halley.Day, 2000, 5 * halley.Hour},
		"ten years in 2,000 by whole days": {day, day + 3652*halley.Day, 2000, 2 * halley.Day},
		"a millisecond":                    {day, day + 1, 10_000, halley.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := viewerapi.BucketWidth(tt.from, tt.to, tt.points); got != tt.want {
				t.Errorf("width = %d ms, want %d ms", got, tt.want)
			}
		})
	}
}

// allowedWidth says whether a width is one of those that openapi.yaml promises.
func allowedWidth(w halley.Millis) bool {
	switch {
	case w < 10*halley.Minute:
		return w > 0 && w%halley.Second == 0
	case w < halley.Hour:
		return w%(10*halley.Minute) == 0
	case w < halley.Day:
		return w%halley.Hour == 0
	}
	return w%halley.Day == 0
}

func TestBucketWidthIsTheLeastThatWillDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := halley.Millis(rapid.Int64Range(int64(halley.EarliestMillis), int64(halley.LatestMillis)-1).Draw(t, "from"))
		longest := int64(halley.LatestMillis - from)
		span := rapid.OneOf(rapid.Int64Range(1, min(longest, int64(halley.Hour))), rapid.Int64Range(1, longest)).Draw(t, "span")
		to := from + halley.Millis(span)
		points := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, 10_000)).Draw(t, "points")
		width := viewerapi.BucketWidth(from, to, points)
		first, last := from/width, (to-1)/width
		if n := int64(last - first + 1); n > points || n != viewerapi.Touched(from, to, width) {
			t.Fatalf("%d buckets of %d ms, want at most %d", n, width, points)
		}
		if !allowedWidth(width) {
			t.Fatalf("a width of %d ms is not promised", width)
		}
		for narrower, tries := width-halley.Second, 0; narrower > 0 && tries < 700; narrower, tries = narrower-halley.Second, tries+1 {
			if allowedWidth(narrower) && viewerapi.Touched(from, to, narrower) <= points {
				t.Fatalf("%d ms would do as well as %d ms", narrower, width)
			}
		}
	})
}

func TestNumbersReadBackToTheSameBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }).Draw(t, "value")
		text := string(viewerapi.AppendNumber(nil, v))
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back float64
		if err := json.Unmarshal([]byte(text), &back); err != nil || math.Float64bits(back) != math.Float64bits(v) {
			t.Fatalf("%v is written as %s, which reads as %v, %v", v, text, back, err)
		}
		if plain, err := strconv.ParseFloat(string(asJSON), 64); err != nil || plain != back {
			t.Fatalf("%s differs from %s", text, asJSON)
		}
	})
}

func TestAcceptDecidesTheForm(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"":                                  false,
		"*/*":                               false,
		"application/json":                  false,
		"text/csv":                          true,
		"TEXT/CSV":                          true,
		"text/csv; charset=utf-8":           true,
		"text/csv, */*;q=0.1":               true,
		"text/*":                            true,
		"application/json, text/csv;q=0.9":  false,
		"application/json;q=0.5, text/csv":  true,
		"text/csv;q=0":                      false,
		"text/csv;q=0, */*":                 false,
		"text/html,application/xhtml+xml":   false,
		"text/csv;q=oops":                   true,
		"text/html, application/json;q=0.1": false,
	}
	for accept, want := range tests {
		if got := viewerapi.WantsCSV([]string{accept}); got != want {
			t.Errorf("Accept: %s gives CSV %v, want %v", accept, got, want)
		}
	}
}

// Where a page of the store ends between two samples of one instant, none is lost and none comes twice.
func TestPagesEndBetweenVariants(t *testing.T) {
	t.Parallel()
	all := many(9_998)
	instant := all[len(all)-1].At + halley.Second
	for variant := range 5 {
		all = append(all, storage.Sample{At: instant, Variant: variant, Value: float64(variant)})
	}
	k := newKit(t, withSeries(all))
	got := k.do(t, request{
		target: "/api/v1/channels/7/samples?from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z", token: k.reader,
		header: map[string]string{"Accept": "text/csv"},
	})
	for variant := range 5 {
		if n := strings.Count(got.body, fmt.Sprintf("%s,%d,good\n", instant, variant)); n != 1 {
			t.Errorf("variant %d comes %d times", variant, n)
		}
	}
}

// An answer that fails half way must not look whole.
func TestBrokenCSVIsCut(t *testing.T) {
	t.Parallel()
	all := many(20_000)
	p := fleet()
	p.samples = func(q storage.SampleQuery) ([]storage.Sample, error) {
		if q.After != 0 {
			return nil, errors.New("disk torn")
		}
		return all[:q.Limit], nil
	}
	k := newKit(t, p)
	server := httptest.NewServer(k.api)
	defer server.Close()
	for _, encoding := range []string{"identity", "gzip"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/channels/7/samples?from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Accept": {"text/csv"}, "Authorization": {"Bearer " + k.reader}, "Accept-Encoding": {encoding}}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || err == nil {
			t.Errorf("%s: status %d, reading ends with %v, want an error", encoding, resp.StatusCode, err)
		}
	}
	p.samples = func(storage.SampleQuery) ([]storage.Sample, error) {
		return nil, &halley.Error{Kind: halley.Unavailable}
	}
	got := k.do(t, request{target: "/api/v1/channels/7/samples", token: k.reader, header: map[string]string{"Accept": "text/csv"}})
	checkProblem(t, got, http.StatusServiceUnavailable, "unavailable", "")
}

func BenchmarkColumns(b *testing.B) {
	all := many(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if len(viewerapi.RawJSON(all)) == 0 {
			b.Fatal("nothing")
		}
	}
}
