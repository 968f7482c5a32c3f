package verify

import (
	"fmt"
	"slices"

	"halley"
	"halley/storage/ledger"
)

// nameChanges says what of a row is not as it was recorded.
func (r *run) nameChanges(device ledger.Device, was, now *ledger.Row, batch int64) {
	for i := range ledger.Slots {
		r.nameSlot(device, was, now, slotOf{batch: batch, slot: i})
	}
	for i, name := range ledger.HeadColumns() {
		if was.Head[i] == now.Head[i] {
			continue
		}
		r.find(Finding{
			What: Changed, Device: device, At: was.At, Batch: batch,
			Text: fmt.Sprintf("%s, message of %s%s, batch %d: %s was %s and is %s", deviceText(device), was.At, variantText(was), batch, name,
				headText(i, was.Head[i]), headText(i, now.Head[i])),
		})
	}
}

// slotOf is a slot of a row that a batch stored.
type slotOf struct {
	batch int64
	slot  int
}

// nameSlot says what of a sample is not as it was recorded.
func (r *run) nameSlot(device ledger.Device, was, now *ledger.Row, s slotOf) {
	c, i := channelAt(was, s.slot), s.slot
	sample := sampleText(device, c, was, s.batch)
	f := Finding{What: Changed, Device: device, Channel: c, HasChannel: true, At: was.At, Batch: s.batch}
	there := func(row *ledger.Row) bool { return row.Qualities[i].Valid || row.Values[i].Valid }
	switch {
	case there(was) && !there(now):
		f.What, f.Text = Missing, fmt.Sprintf("%s (%s) %s", sample, slotText(was, i), missingText)
		r.find(f)
		return
	case !there(was) && there(now):
		f.Channel = channelAt(now, i)
		f.What, f.Text = Added, fmt.Sprintf("%s (%s) %s", sampleText(device, f.Channel, now, s.batch), slotText(now, i), addedText)
		r.find(f)
		return
	}
	if other := channelAt(now, i); other != c {
		r.nameRename(f, sample, other)
	}
	if !sameFloat(was.Values[i], now.Values[i]) {
		f.Text = fmt.Sprintf("%s: the value was %s and is %s", sample, floatText(was.Values[i]), floatText(now.Values[i]))
		r.find(f)
	}
	if was.Qualities[i] != now.Qualities[i] {
		f.Text = fmt.Sprintf("%s: the quality was %s and is %s", sample, qualityText(was.Qualities[i]), qualityText(now.Qualities[i]))
		r.find(f)
	}
}

// rename is that samples of one channel of a device now count as those of another.
type rename struct {
	device   ledger.Device
	was, now ledger.Channel
}

// maxRenames bounds how many are kept.
const maxRenames = 10_000

// nameRename says that a sample counts as one of another channel. Where a setting was changed that decides it, it is that of many
// samples, and is said once.
func (r *run) nameRename(f Finding, sample string, now ledger.Channel) {
	f.Text = fmt.Sprintf("%s: the channel was %s and is %s", sample, channelText(f.Channel), channelText(now))
	if r.wrong["channel"] || r.wrong["layout"] || r.wrong["layout_slot"] {
		x := rename{f.Device, f.Channel, now}
		if r.renamed[x] || len(r.renamed) >= maxRenames {
			return
		}
		r.renamed[x] = true
		f.What = Setting
		f.Text += ", here and wherever that setting applies"
	}
	r.find(f)
}

func sameFloat(a, b ledger.Float) bool { return a.Valid == b.Valid && sameValue(a.F, b.F) }

func floatText(f ledger.Float) string {
	if !f.Valid {
		return "none"
	}
	return numberText(f.F)
}

// headText writes a column of a row's head: times as instants.
func headText(column int, n ledger.Int) string {
	if n.Valid && (column == ledger.HeadSentAt || column == ledger.HeadReceivedAt) {
		return halley.Millis(n.N).String()
	}
	return intText(n)
}

func sortedKeys[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
