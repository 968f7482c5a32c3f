package main

import (
	"context"

	"halley"
	"halley/server"
	"halley/server/registry"
	"halley/storage"
)

// watching is what is known of devices, from the server's own copy: it answers at once, also while the store is away, and is renewed
// at once after a change. Only what the copy does not hold is the store's to answer.
type watching struct {
	storage.Store
	server *server.Server
}

// known gives the server's own copy; ok is false where there was never one, so that nothing looks like no devices.
func (w watching) known() (r *registry.Registry, ok bool) {
	r = w.server.Devices()
	ok = r.Known()
	return r, ok
}

// Devices lists devices by id.
func (w watching) Devices(ctx context.Context, f storage.DeviceFilter) ([]halley.Device, error) {
	if r, ok := w.known(); ok {
		return r.Select(f), nil
	}
	return w.Store.Devices(ctx, f)
}

// Device gives one device.
func (w watching) Device(ctx context.Context, id halley.DeviceID) (halley.Device, error) {
	r, ok := w.known()
	if !ok {
		return w.Store.Device(ctx, id)
	}
	d, ok := r.DeviceByID(id)
	if !ok {
		return halley.Device{}, &halley.Error{Kind: halley.NotFound, Op: "find a device", Message: "there is no such device: look it up in the list"}
	}
	return d, nil
}

// Channels lists channels. Those that ended are the store's to give.
func (w watching) Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error) {
	r, ok := w.known()
	if f.Ended || !ok {
		return w.Store.Channels(ctx, f)
	}
	if len(f.Devices) == 0 {
		return r.OpenChannels(), nil
	}
	list := []halley.Channel{}
	for _, id := range f.Devices {
		list = append(list, r.Channels(id)...)
	}
	return list, nil
}

// Channel gives one channel. One that ended is the store's to give.
func (w watching) Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error) {
	if r, ok := w.known(); ok {
		if c, ok := r.Channel(id); ok {
			return c, nil
		}
	}
	return w.Store.Channel(ctx, id)
}

// ChangeDevice changes a device, and has the copy show it before the change is answered.
func (w watching) ChangeDevice(ctx context.Context, id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (halley.Device, error) {
	d, err := w.Store.ChangeDevice(ctx, id, u, c)
	if err != nil {
		return d, err
	}
	if err := w.server.Devices().Refresh(ctx); err != nil {
		w.server.Devices().Poke() // the change is made; the copy shows it a moment later
	}
	return d, nil
}
