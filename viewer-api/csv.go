package viewerapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"halley/storage"
)

// pageDeadline is how long a caller may take for one page of a streamed answer.
const pageDeadline = 60 * time.Second

// wantsCSV says whether the Accept headers rather have CSV than JSON. JSON is the answer to those that say nothing.
func wantsCSV(accept []string) bool {
	csv, json, whatever := -1.0, -1.0, -1.0
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, _ := strings.Cut(item, ";")
		q := quality(params)
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/csv", "text/*":
			csv = max(csv, q)
		case "application/json", "application/*":
			json = max(json, q)
		case "*/*":
			whatever = max(whatever, q)
		}
	}
	if json < 0 {
		json = whatever
	}
	return csv > 0 && csv >= json
}

// quality reads the weight of an item of Accept; 1 where it has none.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			if q, err := strconv.ParseFloat(value, 64); err == nil && q >= 0 && q <= 1 {
				return q
			}
		}
	}
	return 1
}

// beginCSV sets the headers of a CSV answer.
func beginCSV(w http.ResponseWriter, in *samplesRequest) {
	name := fmt.Sprintf("channel-%d.csv", in.channel)
	if in.series != nil {
		name = fmt.Sprintf("place-%d-series-%d.csv", in.series.place, in.channel)
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Cache-Control", "no-store")
}

// writeSamplesCSV streams raw samples. No field needs quotes: times, numbers and words of qualities hold neither separator nor
// quote.
func (a *API) writeSamplesCSV(w http.ResponseWriter, r *http.Request, in samplesRequest) error {
	connection := http.NewResponseController(w)
	text := make([]byte, 0, 64<<10)
	begun := false
	words := make(map[qualityKey]string)
	_, _, err := a.pages(r.Context(), in, func(page []storage.Sample) error {
		text = text[:0]
		if !begun {
			if err := unhurried(connection); err != nil {
				return err
			}
			begun = true
			beginCSV(w, &in)
			text = append(text, "time,value,quality\n"...)
		}
		for i := range page {
			text = appendSampleCSV(text, &page[i], words)
		}
		if err := allow(connection, pageDeadline); err != nil {
			return err
		}
		_, err := w.Write(text)
		return err
	})
	if err != nil && begun {
		return &begunError{cause: err}
	}
	return err
}

// appendSampleCSV appends the line of one sample.
func appendSampleCSV(b []byte, s *storage.Sample, words map[qualityKey]string) []byte {
	b = s.At.Time().AppendFormat(b, rfc3339Millis)
	b = append(b, ',')
	if s.Quality.HasValue() {
		b = appendNumber(b, s.Value)
	}
	b = append(b, ',')
	key := qualityKey{s.Quality, s.Late}
	text, ok := words[key]
	if !ok {
		text = s.Quality.Words(s.Late)
		words[key] = text
	}
	b = append(b, text...)
	return append(b, '\n')
}

// writeBucketsCSV answers with buckets.
func (a *API) writeBucketsCSV(w http.ResponseWriter, r *http.Request, in samplesRequest) error {
	_, buckets, err := a.buckets(r.Context(), in)
	if err != nil {
		return err
	}
	text := []byte("time,count,min,mean,max\n")
	for i := range buckets {
		k := &buckets[i]
		text = k.Start.Time().AppendFormat(text, rfc3339Millis)
		text = append(text, ',')
		text = strconv.AppendInt(text, k.Count, 10)
		for _, v := range [...]float64{k.Min, mean(k), k.Max} {
			text = append(text, ',')
			text = appendNumber(text, v)
		}
		text = append(text, '\n')
	}
	beginCSV(w, &in)
	_, _ = w.Write(text) // A caller who does not take it is no failure of ours.
	return nil
}

// unhurried lifts the server's limit on the time of a whole request, which would end a long answer half way.
func unhurried(connection *http.ResponseController) error {
	err := connection.SetReadDeadline(time.Time{})
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// allow gives the next writes on a connection this much time, in place of the server's own limit. Connections without
// deadlines, as in tests, are left as they are.
func allow(connection *http.ResponseController, d time.Duration) error {
	err := connection.SetWriteDeadline(time.Now().Add(d))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
