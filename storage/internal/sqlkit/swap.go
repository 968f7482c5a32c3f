package sqlkit

import (
	"context"
	"fmt"
	"slices"

	"halley"
	"halley/storage"
)

// Swap puts one device in the place of another.
func (s *Store) Swap(ctx context.Context, w storage.Swap, ch halley.Change) ([]halley.Attachment, error) {
	const op = "swap devices"
	if err := validSwap(op, w, ch); err != nil {
		return nil, err
	}
	var out []halley.Attachment
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		m, err := c.moving(ctx, op, ch, ascending([]halley.DeviceID{w.Old, w.New}))
		if err != nil {
			return err
		}
		x := swapping{moving: m, w: w}
		if err := x.plan(ctx); err != nil {
			return err
		}
		if err := m.checkSeries(ctx); err != nil {
			return err
		}
		m.takeAlong()
		if err := x.carryOut(ctx); err != nil {
			return err
		}
		for _, o := range m.moves {
			if !o.silent {
				out = append(out, o.to)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validSwap(op string, w storage.Swap, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if w.Old == w.New {
		return unfit(op, "to_device", "a device cannot be swapped with itself")
	}
	if !w.At.Storable() {
		return unfit(op, "at", "the time must lie in the years 2000 to 2099")
	}
	before, after := map[halley.ChannelID]bool{}, map[halley.ChannelID]bool{}
	for _, p := range w.Channels {
		if before[p.Old] || after[p.New] {
			return unfit(op, "channels", "each channel can continue one, and be continued by one")
		}
		before[p.Old], after[p.New] = true, true
	}
	return nil
}

// swapping is a swap on its way.
type swapping struct {
	*moving
	w storage.Swap
}

// plan plans what leaves the place and what comes to it.
func (x *swapping) plan(ctx context.Context) error {
	for _, id := range []halley.DeviceID{x.w.Old, x.w.New} {
		if x.devices[id] == nil {
			return notFound(x.op, "device", int64(id))
		}
	}
	if _, err := x.placeOf(ctx, x.w.PlaceID); err != nil {
		return err
	}
	before, after := x.devices[x.w.Old], x.devices[x.w.New]
	leaving := 0
	for _, ch := range before.channels {
		if x.stays.last(ch.id).PlaceID != x.w.PlaceID || !before.isOpen(ch.id) && !x.continued(ch.id) {
			continue
		}
		leaving++
		if err := x.moving.plan(ctx, before, ch, halley.Attachment{ChannelID: ch.id, From: x.w.At}); err != nil {
			return err
		}
	}
	if leaving == 0 {
		return conflict(x.op, codeNotAtPlace, "the device that is to be replaced is not at the place")
	}
	series, err := x.series(before, after)
	if err != nil {
		return err
	}
	if len(after.channels) == 0 {
		return conflict(x.op, codeNoChannels, "the new device has not sent anything yet, so that nobody knows what it measures: wait for "+
			"its first message")
	}
	for _, ch := range after.channels {
		if !after.isOpen(ch.id) {
			continue
		}
		if err := x.moving.plan(ctx, after, ch, halley.Attachment{
			ChannelID: ch.id, PlaceID: x.w.PlaceID, From: x.w.At, Series: series[ch.id],
		}); err != nil {
			return err
		}
	}
	return nil
}

// continued says whether a channel of the old device is continued.
func (x *swapping) continued(id halley.ChannelID) bool {
	return slices.ContainsFunc(x.w.Channels, func(p storage.SwappedChannel) bool { return p.Old == id })
}

// series gives the series that channels of the new device continue.
func (x *swapping) series(before, after *device) (map[halley.ChannelID]halley.ChannelID, error) {
	series := map[halley.ChannelID]halley.ChannelID{}
	for _, p := range x.w.Channels {
		was := x.stays.last(p.Old)
		switch {
		case before.channelByID(p.Old) == nil:
			return nil, notFound(x.op, fmt.Sprintf("channel of device %d with the number", before.id), int64(p.Old))
		case after.channelByID(p.New) == nil:
			return nil, notFound(x.op, fmt.Sprintf("channel of device %d with the number", after.id), int64(p.New))
		case was.PlaceID != x.w.PlaceID:
			return nil, conflict(x.op, codeNotAtPlace, fmt.Sprintf("channel %d is not at the place", p.Old))
		case !after.isOpen(p.New):
			return nil, conflict(x.op, codeChannelEnded, fmt.Sprintf("channel %d has ended: the device does not send it any more", p.New))
		}
		series[p.New] = was.Series
	}
	return series, nil
}

// carryOut writes the moves with one audit row, and takes the old device out of service where that is wanted.
func (x *swapping) carryOut(ctx context.Context) error {
	before, after := x.devices[x.w.Old], x.devices[x.w.New]
	type pair struct {
		Old halley.ChannelID `json:"old"`
		New halley.ChannelID `json:"new"`
	}
	pairs := []pair{}
	for _, p := range x.w.Channels {
		pairs = append(pairs, pair{p.Old, p.New})
	}
	auditID, err := x.audit(ctx, halley.AuditEntry{
		Change: x.by, What: "device.swap", On: onPlace(x.w.PlaceID),
		Old: asJSON(map[string]any{"device_id": before.id, "serial": before.key.Serial, "state": before.state}),
		New: asJSON(map[string]any{
			"device_id": after.id, "serial": after.key.Serial, "at": x.w.At.String(), "channels": pairs, "retired": x.w.Retire,
		}),
	})
	if err != nil {
		return err
	}
	if x.w.Retire && before.state != halley.DeviceRetired {
		before.state, x.restated = halley.DeviceRetired, before
	}
	return x.moving.carryOut(ctx, func(move) int64 { return auditID })
}
