package sqlkit

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"halley"
	"halley/storage/internal/rollup"
)

// known is what the writer remembers of devices between two batches. It is dropped where a transaction failed and where
// somebody else changed the registry or appended.
type known struct {
	devices map[halley.DeviceKey]*device
	// version and batch are the registry's version and the newest batch that it is right for; 0 for not loaded.
	version, batch int64
}

func newKnown() *known { return &known{devices: map[halley.DeviceKey]*device{}} }

// device is what appending needs of one.
type device struct {
	id  halley.DeviceID
	key halley.DeviceKey
	description
	// channels are few: a list takes a tenth of the memory of a map, and thousands of devices are remembered.
	channels []*channel
	layouts  []*layout
	// last is the layout of the message appended last.
	last *layout
	// newest is when the newest message was measured, 0 where there is none; newestLayout is its layout.
	newest       halley.Millis
	newestLayout int64
	// unclocked says that the device has rows in unclocked.
	unclocked bool
	open      openHour
}

// description is what is known of a device and dated.
type description struct {
	number int64
	state  halley.DeviceState
	model  string
	// self is what the device calls itself, given what people call it.
	self, given string
	place       halley.PlaceID
}

// name is what people see: the name they gave, else what the device calls itself, else its model and serial number.
func (d *description) name(serial string) string {
	switch {
	case d.given != "":
		return d.given
	case d.self != "":
		return d.self
	case d.model != "":
		return d.model + " " + serial
	}
	return serial
}

type channelKey struct {
	number         int
	quantity, unit string
}

// channel is what appending needs of one.
type channel struct {
	id  halley.ChannelID
	key channelKey
	// dated holds its names and decimals, ascending; at least one.
	dated []dated
	// sums are the buckets of the device's open hour as far as values have come; what lies behind them up to the capacity is zero.
	sums []rollup.Bucket
}

// sum gives the bucket of the open hour with this index.
func (ch *channel) sum(index int) *rollup.Bucket {
	switch {
	case index < len(ch.sums):
	case index < cap(ch.sums):
		ch.sums = ch.sums[:index+1]
	default:
		// Just as long as needed: there are as many of these as channels.
		grown := make([]rollup.Bucket, index+1)
		copy(grown, ch.sums)
		ch.sums = grown
	}
	return &ch.sums[index]
}

// forget empties the buckets of the open hour.
func (ch *channel) forget() {
	clear(ch.sums)
	ch.sums = ch.sums[:0]
}

type dated struct {
	from     halley.Millis
	name     string
	decimals int
}

// layout is the channels of a device's messages, by slot; every SlotCount of them are a part.
type layout struct {
	id       int64
	channels []*channel
}

// fits says whether the readings are those of the layout, in its order.
func (l *layout) fits(readings []halley.Reading) bool {
	if len(readings) != len(l.channels) {
		return false
	}
	for i, ch := range l.channels {
		r := &readings[i]
		if ch.key.number != r.Number || ch.key.unit != r.Unit || ch.key.quantity != r.Quantity {
			return false
		}
	}
	return true
}

// channel gives one of the device's channels, or nil.
func (d *device) channel(key channelKey) *channel {
	for _, ch := range d.channels {
		if ch.key == key {
			return ch
		}
	}
	return nil
}

// channelByID gives one of the device's channels, or nil.
func (d *device) channelByID(id halley.ChannelID) *channel {
	// They are ascending as they are read, and a new one has the highest id.
	at, ok := slices.BinarySearchFunc(d.channels, id, func(ch *channel, id halley.ChannelID) int { return cmp.Compare(ch.id, id) })
	if !ok {
		return nil
	}
	return d.channels[at]
}

// layoutOf gives the device's layout for these readings, or nil.
func (d *device) layoutOf(readings []halley.Reading) *layout {
	if d.last != nil && d.last.fits(readings) {
		return d.last
	}
	for _, l := range d.layouts {
		if l.fits(readings) {
			d.last = l
			return l
		}
	}
	return nil
}

// layoutByID gives one of the device's layouts, or nil.
func (d *device) layoutByID(id int64) *layout {
	for _, l := range d.layouts {
		if l.id == id {
			return l
		}
	}
	return nil
}

const (
	selectDevice = `
SELECT d.device_id, x.number, x.state, x.model, x.self_name, x.given_name, COALESCE(x.place_id, 0)
  FROM device d
  JOIN device_description x ON x.device_id = d.device_id
 WHERE d.family = @family AND d.serial = @serial
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id)`

	selectDeviceChannels = "SELECT channel_id, number, quantity, unit FROM channel WHERE device_id = @device ORDER BY channel_id"

	selectDescriptions = `
SELECT x.channel_id, x.from_at, x.name, x.decimals
  FROM channel c
  JOIN channel_description x ON x.channel_id = c.channel_id
 WHERE c.device_id = @device
 ORDER BY x.channel_id, x.from_at`

	selectDeviceLayouts = `
SELECT l.layout_id, s.channel_id
  FROM layout l
  LEFT JOIN layout_slot s ON s.layout_id = l.layout_id
 WHERE l.device_id = @device
 ORDER BY l.layout_id, s.part, s.slot`

	selectNewest = `
SELECT m.measured_at, m.layout_id
  FROM message m
 WHERE m.device_id = @device AND m.measured_at = (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = @device)
 ORDER BY m.variant DESC`

	selectAnyUnclocked = `
SELECT CASE WHEN EXISTS (SELECT 1 FROM unclocked WHERE device_id = @device) THEN 1 ELSE 0 END`
)

// load reads what the database knows of a device; nil where it does not know it.
func (c *change) load(ctx context.Context, key halley.DeviceKey) (*device, error) {
	d := &device{key: key}
	found, err := c.one(ctx, []any{&d.id, &d.number, &d.state, &d.model, &d.self, &d.given, &d.place},
		selectDevice, args("family", string(key.Family), "serial", key.Serial)...)
	if err != nil || !found {
		return nil, err
	}
	if err := c.loadChannels(ctx, d); err != nil {
		return nil, err
	}
	if err := c.loadLayouts(ctx, d); err != nil {
		return nil, err
	}
	if _, err := c.one(ctx, []any{&d.newest, &d.newestLayout}, selectNewest, args("device", int64(d.id))...); err != nil {
		return nil, err
	}
	if d.newest != 0 {
		// What the open hour has summed up so far is not known: it is marked when it closes.
		d.open = openHour{hour: rollup.Hours.Period(d.newest)}
	}
	_, err = c.one(ctx, []any{&d.unclocked}, selectAnyUnclocked, args("device", int64(d.id))...)
	return d, err
}

func (c *change) loadChannels(ctx context.Context, d *device) error {
	err := c.each(ctx, func(scan func(...any) error) error {
		ch := &channel{}
		err := scan(&ch.id, &ch.key.number, &ch.key.quantity, &ch.key.unit)
		d.channels = append(d.channels, ch)
		return err
	}, selectDeviceChannels, args("device", int64(d.id))...)
	if err != nil {
		return err
	}
	return c.each(ctx, func(scan func(...any) error) error {
		var id halley.ChannelID
		var x dated
		if err := scan(&id, &x.from, &x.name, &x.decimals); err != nil {
			return err
		}
		ch := d.channelByID(id)
		ch.dated = append(ch.dated, x)
		return nil
	}, selectDescriptions, args("device", int64(d.id))...)
}

func (c *change) loadLayouts(ctx context.Context, d *device) error {
	return c.each(ctx, func(scan func(...any) error) error {
		var id int64
		var ch sql.NullInt64
		if err := scan(&id, &ch); err != nil {
			return err
		}
		if n := len(d.layouts); n == 0 || d.layouts[n-1].id != id {
			d.layouts = append(d.layouts, &layout{id: id})
		}
		if ch.Valid {
			known := d.channelByID(halley.ChannelID(ch.Int64))
			if known == nil {
				return errors.New("a layout names a channel of another device")
			}
			l := d.layouts[len(d.layouts)-1]
			l.channels = append(l.channels, known)
		}
		return nil
	}, selectDeviceLayouts, args("device", int64(d.id))...)
}
