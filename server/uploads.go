package server

import (
	"context"
	"fmt"

	"halley"
	"halley/server/quarantine"
	"halley/server/release"
)

// RawUpload is an upload as a device sent it, with its secrets replaced.
type RawUpload struct {
	// ID is that of the quarantine; 0 for an upload that is not kept there.
	ID         int64
	Family     halley.Family
	ReceivedAt halley.Millis
	// Bytes is the length as received.
	Bytes int
	Body  []byte
	// Reason is empty for an upload that is trusted; Note says more about it.
	Reason quarantine.Reason
	Note   string
}

// LastUpload gives the last upload of a device as received: the newest that is trusted or, of a device that has none, the
// newest in quarantine. NotFound where there is neither.
func (s *Server) LastUpload(ctx context.Context, key halley.DeviceKey) (RawUpload, error) {
	if m, _, ok := s.live.Newest(key); ok && m.Seq != 0 {
		e, err := s.journal.Entry(ctx, m.Seq)
		if err == nil {
			return RawUpload{Family: key.Family, ReceivedAt: e.ReceivedAt(), Bytes: len(e.Body), Body: s.redact(key.Family, e.Body)}, nil
		}
		if halley.KindOf(err) != halley.NotFound {
			return RawUpload{}, err
		}
	}
	u, err := s.held.Newest(ctx, key)
	if err != nil {
		return RawUpload{}, err
	}
	return s.quarantined(u), nil
}

// Quarantined lists what is kept of a device in quarantine, behind the id after.
func (s *Server) Quarantined(ctx context.Context, key halley.DeviceKey, after int64, limit int) ([]RawUpload, error) {
	list, err := s.held.Uploads(ctx, key, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]RawUpload, len(list))
	for i, u := range list {
		out[i] = s.quarantined(u)
	}
	return out, nil
}

// Release has what is kept of an accepted device recorded, as a person decided; what cannot be read stays. The act is audited
// before it is done. Conflict where the device is not accepted.
func (s *Server) Release(ctx context.Context, d halley.Device, c halley.Change) error {
	if d.State != halley.DeviceAccepted {
		return release.NotAccepted()
	}
	held := s.held.Held()[d.DeviceKey]
	err := s.NoteAudit(ctx, halley.AuditEntry{
		Change: c, What: "quarantine.release", On: fmt.Sprintf("device %d", d.ID), Old: fmt.Sprintf(`{"uploads":%d}`, held.Uploads),
	})
	if err != nil {
		return err
	}
	_, err = s.releaser.Release(ctx, d.DeviceKey)
	return err
}

// Held says what is kept in quarantine, by device.
func (s *Server) Held() map[halley.DeviceKey]quarantine.Held { return s.held.Held() }

// FirstValues gives the readings of the first message that is kept of a device, for a person who decides about it. It is empty
// where nothing can be read.
func (s *Server) FirstValues(ctx context.Context, key halley.DeviceKey) ([]halley.Reading, error) {
	list, err := s.held.Uploads(ctx, key, 0, 1)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	family := s.opts.Families.Family(key.Family)
	if family == nil {
		return nil, nil
	}
	up, err := family.Decode(list[0].Body)
	if err != nil || len(up.Messages) == 0 {
		return nil, nil //nolint:nilerr // what cannot be read has no values; its reason is shown beside it
	}
	return up.Messages[0].Readings, nil
}

// Unrecognized gives how many bodies could not be read since the start, and the last of them, newest first.
func (s *Server) Unrecognized() (int64, []RawUpload) {
	count, list := s.intake.Unrecognized()
	out := make([]RawUpload, len(list))
	for i, u := range list {
		out[i] = RawUpload{ReceivedAt: u.ReceivedAt, Bytes: u.Bytes, Body: u.Body, Note: u.Why}
	}
	return count, out
}

func (s *Server) quarantined(u quarantine.Upload) RawUpload {
	return RawUpload{
		ID: u.ID, Family: u.Key.Family, ReceivedAt: halley.Millis(u.ReceivedMicros / 1000), Bytes: len(u.Body),
		Body: s.redact(u.Key.Family, u.Body), Reason: u.Reason, Note: u.Note,
	}
}

func (s *Server) redact(f halley.Family, body []byte) []byte {
	if family := s.opts.Families.Family(f); family != nil {
		return family.Redact(body)
	}
	return body
}
