package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

// selectDescribed reads devices with their newest description; deviceScan scans it.
const selectDescribed = `
SELECT d.device_id, d.family, d.serial, d.first_seen_at, x.state, x.model, x.self_name, x.given_name, COALESCE(x.place_id, 0),
       COALESCE((SELECT COALESCE(y.organization_id, p.organization_id)
                   FROM place p
                   JOIN place_description y ON y.place_id = p.place_id
                    AND y.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)
                  WHERE p.place_id = x.place_id), x.organization_id, 1)
  FROM device d` + newestDescription

// selectDevices compares texts with a point behind them too: SQL Server takes no notice of blanks at the end of a text.
const selectDevices = selectDescribed + `
 WHERE d.device_id > @after
   AND (@any_serial = 1 OR d.serial = @serial AND CONCAT(d.serial, '.') = CONCAT(@serial, '.'))
   AND (@any_family = 1 OR d.family = @family AND CONCAT(d.family, '.') = CONCAT(@family, '.'))
   AND (@any_state = 1 OR x.state = @state AND CONCAT(x.state, '.') = CONCAT(@state, '.'))
 ORDER BY d.device_id`

// deviceScan reads a row of selectDescribed.
func deviceScan(scan func(...any) error) (halley.Device, error) {
	var d halley.Device
	var x description
	if err := scan(&d.ID, &d.Family, &d.Serial, &d.FirstSeenAt, &d.State, &x.model, &x.self, &x.given, &d.PlaceID,
		&d.OrganizationID); err != nil {
		return d, err
	}
	d.Model, d.Name = x.model, x.name(d.Serial)
	d.Simulated = halley.IsSimulated(d.Serial)
	return d, nil
}

// words holds texts that come again and again in a list, so that a copy of the list holds each once.
type words map[string]string

func (w words) one(s string) string {
	if known, ok := w[s]; ok {
		return known
	}
	w[s] = s
	return s
}

// RegistryVersion gives a number that grows with every change to devices, channels, credentials and tokens.
func (s *Store) RegistryVersion(ctx context.Context) (int64, error) {
	var version int64
	_, err := s.one(ctx, []any{&version}, selectVersion)
	return version, s.fail("read the registry's version", err)
}

// Devices lists by ascending id.
func (s *Store) Devices(ctx context.Context, f storage.DeviceFilter) ([]halley.Device, error) {
	const page = 1000
	list := []halley.Device{}
	w := words{}
	for after := f.After; ; {
		limit := page
		if f.Limit > 0 {
			limit = min(page, f.Limit-len(list))
		}
		n := 0
		err := s.query(ctx, func(scan func(...any) error) error {
			d, err := deviceScan(scan)
			d.Family, d.Model, d.State = halley.Family(w.one(string(d.Family))), w.one(d.Model), halley.DeviceState(w.one(string(d.State)))
			list, after = append(list, d), d.ID
			n++
			return err
		}, selectDevices+s.dialect.Limit, args("after", int64(after), "serial", f.Serial, "family", string(f.Family),
			"state", string(f.State), "any_serial", yes(f.Serial == ""), "any_family", yes(f.Family == ""), "any_state", yes(f.State == ""),
			"limit", limit)...)
		if err != nil {
			return nil, s.fail("list devices", err)
		}
		if n < limit || len(list) == f.Limit {
			return list, nil
		}
	}
}

// yes gives 1 for true, as all engines take it.
func yes(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Device gives one device.
func (s *Store) Device(ctx context.Context, id halley.DeviceID) (halley.Device, error) {
	const op = "read a device"
	var d halley.Device
	found := false
	err := s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		d, err = deviceScan(scan)
		return err
	}, selectDescribed+" WHERE d.device_id = @device", args("device", int64(id))...)
	if err == nil && !found {
		return d, notFound(op, "device", int64(id))
	}
	return d, s.fail(op, err)
}

// selectChannels reads the channels of some devices with their newest description. The channels of the layout of a device's newest
// message have not ended. The newest message is looked for once a device and not once a channel: that the inner statement groups
// keeps an engine from putting it into the outer one.
func selectChannels(devices string) string {
	return `
SELECT c.channel_id, c.device_id, c.number, c.quantity, c.unit, x.name, x.decimals,
       CASE WHEN EXISTS (SELECT 1 FROM layout_slot s WHERE s.channel_id = c.channel_id AND s.layout_id = w.layout_id)
            THEN 0 ELSE 1 END AS ended
  FROM (SELECT d.device_id, MAX(m.layout_id) AS layout_id
          FROM device d
          LEFT JOIN message m ON m.device_id = d.device_id AND m.part = 0
           AND m.measured_at = (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = d.device_id)
           AND m.variant = (SELECT MAX(o.variant) FROM message o
                             WHERE o.device_id = d.device_id
                               AND o.measured_at = (SELECT MAX(p.measured_at) FROM message p WHERE p.device_id = d.device_id))
         WHERE ` + devices + `
         GROUP BY d.device_id) w
  JOIN channel c ON c.device_id = w.device_id
  JOIN channel_description x ON x.channel_id = c.channel_id
   AND x.from_at = (SELECT MAX(y.from_at) FROM channel_description y WHERE y.channel_id = c.channel_id)`
}

const channelOrder = " ORDER BY c.device_id, ended, c.number, c.channel_id"

func channelScan(scan func(...any) error) (halley.Channel, error) {
	var c halley.Channel
	err := scan(&c.ID, &c.DeviceID, &c.Number, &c.Quantity, &c.Unit, &c.Name, &c.Decimals, &c.Ended)
	return c, err
}

// Channels lists by device, then ended, then number, then id.
func (s *Store) Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error) {
	list := []halley.Channel{}
	last := halley.DeviceID(0)
	w := words{}
	keep := func(scan func(...any) error) error {
		c, err := channelScan(scan)
		c.Name, c.Quantity, c.Unit = w.one(c.Name), w.one(c.Quantity), w.one(c.Unit)
		last = c.DeviceID
		if f.Ended || !c.Ended {
			list = append(list, c)
		}
		return err
	}
	if len(f.Devices) > 0 {
		for _, id := range ascending(f.Devices) {
			if err := s.query(ctx, keep, selectChannels("d.device_id = @device")+channelOrder, args("device", int64(id))...); err != nil {
				return nil, s.fail("list channels", err)
			}
		}
		return list, nil
	}
	for {
		// A page is a range of devices, so that no statement takes long.
		before := last
		err := s.query(ctx, keep, selectChannels("d.device_id > @after AND d.device_id <= @after + 500")+channelOrder, args("after", int64(before))...)
		if err != nil {
			return nil, s.fail("list channels", err)
		}
		last = before + 500
		var more int64
		if _, err := s.one(ctx, []any{&more}, "SELECT COALESCE(MAX(device_id), 0) FROM device"); err != nil {
			return nil, s.fail("list channels", err)
		}
		if int64(last) >= more {
			return list, nil
		}
	}
}

// Channel gives one channel.
func (s *Store) Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error) {
	const op = "read a channel"
	var c halley.Channel
	found := false
	err := s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		c, err = channelScan(scan)
		return err
	}, selectChannels("d.device_id = (SELECT i.device_id FROM channel i WHERE i.channel_id = @channel)")+" WHERE c.channel_id = @channel", args("channel", int64(id))...)
	if err == nil && !found {
		return c, notFound(op, "channel", int64(id))
	}
	return c, s.fail(op, err)
}

const opChangeDevice = "change a device"

const selectKey = "SELECT family, serial FROM device WHERE device_id = @device"

// ChangeDevice changes what u names and writes an audit row for each change.
func (s *Store) ChangeDevice(ctx context.Context, id halley.DeviceID, u storage.DeviceUpdate, ch halley.Change) (halley.Device, error) {
	const op = opChangeDevice
	if err := validUpdate(op, u, ch); err != nil {
		return halley.Device{}, err
	}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		var key halley.DeviceKey
		found, err := c.one(ctx, []any{&key.Family, &key.Serial}, selectKey, args("device", int64(id))...)
		if err != nil {
			return err
		}
		if !found {
			return notFound(op, "device", int64(id))
		}
		d, err := c.load(ctx, key)
		if err != nil {
			return err
		}
		return c.updateDevice(ctx, d, u, ch)
	})
	if err != nil {
		return halley.Device{}, err
	}
	return s.Device(ctx, id)
}

func validUpdate(op string, u storage.DeviceUpdate, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if u.Name != nil {
		if why := badName(*u.Name); why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
		}
	}
	if u.Placing != nil {
		if u.State == nil || *u.State != halley.DeviceAccepted {
			return unfit(op, "place_id", "only a device that is accepted can be told where it comes to be")
		}
		if why := badName(u.Placing.PlaceName); u.Placing.PlaceName != "" && why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "place", Message: why}
		}
	}
	if u.State == nil {
		return nil
	}
	switch *u.State {
	case halley.DeviceAccepted, halley.DeviceSuspended, halley.DeviceRejected, halley.DeviceRetired:
		return nil
	case halley.DeviceNew:
		return &halley.Error{
			Kind: halley.Conflict, Op: op, Field: "state", Code: "not-new-again",
			Message: "a device cannot become new again: suspend or reject it",
		}
	}
	return &halley.Error{
		Kind: halley.Invalid, Op: op, Field: "state", Message: "the state is one of accepted, suspended, rejected, retired",
	}
}

// stateAct is the word of the audit trail for reaching a state.
func stateAct(state halley.DeviceState) string {
	switch state {
	case halley.DeviceAccepted:
		return "device.accept"
	case halley.DeviceSuspended:
		return "device.suspend"
	case halley.DeviceRejected:
		return "device.reject"
	case halley.DeviceRetired:
		return "device.retire"
	case halley.DeviceNew:
	}
	return "device.announce"
}

// updateDevice makes the changes that u asks for and that change something: the name first, so that a place gets it.
func (c *change) updateDevice(ctx context.Context, d *device, u storage.DeviceUpdate, ch halley.Change) error {
	changed := false
	if u.Name != nil && *u.Name != d.given {
		e := halley.AuditEntry{
			Change: ch, What: "device.rename", On: onDevice(d.id),
			Old: asJSON(map[string]any{"name": d.name(d.key.Serial)}), New: asJSON(map[string]any{"name": *u.Name}),
		}
		auditID, err := c.audit(ctx, e)
		if err != nil {
			return err
		}
		d.given, changed = *u.Name, true
		c.describe(d, ch.At, auditID)
	}
	if u.State != nil && *u.State != d.state {
		changed = true
		if err := c.enter(ctx, d, *u.State, u.Placing, ch); err != nil {
			return err
		}
	} else if u.Placing != nil {
		return acceptedBefore(opChangeDevice)
	}
	if !changed {
		return nil
	}
	c.forget = append(c.forget, d.key)
	return c.bumpRegistry(ctx)
}

// acceptedAs says for the audit trail where a device comes to be that is accepted.
func acceptedAs(p *storage.Placing) map[string]any {
	said := map[string]any{"state": halley.DeviceAccepted}
	if p == nil {
		return said
	}
	if p.PlaceID != nil {
		said["place_id"] = *p.PlaceID
	}
	if p.PlaceID == nil && p.PlaceName != "" {
		said["place"] = p.PlaceName
	}
	if p.PlaceID == nil || *p.PlaceID == 0 {
		said["organization_id"] = max(p.OrganizationID, halley.RootOrganization)
	}
	return said
}

// enter brings a device into a state that it is not in.
func (c *change) enter(
	ctx context.Context, d *device, state halley.DeviceState, placing *storage.Placing, ch halley.Change,
) (err error) {
	e := halley.AuditEntry{
		Change: ch, What: stateAct(state), On: onDevice(d.id),
		Old: asJSON(map[string]any{"state": d.state}), New: asJSON(map[string]any{"state": state}),
	}
	var auditID int64
	if state == halley.DeviceAccepted {
		if err := c.checkPlacing(ctx, opChangeDevice, placing); err != nil {
			return err
		}
		e.New = asJSON(acceptedAs(placing))
		auditID, err = c.accept(ctx, d, acceptance{entry: e, placing: placing})
	} else {
		d.state = state
		auditID, err = c.audit(ctx, e)
	}
	if err == nil {
		c.describe(d, ch.At, auditID)
	}
	return err
}

// Register makes a device that has not been heard of yet, accepted.
func (s *Store) Register(ctx context.Context, key halley.DeviceKey, name string, ch halley.Change) (halley.Device, error) {
	const op = "register a device"
	if err := validRegister(op, key, name, ch); err != nil {
		return halley.Device{}, err
	}
	var id halley.DeviceID
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		d, err := c.load(ctx, key)
		if err != nil {
			return err
		}
		if d != nil {
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "device-exists", Message: "the device is there already; change it instead",
			}
		}
		if id, err = c.addDevice(ctx, key, ch.At); err != nil {
			return err
		}
		d = &device{id: id, key: key, description: description{given: name}}
		auditID, err := c.accept(ctx, d, acceptance{entry: halley.AuditEntry{
			Change: ch, What: "device.register", On: onDevice(id),
			New: asJSON(map[string]any{"family": key.Family, "serial": key.Serial, "name": d.name(key.Serial), "state": halley.DeviceAccepted}),
		}})
		if err != nil {
			return err
		}
		c.describe(d, ch.At, auditID)
		return c.bumpRegistry(ctx)
	})
	if err != nil {
		return halley.Device{}, err
	}
	return s.Device(ctx, id)
}

func validRegister(op string, key halley.DeviceKey, name string, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if key.Family == "" || badText(string(key.Family), maxSerial) != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "family", Message: "name the device's family"}
	}
	if key.Serial == "" || badText(key.Serial, maxSerial) != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "serial", Message: "give the serial number, at most 32 characters"}
	}
	if name == "" {
		return nil
	}
	if why := badName(name); why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
	}
	return nil
}
