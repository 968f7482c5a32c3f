package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"halley/storage/ledger"
)

// partsAtOnce is how many differing parts are unpacked at once: each takes some hundred kilobytes.
const partsAtOnce = 16

// recorded reads the rows of a part as they were recorded, device by device.
type recorded struct {
	state   *partState
	decoder *ledger.Decoder
	device  ledger.Device
	row     ledger.Row
	// more says that device and row hold the next row.
	more    bool
	damaged bool
	// stored are the rows of the device at hand that are there.
	stored []ledger.Row
	diff   difference
}

// difference collects what is missing and what is added in a part, so that what was moved can be told.
type difference struct {
	missing, added []placed
}

// placed is a row with its device.
type placed struct {
	device ledger.Device
	row    ledger.Row
}

// maxPlaced bounds how many rows of a part are kept to be paired; the others are said to be missing and added.
const maxPlaced = 20_000

// nameParts says how some parts of a day differ from what was recorded: device by device, so that no part is in memory as rows.
func (r *run) nameParts(ctx context.Context, d *day, parts []*partState, devices []ledger.Device) error {
	var open []*recorded
	byBatch := map[int64]*recorded{}
	for _, p := range parts {
		x, err := r.openPart(ctx, d, p)
		if err != nil {
			return err
		}
		if x != nil {
			open = append(open, x)
			byBatch[p.part.Batch] = x
		}
	}
	if len(open) == 0 {
		return nil
	}
	for _, device := range devices {
		// Devices that were recorded and are not known by that name any more.
		for _, x := range open {
			for x.more && compareDevices(x.device, device) < 0 {
				x.compare(r, d, x.device)
			}
		}
		err := r.Source.LedgerRows(ctx, device, d.day, func(batch int64, row *ledger.Row) error {
			if x := byBatch[batch]; x != nil {
				kept := *row
				kept.Channels = slices.Clone(row.Channels)
				x.stored = append(x.stored, kept)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the samples of %s on %s: %w", deviceText(device), ledger.DayText(d.day), err)
		}
		for _, x := range open {
			x.compare(r, d, device)
		}
	}
	for _, x := range open {
		for x.more {
			x.compare(r, d, x.device)
		}
		x.tell(r, d)
	}
	return nil
}

func compareDevices(a, b ledger.Device) int {
	return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Serial, b.Serial))
}

// openPart unpacks a part and goes to its first row; nil where there is nothing to compare with, which was said then.
func (r *run) openPart(ctx context.Context, d *day, p *partState) (*recorded, error) {
	x := &recorded{state: p}
	pack, err := r.Source.LedgerPack(ctx, p.part.Batch, d.day)
	if err != nil {
		return nil, fmt.Errorf("reading part %d of %s: %w", p.part.Batch, ledger.DayText(d.day), err)
	}
	if len(pack) == 0 && d.removed {
		// All that is there was put in after the removal.
		x.decoder = ledger.NewDecoder(nil)
		return x, nil
	}
	canonical, err := r.unpack.Unpack(nil, pack)
	if err != nil || len(pack) == 0 || ledger.PartSum(canonical) != p.part.Digest {
		r.findf(Changed, p.part.Batch, "the samples that batch %d stored of %s are not what was recorded (%d messages are there, %d were recorded); "+
			"which ones cannot be said, because the packed copy of them is %s", p.part.Batch, ledger.DayText(d.day), p.hash.Rows(), p.part.Count, packFault(pack))
		return nil, nil //nolint:nilnil,nilerr // there is nothing to compare with
	}
	if p.hash.Sum() == p.part.Digest {
		r.findf(Changed, p.part.Batch, "the part of batch %d for %s says that it has %d messages, and %d were recorded",
			p.part.Batch, ledger.DayText(d.day), p.part.Count, p.hash.Rows())
		return nil, nil //nolint:nilnil // its rows are right
	}
	x.decoder = ledger.NewDecoder(canonical)
	x.advance()
	return x, nil
}

func packFault(pack []byte) string {
	if len(pack) == 0 {
		return "gone"
	}
	return "not what was recorded either"
}

// advance goes to the next row that was recorded.
func (x *recorded) advance() {
	device, row, err := x.decoder.Next()
	x.more = err == nil
	x.damaged = err != nil && !errors.Is(err, io.EOF)
	if x.more {
		x.device, x.row = device, *row
	}
}

// compare merges the rows of a device that were recorded with those that are there, and forgets the latter.
func (x *recorded) compare(r *run, d *day, device ledger.Device) {
	batch := x.state.part.Batch
	for _, now := range x.stored {
		for x.more && compareDevices(x.device, device) == 0 && compareRows(&x.row, &now) < 0 {
			x.miss(r, d, device)
		}
		if x.more && compareDevices(x.device, device) == 0 && compareRows(&x.row, &now) == 0 {
			r.nameChanges(device, &x.row, &now, batch)
			x.advance()
			continue
		}
		if len(x.diff.added) < maxPlaced {
			x.diff.added = append(x.diff.added, placed{device, now})
		} else {
			r.findRowSamples(Added, device, &now, batch, addedText)
		}
	}
	for x.more && compareDevices(x.device, device) == 0 {
		x.miss(r, d, device)
	}
	x.stored = x.stored[:0]
}

const (
	addedText   = "was never recorded"
	missingText = "was recorded and is gone"
)

// miss takes note that the recorded row is not there, and goes to the next.
func (x *recorded) miss(r *run, d *day, device ledger.Device) {
	switch {
	case d.removed: // it was on its way out
	case len(x.diff.missing) < maxPlaced:
		x.diff.missing = append(x.diff.missing, placed{device, x.row})
	default:
		r.findRowSamples(Missing, device, &x.row, x.state.part.Batch, missingText)
	}
	x.advance()
}

func compareRows(a, b *ledger.Row) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Part, b.Part))
}

// tell says what is missing, added and moved.
func (x *recorded) tell(r *run, d *day) {
	batch := x.state.part.Batch
	if x.damaged {
		r.findf(Changed, batch, "the packed copy of what batch %d stored of %s cannot be read to its end", batch, ledger.DayText(d.day))
	}
	added := map[rowContent][]int{}
	for i := range x.diff.added {
		c := contentOf(&x.diff.added[i].row)
		added[c] = append(added[c], i)
	}
	paired := map[int]bool{}
	for i := range x.diff.missing {
		m := &x.diff.missing[i]
		candidates := added[contentOf(&m.row)]
		if len(candidates) == 0 {
			r.findRowSamples(Missing, m.device, &m.row, batch, missingText)
			continue
		}
		paired[candidates[0]] = true
		added[contentOf(&m.row)] = candidates[1:]
		to := &x.diff.added[candidates[0]]
		r.findRowSamples(Moved, m.device, &m.row, batch, "was moved to "+movedTo(m, to))
	}
	for i := range x.diff.added {
		if a := &x.diff.added[i]; !paired[i] {
			r.findRowSamples(Added, a.device, &a.row, batch, addedText)
		}
	}
}

func movedTo(from, to *placed) string {
	place := fmt.Sprintf("%s%s", to.row.At, variantText(&to.row))
	if compareDevices(from.device, to.device) != 0 {
		place = deviceText(to.device) + ", " + place
	}
	return place
}

// rowContent is what a row says apart from where it is.
type rowContent struct {
	values    [ledger.Slots]ledger.Float
	qualities [ledger.Slots]ledger.Int
}

func contentOf(r *ledger.Row) rowContent { return rowContent{values: r.Values, qualities: r.Qualities} }
