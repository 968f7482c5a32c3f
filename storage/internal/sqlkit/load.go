package sqlkit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"halley"
	"halley/storage/internal/rollup"
)

// Each of these reads what is known of a list of devices, so that a server that begins costs few statements for all of them. The
// dialect's list stands between the two parts of a text.
const (
	describedColumns = `
SELECT d.serial, d.device_id, x.number, x.state, x.model, x.self_name, x.given_name, COALESCE(x.place_id, 0),
       COALESCE(x.organization_id, 0)
  FROM `
	// newestDescription follows device d; it is the x that counts.
	newestDescription = `
  JOIN device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id)`

	// Both compare with a point behind the texts too: SQL Server takes no notice of blanks at the end of a text. SQLite takes the
	// tables of a CROSS JOIN in their order: not each device of the family for each serial number.
	fromListed = ` l
 CROSS JOIN device d` + newestDescription + `
 WHERE d.family = @family AND d.serial = l.value AND CONCAT(d.serial, '.') = CONCAT(l.value, '.')`

	selectOne = describedColumns + "device d" + newestDescription + `
 WHERE d.family = @family AND d.serial = @serial AND CONCAT(d.serial, '.') = CONCAT(@serial, '.')`

	selectListedChannels = `
SELECT c.device_id, c.channel_id, c.number, c.quantity, c.unit
  FROM `
	fromListedChannels = ` l
  JOIN channel c ON c.device_id = CAST(l.value AS bigint)
 ORDER BY c.channel_id`

	selectListedDescriptions = `
SELECT c.device_id, x.channel_id, x.from_at, x.name, x.decimals
  FROM `
	fromListedDescriptions = ` l
  JOIN channel c ON c.device_id = CAST(l.value AS bigint)
  JOIN channel_description x ON x.channel_id = c.channel_id
 ORDER BY x.channel_id, x.from_at`

	selectListedLayouts = `
SELECT y.device_id, y.layout_id, s.channel_id
  FROM `
	fromListedLayouts = ` l
  JOIN layout y ON y.device_id = CAST(l.value AS bigint)
  LEFT JOIN layout_slot s ON s.layout_id = y.layout_id
 ORDER BY y.layout_id, s.part, s.slot`

	selectListedNewest = `
SELECT m.device_id, m.measured_at, m.layout_id
  FROM `
	fromListedNewest = ` l
  JOIN device d ON d.device_id = CAST(l.value AS bigint)
  JOIN message m ON m.device_id = d.device_id AND m.part = 0
   AND m.measured_at = (SELECT MAX(n.measured_at) FROM message n WHERE n.device_id = d.device_id)
 ORDER BY m.device_id, m.variant`

	selectListedUnclocked = `
SELECT d.device_id
  FROM `
	fromListedUnclocked = ` l
  JOIN device d ON d.device_id = CAST(l.value AS bigint)
 WHERE EXISTS (SELECT 1 FROM unclocked u WHERE u.device_id = d.device_id)`
)

// loadAtOnce is how many devices one statement is asked for.
const loadAtOnce = 2000

// load reads what the database knows of a device; nil where it does not know it.
func (c *change) load(ctx context.Context, key halley.DeviceKey) (*device, error) {
	list, err := c.loadAll(ctx, []halley.DeviceKey{key})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// loadAll reads what the database knows of these devices, each key once, leaving out what it does not know.
func (c *change) loadAll(ctx context.Context, keys []halley.DeviceKey) ([]*device, error) {
	serials := map[halley.Family][]string{}
	for _, key := range keys {
		serials[key.Family] = append(serials[key.Family], key.Serial)
	}
	var all []*device
	for family, list := range serials {
		for page := range slices.Chunk(list, loadAtOnce) {
			devices, err := c.loadPage(ctx, family, page)
			if err != nil {
				return nil, err
			}
			all = append(all, devices...)
		}
	}
	return all, nil
}

// loading is a page of devices that are being read.
type loading struct {
	*change
	devices map[halley.DeviceID]*device
	ids     string
}

func (c *change) loadPage(ctx context.Context, family halley.Family, serials []string) ([]*device, error) {
	list, err := c.described(ctx, family, serials)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	l := loading{change: c, devices: map[halley.DeviceID]*device{}}
	ids := make([]halley.DeviceID, 0, len(list))
	for _, d := range list {
		l.devices[d.id] = d
		ids = append(ids, d.id)
	}
	l.ids = numbers(ids)
	for _, read := range []func(context.Context) error{
		l.channels, l.descriptions, l.layouts, l.newest, l.unclocked,
	} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// described reads the devices of a family with these serial numbers, with their newest description. Serial numbers that JSON writes
// with escapes, which only hostile devices send, are asked for one by one: what an engine makes of escapes is not asked to matter.
func (c *change) described(ctx context.Context, family halley.Family, serials []string) ([]*device, error) {
	var list []*device
	keep := func(scan func(...any) error) error {
		d := &device{}
		d.key.Family = family
		list = append(list, d)
		return scan(&d.key.Serial, &d.id, &d.number, &d.state, &d.model, &d.self, &d.given, &d.place,
			&d.organization)
	}
	plain := make([]string, 0, len(serials))
	for _, serial := range serials {
		if !strings.ContainsFunc(serial, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
			plain = append(plain, serial)
			continue
		}
		if err := c.each(ctx, keep, selectOne, args("family", string(family), "serial", serial)...); err != nil {
			return nil, err
		}
	}
	if len(plain) == 0 {
		return list, nil
	}
	var asked strings.Builder
	encoder := json.NewEncoder(&asked)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(plain); err != nil {
		return nil, fmt.Errorf("listing serial numbers: %w", err)
	}
	err := c.each(ctx, keep, describedColumns+c.s.dialect.List+fromListed, args("list", asked.String(), "family", string(family))...)
	return list, err
}

// rows runs one of the statements, in two parts, and hands each row's scanner to row.
func (l *loading) rows(ctx context.Context, row func(scan func(...any) error) error, before, after string) error {
	return l.each(ctx, row, before+l.s.dialect.List+after, args("list", l.ids)...)
}

func (l *loading) channels(ctx context.Context) error {
	return l.rows(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		ch := &channel{}
		if err := scan(&id, &ch.id, &ch.key.number, &ch.key.quantity, &ch.key.unit); err != nil {
			return err
		}
		d := l.devices[id]
		d.channels = append(d.channels, ch)
		return nil
	}, selectListedChannels, fromListedChannels)
}

func (l *loading) descriptions(ctx context.Context) error {
	return l.rows(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		var channelID halley.ChannelID
		var x dated
		if err := scan(&id, &channelID, &x.from, &x.name, &x.decimals); err != nil {
			return err
		}
		ch := l.devices[id].channelByID(channelID)
		ch.dated = append(ch.dated, x)
		return nil
	}, selectListedDescriptions, fromListedDescriptions)
}

func (l *loading) layouts(ctx context.Context) error {
	return l.rows(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		var layoutID int64
		var ch sql.NullInt64
		if err := scan(&id, &layoutID, &ch); err != nil {
			return err
		}
		d := l.devices[id]
		if n := len(d.layouts); n == 0 || d.layouts[n-1].id != layoutID {
			d.layouts = append(d.layouts, &layout{id: layoutID})
		}
		if !ch.Valid {
			return nil
		}
		known := d.channelByID(halley.ChannelID(ch.Int64))
		if known == nil {
			return errors.New("a layout names a channel of another device")
		}
		y := d.layouts[len(d.layouts)-1]
		y.channels = append(y.channels, known)
		return nil
	}, selectListedLayouts, fromListedLayouts)
}

func (l *loading) newest(ctx context.Context) error {
	return l.rows(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		var at halley.Millis
		var layoutID int64
		if err := scan(&id, &at, &layoutID); err != nil {
			return err
		}
		// Of several messages of the newest instant the last has the highest variant.
		d := l.devices[id]
		d.newest, d.newestLayout = at, layoutID
		// What the open hour has summed up so far is not known: it is marked when it closes.
		d.open = openHour{hour: rollup.Hours.Period(at)}
		return nil
	}, selectListedNewest, fromListedNewest)
}

func (l *loading) unclocked(ctx context.Context) error {
	return l.rows(ctx, func(scan func(...any) error) error {
		var id halley.DeviceID
		if err := scan(&id); err != nil {
			return err
		}
		l.devices[id].unclocked = true
		return nil
	}, selectListedUnclocked, fromListedUnclocked)
}
