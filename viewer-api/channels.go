package viewerapi

import (
	"context"
	"net/http"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// deviceChannel is a channel inside its device.
type deviceChannel struct {
	ID       halley.ChannelID `json:"id"`
	Number   int              `json:"number"`
	Name     string           `json:"name"`
	Quantity string           `json:"quantity"`
	Unit     string           `json:"unit"`
	Decimals int              `json:"decimals"`
	Ended    bool             `json:"ended"`
}

// channelView is a channel by itself.
type channelView struct {
	DeviceID halley.DeviceID `json:"device_id"`
	deviceChannel
}

// channelsView is a list of channels.
type channelsView struct {
	Channels []channelView `json:"channels"`
}

func newDeviceChannel(c halley.Channel) deviceChannel {
	return deviceChannel{
		ID: c.ID, Number: c.Number, Name: c.Name, Quantity: c.Quantity, Unit: c.Unit, Decimals: c.Decimals, Ended: c.Ended,
	}
}

// seenChannel gives a channel as the caller may know it. Who sees its device sees it as it is. To others it has ended when it left the last
// place where they see it, under the name that it had by then: what its device says now is for those where it is.
func seenChannel(rights directory.Rights, c halley.Channel) halley.Channel {
	if rights.AtDevice(halley.PermitDeviceRead, c.DeviceID) {
		return c
	}
	spans := rights.Spans(halley.PermitDeviceRead, c.ID, halley.EarliestMillis, halley.LatestMillis)
	left := halley.EarliestMillis
	if n := len(spans); n > 0 {
		left = spans[n-1].To
	}
	then, _ := rights.State().ChannelThen(c.ID, left)
	return then
}

// listChannels lists the channels that the caller may see, by device, then ended, then number.
func (a *API) listChannels(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "device", "ended")
	f := storage.ChannelFilter{Ended: q.flag("ended")}
	if id := q.number("device", 1, 1<<62, 0); id != 0 {
		f.Devices = []halley.DeviceID{halley.DeviceID(id)}
	}
	if q.err != nil {
		return q.err
	}
	channels, err := a.Registry.Channels(r.Context(), f)
	if err != nil {
		return err
	}
	rights, ended := rightsOf(r), f.Ended
	all := rights.Everywhere(halley.PermitDeviceRead)
	list := channelsView{Channels: make([]channelView, 0, len(channels))}
	for _, c := range channels {
		if !all {
			if !rights.AtChannel(halley.PermitDeviceRead, c.ID) {
				continue
			}
			if c = seenChannel(rights, c); c.Ended && !ended {
				continue
			}
		}
		list.Channels = append(list.Channels, channelView{DeviceID: c.DeviceID, deviceChannel: newDeviceChannel(c)})
	}
	return writeJSON(w, list)
}

// getChannel gives one channel. 404 where it is not there.
func (a *API) getChannel(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	c, err := a.Registry.Channel(r.Context(), halley.ChannelID(id))
	if err != nil {
		return err
	}
	return writeJSON(w, channelView{DeviceID: c.DeviceID, deviceChannel: newDeviceChannel(seenChannel(rightsOf(r), c))})
}

// channelsOf gives the channels of devices.
func (a *API) channelsOf(ctx context.Context, devices []halley.Device, ended bool) (map[halley.DeviceID][]deviceChannel, error) {
	ids := make([]halley.DeviceID, len(devices))
	for i := range devices {
		ids[i] = devices[i].ID
	}
	channels, err := a.Registry.Channels(ctx, storage.ChannelFilter{Devices: ids, Ended: ended})
	if err != nil {
		return nil, err
	}
	of := make(map[halley.DeviceID][]deviceChannel, len(devices))
	for _, c := range channels {
		of[c.DeviceID] = append(of[c.DeviceID], newDeviceChannel(c))
	}
	return of, nil
}
