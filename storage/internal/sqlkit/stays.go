package sqlkit

import (
	"context"

	"halley"
)

const (
	// selectAllAttachments reads attachments as they are; a series that is not named is the channel's own.
	selectAllAttachments = `
SELECT attachment_id, channel_id, COALESCE(place_id, 0), from_at,
       CASE WHEN place_id IS NULL THEN 0 ELSE COALESCE(series, channel_id) END
  FROM attachment
 WHERE attachment_id > @after
 ORDER BY attachment_id`

	// The dialect's list of devices stands between the two.
	selectStays = `
SELECT a.attachment_id, a.channel_id, COALESCE(a.place_id, 0), a.from_at,
       CASE WHEN a.place_id IS NULL THEN 0 ELSE COALESCE(a.series, a.channel_id) END
  FROM `
	fromStays = ` l
  JOIN channel c ON c.device_id = CAST(l.value AS bigint)
  JOIN attachment a ON a.channel_id = c.channel_id
 ORDER BY a.channel_id, a.from_at, a.attachment_id`

	// selectLastAt reads the channels whose newest attachment is at a place.
	selectLastAt = `
SELECT a.channel_id, c.device_id, COALESCE(a.series, a.channel_id)
  FROM attachment a
  JOIN channel c ON c.channel_id = a.channel_id
 WHERE a.place_id = @place
   AND NOT EXISTS (SELECT 1 FROM attachment n
                    WHERE n.channel_id = a.channel_id
                      AND (n.from_at > a.from_at OR n.from_at = a.from_at AND n.attachment_id > a.attachment_id))
 ORDER BY a.channel_id`
)

func attachmentScan(scan func(...any) error) (halley.Attachment, error) {
	var a halley.Attachment
	err := scan(&a.ID, &a.ChannelID, &a.PlaceID, &a.From, &a.Series)
	return a, err
}

// AllAttachments lists attachments with ids above after, by id, at most limit.
func (s *Store) AllAttachments(ctx context.Context, after int64, limit int) ([]halley.Attachment, error) {
	list := []halley.Attachment{}
	err := s.query(ctx, func(scan func(...any) error) error {
		a, err := attachmentScan(scan)
		list = append(list, a)
		return err
	}, selectAllAttachments+s.dialect.Limit, args("after", after, "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("list what is attached", err)
	}
	return list, nil
}

// stays are the attachments of channels, each channel's by From, then age.
type stays map[halley.ChannelID][]halley.Attachment

// stays reads where the channels of some devices were and are.
func (c *change) stays(ctx context.Context, devices ...halley.DeviceID) (stays, error) {
	// What was gathered is to be found too.
	if err := c.writeFacts(ctx); err != nil {
		return nil, err
	}
	s := stays{}
	err := c.each(ctx, func(scan func(...any) error) error {
		a, err := attachmentScan(scan)
		s[a.ChannelID] = append(s[a.ChannelID], a)
		return err
	}, selectStays+c.s.dialect.List+fromStays, args("list", numbers(devices))...)
	return s, err
}

// last gives where a channel is in the end; the zero Attachment where it never was anywhere.
func (s stays) last(ch halley.ChannelID) halley.Attachment {
	if n := len(s[ch]); n > 0 {
		return s[ch][n-1]
	}
	return halley.Attachment{}
}

// at gives where a channel is at an instant.
func (s stays) at(ch halley.ChannelID, at halley.Millis) halley.Attachment {
	var found halley.Attachment
	for _, a := range s[ch] {
		if a.From <= at {
			found = a
		}
	}
	return found
}

// put takes over a new attachment, which is the channel's last.
func (s stays) put(a halley.Attachment) { s[a.ChannelID] = append(s[a.ChannelID], a) }

// inhabitant is a channel whose newest attachment is at a place.
type inhabitant struct {
	channel, series halley.ChannelID
	device          halley.DeviceID
}

func (c *change) inhabitants(ctx context.Context, place halley.PlaceID) ([]inhabitant, error) {
	var list []inhabitant
	err := c.each(ctx, func(scan func(...any) error) error {
		var i inhabitant
		err := scan(&i.channel, &i.device, &i.series)
		list = append(list, i)
		return err
	}, selectLastAt, args("place", int64(place))...)
	return list, err
}

// attachedTo says whether a channel that has not ended is at a place.
func (c *change) attachedTo(ctx context.Context, place halley.PlaceID) (bool, error) {
	list, err := c.inhabitants(ctx, place)
	if err != nil || len(list) == 0 {
		return false, err
	}
	open, err := c.openOf(ctx, list)
	return len(open) > 0, err
}

// openOf gives those of the channels that have not ended.
func (c *change) openOf(ctx context.Context, list []inhabitant) ([]inhabitant, error) {
	ids := make([]halley.DeviceID, 0, len(list))
	for _, i := range list {
		ids = append(ids, i.device)
	}
	devices, err := c.devicesByID(ctx, ascending(ids))
	if err != nil {
		return nil, err
	}
	var open []inhabitant
	for _, i := range list {
		if d := devices[i.device]; d != nil && d.isOpen(i.channel) {
			open = append(open, i)
		}
	}
	return open, nil
}

// attachAt adds an attachment and gives it with its id. An audit id of 0 is none.
func (c *change) attachAt(ctx context.Context, a halley.Attachment, auditID int64) (halley.Attachment, error) {
	var err error
	if a.ID, err = c.nextID(ctx, "attachment"); err != nil {
		return a, err
	}
	switch {
	case a.PlaceID == 0:
		a.Series = 0
	case a.Series == 0:
		a.Series = a.ChannelID
	}
	series := orNull(int64(a.Series))
	if a.Series == a.ChannelID {
		series = none
	}
	c.add(factAttachment, a.ID, int64(a.ChannelID), int64(a.From), orNull(int64(a.PlaceID)), orNull(auditID), series)
	return a, nil
}
