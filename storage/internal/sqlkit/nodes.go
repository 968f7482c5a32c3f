package sqlkit

import (
	"context"

	"halley"
	"halley/storage"
)

const (
	updateNode = `
UPDATE node
   SET holder = @holder, version = @version, waiting = @waiting, oldest_waiting = @oldest, seen_at = @now
 WHERE node = @node AND journal_id = @journal`

	insertNode = `
INSERT INTO node (node, journal_id, holder, version, waiting, oldest_waiting, first_seen_at, seen_at)
VALUES (@node, @journal, @holder, @version, @waiting, @oldest, @now, @now)`

	selectNodes = `
SELECT node, journal_id, holder, version, waiting, oldest_waiting, first_seen_at, seen_at
  FROM node
 ORDER BY node, journal_id`
)

// Attend says that a node is there now and gives all that were ever there.
func (s *Store) Attend(ctx context.Context, n storage.Node) ([]storage.Node, error) {
	const op = "say that this server is there"
	if err := validNode(op, &n); err != nil {
		return nil, err
	}
	list := []storage.Node{}
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		var now halley.Millis
		if _, err := c.one(ctx, []any{&now}, "SELECT "+s.dialect.Now); err != nil {
			return err
		}
		row := args("node", n.Name, "journal", n.JournalID, "holder", n.Holder, "version", n.Version, "waiting", n.Waiting,
			"oldest", int64(n.OldestWaiting), "now", int64(now))
		changed, err := c.affect(ctx, updateNode, row...)
		if err == nil && changed == 0 {
			err = c.exec(ctx, insertNode, row...)
		}
		if err != nil {
			return err
		}
		return c.each(ctx, func(scan func(...any) error) error {
			var o storage.Node
			err := scan(&o.Name, &o.JournalID, &o.Holder, &o.Version, &o.Waiting, &o.OldestWaiting, &o.FirstSeenAt, &o.SeenAt)
			o.AgeMillis = max(int64(now-o.SeenAt), 0)
			list = append(list, o)
			return err
		}, selectNodes)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func validNode(op string, n *storage.Node) error {
	for _, f := range []struct {
		field, text string
		needed      bool
	}{
		{"node", n.Name, true}, {"journal", n.JournalID, true}, {"holder", n.Holder, false}, {"version", n.Version, false},
	} {
		if f.needed && f.text == "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Field: f.field, Message: "a server has a name and a journal"}
		}
		if why := badText(f.text, maxText); why != "" {
			return &halley.Error{Kind: halley.Invalid, Op: op, Field: f.field, Message: why}
		}
	}
	if n.Waiting < 0 || n.OldestWaiting != 0 && !n.OldestWaiting.Storable() {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "waiting", Message: "what waits is a number and a time"}
	}
	return nil
}
