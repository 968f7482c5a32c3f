package viewerapi

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"halley"
	"halley/storage"
)

// source is a part of one channel's history that belongs to an answer.
type source struct {
	channel  halley.ChannelID
	from, to halley.Millis
	// in turns the channel's values into the unit of the answer.
	in conversion
}

// place is where a sample stands in the order of an answer: by time, then channel, then variant.
type position struct {
	at      halley.Millis
	channel halley.ChannelID
	variant int
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.at, q.at), cmp.Compare(p.channel, q.channel), cmp.Compare(p.variant, q.variant))
}

// lastVariant is behind every variant.
const lastVariant = 1<<31 - 1

// reader reads the samples of a source in pages.
type reader struct {
	source
	// query is where the next page begins; page is what was read and not taken yet.
	query storage.SampleQuery
	page  []storage.Sample
	// ended says that nothing is behind page.
	ended bool
}

// newReader begins behind a position; the zero one is before everything.
func newReader(s source, after position) *reader {
	r := &reader{source: s, query: storage.SampleQuery{Channel: s.channel, From: s.from, To: s.to}}
	switch {
	case after.at == 0:
	case s.channel < after.channel:
		r.query.After, r.query.AfterVariant = after.at, lastVariant
	case s.channel == after.channel:
		r.query.After, r.query.AfterVariant = after.at, after.variant
	default:
		r.query.From = max(s.from, after.at)
	}
	r.ended = r.query.From >= s.to
	return r
}

// head is where the first sample stands that is left, or at the least: it need not be read yet.
func (r *reader) head() position {
	if len(r.page) > 0 {
		return r.place(0)
	}
	return position{at: max(r.query.From, r.query.After), channel: r.channel}
}

func (r *reader) place(i int) position {
	return position{at: r.page[i].At, channel: r.channel, variant: r.page[i].Variant}
}

// read reads a page where none is left.
func (r *reader) read(ctx context.Context, series Series, most int) error {
	if len(r.page) > 0 || r.ended {
		return nil
	}
	r.query.Limit = most
	page, err := series.Samples(ctx, r.query)
	if err != nil {
		return err
	}
	r.page, r.ended = page, len(page) < most
	if n := len(page); n > 0 {
		r.query.After, r.query.AfterVariant = page[n-1].At, page[n-1].Variant
	}
	return nil
}

// before takes what stands before a position, at most most samples, in the unit of the answer.
func (r *reader) before(p position, most int) []storage.Sample {
	n := min(sort.Search(len(r.page), func(i int) bool { return r.place(i).compare(p) >= 0 }), most)
	run := r.page[:n]
	r.page = r.page[n:]
	if r.in.same() || n == 0 {
		return run
	}
	run = slices.Clone(run) // What a store gave is not ours to change.
	for i := range run {
		if run[i].Quality.HasValue() {
			run[i].Value = r.in.of(run[i].Value)
		}
	}
	return run
}

// pages reads the samples that in asks for, in order, and hands them to take in runs, at least once. more says that samples are left
// beyond the limit; last is where the last one taken stands.
func (a *API) pages(ctx context.Context, in samplesRequest, take func(page []storage.Sample) error) (last position, more bool, err error) {
	var readers []*reader
	for _, s := range in.sources {
		readers = append(readers, newReader(s, in.after))
	}
	left, taken := in.limit, false
	for {
		want := samplesPage
		if in.limit > 0 {
			want = int(min(int64(want), left))
		}
		first, bound, err := a.next(ctx, &readers, want+1)
		if err != nil {
			return last, false, err
		}
		if first == nil || in.limit > 0 && left == 0 {
			if !taken {
				err = take(nil)
			}
			return last, first != nil, err
		}
		run := first.before(bound, want)
		last = position{at: run[len(run)-1].At, channel: first.channel, variant: run[len(run)-1].Variant}
		if err = take(run); err != nil {
			return last, false, err
		}
		left -= int64(len(run))
		taken = true
	}
}

// next gives the reader whose next sample comes first, read, and the place of the first sample of all others; nil where nothing is left.
// Readers that have ended are removed.
func (a *API) next(ctx context.Context, readers *[]*reader, most int) (*reader, position, error) {
	for {
		*readers = slices.DeleteFunc(*readers, func(r *reader) bool { return r.ended && len(r.page) == 0 })
		if len(*readers) == 0 {
			return nil, position{}, nil
		}
		slices.SortFunc(*readers, func(x, y *reader) int { return x.head().compare(y.head()) })
		first, bound := (*readers)[0], position{at: halley.LatestMillis + 1}
		if len(*readers) > 1 {
			bound = (*readers)[1].head()
		}
		if len(first.page) > 0 && first.head().compare(bound) < 0 {
			return first, bound, nil
		}
		if len(first.page) > 0 {
			// Another may have something at the very same place: what it has must be read first.
			first = (*readers)[1]
		}
		if err := first.read(ctx, a.Series, most); err != nil {
			return nil, position{}, err
		}
	}
}

// buckets reads the buckets that in asks for: of each source by itself, so that the buckets at the ends of a source count only what lies
// in it, and sums up those of one span.
func (a *API) buckets(ctx context.Context, in samplesRequest) (halley.Millis, []storage.Bucket, error) {
	width := bucketWidth(in.from, in.to, in.points)
	var all []storage.Bucket
	for _, s := range in.sources {
		list, err := a.Series.Buckets(ctx, storage.BucketQuery{Channel: s.channel, From: s.from, To: s.to, Width: width})
		if err != nil {
			return 0, nil, err
		}
		for _, b := range list {
			all = append(all, s.in.bucket(b))
		}
	}
	if len(in.sources) < 2 {
		return width, all, nil
	}
	slices.SortStableFunc(all, func(x, y storage.Bucket) int { return cmp.Compare(x.Start, y.Start) })
	sums := all[:0]
	for _, b := range all {
		if n := len(sums); n > 0 && sums[n-1].Start == b.Start {
			last := &sums[n-1]
			last.Count, last.Sum = last.Count+b.Count, last.Sum+b.Sum
			last.Min, last.Max = min(last.Min, b.Min), max(last.Max, b.Max)
			continue
		}
		sums = append(sums, b)
	}
	return width, sums, nil
}
