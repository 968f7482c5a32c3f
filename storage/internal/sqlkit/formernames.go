package sqlkit

import (
	"context"

	"halley"
)

// selectFormerNames reads the dated names of channels that were attached more than once and called more than one thing. Most channels are
// neither: they stay where they are and keep their name.
const selectFormerNames = `
SELECT x.channel_id, x.from_at, x.name, x.decimals
  FROM channel_description x
 WHERE (x.channel_id > @channel OR x.channel_id = @channel AND x.from_at > @from)
   AND EXISTS (SELECT 1 FROM channel_description y WHERE y.channel_id = x.channel_id AND y.from_at <> x.from_at)
   AND x.channel_id IN (SELECT a.channel_id FROM attachment a GROUP BY a.channel_id HAVING COUNT(*) > 1)
 ORDER BY x.channel_id, x.from_at`

// FormerChannelNames lists what the channels are and were called that may have been elsewhere under another name.
func (s *Store) FormerChannelNames(ctx context.Context, after halley.ChannelName, limit int) ([]halley.ChannelName, error) {
	list := []halley.ChannelName{}
	w := words{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var n halley.ChannelName
		err := scan(&n.ChannelID, &n.From, &n.Name, &n.Decimals)
		n.Name = w.one(n.Name)
		list = append(list, n)
		return err
	}, selectFormerNames+s.dialect.Limit, args("channel", int64(after.ChannelID), "from", int64(after.From), "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("list what channels were called", err)
	}
	return list, nil
}
