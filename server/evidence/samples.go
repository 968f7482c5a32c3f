package evidence

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"halley"
	"halley/storage"
)

// samplePage is how many samples or messages are read at once.
const samplePage = 10_000

// counted sums up the samples of the whole file.
type counted struct {
	samples, messages int64
	stays             []stayCount
}

// stayCount sums up the samples of one stay.
type stayCount struct {
	samples, valueless, late, alarms, tests int64
	first, last                             halley.Millis
}

// writeSamples writes all samples of the place.
func (e *Evidence) writeSamples(ctx context.Context, b *bundle) error {
	e.counted.stays = make([]stayCount, len(e.stays))
	return b.file("samples.csv", func(w io.Writer) error {
		const header = "device_serial,channel_number,channel_name,quantity,unit,measured_at,value,quality,device_family,device_id,channel_id,measured_ms,quality_code,variant\n"
		if _, err := io.WriteString(w, header); err != nil {
			return err
		}
		for i := range e.stays {
			if err := e.writeStay(ctx, w, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeStay writes the samples of one stay.
func (e *Evidence) writeStay(ctx context.Context, w io.Writer, i int) error {
	s, count := &e.stays[i], &e.counted.stays[i]
	line := newSampleLine(s, e.deviceOf(s.Device))
	q := storage.SampleQuery{Channel: s.Channel, From: s.From, To: s.To, Limit: samplePage}
	text := make([]byte, 0, 1<<20)
	for {
		page, err := e.opts.Store.Samples(ctx, q)
		if err != nil {
			return fmt.Errorf("reading samples: %w", err)
		}
		text = text[:0]
		for j := range page {
			count.add(&page[j])
			text = line.append(text, &page[j])
		}
		e.counted.samples += int64(len(page))
		if _, err := w.Write(text); err != nil {
			return err
		}
		if len(page) < samplePage {
			return nil
		}
		last := &page[len(page)-1]
		q.After, q.AfterVariant = last.At, last.Variant
	}
}

func (c *stayCount) add(s *storage.Sample) {
	c.samples++
	if c.first == 0 {
		c.first = s.At
	}
	c.last = s.At
	if !s.Quality.HasValue() {
		c.valueless++
	}
	if s.Late {
		c.late++
	}
	if s.Quality&halley.Test != 0 {
		c.tests++
	}
	if a1, a2 := s.Quality.Alarms(); a1 != halley.AlarmNone || a2 != halley.AlarmNone {
		c.alarms++
	}
}

// sampleLine writes the samples of one stay as lines of CSV.
type sampleLine struct {
	stay *stay
	// before is what a line begins with, up to the channel's name; between lies behind the name, behind is what follows the quality.
	before, between, behind string
	words                   map[markedQuality]string
	named                   halley.Millis // until when name counts
	name                    string
}

type markedQuality struct {
	quality halley.Quality
	late    bool
}

func newSampleLine(s *stay, d *device) *sampleLine {
	return &sampleLine{
		stay:    s,
		before:  quoted(d.Serial) + "," + strconv.Itoa(s.channel.Number) + ",",
		between: "," + quoted(s.channel.Quantity) + "," + quoted(s.channel.Unit) + ",",
		behind:  "," + quoted(string(d.Family)) + "," + whole(s.Device) + "," + whole(s.Channel) + ",",
		words:   map[markedQuality]string{},
	}
}

// rfc3339Millis is how instants are written.
const rfc3339Millis = "2006-01-02T15:04:05.000Z"

// append appends the line of one sample; samples come by ascending time.
func (l *sampleLine) append(b []byte, s *storage.Sample) []byte {
	if s.At >= l.named {
		l.name, l.named = quoted(l.stay.nameAt(s.At)), halley.LatestMillis
		for _, n := range l.stay.names {
			if n.from > s.At {
				l.named = n.from
				break
			}
		}
	}
	b = append(append(append(b, l.before...), l.name...), l.between...)
	b = s.At.Time().AppendFormat(b, rfc3339Millis)
	b = append(b, ',')
	if s.Quality.HasValue() {
		b = strconv.AppendFloat(b, s.Value, 'g', -1, 64)
	}
	b = append(b, ',')
	key := markedQuality{s.Quality, s.Late}
	words, ok := l.words[key]
	if !ok {
		words = s.Quality.Words(s.Late)
		l.words[key] = words
	}
	b = append(append(b, words...), l.behind...)
	b = strconv.AppendInt(b, int64(s.At), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(s.Quality), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(s.Variant), 10)
	return append(b, '\n')
}

// deviceOf gives a device of the place.
func (e *Evidence) deviceOf(id halley.DeviceID) *device {
	for i := range e.devices {
		if e.devices[i].ID == id {
			return &e.devices[i]
		}
	}
	return &device{Device: halley.Device{ID: id}}
}

// writeMessages writes what the devices said with each message while they were at the place.
func (e *Evidence) writeMessages(ctx context.Context, b *bundle) error {
	return b.file("messages.csv", func(w io.Writer) error {
		const header = "device_serial,device_id,measured_at,variant,received_at,sent_at,order,kind,cache,interval_s,buffer,clock_invalid,journal_id,seq,measured_ms\n"
		if _, err := io.WriteString(w, header); err != nil {
			return err
		}
		for i := range e.devices {
			d := &e.devices[i]
			for _, s := range d.spans {
				q := storage.HeadQuery{Device: d.ID, From: s.From, To: s.To, Limit: samplePage}
				if err := e.writeHeads(ctx, w, q, d.Serial); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// writeHeads writes the messages of a device in one span.
func (e *Evidence) writeHeads(ctx context.Context, w io.Writer, q storage.HeadQuery, serial string) error {
	before := quoted(serial) + "," + whole(q.Device) + ","
	text := make([]byte, 0, 1<<20)
	for {
		page, err := e.opts.Store.Heads(ctx, q)
		if err != nil {
			return fmt.Errorf("reading messages: %w", err)
		}
		text = text[:0]
		for i := range page {
			text = appendHead(append(text, before...), &page[i])
		}
		e.counted.messages += int64(len(page))
		if _, err := w.Write(text); err != nil {
			return err
		}
		if len(page) < samplePage {
			return nil
		}
		last := &page[len(page)-1]
		q.After, q.AfterVariant = last.MeasuredAt, last.Variant
	}
}

func appendHead(b []byte, h *storage.Head) []byte {
	instant := func(at halley.Millis) {
		if at != 0 {
			b = at.Time().AppendFormat(b, rfc3339Millis)
		}
		b = append(b, ',')
	}
	integer := func(n int64) { b = append(strconv.AppendInt(b, n, 10), ',') }
	instant(h.MeasuredAt)
	integer(int64(h.Variant))
	instant(h.ReceivedAt)
	instant(h.SentAt)
	integer(h.Order)
	integer(int64(h.Kind))
	integer(int64(h.Cache))
	integer(int64(h.Interval))
	integer(int64(h.Buffer))
	b = append(append(b, yesNo(h.ClockNotValid)...), ',')
	b = append(append(b, quoted(h.JournalID)...), ',')
	b = append(strconv.AppendUint(b, h.Seq, 10), ',')
	return append(strconv.AppendInt(b, int64(h.MeasuredAt), 10), '\n')
}
