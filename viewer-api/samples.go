package viewerapi

import (
	"fmt"
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
	cursorRunes = 60
)

// samplesRequest is what is asked of the samples of a channel, or of a series of a place.
type samplesRequest struct {
	// channel is the channel, or the first one of the series.
	channel  halley.ChannelID
	from, to halley.Millis
	// sources are the parts of channels' histories that the answer is made of.
	sources []source
	// series says more of the series of a place; nil for a channel.
	series *seriesRequest
	// limit is the most samples; 0 is all. points is the most buckets; 0 asks for raw samples.
	limit, points int64
	// after is the sample behind which to go on; the zero one begins at from.
	after position
	csv   bool
}

// getSamples gives the samples of a channel: raw, or as buckets; as JSON columns, or as CSV; of the times in which the channel was where
// the caller may see values. 404 where the channel is not there.
func (a *API) getSamples(w http.ResponseWriter, r *http.Request) error {
	in, err := readSamplesRequest(r, halley.MillisOf(time.Now()))
	if err != nil {
		return err
	}
	for _, span := range rightsOf(r).Spans(halley.PermitSampleRead, in.channel, in.from, in.to) {
		in.sources = append(in.sources, source{channel: in.channel, from: span.From, to: span.To})
	}
	if in.csv {
		if err = a.noteExport(r, fmt.Sprintf("channel %d", in.channel), in.from, in.to); err != nil {
			return err
		}
	}
	return a.answerSamples(w, r, in)
}

// answerSamples answers in the form that is asked for.
func (a *API) answerSamples(w http.ResponseWriter, r *http.Request, in samplesRequest) error {
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

// readSamplesRequest reads and checks the request for a channel.
func readSamplesRequest(r *http.Request, now halley.Millis) (samplesRequest, error) {
	id, err := pathID(r)
	if err != nil {
		return samplesRequest{}, err
	}
	q := newQuery(r, "from", "to", "limit", "after", "points")
	in := q.samples(r, now)
	in.channel = halley.ChannelID(id)
	if in.after.at != 0 {
		in.after.channel = in.channel
	}
	return in, q.err
}

// samples reads what all requests for samples have in common.
func (q *query) samples(r *http.Request, now halley.Millis) samplesRequest {
	in := samplesRequest{csv: wantsCSV(r.Header.Values("Accept"))}
	in.from, in.to = q.span(now)
	in.points = q.number("points", 1, pointsMost, 0)
	if in.csv {
		in.limit = q.number("limit", 1, csvSamplesMost, 0)
	} else {
		in.limit = q.number("limit", 1, samplesMost, samplesUsual)
	}
	in.after = q.cursor("after")
	for _, name := range []string{"limit", "after"} {
		if in.points > 0 && q.values.Has(name) {
			q.fail(name, name+" does not go with points: buckets come in one answer")
		}
	}
	return in
}

// cursor reads the place of a sample as cursorOf writes it; absent is the zero position.
func (q *query) cursor(name string) position {
	s := q.text(name, cursorRunes)
	if s == "" {
		return position{}
	}
	parts := strings.Split(s, "-")
	numbers := make([]int64, 3)
	valid := len(parts) == 2 || len(parts) == 3
	for i := range min(len(parts), 3) {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		numbers[i], valid = n, valid && err == nil && n >= 0
	}
	p := position{at: halley.Millis(numbers[0]), variant: int(min(numbers[1], lastVariant)), channel: halley.ChannelID(numbers[2])}
	if !valid || !p.at.Storable() {
		q.fail(name, "give back the `next` of the page before")
		return position{}
	}
	return p
}

// cursorOf writes the place of a sample. In a series of a place its channel belongs to it.
func cursorOf(p position, in *samplesRequest) string {
	s := strconv.FormatInt(int64(p.at), 10) + "-" + strconv.Itoa(p.variant)
	if in.series != nil {
		s += "-" + strconv.FormatInt(int64(p.channel), 10)
	}
	return s
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
		next = cursorOf(last, &in)
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
