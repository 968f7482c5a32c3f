package sqlkit

import (
	"context"
	"database/sql"

	"halley"
)

// orNull gives a number that is stored as NULL for what is not there.
func orNull(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }

// addDevice makes a device without a description.
func (c *change) addDevice(ctx context.Context, key halley.DeviceKey, at halley.Millis) (halley.DeviceID, error) {
	id, err := c.nextID(ctx, "device")
	if err != nil {
		return 0, err
	}
	c.add(factDevice, id, string(key.Family), key.Serial, int64(at))
	return halley.DeviceID(id), nil
}

// describe adds the next description of a device. An audit id of 0 is none.
func (c *change) describe(d *device, at halley.Millis, auditID int64) {
	d.number++
	c.add(factDeviceDescription, int64(d.id), d.number, int64(at), string(d.state), d.model, d.self, d.given,
		orNull(int64(d.place)), orNull(auditID))
}

// makePlace makes the place of a device that becomes accepted and attaches the channels it has to it, from their beginning.
func (c *change) makePlace(ctx context.Context, d *device, at halley.Millis, auditID int64) error {
	place, err := c.nextID(ctx, "place")
	if err != nil {
		return err
	}
	// A place belongs to the root of the organizations and gets its first description.
	c.add(factPlace, place, int64(1), int64(at))
	c.add(factPlaceDescription, place, int64(1), int64(at), d.name(d.key.Serial), orNull(auditID))
	d.place = halley.PlaceID(place)
	for _, ch := range d.channels {
		if err := c.attach(ctx, ch.id, d.place, auditID); err != nil {
			return err
		}
	}
	return nil
}

// attach puts a channel at a place from the channel's beginning. That is the first instant that can be stored, so that late
// data from before the channel's first message belong to the place too.
func (c *change) attach(ctx context.Context, ch halley.ChannelID, place halley.PlaceID, auditID int64) error {
	id, err := c.nextID(ctx, "attachment")
	if err != nil {
		return err
	}
	c.add(factAttachment, id, int64(ch), int64(halley.EarliestMillis), int64(place), orNull(auditID))
	return nil
}

// accept makes d accepted, with a place where it has none, and audits it. It adds no description.
func (c *change) accept(ctx context.Context, d *device, e halley.AuditEntry) (int64, error) {
	d.state = halley.DeviceAccepted
	auditID, err := c.audit(ctx, e)
	if err != nil || d.place != 0 {
		return auditID, err
	}
	return auditID, c.makePlace(ctx, d, e.Change.At, auditID)
}
