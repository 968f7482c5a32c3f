package sqlkit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"halley"
	"halley/storage"
	"halley/storage/internal/rollup"
	"halley/storage/ledger"
)

const (
	selectPosition = `
SELECT b.last_seq, b.journal_hash
  FROM batch b
 WHERE b.journal_id = @journal AND b.last_seq = (SELECT MAX(n.last_seq) FROM batch n WHERE n.journal_id = @journal)`

	// selectReached also gives the digest of the node's newest batch.
	selectReached = `
SELECT COALESCE((SELECT MAX(b.last_seq) FROM batch b WHERE b.journal_id = @journal), 0),
       (SELECT p.digest FROM batch p WHERE p.batch_id = (SELECT MAX(n.batch_id) FROM batch n WHERE n.node = @node))`

	selectSeen = `
SELECT COALESCE((SELECT MAX(version) FROM registry_change), 1), COALESCE((SELECT MAX(batch_id) FROM batch), 0),
       COALESCE((SELECT MAX(day) FROM completeness_day), -1), COALESCE((SELECT MAX(fact_id) FROM fact), 0),
       COALESCE((SELECT MAX(tombstone_id) FROM tombstone), 0)`

	insertBatch = `
INSERT INTO batch (batch_id, node, journal_id, first_seq, last_seq, journal_hash, recorded_at, decoder, messages, samples, digest,
                   previous_digest)
VALUES (@batch, @node, @journal, @first, @last, @hash, @at, @decoder, @messages, @samples, @digest, @previous)`
)

// Position gives how far a journal is recorded.
func (s *Store) Position(ctx context.Context, journalID string) (storage.Position, error) {
	var seq int64
	var hash []byte
	found, err := s.one(ctx, []any{&seq, &hash}, selectPosition, args("journal", journalID)...)
	if err != nil || !found {
		return storage.Position{}, s.fail("read the position", err)
	}
	p := storage.Position{JournalID: journalID, Seq: uint64(seq)}
	copy(p.Hash[:], hash)
	return p, nil
}

// Append stores a batch in one transaction.
func (s *Store) Append(ctx context.Context, b storage.Batch) (storage.Appended, error) {
	const op = "append a batch"
	if err := checkBatch(&b); err != nil {
		return storage.Appended{}, err
	}
	a := &appender{
		outer: ctx, b: &b, marks: map[mark]struct{}{}, repeats: map[tallyKey]*tallyCount{}, touched: map[tallyKey]struct{}{},
		kept: map[Identity]Place{},
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		a.change, c.learned = c, true
		if err := a.begin(ctx); err != nil {
			return err
		}
		if err := c.openBulk(ctx); err != nil {
			return err
		}
		return a.run(ctx)
	})
	if err != nil {
		return storage.Appended{}, err
	}
	s.appended(ctx, &b, &a.out)
	return a.out, nil
}

// appender stores one batch.
type appender struct {
	*change
	// outer is the caller's context, which may be cancelled; the transaction's cannot.
	outer   context.Context //nolint:containedctx // an appender lives inside one call
	b       *storage.Batch
	row     Row
	pack    []byte
	marks   map[mark]struct{}
	repeats map[tallyKey]*tallyCount
	// kept are the identities that this batch added to unclocked.
	kept map[Identity]Place
	// touched are the days before over whose completeness this batch changes; last is the one that was added last. What is
	// before over was over when the batch was recorded, or has been counted by a node whose clock is ahead.
	touched map[tallyKey]struct{}
	over    halley.Millis
	last    tallyKey
	out     storage.Appended
	// stored are the messages that were stored, for the ledger.
	stored []storedMessage
	// previous is the digest of the node's batch before.
	previous ledger.Digest
	// looked counts messages up to the next look at outer.
	looked int
}

// begin refuses a range that is recorded already, takes the batch's number and drops what is remembered where it is not right
// any more.
func (a *appender) begin(ctx context.Context) error {
	a.moment(a.b.RecordedAt)
	var reached int64
	var previous []byte
	if _, err := a.one(ctx, []any{&reached, &previous}, selectReached, args("journal", a.b.JournalID, "node", a.b.Node)...); err != nil {
		return err
	}
	copy(a.previous[:], previous)
	if int64(a.b.FirstSeq) <= reached {
		return &halley.Error{
			Kind: halley.Conflict, Op: "append a batch", Code: storage.CodeRecorded,
			Message: fmt.Sprintf("the journal is recorded up to %d, the batch begins at %d", reached, a.b.FirstSeq),
		}
	}
	var version, batch, counted, fact, tombstone int64
	if _, err := a.one(ctx, []any{&version, &batch, &counted, &fact, &tombstone}, selectSeen); err != nil {
		return err
	}
	if fact == 0 {
		// What was there before the ledger goes into it also where this batch adds no fact.
		if err := a.beginChain(ctx); err != nil {
			return err
		}
	}
	if tombstone > 0 {
		if _, err := a.removals(ctx); err != nil {
			return err
		}
	}
	a.over = max(a.b.RecordedAt.Floor(halley.Day), halley.Millis(counted+1)*halley.Day)
	if k := a.s.known; k.version != version || k.batch != batch {
		a.s.known = newKnown()
		a.s.known.version, a.s.known.connection = version, k.connection
	}
	a.s.known.batch = batch + 1
	a.out.BatchID = batch + 1
	return nil
}

// work is one upload and the device that it is of.
type work struct {
	d *device
	u *storage.Upload
}

// run stores the uploads device by device, which touches fewer pages than the order of the journal; the uploads of one device
// stay in that order.
func (a *appender) run(ctx context.Context) error {
	if err := a.learn(ctx); err != nil {
		return err
	}
	list := make([]work, 0, len(a.b.Uploads))
	for i := range a.b.Uploads {
		u := &a.b.Uploads[i]
		d, err := a.device(ctx, u)
		if err != nil {
			return err
		}
		list = append(list, work{d, u})
	}
	slices.SortStableFunc(list, func(x, y work) int { return cmp.Compare(x.d.id, y.d.id) })
	if err := a.expect(ctx, list); err != nil {
		return err
	}
	for _, w := range list {
		if err := a.upload(ctx, w.d, w.u); err != nil {
			return err
		}
	}
	return a.finish(ctx)
}

// learn loads the devices of the batch that are not known.
func (a *appender) learn(ctx context.Context) error {
	var keys []halley.DeviceKey
	asked := map[halley.DeviceKey]struct{}{}
	for i := range a.b.Uploads {
		key := a.b.Uploads[i].DeviceKey
		if _, ok := asked[key]; ok || a.s.known.devices[key] != nil {
			continue
		}
		asked[key] = struct{}{}
		keys = append(keys, key)
	}
	list, err := a.loadAll(ctx, keys)
	for _, d := range list {
		a.s.known.devices[d.key] = d
	}
	return err
}

// finish writes what was gathered over the batch, and the batch's own row.
func (a *appender) finish(ctx context.Context) error {
	for m := range a.marks {
		if err := a.bulk.Put(RollupMark, int64(m.device), int64(m.level), m.period); err != nil {
			return err
		}
	}
	for k, n := range a.repeats {
		if err := a.bulk.Put(Tally, int64(k.device), k.day, a.out.BatchID, n.duplicates, n.conflicts); err != nil {
			return err
		}
	}
	for k := range a.touched {
		if err := a.bulk.Put(CompletenessChange, a.out.BatchID, int64(k.device), k.day); err != nil {
			return err
		}
	}
	if err := a.journaledActs(ctx); err != nil {
		return err
	}
	if err := a.interruptions(ctx); err != nil {
		return err
	}
	if a.out.DevicesChanged {
		if err := a.bumpRegistry(ctx); err != nil {
			return err
		}
	}
	return a.enter(ctx)
}

// upload stores the messages of one upload.
func (a *appender) upload(ctx context.Context, d *device, u *storage.Upload) error {
	if u.Admission != storage.Announce || d.state == halley.DeviceNew {
		// What waits in quarantine is not trusted to say what a device is that a person knows already.
		a.selfReport(d, u)
	}
	if u.Admission == storage.Announce {
		return nil
	}
	for i := range u.Messages {
		said := &u.Messages[i]
		r := &report{d: d, u: u, said: said, m: d.plugged(said), index: i, at: said.MeasuredAt(u.ReceivedAt)}
		if err := a.message(ctx, r); err != nil {
			return err
		}
		// Looking at the context costs more than it should for every message.
		a.looked++
		if a.looked%256 == 0 && a.outer.Err() != nil {
			return a.outer.Err()
		}
	}
	return nil
}

// report is one message on its way into the store.
type report struct {
	d *device
	u *storage.Upload
	// said is the message as the device sent it, m as it is stored if it is new.
	said, m *halley.Message
	index   int
	at      halley.Millis
	// layout and variant are known once the message is found to be new.
	layout  *layout
	variant int64
}

// message stores one message, or counts it where it is there already.
func (a *appender) message(ctx context.Context, r *report) error {
	if hasIdentity(r) {
		if found, err := a.unclockedRepeat(ctx, r); err != nil || found {
			return err
		}
	}
	if r.layout = r.d.layoutOf(r.m.Readings); r.layout == nil {
		// Only a message that is new may make channels and a layout.
		if found, err := a.repeat(ctx, r); err != nil || found {
			return err
		}
		if err := a.newLayout(ctx, r); err != nil {
			return err
		}
	}
	added, err := a.insert(r)
	if err == nil && !added {
		if found, err := a.repeat(ctx, r); err != nil || found {
			return err
		}
		if added, err = a.insert(r); err == nil && !added {
			err = fmt.Errorf("variant %d of a message of device %d is taken", r.variant, r.d.id)
		}
	}
	if err != nil {
		return err
	}
	return a.stand(ctx, r)
}

// stand takes note of a message that was stored.
func (a *appender) stand(ctx context.Context, r *report) error {
	a.out.Messages++
	a.out.Samples += len(r.m.Readings)
	a.stored = append(a.stored, storedMessage{d: r.d, u: r.u, m: r.m, layout: r.layout, index: r.index, at: r.at, variant: r.variant})
	a.touch(r.d.id, r.at)
	if floating(r) {
		if err := a.keepIdentity(r); err != nil {
			return err
		}
	}
	for i, ch := range r.layout.channels {
		if x, rd := &ch.dated[len(ch.dated)-1], &r.m.Readings[i]; r.at < x.from || x.name != rd.Name || x.decimals != rd.Decimals {
			if err := a.redescribe(ctx, r, ch, rd); err != nil {
				return err
			}
		}
	}
	if r.at >= r.d.newest && r.layout.id != r.d.newestLayout {
		if err := a.follow(ctx, r); err != nil {
			return err
		}
		// Which channels have ended follows from the newest message.
		r.d.newestLayout, a.out.DevicesChanged = r.layout.id, true
	}
	return a.sum(r)
}

// insert writes the rows of a message; it gives false where the variant is taken.
func (a *appender) insert(r *report) (bool, error) {
	a.fillHead(r)
	for part := 0; part == 0 || part*SlotCount < len(r.m.Readings); part++ {
		readings := r.m.Readings[part*SlotCount:]
		readings = readings[:min(len(readings), SlotCount)]
		a.row.Part, a.row.Slots = part, len(readings)
		a.row.Head[3] = int64(part)
		for i := range readings {
			a.row.Values[2*i], a.row.Values[2*i+1] = nil, int64(quality(r, &readings[i]))
			if readings[i].Quality.HasValue() {
				// Adding zero turns minus zero into zero.
				a.row.Values[2*i] = readings[i].Value + 0
			}
		}
		added, err := a.bulk.Message(&a.row)
		if err != nil {
			return false, err
		}
		if !added && part > 0 {
			return false, errors.New("a part of a message is there without the message")
		}
		if !added {
			return false, nil
		}
	}
	return true, nil
}

// fillHead sets the columns of HeadColumns.
func (a *appender) fillHead(r *report) {
	h, m := &a.row.Head, r.m
	h[0], h[1], h[2], h[3] = int64(r.d.id), int64(r.at), r.variant, int64(0)
	h[4], h[5] = a.out.BatchID, r.layout.id
	h[6], h[7], h[8] = int64(r.u.Seq), int64(r.index), int64(a.b.Decoder)
	h[9] = int64(m.Clock)
	h[10] = nil
	if sent := m.SentAt(r.u.ReceivedAt); sent.Storable() {
		h[10] = int64(sent)
	}
	h[11] = int64(r.u.ReceivedAt)
	h[12] = nil
	if m.Order != halley.Unknown {
		h[12] = m.Order
	}
	h[13] = int64(m.Kind)
	h[14], h[15] = orUnknown(m.RawKind), orUnknown(m.Cache)
	h[16], h[17] = int64(m.Interval), int64(m.Buffer)
	h[18], h[19], h[20] = orUnknown(m.Config), orUnknown(m.State), orUnknown(m.StateMask)
	h[21] = nil
	if m.Signal != 0 {
		h[21] = int64(m.Signal)
	}
	h[22] = orUnknown(m.Battery)
}

func orUnknown(n int) any {
	if n == halley.Unknown {
		return nil
	}
	return int64(n)
}

// quality gives a reading's quality with the marks that follow from its message.
func quality(r *report, rd *halley.Reading) halley.Quality {
	q := rd.Quality
	switch r.m.Clock {
	case halley.ClockNone:
		q |= halley.ServerTime
	case halley.ClockNotValid:
		q |= halley.ClockInvalid
	case halley.ClockValid, halley.ClockLocalOrUTC:
	}
	if r.m.Kind == halley.TestMessage {
		q |= halley.Test
	}
	return q
}

// tallyKey is a device and a UTC day, in days since 1970-01-01.
type tallyKey struct {
	device halley.DeviceID
	day    int64
}

type tallyCount struct{ duplicates, conflicts int64 }

// count takes note of a message that is there already.
func (a *appender) count(r *report, same bool) {
	a.touch(r.d.id, r.u.ReceivedAt)
	k := tallyKey{r.d.id, int64(r.u.ReceivedAt / halley.Day)}
	n := a.repeats[k]
	if n == nil {
		n = &tallyCount{}
		a.repeats[k] = n
	}
	if same {
		n.duplicates++
		a.out.Duplicates++
		return
	}
	n.conflicts++
	a.out.Conflicts++
}

// touch takes note of a day that may have been counted and has another message or repeat now.
func (a *appender) touch(id halley.DeviceID, at halley.Millis) {
	if at >= a.over || a.removed(at) {
		return
	}
	if k := (tallyKey{id, int64(at / halley.Day)}); k != a.last {
		a.last = k
		a.touched[k] = struct{}{}
	}
}

// mark is a period of a device whose rollups have to be computed again.
type mark struct {
	device halley.DeviceID
	level  rollup.Level
	period int64
}
