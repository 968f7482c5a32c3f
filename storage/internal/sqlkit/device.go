package sqlkit

import (
	"context"
	"database/sql"

	"halley"
	"halley/storage"
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
		orNull(int64(d.place)), orNull(auditID), organizationOrNull(d.organization))
}

// makePlace makes the place of a device that becomes accepted.
func (c *change) makePlace(ctx context.Context, p storage.Placing, d *device, at halley.Millis, auditID int64) error {
	id, err := c.nextID(ctx, "place")
	if err != nil {
		return err
	}
	if p.PlaceName == "" {
		p.PlaceName = d.name(d.key.Serial)
	}
	c.addPlace(halley.Place{
		ID: halley.PlaceID(id), OrganizationID: max(p.OrganizationID, halley.RootOrganization), Name: p.PlaceName, From: at,
	}, auditID)
	d.place = halley.PlaceID(id)
	return nil
}

// attach puts a channel at a place from the channel's beginning. That is the first instant that can be stored, so that late
// data from before the channel's first message belong to the place too.
func (c *change) attach(ctx context.Context, ch halley.ChannelID, place halley.PlaceID, auditID int64) error {
	_, err := c.attachAt(ctx, halley.Attachment{ChannelID: ch, PlaceID: place, From: halley.EarliestMillis}, auditID)
	return err
}

const countAcceptances = "SELECT COUNT(*) FROM device_description WHERE device_id = @device AND state = 'accepted'"

// neverAccepted says that a device was not accepted before.
func (c *change) neverAccepted(ctx context.Context, d *device) (bool, error) {
	if d.number == 0 || d.state == halley.DeviceNew {
		return true, nil
	}
	if d.place != 0 {
		return false, nil
	}
	var n int64
	_, err := c.one(ctx, []any{&n}, countAcceptances, args("device", int64(d.id))...)
	return n == 0, err
}

func acceptedBefore(op string) error {
	return conflict(op, codeAcceptedBefore,
		"the device was accepted before and is where it was put since: attach its channels to the place instead")
}

// acceptance is an acceptance of a device: the act, and where it comes to be the first time; nil makes a place of its name at the
// root.
type acceptance struct {
	entry   halley.AuditEntry
	placing *storage.Placing
}

// accept makes d accepted, puts it where it comes to be the first time, and audits it. It adds no description.
func (c *change) accept(ctx context.Context, d *device, x acceptance) (int64, error) {
	first, err := c.neverAccepted(ctx, d)
	if err != nil {
		return 0, err
	}
	if !first && x.placing != nil {
		return 0, acceptedBefore(opChangeDevice)
	}
	d.state = halley.DeviceAccepted
	auditID, err := c.audit(ctx, x.entry)
	if err != nil || !first {
		return auditID, err
	}
	return auditID, c.putFirst(ctx, d, x, auditID)
}

// putFirst puts a device where it comes to be at its first acceptance, with the channels it has, from their beginning.
func (c *change) putFirst(ctx context.Context, d *device, x acceptance, auditID int64) (err error) {
	p := storage.Placing{}
	if x.placing != nil {
		p = *x.placing
	}
	switch {
	case p.PlaceID == nil:
		err = c.makePlace(ctx, p, d, x.entry.Change.At, auditID)
	case *p.PlaceID == 0:
		d.organization = p.OrganizationID
		return nil
	default:
		d.place = *p.PlaceID
		auditID, err = c.audit(ctx, halley.AuditEntry{
			Change: x.entry.Change, What: "place.attach", On: onPlace(d.place), New: asJSON(map[string]any{"device_id": d.id}),
		})
	}
	if err != nil {
		return err
	}
	for _, ch := range d.channels {
		if err := c.attach(ctx, ch.id, d.place, auditID); err != nil {
			return err
		}
	}
	return nil
}
