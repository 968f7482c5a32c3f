package sqlkit

import (
	"context"
	"fmt"
	"slices"

	"halley"
)

// maxMoved is how many channels one change attaches.
const maxMoved = 1000

// isOpen says whether a channel has not ended: whether the device's newest message has it. Of a device of which no message is stored
// all are open.
func (d *device) isOpen(id halley.ChannelID) bool {
	newest := d.layoutByID(d.newestLayout)
	return newest == nil || slices.ContainsFunc(newest.channels, func(ch *channel) bool { return ch.id == id })
}

const selectListedKeys = `
SELECT d.device_id, d.family, d.serial
  FROM `

const fromListedKeys = ` l
  JOIN device d ON d.device_id = CAST(l.value AS bigint)`

// devicesByID reads what the database knows of some devices, leaving out what is not there.
func (c *change) devicesByID(ctx context.Context, ids []halley.DeviceID) (map[halley.DeviceID]*device, error) {
	keys := make([]halley.DeviceKey, 0, len(ids))
	err := c.each(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		var key halley.DeviceKey
		err := scan(&id, &key.Family, &key.Serial)
		keys = append(keys, key)
		return err
	}, selectListedKeys+c.s.dialect.List+fromListedKeys, args("list", numbers(ids))...)
	if err != nil {
		return nil, err
	}
	list, err := c.loadAll(ctx, keys)
	devices := make(map[halley.DeviceID]*device, len(list))
	for _, d := range list {
		devices[d.id] = d
	}
	return devices, err
}

// move is a channel on its way to another place, or to none.
type move struct {
	d  *device
	ch *channel
	// from is where it is, the zero Attachment where it never was anywhere; to is where it goes.
	from, to halley.Attachment
	// silent is a channel that ended and goes along with the one that took its number.
	silent bool
}

// moving is a change of what is attached where.
type moving struct {
	*change
	op      string
	by      halley.Change
	devices map[halley.DeviceID]*device
	stays   stays
	places  map[halley.PlaceID]place
	moves   []move
	// restated is a device of the moves that is in another state now; nil for none.
	restated *device
}

// moving begins a change of what is attached: it reads what is known of the devices.
func (c *change) moving(ctx context.Context, op string, by halley.Change, ids []halley.DeviceID) (*moving, error) {
	m := &moving{change: c, op: op, by: by, places: map[halley.PlaceID]place{}}
	var err error
	if m.devices, err = c.devicesByID(ctx, ids); err != nil {
		return nil, err
	}
	m.stays, err = c.stays(ctx, ids...)
	return m, err
}

// placeOf reads a place once.
func (m *moving) placeOf(ctx context.Context, id halley.PlaceID) (place, error) {
	if p, known := m.places[id]; known {
		return p, nil
	}
	p, err := m.place(ctx, m.op, id)
	if err == nil {
		m.places[id] = p
	}
	return p, err
}

// plan plans to move a channel of a device. What is so already is left out.
func (m *moving) plan(ctx context.Context, d *device, ch *channel, to halley.Attachment) error {
	if to.PlaceID == 0 {
		to.Series = 0
	} else {
		p, err := m.placeOf(ctx, to.PlaceID)
		switch {
		case err != nil:
			return err
		case p.Closed:
			return conflict(m.op, codePlaceClosed, "the place is closed: open it again, or choose another one")
		case d.state != halley.DeviceAccepted:
			return conflict(m.op, codeNotAccepted, "the device is not accepted: accept it first")
		}
		if to.Series == 0 {
			to.Series = ch.id
		}
	}
	from := m.stays.last(ch.id)
	if from.PlaceID == to.PlaceID && from.Series == to.Series {
		return nil
	}
	if from.ID != 0 && to.From <= from.From {
		return conflict(m.op, codeTooEarly, fmt.Sprintf("channel %d was attached or taken away at %s: choose a later time", ch.id, from.From))
	}
	m.moves = append(m.moves, move{d: d, ch: ch, from: from, to: to})
	return nil
}

// takeAlong plans to take the channels that ended away from where those leave that have their numbers now: should the device change
// back, it does so where it is then.
func (m *moving) takeAlong() {
	for _, x := range slices.Clone(m.moves) {
		if x.from.PlaceID == 0 || x.from.PlaceID == x.to.PlaceID {
			continue
		}
		for _, ch := range x.d.channels {
			was := m.stays.last(ch.id)
			planned := slices.ContainsFunc(m.moves, func(o move) bool { return o.ch == ch })
			if planned || ch.key.number != x.ch.key.number || was.PlaceID != x.from.PlaceID || x.d.isOpen(ch.id) {
				continue
			}
			m.moves = append(m.moves, move{
				d: x.d, ch: ch, from: was, silent: true,
				to: halley.Attachment{ChannelID: ch.id, From: max(x.to.From, was.From)},
			})
		}
	}
}

const countSeries = "SELECT COUNT(*) FROM attachment WHERE place_id = @place AND COALESCE(series, channel_id) = @series"

// checkSeries refuses to continue a line of a place's history that it does not have, or that another channel continues.
func (m *moving) checkSeries(ctx context.Context) error {
	type line struct {
		place  halley.PlaceID
		series halley.ChannelID
	}
	taken := map[line]bool{}
	for _, x := range m.moves {
		if x.to.PlaceID == 0 {
			continue
		}
		l := line{x.to.PlaceID, x.to.Series}
		if taken[l] {
			return conflict(m.op, codeSeriesUsed, "two channels cannot continue the same series at a time")
		}
		taken[l] = true
		if x.to.Series != x.ch.id {
			var n int64
			if _, err := m.one(ctx, []any{&n}, countSeries, args("place", int64(l.place), "series", int64(l.series))...); err != nil {
				return err
			}
			if n == 0 {
				return notFound(m.op, "series", int64(l.series))
			}
		}
		if err := m.checkUse(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// checkUse refuses a series that a channel continues which stays where it is.
func (m *moving) checkUse(ctx context.Context, x move) error {
	list, err := m.inhabitants(ctx, x.to.PlaceID)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(i inhabitant) bool {
		return i.series != x.to.Series || slices.ContainsFunc(m.moves, func(o move) bool { return o.ch.id == i.channel })
	})
	if len(list) == 0 {
		return nil
	}
	open, err := m.openOf(ctx, list)
	if err == nil && len(open) > 0 {
		err = conflict(m.op, codeSeriesUsed, fmt.Sprintf("channel %d continues this series: take it away first", open[0].channel))
	}
	return err
}

// carryOut writes the moves, each with the audit row that audit gives for it, and describes the devices anew that are somewhere else
// now.
func (m *moving) carryOut(ctx context.Context, audit func(move) int64) error {
	for i := range m.moves {
		x := &m.moves[i]
		var err error
		if x.to, err = m.attachAt(ctx, x.to, audit(*x)); err != nil {
			return err
		}
		m.stays.put(x.to)
	}
	done := map[halley.DeviceID]bool{}
	for _, x := range m.moves {
		if done[x.d.id] {
			continue
		}
		done[x.d.id] = true
		changed, err := m.settle(ctx, x.d)
		if err != nil {
			return err
		}
		if changed || x.d == m.restated {
			m.describe(x.d, m.by.At, audit(x))
		}
		m.forget = append(m.forget, x.d.key)
	}
	return m.bumpRegistry(ctx)
}

// settle says where a device is: at the place where all its open channels are, else at none. One that leaves its place stays with
// that one's organization.
func (m *moving) settle(ctx context.Context, d *device) (changed bool, err error) {
	at, first := halley.PlaceID(0), true
	for _, ch := range d.channels {
		if !d.isOpen(ch.id) {
			continue
		}
		here := m.stays.last(ch.id).PlaceID
		if !first && here != at {
			at = 0
			break
		}
		at, first = here, false
	}
	organization := d.organization
	switch {
	case at != 0:
		organization = 0
	case d.place != 0:
		p, err := m.placeOf(ctx, d.place)
		if err != nil {
			return false, err
		}
		organization = p.OrganizationID
	}
	changed = at != d.place || organization != d.organization
	d.place, d.organization = at, organization
	return changed, nil
}

// Attach attaches channels, or takes them from where they are.
func (s *Store) Attach(ctx context.Context, list []halley.Attachment, ch halley.Change) ([]halley.Attachment, error) {
	const op = "attach channels"
	if err := validAttach(op, list, ch); err != nil {
		return nil, err
	}
	var out []halley.Attachment
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		ids, err := c.devicesOf(ctx, op, list)
		if err != nil {
			return err
		}
		m, err := c.moving(ctx, op, ch, ascending(slices.Clone(ids)))
		if err != nil {
			return err
		}
		for i, a := range list {
			d := m.devices[ids[i]]
			if err := m.plan(ctx, d, d.channelByID(a.ChannelID), a); err != nil {
				return err
			}
		}
		if len(m.moves) > 0 {
			if err := m.checkSeries(ctx); err != nil {
				return err
			}
			m.takeAlong()
			if err := m.attachAudited(ctx); err != nil {
				return err
			}
		}
		for _, a := range list {
			out = append(out, m.stays.last(a.ChannelID))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validAttach(op string, list []halley.Attachment, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if len(list) == 0 || len(list) > maxMoved {
		return unfit(op, "channels", fmt.Sprintf("name from 1 to %d channels", maxMoved))
	}
	named := map[halley.ChannelID]bool{}
	for _, a := range list {
		switch {
		case named[a.ChannelID]:
			return unfit(op, "channels", fmt.Sprintf("channel %d is named twice", a.ChannelID))
		case !a.From.Storable():
			return unfit(op, "at", "the time must lie in the years 2000 to 2099")
		}
		named[a.ChannelID] = true
	}
	return nil
}

const selectListedDevices = `
SELECT c.channel_id, c.device_id
  FROM `

const fromListedDevices = ` l
  JOIN channel c ON c.channel_id = CAST(l.value AS bigint)`

// devicesOf gives the device of each of the channels; NotFound for one that is not there.
func (c *change) devicesOf(ctx context.Context, op string, list []halley.Attachment) ([]halley.DeviceID, error) {
	channels := make([]halley.ChannelID, 0, len(list))
	for _, a := range list {
		channels = append(channels, a.ChannelID)
	}
	found := make(map[halley.ChannelID]halley.DeviceID, len(list))
	err := c.each(ctx, func(scan func(...any) error) error {
		var ch halley.ChannelID
		var d halley.DeviceID
		err := scan(&ch, &d)
		found[ch] = d
		return err
	}, selectListedDevices+c.s.dialect.List+fromListedDevices, args("list", numbers(channels))...)
	if err != nil {
		return nil, err
	}
	ids := make([]halley.DeviceID, 0, len(list))
	for _, a := range list {
		d, there := found[a.ChannelID]
		if !there {
			return nil, notFound(op, "channel", int64(a.ChannelID))
		}
		ids = append(ids, d)
	}
	return ids, nil
}

// attachAudited carries the moves out with an audit row for each place that a channel leaves or comes to.
func (m *moving) attachAudited(ctx context.Context) error {
	left, reached := map[halley.PlaceID]int64{}, map[halley.PlaceID]int64{}
	for _, x := range m.moves {
		if from := x.from.PlaceID; from != 0 && from != x.to.PlaceID && left[from] == 0 {
			id, err := m.audit(ctx, halley.AuditEntry{
				Change: m.by, What: "place.detach", On: onPlace(from),
				Old: m.told(func(o move) bool { return o.from.PlaceID == from && o.to.PlaceID != from }),
			})
			if err != nil {
				return err
			}
			left[from] = id
		}
		if to := x.to.PlaceID; to != 0 && reached[to] == 0 {
			id, err := m.audit(ctx, halley.AuditEntry{
				Change: m.by, What: "place.attach", On: onPlace(to),
				New: m.told(func(o move) bool { return o.to.PlaceID == to }),
			})
			if err != nil {
				return err
			}
			reached[to] = id
		}
	}
	return m.carryOut(ctx, func(x move) int64 {
		if x.to.PlaceID != 0 {
			return reached[x.to.PlaceID]
		}
		return left[x.from.PlaceID]
	})
}

// told gives the JSON of some of the moves, without channels that only go along.
func (m *moving) told(which func(move) bool) string {
	type channel struct {
		Device  halley.DeviceID  `json:"device_id"`
		Channel halley.ChannelID `json:"channel_id"`
		Series  halley.ChannelID `json:"series,omitempty"`
		From    string           `json:"at"`
	}
	list := []channel{}
	for _, x := range m.moves {
		if x.silent || !which(x) {
			continue
		}
		t := channel{Device: x.d.id, Channel: x.ch.id, From: x.to.From.String()}
		if x.to.PlaceID != 0 && x.to.Series != x.ch.id {
			t.Series = x.to.Series
		}
		list = append(list, t)
	}
	return asJSON(map[string]any{"channels": list})
}
