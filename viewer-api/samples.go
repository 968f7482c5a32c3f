package viewerapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"halley"
	"halley/storage"
)

const (
	// samplesUsual and samplesMost are how many raw samples an answer in JSON holds.
	samplesUsual = 10_000
	samplesMost  = 100_000
	// samplesPage is how many samples one call of the store reads, which keeps it short.
	samplesPage = 10_000
	// pointsMost is the most buckets that can be asked for.
	pointsMost = 10_000
	// csvSamplesMost bounds the limit= of a CSV answer; without it there is none.
	csvSamplesMost = 1 << 40
	// cursorRunes bounds a cursor.
	cursorRunes = 40
)

// samplesRequest is what is asked of a channel's samples.
type samplesRequest struct {
	channel  halley.ChannelID
	from, to halley.Millis
	// limit is the most samples; 0 is all. points is the most buckets; 0 asks for raw samples.
	limit, points int64
	// after and afterVariant are the sample behind which to go on; 0 begins at from.
	after        halley.Millis
	afterVariant int
	csv          bool
}

// getSamples gives the samples of a channel: raw, or as buckets; as JSON columns, or as CSV. 404 where the channel is not
// there.
func (a *API) getSamples(w http.ResponseWriter, r *http.Request) error {
	in, err := readSamplesRequest(r, halley.MillisOf(time.Now()))
	if err != nil {
		return err
	}
	if _, err = a.Registry.Channel(r.Context(), in.channel); err != nil {
		return err
	}
	if in.csv {
		if err = a.noteExport(r, in.channel, in.from, in.to); err != nil {
			return err
		}
	}
	w.Header().Add("Vary", "Accept")
	switch {
	case in.points > 0 && in.csv:
		return a.writeBucketsCSV(w, r, in)
	case in.points > 0:
		return a.writeBuckets(w, r, in)
	case in.csv:
		return a.writeSamplesCSV(w, r, in)
	}
	return a.writeSamples(w, r, in)
}

// readSamplesRequest reads and checks the request.
func readSamplesRequest(r *http.Request, now halley.Millis) (samplesRequest, error) {
	id, err := pathID(r)
	if err != nil {
		return samplesRequest{}, err
	}
	in := samplesRequest{channel: halley.ChannelID(id), csv: wantsCSV(r.Header.Values("Accept"))}
	q := newQuery(r, "from", "to", "limit", "after", "points")
	in.from, in.to = q.span(now)
	in.points = q.number("points", 1, pointsMost, 0)
	if in.csv {
		in.limit = q.number("limit", 1, csvSamplesMost, 0)
	} else {
		in.limit = q.number("limit", 1, samplesMost, samplesUsual)
	}
	in.after, in.afterVariant = q.cursor("after")
	for _, name := range []string{"limit", "after"} {
		if in.points > 0 && q.values.Has(name) {
			q.fail(name, name+" does not go with points: buckets come in one answer")
		}
	}
	return in, q.err
}

// cursor reads the place of a sample as cursorOf writes it; absent is 0.
func (q *query) cursor(name string) (halley.Millis, int) {
	s := q.text(name, cursorRunes)
	if s == "" {
		return 0, 0
	}
	at, variant, _ := strings.Cut(s, "-")
	m, err := strconv.ParseInt(at, 10, 64)
	n, verr := strconv.Atoi(variant)
	if err != nil || verr != nil || n < 0 || !halley.Millis(m).Storable() {
		q.fail(name, "give back the `next` of the page before")
		return 0, 0
	}
	return halley.Millis(m), n
}

// cursorOf writes the place of a sample.
func cursorOf(s storage.Sample) string {
	return strconv.FormatInt(int64(s.At), 10) + "-" + strconv.Itoa(s.Variant)
}

// pages reads the samples that in asks for, page by page, and hands each page to take. more says that samples are left
// beyond the limit; last is the last one taken.
func (a *API) pages(ctx context.Context, in samplesRequest, take func(page []storage.Sample) error) (last storage.Sample, more bool, err error) {
	q := storage.SampleQuery{Channel: in.channel, From: in.from, To: in.to, After: in.after, AfterVariant: in.afterVariant}
	for left := in.limit; ; {
		want := samplesPage
		if in.limit > 0 {
			want = int(min(int64(want), left))
		}
		q.Limit = want + 1 // One more tells whether there is a next page.
		page, err := a.Series.Samples(ctx, q)
		if err != nil {
			return last, false, err
		}
		more = len(page) > want
		page = page[:min(len(page), want)]
		if err = take(page); err != nil {
			return last, false, err
		}
		if len(page) > 0 {
			last = page[len(page)-1]
			q.After, q.AfterVariant = last.At, last.Variant
		}
		left -= int64(len(page))
		if !more || in.limit > 0 && left == 0 {
			return last, more, nil
		}
	}
}

// writeSamples answers with raw samples as columns.
func (a *API) writeSamples(w http.ResponseWriter, r *http.Request, in samplesRequest) error {
	var columns sampleColumns
	last, more, err := a.pages(r.Context(), in, func(page []storage.Sample) error {
		columns.add(page)
		return nil
	})
	if err != nil {
		return err
	}
	next := ""
	if more {
		next = cursorOf(last)
	}
	return writeBody(w, "application/json", columns.json(in, next))
}

// writeBuckets answers with buckets as columns.
func (a *API) writeBuckets(w http.ResponseWriter, r *http.Request, in samplesRequest) error {
	width, buckets, err := a.buckets(r.Context(), in)
	if err != nil {
		return err
	}
	return writeBody(w, "application/json", bucketsJSON(in, width, buckets))
}

// buckets reads the buckets that in asks for.
func (a *API) buckets(ctx context.Context, in samplesRequest) (halley.Millis, []storage.Bucket, error) {
	width := bucketWidth(in.from, in.to, in.points)
	buckets, err := a.Series.Buckets(ctx, storage.BucketQuery{Channel: in.channel, From: in.from, To: in.to, Width: width})
	return width, buckets, err
}
