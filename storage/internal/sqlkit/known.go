package sqlkit

import (
	"cmp"
	"slices"

	"halley"
	"halley/storage/internal/rollup"
)

// known is what the writer remembers of devices between two batches. It is dropped where a transaction failed, where the
// connection is another and where somebody else changed the registry or appended.
type known struct {
	devices map[halley.DeviceKey]*device
	// connection is the driver's own, over which all this was learned.
	connection any
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
	// since is from when channels that are new belong to the device's place; 0 where that was not asked for yet.
	since halley.Millis
	open  openHour
}

// description is what is known of a device and dated.
type description struct {
	number int64
	state  halley.DeviceState
	model  string
	// self is what the device calls itself, given what people call it.
	self, given string
	place       halley.PlaceID
	// organization is the node that a device at no place belongs to; 0 is the root.
	organization halley.OrganizationID
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
