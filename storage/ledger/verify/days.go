package verify

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"halley"
	"halley/storage/ledger"
)

// noDay is later than every day.
const noDay = math.MaxInt64

// day is one UTC day while its rows are read.
type day struct {
	day     int64
	removed bool
	parts   map[int64]*partState
	scratch ledger.Scratch
	// one is the part of the row before: mostly many rows of a batch come together.
	oneBatch int64
	one      *partState
	// stray counts rows of batches that have no part on this day.
	stray map[int64]int64
}

// partState is a part while its rows are read.
type partState struct {
	part ledger.Part
	hash *ledger.Hash
}

// readDays reads the rows day by day, device by device.
func (r *run) readDays(ctx context.Context) error {
	first, last, ok, err := r.Source.LedgerDays(ctx)
	if err != nil {
		return fmt.Errorf("reading the days that there are: %w", err)
	}
	if !ok {
		r.result.From, r.result.To = r.From, r.From
		return nil
	}
	from, to := first, last+1
	if r.Options.From != 0 || r.Options.To != 0 {
		from, to = max(from, r.Options.From), min(to, r.Options.To)
	}
	if from >= to {
		r.result.From, r.result.To = r.Options.From, r.Options.From
		return nil
	}
	r.result.From, r.result.To = from, to
	devices, err := r.Source.LedgerDevices(ctx)
	if err != nil {
		return fmt.Errorf("reading devices: %w", err)
	}
	next := make([]int64, len(devices))
	for i := range next {
		next[i] = from
	}
	for d := from; d < to; d++ {
		if err := r.breathe(ctx, "samples", d-from, to-from); err != nil {
			return err
		}
		if err := r.readDay(ctx, d, devices, next); err != nil {
			return err
		}
	}
	return r.breathe(ctx, "samples", to-from, to-from)
}

// readDay holds one day's rows against its parts. next has, for each device, the next day on which it may have rows.
func (r *run) readDay(ctx context.Context, at int64, devices []ledger.Device, next []int64) error {
	d := &day{day: at, removed: r.removed(at), parts: map[int64]*partState{}, stray: map[int64]int64{}}
	if err := r.readParts(ctx, d); err != nil {
		return err
	}
	for i := range devices {
		if next[i] > at {
			continue
		}
		rows, err := r.readRows(ctx, d, devices[i])
		if err != nil {
			return err
		}
		if rows > 0 && r.Rollups != nil {
			if err := r.checkRollups(ctx, devices[i], at); err != nil {
				return err
			}
		}
		if rows > 0 {
			// Most devices measure every day: asking for the next would cost as much as finding one empty.
			next[i] = at + 1
			continue
		}
		if next[i], err = r.nextDay(ctx, devices[i], at+1); err != nil {
			return err
		}
	}
	return r.judgeDay(ctx, d, devices)
}

// nextDay gives the next day from which a device may have rows.
func (r *run) nextDay(ctx context.Context, d ledger.Device, from int64) (int64, error) {
	finder, ok := r.Source.(ledger.DayFinder)
	if !ok {
		return from, nil
	}
	next, found, err := finder.LedgerNextDay(ctx, d, from)
	if err != nil {
		return 0, fmt.Errorf("reading the days of %s: %w", deviceText(d), err)
	}
	if !found {
		return noDay, nil
	}
	return next, nil
}

// readParts reads what the batches say they stored of the day.
func (r *run) readParts(ctx context.Context, d *day) error {
	var listed rowSum
	for after := int64(0); ; {
		page, err := r.Source.LedgerParts(ctx, d.day, after, pageSize)
		if err != nil {
			return fmt.Errorf("reading parts: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for i := range page {
			after = page[i].Batch
			covered := after <= r.bound
			if covered {
				listed.addPart(&r.secret, &page[i])
			} else {
				if covered, err = r.isOrphan(ctx, &page[i]); err != nil {
					return err
				}
			}
			if covered {
				d.parts[after] = &partState{part: page[i], hash: ledger.NewHash(&d.scratch)}
			}
		}
	}
	// What the batches' digests are over and what the samples are held against must be the same.
	if said := r.days[d.day]; listed.n != 0 || said != nil {
		if said == nil {
			said = &rowSum{}
		}
		if !said.same(&listed) {
			r.findf(Changed, 0, "the list of what batches stored of %s is not what the batches say", ledger.DayText(d.day))
		}
	}
	return nil
}

// isOrphan says whether a part whose batch this run did not meet has none; else the batch is newer than the run.
func (r *run) isOrphan(ctx context.Context, p *ledger.Part) (bool, error) {
	_, found, err := r.batches.at(ctx, p.Batch)
	if err != nil || found {
		return false, err
	}
	r.findf(Missing, p.Batch, "batch %d is gone, but its part for %s is there", p.Batch, ledger.DayText(p.Day))
	return true, nil
}

// readRows feeds a device's rows of the day to the hashes of their parts.
func (r *run) readRows(ctx context.Context, d *day, device ledger.Device) (rows int64, err error) {
	err = r.Source.LedgerRows(ctx, device, d.day, func(batch int64, row *ledger.Row) error {
		if batch != d.oneBatch || d.one == nil {
			d.oneBatch, d.one = batch, d.parts[batch]
		}
		rows++
		for i := range row.Qualities {
			if row.Qualities[i].Valid {
				r.result.Samples++
			}
		}
		if d.one == nil {
			d.stray[batch]++
			return nil
		}
		d.one.hash.Add(device, row)
		return nil
	})
	if err != nil {
		return rows, fmt.Errorf("reading the samples of %s on %s: %w", deviceText(device), ledger.DayText(d.day), err)
	}
	return rows, nil
}

func (r *run) checkRollups(ctx context.Context, device ledger.Device, at int64) error {
	faults, err := r.Rollups(ctx, device, at)
	if err != nil {
		return fmt.Errorf("computing the rollups of %s on %s: %w", deviceText(device), ledger.DayText(at), err)
	}
	for _, f := range faults {
		r.find(Finding{
			What: Rollup, Device: device, Channel: f.Channel, HasChannel: true, At: f.From,
			Text: fmt.Sprintf("%s, %s: the figures for %s to %s that charts are drawn from do not follow from the samples",
				deviceText(device), channelText(f.Channel), f.From, f.To),
		})
	}
	return nil
}

// judgeDay says which parts differ, and names their samples.
func (r *run) judgeDay(ctx context.Context, d *day, devices []ledger.Device) error {
	var differing []*partState
	for _, id := range sortedKeys(d.parts) {
		p := d.parts[id]
		if p.hash.Rows() == p.part.Count && p.hash.Sum() == p.part.Digest {
			continue
		}
		if d.removed && p.hash.Rows() == 0 {
			continue
		}
		differing = append(differing, p)
	}
	for len(differing) > 0 {
		n := min(len(differing), partsAtOnce)
		if err := r.nameParts(ctx, d, differing[:n], devices); err != nil {
			return err
		}
		differing = differing[n:]
	}
	return r.nameStray(ctx, d, devices)
}

// nameStray names the rows of batches that have no part on this day, unless the batch is from before the ledger, or newer than this
// run.
func (r *run) nameStray(ctx context.Context, d *day, devices []ledger.Device) error {
	wrong := map[int64]string{}
	for _, id := range sortedKeys(d.stray) {
		b, found, err := r.batches.at(ctx, id)
		switch {
		case err != nil:
			return err
		case !found:
			wrong[id] = "there is no such batch"
		case id <= r.bound && !b.Digest.IsZero():
			wrong[id] = "the batch stored nothing of that day"
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	for _, device := range devices {
		err := r.Source.LedgerRows(ctx, device, d.day, func(batch int64, row *ledger.Row) error {
			if why, ok := wrong[batch]; ok {
				r.findRowSamples(Added, device, row, batch, "was never recorded: "+why)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the samples of %s on %s: %w", deviceText(device), ledger.DayText(d.day), err)
		}
	}
	return nil
}

// findRowSamples takes note of all samples of a row, or of the row where it has none.
func (r *run) findRowSamples(what What, device ledger.Device, row *ledger.Row, batch int64, text string) {
	none := true
	for i := range row.Qualities {
		if !row.Qualities[i].Valid && !row.Values[i].Valid {
			continue
		}
		none = false
		c := channelAt(row, i)
		r.find(Finding{
			What: what, Device: device, Channel: c, HasChannel: true, At: row.At, Batch: batch,
			Text: fmt.Sprintf("%s (%s) %s", sampleText(device, c, row, batch), slotText(row, i), text),
		})
	}
	if none {
		r.find(Finding{
			What: what, Device: device, At: row.At, Batch: batch,
			Text: fmt.Sprintf("%s, message of %s%s, batch %d, %s", deviceText(device), row.At, variantText(row), batch, text),
		})
	}
}

// channelAt gives the channel of a slot; one without a channel has number 0.
func channelAt(row *ledger.Row, slot int) ledger.Channel {
	if slot < len(row.Channels) {
		return row.Channels[slot]
	}
	return ledger.Channel{}
}

func sampleText(device ledger.Device, c ledger.Channel, row *ledger.Row, batch int64) string {
	return fmt.Sprintf("%s, %s, %s%s, batch %d", deviceText(device), channelText(c), row.At, variantText(row), batch)
}

func variantText(row *ledger.Row) string {
	if row.Variant == 0 {
		return ""
	}
	return fmt.Sprintf(" (variant %d)", row.Variant)
}

// slotText gives a sample's value, or why it has none.
func slotText(row *ledger.Row, slot int) string {
	if v := row.Values[slot]; v.Valid {
		return "value " + numberText(v.F)
	}
	return "no value, quality " + intText(row.Qualities[slot])
}

// intText writes a number with what it means, where it is a quality that says more than that all is well.
func intText(n ledger.Int) string {
	if !n.Valid {
		return "none"
	}
	return strconv.FormatInt(n.N, 10)
}

func qualityText(n ledger.Int) string {
	if !n.Valid {
		return "none"
	}
	if n.N < 0 || n.N > math.MaxInt32 {
		return intText(n)
	}
	return fmt.Sprintf("%s (%d)", halley.Quality(n.N).Words(false), n.N)
}
