package main

import (
	"context"

	"halley"
	"halley/server"
	"halley/server/live"
	viewerapi "halley/viewer-api"
)

// parts shows the server to the viewer's API.
type parts struct{ *server.Server }

// Status says how the server stands.
func (p parts) Status(context.Context) viewerapi.Status {
	st := p.Server.Status()
	out := viewerapi.Status{
		At: viewerapi.Time(st.At), State: st.State, Version: st.Version, Node: st.Node, StartedAt: viewerapi.Time(st.StartedAt),
		Simulated: st.Simulated,
		Journal: viewerapi.JournalStatus{
			ID: st.Journal.ID, Last: st.Journal.Last, Recorded: st.Journal.Recorded, Waiting: st.Journal.Last - st.Journal.Recorded,
			OldestWaitingAt: viewerapi.Time(st.Journal.OldestWaiting), Bytes: st.Journal.Bytes, Files: st.Journal.Files,
			State: string(st.Journal.State),
		},
		Store: viewerapi.StoreStatus{
			Kind: st.Store.Kind, Engine: st.Store.Engine, State: string(st.Store.State), Since: viewerapi.Time(st.Store.Since),
			Problem: st.Store.Problem, Schema: st.Store.Schema, Bytes: st.Store.Bytes, Samples: st.Store.Samples,
			BytesPerSample: st.Store.BytesPerSample, SamplesPerDay: st.Store.SamplesPerDay,
			LimitBytes: st.Store.LimitBytes, Limit: st.Store.Limit, FullAt: viewerapi.Time(st.Store.FullAt),
		},
		Devices: viewerapi.DeviceCounts{
			New: st.Devices[halley.DeviceNew], Accepted: st.Devices[halley.DeviceAccepted], Suspended: st.Devices[halley.DeviceSuspended],
			Rejected: st.Devices[halley.DeviceRejected], Retired: st.Devices[halley.DeviceRetired],
			Reporting: st.Reporting, Silent: st.Silent,
		},
		Quarantine: viewerapi.QuarantineStatus{
			Uploads: int64(st.Quarantine.Uploads), Bytes: st.Quarantine.HeldBytes, BudgetBytes: st.Quarantine.Bytes,
			Devices: st.Quarantine.HeldDevices, DeviceBudget: st.Quarantine.Devices, Refused: st.Quarantine.Refused,
		},
		Unrecognized: viewerapi.UnrecognizedStatus{Count: st.Unrecognized, Kept: st.Kept},
		Clock:        clockStatus(st.Clock),
	}
	for _, f := range st.Findings {
		out.Messages = append(out.Messages, viewerapi.StatusMessage{Code: f.Code, Severity: string(f.Severity), Text: f.Text})
	}
	for _, n := range st.Nodes {
		out.Nodes = append(out.Nodes, viewerapi.NodeStatus{
			Name: n.Name, Version: n.Version, Self: n.Self, SeenAt: viewerapi.Time(n.SeenAt), Silent: n.Silent,
			Waiting: n.Waiting, OldestWaitingAt: viewerapi.Time(n.OldestWaiting), Leads: n.Leads,
		})
	}
	for _, l := range st.Listeners {
		out.Listeners = append(out.Listeners, viewerapi.ListenerStatus{
			Purpose: l.Purpose, Address: l.Address, TLS: l.TLS, Requests: l.Requests, LastRequestAt: viewerapi.Time(l.LastRequestAt), Note: l.Note,
		})
	}
	return out
}

// LastUpload gives the newest upload of a device as it was received.
func (p parts) LastUpload(ctx context.Context, key halley.DeviceKey) (viewerapi.RawUpload, error) {
	u, err := p.Server.LastUpload(ctx, key)
	return rawUpload(u), err
}

// Quarantined lists what is held of a device.
func (p parts) Quarantined(ctx context.Context, key halley.DeviceKey, after int64, limit int) ([]viewerapi.RawUpload, error) {
	list, err := p.Server.Quarantined(ctx, key, after, limit)
	return rawUploads(list), err
}

// Held sums up what quarantine holds.
func (p parts) Held(context.Context) (map[halley.DeviceKey]viewerapi.Held, error) {
	all := make(map[halley.DeviceKey]viewerapi.Held)
	for key, h := range p.Server.Held() {
		v := viewerapi.Held{
			Uploads: h.Uploads, Bytes: h.Bytes, FirstAt: halley.Millis(h.FirstMicros / 1000),
			LastAt: halley.Millis(h.LastMicros / 1000), Reasons: h.Reasons,
		}
		all[key] = v
	}
	return all, nil
}

// Unrecognized gives the bodies that nobody could read.
func (p parts) Unrecognized(context.Context) (int64, []viewerapi.RawUpload, error) {
	count, list := p.Server.Unrecognized()
	return count, rawUploads(list), nil
}

func rawUploads(list []server.RawUpload) []viewerapi.RawUpload {
	out := make([]viewerapi.RawUpload, len(list))
	for i, u := range list {
		out[i] = rawUpload(u)
	}
	return out
}

func rawUpload(u server.RawUpload) viewerapi.RawUpload {
	return viewerapi.RawUpload{
		ID: u.ID, ReceivedAt: u.ReceivedAt, Family: u.Family, Bytes: u.Bytes, Body: string(u.Body), Reason: u.Reason, Note: u.Note,
	}
}

// liveParts gives the newest messages by the ids of devices and channels.
type liveParts struct {
	server *server.Server
	feed   *live.Feed[viewerapi.Event]
}

// newLiveParts gives the newest messages of a server, which tells of new ones while it runs.
func newLiveParts(srv *server.Server) liveParts {
	l := liveParts{server: srv}
	l.feed = live.NewFeed(srv.Live(), l.event)
	srv.Add(server.Further{Run: l.feed.Run})
	return l
}

// Latest gives the newest message of each device that has one.
func (l liveParts) Latest() []viewerapi.LiveMessage {
	var all []viewerapi.LiveMessage
	for _, m := range l.server.Live().All() {
		if v, ok := l.message(m); ok {
			_, v.HeardAt, _ = l.server.Live().Newest(m.Key)
			all = append(all, v)
		}
	}
	return all
}

// LatestOf gives the newest message of one device.
func (l liveParts) LatestOf(id halley.DeviceID) (viewerapi.LiveMessage, bool) {
	d, ok := l.server.Devices().DeviceByID(id)
	if !ok {
		return viewerapi.LiveMessage{}, false
	}
	m, heardAt, ok := l.server.Live().Newest(d.DeviceKey)
	if !ok {
		return viewerapi.LiveMessage{}, false
	}
	v, ok := l.message(m)
	v.HeardAt = heardAt
	return v, ok
}

// message finds the device and the channels of a message. What the store has not seen yet has none, and is left out until then.
func (l liveParts) message(m *live.Message) (viewerapi.LiveMessage, bool) {
	d, ok := l.server.Devices().Device(m.Key)
	if !ok || d.State != halley.DeviceAccepted {
		return viewerapi.LiveMessage{}, false
	}
	out := viewerapi.LiveMessage{
		DeviceID: d.ID, MeasuredAt: m.MeasuredAt, ReceivedAt: m.ReceivedAt, HeardAt: m.ReceivedAt,
		Interval: m.Interval, Buffer: m.Buffer, Late: m.Late(),
		Signal: m.Signal, Battery: m.Battery, Values: make([]viewerapi.LiveValue, 0, len(m.Readings)),
	}
	channels := l.server.Devices().Channels(d.ID)
	for _, r := range m.Readings {
		for _, c := range channels {
			if c.Number == r.Number && (c.Quantity == r.Quantity && c.Unit == r.Unit || unplugged(r)) {
				out.Values = append(out.Values, viewerapi.LiveValue{ChannelID: c.ID, Value: r.Value, Quality: r.Quality})
				break
			}
		}
	}
	return out, true
}

// unplugged says that the probe of a channel is not there and could not say what it measures.
func unplugged(r halley.Reading) bool {
	return !r.Quality.HasValue() && r.Quantity == "" && r.Unit == ""
}

// Subscribe gives the events from now until ctx ends.
func (l liveParts) Subscribe(ctx context.Context) <-chan viewerapi.Event {
	return l.feed.Subscribe(ctx)
}

// event puts what happened into the words of the viewer's API, once for all its readers.
func (l liveParts) event(e live.Event) (viewerapi.Event, bool) {
	switch {
	case e.Missed:
		return viewerapi.Event{Kind: viewerapi.EventMissed}, true
	case e.Devices:
		return viewerapi.Event{Kind: viewerapi.EventDevices, Version: l.server.Devices().Version()}.Shared(), true
	}
	m, ok := l.message(e.Message)
	return viewerapi.Event{Kind: viewerapi.EventMessage, Message: m}.Shared(), ok
}
