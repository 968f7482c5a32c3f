// Package release brings uploads out of quarantine: when a device has been accepted, what it sent before is appended to the
// journal and comes the same way as everything else.
package release

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/server/journal"
	"halley/server/quarantine"
	"halley/storage"
)

// pageUploads is how many uploads are read at a time.
const pageUploads = 200

// atOnce is how many uploads are on their way to the journal at one time.
const atOnce = 64

// Devices says how devices stand.
type Devices interface {
	Device(key halley.DeviceKey) (halley.Device, bool)
}

// Journal takes what is released.
type Journal interface {
	Append(ctx context.Context, e journal.Entry) (journal.Entry, error)
}

// Quarantine holds what may be released.
type Quarantine interface {
	Held() map[halley.DeviceKey]quarantine.Held
	Uploads(ctx context.Context, key halley.DeviceKey, after int64, limit int) ([]quarantine.Upload, error)
	Remove(ctx context.Context, uploads []quarantine.Upload) error
}

// Releaser releases what the acceptance of a device settles.
type Releaser struct {
	Devices    Devices
	Journal    Journal
	Quarantine Quarantine
	// Deliver is told of each entry after it is durable.
	Deliver func(journal.Entry)
	Log     *slog.Logger
	// one keeps two releases from journaling the same upload, which would count it as a duplicate that its device never sent.
	one sync.Mutex
}

// Settle looks through the quarantine once. It may be repeated and interrupted at any point: an upload that is appended twice
// is stored once, by its identity.
func (r *Releaser) Settle(ctx context.Context) error {
	for key, held := range r.Quarantine.Held() {
		if !settled(held) {
			continue
		}
		if d, ok := r.Devices.Device(key); !ok || d.State != halley.DeviceAccepted {
			continue
		}
		if _, err := r.device(ctx, key, quarantine.Reason.ReleasedByAcceptance); err != nil {
			return fmt.Errorf("releasing the uploads of an accepted device: %w", err)
		}
	}
	return nil
}

// Release brings out what a person decided to trust: all that is kept of an accepted device and can be read. It gives how many
// uploads that were. Conflict where the device is not accepted.
func (r *Releaser) Release(ctx context.Context, key halley.DeviceKey) (int, error) {
	if d, ok := r.Devices.Device(key); !ok || d.State != halley.DeviceAccepted {
		return 0, NotAccepted()
	}
	return r.device(ctx, key, quarantine.Reason.Releasable)
}

// NotAccepted says that what is kept of a device that nobody has accepted cannot be recorded.
func NotAccepted() error {
	return &halley.Error{
		Kind: halley.Conflict, Op: "record what lies in quarantine", Code: "device-not-accepted", Message: "accept the device first",
	}
}

// settled says whether the acceptance of its device settles some of what is held.
func settled(h quarantine.Held) bool {
	for reason := range h.Reasons {
		if reason.ReleasedByAcceptance() {
			return true
		}
	}
	return false
}

// device releases what is kept of a device for these reasons.
func (r *Releaser) device(ctx context.Context, key halley.DeviceKey, which func(quarantine.Reason) bool) (released int, err error) {
	r.one.Lock()
	defer r.one.Unlock()
	for after := int64(0); ; {
		page, err := r.Quarantine.Uploads(ctx, key, after, pageUploads)
		if err != nil {
			return released, err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].ID
		page = slices.DeleteFunc(page, func(u quarantine.Upload) bool { return !which(u.Reason) })
		if err := r.append(ctx, page); err != nil {
			return released, err
		}
		if err := r.Quarantine.Remove(ctx, page); err != nil {
			return released, err
		}
		released += len(page)
	}
	r.Log.Info("uploads of an accepted device left quarantine", "serial", key.Serial, "uploads", released)
	return released, nil
}

// append journals a page of uploads; those that are on their way at one time share a flush.
func (r *Releaser) append(ctx context.Context, page []quarantine.Upload) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, u := range page {
		g.Go(func() error {
			e, err := r.Journal.Append(ctx, journal.Entry{
				Kind: journal.Release, Family: u.Key.Family, Serial: u.Key.Serial, Admission: uint8(storage.Known),
				OriginalMicros: u.ReceivedMicros, OriginalSeq: u.Seq, Body: u.Body,
			})
			if err != nil {
				return err
			}
			r.Deliver(e)
			return nil
		})
	}
	return g.Wait()
}
