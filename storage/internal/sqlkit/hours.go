package sqlkit

import (
	"halley"
	"halley/storage/internal/rollup"
)

// openHour is the hour of a device's newest message. Its sums are kept in memory and written when a later hour begins, so that
// nothing is read back. Where they are not known, because the program began in the middle of the hour or messages came out of
// order, the hour is marked instead and computed from the samples.
type openHour struct {
	hour int64
	// known says that the channels' sums hold all samples of the hour, in order up to at and variant.
	known   bool
	at      halley.Millis
	variant int64
}

// sum brings a stored message into the rollups.
func (a *appender) sum(r *report) error {
	d, hour := r.d, rollup.Hours.Period(r.at)
	switch {
	case d.newest == 0:
		d.open = openHour{hour: hour, known: true}
	case hour < d.open.hour:
		a.out.Late++
		a.markLate(r)
		return nil
	case hour > d.open.hour:
		if err := a.closeHour(d, r.at); err != nil {
			return err
		}
		d.open = openHour{hour: hour, known: true}
	}
	d.newest = max(d.newest, r.at)
	o := &d.open
	if r.at < o.at || r.at == o.at && r.variant < o.variant {
		o.known = false
	}
	if !o.known {
		return nil
	}
	o.at, o.variant = r.at, r.variant
	bucket := int(r.at % halley.Hour / rollup.Hours.Step())
	for i, ch := range r.layout.channels {
		if rd := &r.m.Readings[i]; rd.Quality.HasValue() {
			ch.sum(bucket).Add(rd.Value + 0)
		}
	}
	return nil
}

// closeHour writes the packs of the device's open hour, because the hour of next begins, and marks the longer periods that
// close with it.
func (a *appender) closeHour(d *device, next halley.Millis) error {
	start := rollup.Hours.Start(d.open.hour)
	for _, l := range [...]rollup.Level{rollup.Days, rollup.Blocks} {
		if p := l.Period(start); p < l.Period(next) && (l != rollup.Days || !a.removed(start)) {
			a.marks[mark{d.id, l, p}] = struct{}{}
		}
	}
	// The sums may be of samples that retention has removed.
	known := d.open.known && !a.removed(start)
	if !known {
		a.marks[mark{d.id, rollup.Hours, d.open.hour}] = struct{}{}
	}
	for _, ch := range d.channels {
		if known {
			var err error
			if a.pack, err = a.putPack(a.pack, packKey{ch.id, rollup.Hours, d.open.hour}, ch.sums); err != nil {
				return err
			}
		}
		ch.forget()
	}
	return nil
}

type packKey struct {
	channel halley.ChannelID
	level   rollup.Level
	period  int64
}

// putPack writes a rollup, using buffer, which it gives back. It leaves out one without values.
func (c *change) putPack(buffer []byte, k packKey, sums []rollup.Bucket) ([]byte, error) {
	buffer = rollup.Encode(buffer[:0], sums)
	if len(buffer) == 0 {
		return buffer, nil
	}
	return buffer, c.bulk.Put(Rollup, int64(k.channel), int64(k.level), k.period, buffer)
}

// markLate marks all closed periods that a message falls into which came after its hour had closed.
func (a *appender) markLate(r *report) {
	newest := rollup.Hours.Start(r.d.open.hour)
	for _, l := range [...]rollup.Level{rollup.Hours, rollup.Days, rollup.Blocks} {
		if p := l.Period(r.at); p < l.Period(newest) {
			a.marks[mark{r.d.id, l, p}] = struct{}{}
		}
		if a.removed(r.at) {
			// The figures of a day that retention has removed stay: computed again they would be of what comes now alone.
			break
		}
	}
}
