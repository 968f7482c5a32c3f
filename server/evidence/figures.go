package evidence

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"halley"
	"halley/storage"
)

const (
	// chartBuckets is about how many points a chart has at most.
	chartBuckets = 300
	// bucketSpan is how much time one question for buckets covers.
	bucketSpan = 31 * halley.Day
	// fineUpTo is the longest period whose charts are drawn from ten minutes instead of hours.
	fineUpTo = 12 * halley.Day
)

// sum sums up values.
type sum struct {
	from          halley.Millis
	count         int64
	min, max, sum float64
}

func (s *sum) add(b *storage.Bucket) {
	if s.count == 0 {
		s.min, s.max = b.Min, b.Max
	}
	s.count += b.Count
	s.min, s.max, s.sum = min(s.min, b.Min), max(s.max, b.Max), s.sum+b.Sum
}

func (s *sum) mean() float64 { return s.sum / float64(max(s.count, 1)) }

// sums are sums by ascending time, each over what begins at its from.
type sums []sum

func (l *sums) add(from halley.Millis, b *storage.Bucket) {
	if n := len(*l); n == 0 || (*l)[n-1].from != from {
		*l = append(*l, sum{from: from})
	}
	(*l)[len(*l)-1].add(b)
}

// figures are what was counted of one stay.
type figures struct {
	total sum
	days  sums
	// points are those of its chart, each width wide.
	points sums
	width  halley.Millis
}

// writeFigures writes sums by the hour and by the day, and keeps what the charts show.
func (e *Evidence) writeFigures(ctx context.Context, b *bundle) error {
	e.figures = make([]figures, len(e.stays))
	err := b.file("hourly.csv", func(w io.Writer) error {
		if _, err := io.WriteString(w, "device_serial,channel_number,quantity,unit,hour,count,min,mean,max,channel_id\n"); err != nil {
			return err
		}
		for i := range e.stays {
			if err := e.sumUp(ctx, w, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.table("daily.csv", []string{
		"device_serial", "channel_number", "quantity", "unit", "day", "time_zone", "from", "count", "min", "mean", "max", "channel_id",
	}, func(add func(...string)) {
		for i := range e.stays {
			s := &e.stays[i]
			for _, d := range e.figures[i].days {
				add(field(e.deviceOf(s.Device).Serial), strconv.Itoa(s.channel.Number), field(s.channel.Quantity), field(s.channel.Unit),
					d.from.Time().In(e.zone).Format(time.DateOnly), e.zoneName, max(d.from, s.From).String(), whole(d.count),
					number(d.min), number(d.mean()), number(d.max), whole(s.Channel))
			}
		}
	})
}

// baseWidth is the width of the buckets that are asked for: as wide as can be so that days of the zone and points of the chart are
// made of whole ones.
func (e *Evidence) baseWidth() halley.Millis {
	width := halley.Hour
	if e.req.To-e.req.From <= fineUpTo {
		width = 10 * halley.Minute
	}
	for _, at := range []halley.Millis{e.req.From, (e.req.From + e.req.To) / 2, e.req.To} {
		_, offset := at.Time().In(e.zone).Zone()
		for _, finer := range []halley.Millis{10 * halley.Minute, 5 * halley.Minute, halley.Minute} {
			if halley.Millis(offset)*halley.Second%width != 0 {
				width = min(width, finer)
			}
		}
	}
	return width
}

// sumUp sums up one stay: its hours are written, its days and points kept.
func (e *Evidence) sumUp(ctx context.Context, w io.Writer, i int) error {
	s, f := &e.stays[i], &e.figures[i]
	base := e.baseWidth()
	f.width = (e.req.To - e.req.From) / chartBuckets
	f.width = max(base, f.width.Ceil(base))
	before := quoted(e.deviceOf(s.Device).Serial) + "," + strconv.Itoa(s.channel.Number) + "," + quoted(s.channel.Quantity) + "," +
		quoted(s.channel.Unit) + ","
	var hours sums
	day := newDayOf(e.zone)
	for from := s.From; from < s.To; {
		to := min((from + bucketSpan).Floor(halley.Hour), s.To)
		page, err := e.opts.Store.Buckets(ctx, storage.BucketQuery{Channel: s.Channel, From: from, To: to, Width: base})
		if err != nil {
			return fmt.Errorf("reading sums: %w", err)
		}
		hours = hours[:0]
		for j := range page {
			b := &page[j]
			f.total.add(b)
			hours.add(b.Start.Floor(halley.Hour), b)
			f.days.add(day.of(b.Start), b)
			f.points.add(b.Start.Floor(f.width), b)
		}
		text := make([]byte, 0, 100*len(hours))
		for _, h := range hours {
			text = append(text, before+h.from.String()+","+whole(h.count)+","+number(h.min)+","+number(h.mean())+","+number(h.max)+","+whole(s.Channel)+"\n"...)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// dayOf finds the civil day of ascending instants.
type dayOf struct {
	zone     *time.Location
	from, to halley.Millis
}

func newDayOf(zone *time.Location) *dayOf { return &dayOf{zone: zone} }

// of gives when the day began that holds an instant.
func (d *dayOf) of(at halley.Millis) halley.Millis {
	if at < d.from || at >= d.to {
		y, m, day := at.Time().In(d.zone).Date()
		d.from = halley.MillisOf(time.Date(y, m, day, 0, 0, 0, 0, d.zone))
		d.to = halley.MillisOf(time.Date(y, m, day+1, 0, 0, 0, 0, d.zone))
	}
	return d.from
}
