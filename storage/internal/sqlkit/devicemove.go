package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

// MoveDevice gives a device that is at no place to an organization.
func (s *Store) MoveDevice(
	ctx context.Context, id halley.DeviceID, to halley.OrganizationID, ch halley.Change,
) (halley.Device, error) {
	const op = "move a device"
	if err := validChange(op, ch); err != nil {
		return halley.Device{}, err
	}
	if to == 0 {
		to = halley.RootOrganization
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		m, err := c.moving(ctx, op, ch, []halley.DeviceID{id})
		if err != nil {
			return err
		}
		d := m.devices[id]
		if d == nil {
			return notFound(op, "device", int64(id))
		}
		if err := c.nodeOpen(ctx, op, to); err != nil {
			return err
		}
		if d.state == halley.DeviceNew {
			return conflict(op, codeNotAccepted, "the device is not accepted: accept it first, and say then where it belongs")
		}
		if d.place != 0 || m.anywhere(d) {
			return conflict(op, codeAttached, "the device is at a place and belongs to that one's organization: take it from there first, "+
				"or move the place")
		}
		return m.giveTo(ctx, d, to)
	})
	if err != nil {
		return halley.Device{}, err
	}
	return s.Device(ctx, id)
}

// anywhere says whether a channel of the device that has not ended is at a place.
func (m *moving) anywhere(d *device) bool {
	for _, ch := range d.channels {
		if d.isOpen(ch.id) && m.stays.last(ch.id).PlaceID != 0 {
			return true
		}
	}
	return false
}

// giveTo gives a device to an organization. What its channels measured before is not the new one's: each that is nowhere begins anew
// to be nowhere, also one that has ended, which the device may return to.
func (m *moving) giveTo(ctx context.Context, d *device, to halley.OrganizationID) error {
	was := max(d.organization, halley.RootOrganization)
	if was == to {
		return nil
	}
	auditID, err := m.audit(ctx, halley.AuditEntry{
		Change: m.by, What: "device.move", On: onDevice(d.id),
		Old: asJSON(map[string]any{"organization_id": was}), New: asJSON(map[string]any{"organization_id": to}),
	})
	if err != nil {
		return err
	}
	for _, ch := range d.channels {
		last := m.stays.last(ch.id)
		if last.PlaceID != 0 {
			continue
		}
		from := m.by.At
		if last.ID != 0 {
			from = max(from, last.From+1)
		}
		if _, err := m.attachAt(ctx, halley.Attachment{ChannelID: ch.id, From: from}, auditID); err != nil {
			return err
		}
	}
	d.organization = to
	m.describe(d, m.by.At, auditID)
	m.forget = append(m.forget, d.key)
	return m.bumpRegistry(ctx)
}

// checkPlacing refuses to put a device where nothing is, or nothing any more, before anything is written.
func (c *change) checkPlacing(ctx context.Context, op string, p *storage.Placing) error {
	if p == nil {
		return nil
	}
	if p.PlaceID != nil && *p.PlaceID != 0 {
		_, err := c.openPlace(ctx, op, *p.PlaceID)
		return err
	}
	return c.nodeOpen(ctx, op, p.OrganizationID)
}
