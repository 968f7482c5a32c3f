package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"halley"
	"halley/server/quarantine"
	"halley/storage"
)

// verdict is what is done with an upload.
type verdict struct {
	admission  storage.Admission
	quarantine quarantine.Reason
	entryPoint int64
	// reserved says that the quarantine's budget was asked for it.
	reserved bool
	// refuse means that the device is told "not stored" and nothing is kept.
	refuse bool
	// notUnderstood means that the body cannot be decoded and names no accepted device.
	notUnderstood bool
}

// judge decides on an upload that was decoded, or that could be decoded only so far.
func (in *Intake) judge(r *http.Request, up *halley.Upload, size int, decodeErr error) verdict {
	if up.Serial == "" {
		return verdict{notUnderstood: true}
	}
	device, known := in.opts.Devices.Device(up.DeviceKey)
	accepted := known && device.State == halley.DeviceAccepted
	if decodeErr != nil && !accepted {
		return verdict{notUnderstood: true}
	}
	if known && device.State == halley.DeviceRejected {
		return verdict{refuse: true}
	}
	v := verdict{admission: storage.Known}
	switch {
	case accepted:
		v.quarantine, v.entryPoint = in.prove(r.URL.Path, device, up)
		if v.quarantine == "" && decodeErr != nil {
			v.quarantine = quarantine.NotUnderstood
		}
		if v.quarantine == "" {
			v.quarantine = in.suspect(r, up, v.entryPoint != 0)
		}
	case known && device.State == halley.DeviceSuspended:
		v.quarantine = quarantine.Suspended
	case known && device.State == halley.DeviceRetired:
		v.quarantine = quarantine.Retired
	case in.opts.Policy == Any:
		v.admission = storage.Admit
		v.quarantine = in.suspect(r, up, false)
	default:
		v.quarantine = quarantine.NewDevice
	}
	return in.within(v, up.DeviceKey, size, accepted)
}

// within asks the quarantine's budget. What an accepted device sends is journaled in any case, for it must not be blocked by
// its own oldest message.
func (in *Intake) within(v verdict, key halley.DeviceKey, size int, accepted bool) verdict {
	if v.quarantine == "" {
		return v
	}
	v.admission = storage.Announce
	if accepted {
		return v
	}
	if !in.opts.RoomForUnknown() || !in.opts.Quarantine.Reserve(key, v.quarantine, size) {
		return verdict{refuse: true}
	}
	v.reserved = true
	return v
}

// prove says whether an accepted device proved itself as it must, and by which entry point.
func (in *Intake) prove(path string, device halley.Device, up *halley.Upload) (quarantine.Reason, int64) {
	var used int64
	if cr, ok := in.opts.Devices.EntryPoint(strings.TrimSuffix(path, "/")); ok {
		if cr.DeviceID != device.ID {
			return quarantine.WrongEntryPoint, 0
		}
		used = cr.ID
	} else if _, must := in.opts.Devices.HasCredential(device.ID, storage.EntryPoint); must {
		return quarantine.NoEntryPoint, 0
	}
	if key, must := in.opts.Devices.HasCredential(device.ID, storage.CustomerKey); must {
		sum := sha256.Sum256([]byte(up.CustomerKey.Reveal()))
		if subtle.ConstantTimeCompare(sum[:], key.Hash) != 1 {
			return quarantine.WrongCustomerKey, 0
		}
		used = key.ID
	}
	return "", used
}

// suspect looks for what cannot be right: a clock ahead of ours, two senders under one name, a flood.
func (in *Intake) suspect(r *http.Request, up *halley.Upload, proved bool) quarantine.Reason {
	now := time.Now()
	limit := halley.MillisOf(now.Add(in.opts.ClockAhead))
	direct := 0
	for i := range up.Messages {
		if up.Messages[i].MeasuredAt(halley.MillisOf(now)) > limit {
			return quarantine.ClockJump
		}
		if up.Messages[i].Cache <= 0 {
			direct++
		}
	}
	if !proved && up.Family != halley.Modem && in.senders.two(up.DeviceKey, r.RemoteAddr, now) {
		return quarantine.TwoSenders
	}
	if !in.pacer.allow(up.DeviceKey, direct, now) {
		return quarantine.TooFast
	}
	return ""
}
