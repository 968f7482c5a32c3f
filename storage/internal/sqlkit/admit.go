package sqlkit

import (
	"context"
	"errors"

	"halley"
	"halley/storage"
)

var errDamagedLayout = errors.New("a message names a layout that its device does not have")

// device gives the device of an upload as the upload's admission leaves it. One that learn did not find is new.
func (a *appender) device(ctx context.Context, u *storage.Upload) (*device, error) {
	d := a.s.known.devices[u.DeviceKey]
	if d == nil {
		var err error
		if d, err = a.newDevice(ctx, u); err != nil {
			return nil, err
		}
		a.s.known.devices[u.DeviceKey] = d
	}
	if d.state == halley.DeviceNew && u.Admission != storage.Announce {
		return d, a.admit(ctx, d, u)
	}
	return d, nil
}

// newDevice makes a device that nobody has heard of, in the state new.
func (a *appender) newDevice(ctx context.Context, u *storage.Upload) (*device, error) {
	id, err := a.addDevice(ctx, u.DeviceKey, u.ReceivedAt)
	if err != nil {
		return nil, err
	}
	d := &device{
		id: id, key: u.DeviceKey,
		description: description{state: halley.DeviceNew, model: u.Model, self: u.Name},
	}
	a.out.DevicesChanged = true
	if u.Admission != storage.Announce {
		// It is accepted in the same breath and gets its first description there.
		return d, nil
	}
	auditID, err := a.audit(ctx, halley.AuditEntry{
		Change: a.byPolicy(""), What: "device.announce", On: onDevice(id), New: asJSON(map[string]any{"state": d.state}),
	})
	if err != nil {
		return nil, err
	}
	a.describe(d, u.ReceivedAt, auditID)
	return d, nil
}

// admit accepts a device that is new.
func (a *appender) admit(ctx context.Context, d *device, u *storage.Upload) error {
	why, old := "", ""
	if u.Admission == storage.Known {
		why = "it was accepted before; this store had lost that"
	}
	if d.number > 0 {
		old = asJSON(map[string]any{"state": d.state})
	}
	auditID, err := a.accept(ctx, d, acceptance{entry: halley.AuditEntry{
		Change: a.byPolicy(why), What: "device.accept", On: onDevice(d.id),
		Old: old, New: asJSON(map[string]any{"state": halley.DeviceAccepted}),
	}})
	if err != nil {
		return err
	}
	a.out.DevicesChanged = true
	a.describe(d, u.ReceivedAt, auditID)
	return nil
}

// byPolicy is a change that no person made.
func (a *appender) byPolicy(why string) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "policy", Name: "accept"}, At: a.b.RecordedAt, Why: why}
}

// selfReport takes over what the device says of itself, unless the upload is older than what was heard last. An empty text
// says nothing.
func (a *appender) selfReport(d *device, u *storage.Upload) {
	model, self := d.model, d.self
	if u.Model != "" {
		model = u.Model
	}
	if u.Name != "" {
		self = u.Name
	}
	if model == d.model && self == d.self {
		return
	}
	newest := halley.Millis(0)
	for i := range u.Messages {
		newest = max(newest, u.Messages[i].MeasuredAt(u.ReceivedAt))
	}
	if newest < d.newest && len(u.Messages) > 0 {
		return
	}
	d.model, d.self = model, self
	a.out.DevicesChanged = true
	a.describe(d, u.ReceivedAt, 0)
}
