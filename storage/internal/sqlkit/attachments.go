package sqlkit

import (
	"cmp"
	"context"
	"slices"

	"halley"
	"halley/storage"
)

// selectAttachments reads all rows of the channels that ever were at a place, for each ends with its channel's next.
const selectAttachments = `
SELECT a.channel_id, c.device_id, a.from_at, COALESCE(a.place_id, 0)
  FROM attachment a
  JOIN channel c ON c.channel_id = a.channel_id
 WHERE a.channel_id IN (SELECT p.channel_id FROM attachment p WHERE p.place_id = @place)
 ORDER BY a.channel_id, a.from_at, a.attachment_id`

// Attachments lists the channels that were at a place in [from, to), by from, then channel.
func (s *Store) Attachments(ctx context.Context, place halley.PlaceID, from, to halley.Millis) ([]storage.Attachment, error) {
	var all []storage.Attachment
	err := s.query(ctx, func(scan func(...any) error) error {
		a := storage.Attachment{To: halley.LatestMillis}
		if err := scan(&a.Channel, &a.Device, &a.From, &a.Place); err != nil {
			return err
		}
		if n := len(all); n > 0 && all[n-1].Channel == a.Channel {
			all[n-1].To = a.From
		}
		all = append(all, a)
		return nil
	}, selectAttachments, args("place", int64(place))...)
	if err != nil {
		return nil, s.fail("list what was at a place", err)
	}
	list := []storage.Attachment{}
	for _, a := range all {
		if a.Place == place && a.From < a.To && a.From < to && a.To > from {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(x, y storage.Attachment) int {
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.Channel, y.Channel))
	})
	return list, nil
}
