package sqlkit

import (
	"context"

	"halley"
)

const (
	insertDevice = "INSERT INTO device (device_id, family, serial, first_seen_at) VALUES (@device, @family, @serial, @at)"

	insertDescription = `
INSERT INTO device_description (device_id, number, at, state, model, self_name, given_name, place_id, audit_id)
VALUES (@device, @number, @at, @state, @model, @self, @given, @place, @audit)`

	insertPlace = "INSERT INTO place (place_id, organization_id, created_at) VALUES (@place, 1, @at)"

	insertPlaceDescription = `
INSERT INTO place_description (place_id, number, at, name, audit_id) VALUES (@place, 1, @at, @name, @audit)`

	insertAttachment = `
INSERT INTO attachment (attachment_id, channel_id, from_at, place_id, audit_id)
VALUES (@attachment, @channel, @from, @place, @audit)`
)

// orNull gives nil, which is stored as NULL, for what is not there.
func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// addDevice makes a device without a description.
func (c *change) addDevice(ctx context.Context, key halley.DeviceKey, at halley.Millis) (halley.DeviceID, error) {
	id, err := c.nextID(ctx, "device")
	if err != nil {
		return 0, err
	}
	return halley.DeviceID(id), c.exec(ctx, insertDevice,
		args("device", id, "family", string(key.Family), "serial", key.Serial, "at", int64(at))...)
}

// describe adds the next description of a device. An audit id of 0 is none.
func (c *change) describe(ctx context.Context, id halley.DeviceID, d *description, at halley.Millis, auditID int64) error {
	d.number++
	return c.exec(ctx, insertDescription, args("device", int64(id), "number", d.number, "at", int64(at), "state", string(d.state),
		"model", d.model, "self", d.self, "given", d.given, "place", orNull(int64(d.place)), "audit", orNull(auditID))...)
}

// makePlace makes the place of a device that becomes accepted and attaches the channels it has to it, from their beginning.
func (c *change) makePlace(ctx context.Context, id halley.DeviceID, name string, at halley.Millis, auditID int64) (halley.PlaceID, error) {
	place, err := c.nextID(ctx, "place")
	if err != nil {
		return 0, err
	}
	if err := c.exec(ctx, insertPlace, args("place", place, "at", int64(at))...); err != nil {
		return 0, err
	}
	if err := c.exec(ctx, insertPlaceDescription,
		args("place", place, "at", int64(at), "name", name, "audit", orNull(auditID))...); err != nil {
		return 0, err
	}
	var channels []halley.ChannelID
	err = c.each(ctx, func(scan func(...any) error) error {
		var ch halley.ChannelID
		var number int
		var quantity, unit string
		err := scan(&ch, &number, &quantity, &unit)
		channels = append(channels, ch)
		return err
	}, selectDeviceChannels, args("device", int64(id))...)
	for _, ch := range channels {
		if err := c.attach(ctx, ch, halley.PlaceID(place), auditID); err != nil {
			return 0, err
		}
	}
	return halley.PlaceID(place), err
}

// attach puts a channel at a place from the channel's beginning. That is the first instant that can be stored, so that late
// data from before the channel's first message belong to the place too.
func (c *change) attach(ctx context.Context, ch halley.ChannelID, place halley.PlaceID, auditID int64) error {
	id, err := c.nextID(ctx, "attachment")
	if err != nil {
		return err
	}
	return c.exec(ctx, insertAttachment, args("attachment", id, "channel", int64(ch), "from", int64(halley.EarliestMillis),
		"place", int64(place), "audit", orNull(auditID))...)
}

// accept makes d accepted, with a place where it has none, and audits it. It adds no description.
func (c *change) accept(ctx context.Context, id halley.DeviceID, serial string, d *description, e halley.AuditEntry) (int64, error) {
	d.state = halley.DeviceAccepted
	auditID, err := c.audit(ctx, e)
	if err != nil || d.place != 0 {
		return auditID, err
	}
	d.place, err = c.makePlace(ctx, id, d.name(serial), e.Change.At, auditID)
	return auditID, err
}
