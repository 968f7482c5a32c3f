package sqlkit

import (
	"context"
	"crypto/ed25519"
	"strings"

	"halley"
	"halley/storage/ledger"
)

const (
	selectCheckpoints = `SELECT checkpoint_id, node, at, kind, key_id, body, signature FROM "checkpoint"`

	selectNewestCheckpoint = selectCheckpoints + `
 WHERE checkpoint_id = (SELECT MAX(n.checkpoint_id) FROM "checkpoint" n WHERE n.node = @node)`

	selectLedgerKeys = "SELECT key_id, node, public_key, created_at FROM ledger_key ORDER BY node, created_at, ledger_key_id"

	selectTombstones = `
SELECT tombstone_id, from_day, to_day, at, proposed_by, carried_out_by, why, key_id, body, signature FROM tombstone
 ORDER BY tombstone_id`

	// Each of these is one seek.
	selectNextNode = "SELECT COALESCE(MIN(node), '') FROM batch WHERE node > @after"

	selectNodeHead = `
SELECT batch_id, digest FROM batch WHERE batch_id = (SELECT MAX(n.batch_id) FROM batch n WHERE n.node = @node)`
)

// checkpointColumns are those of checkpoint.
var checkpointColumns = strings.Fields("checkpoint_id node at kind key_id body signature")

func scanCheckpoint(scan func(...any) error) (ledger.Checkpoint, error) {
	var c ledger.Checkpoint
	err := scan(&c.ID, &c.Node, &c.At, &c.Kind, &c.KeyID, &c.Body, &c.Signature)
	return c, err
}

// Checkpoints lists checkpoints with an id above after, ascending.
func (s *Store) Checkpoints(ctx context.Context, after int64, limit int) ([]ledger.Checkpoint, error) {
	list := []ledger.Checkpoint{}
	err := s.query(ctx, func(scan func(...any) error) error {
		c, err := scanCheckpoint(scan)
		list = append(list, c)
		return err
	}, selectCheckpoints+" WHERE checkpoint_id > @after ORDER BY checkpoint_id"+s.dialect.Limit,
		args("after", after, "limit", max(limit, 1))...)
	if err != nil {
		return nil, s.fail("read checkpoints", err)
	}
	return list, nil
}

// NewestCheckpoint gives the newest checkpoint of a node.
func (s *Store) NewestCheckpoint(ctx context.Context, node string) (c ledger.Checkpoint, found bool, err error) {
	err = s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		c, err = scanCheckpoint(scan)
		return err
	}, selectNewestCheckpoint, args("node", node)...)
	return c, found, s.fail("read the newest checkpoint", err)
}

// AddCheckpoint adds a checkpoint.
func (s *Store) AddCheckpoint(ctx context.Context, c ledger.Checkpoint) (id int64, err error) {
	const op = "add a checkpoint"
	if c.Node == "" || badText(c.Node, maxText) != "" || c.Kind == "" || badText(c.Kind, maxSerial) != "" || c.KeyID == "" ||
		badText(c.KeyID, maxSerial) != "" || !c.At.Storable() || len(c.Body) == 0 || len(c.Signature) == 0 {
		return 0, &halley.Error{Kind: halley.Invalid, Op: op, Message: "a checkpoint needs a node, a time, a kind, a key and a signed text"}
	}
	err = s.write(ctx, op, func(ctx context.Context, ch *change) error {
		if id, err = ch.nextID(ctx, "checkpoint"); err != nil {
			return err
		}
		return ch.insert(ctx, "checkpoint", checkpointColumns, []any{id, c.Node, int64(c.At), c.Kind, c.KeyID, c.Body, c.Signature})
	})
	return id, err
}

// LedgerKeys lists the keys that the store knows, by node, then time.
func (s *Store) LedgerKeys(ctx context.Context) ([]ledger.Key, error) {
	list := []ledger.Key{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var k ledger.Key
		err := scan(&k.ID, &k.Node, &k.Public, &k.CreatedAt)
		list = append(list, k)
		return err
	}, selectLedgerKeys)
	if err != nil {
		return nil, s.fail("list the ledger's keys", err)
	}
	return list, nil
}

// AddLedgerKey adds a key with an audit row, where none of this id is there.
func (s *Store) AddLedgerKey(ctx context.Context, k ledger.Key, ch halley.Change) error {
	const op = "add a key of the ledger"
	if err := validChange(op, ch); err != nil {
		return err
	}
	if k.ID == "" || badText(k.ID, maxSerial) != "" || k.Node == "" || badText(k.Node, maxText) != "" || !k.CreatedAt.Storable() ||
		len(k.Public) != ed25519.PublicKeySize {
		return &halley.Error{Kind: halley.Invalid, Op: op, Message: "a key needs an id, a node, a time and its public part"}
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		var there int64
		_, err := c.one(ctx, []any{&there}, "SELECT COUNT(*) FROM ledger_key WHERE key_id = @key", args("key", k.ID)...)
		if err != nil || there > 0 {
			return err
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "ledger.key", On: "key " + k.ID, New: asJSON(map[string]any{"node": k.Node}),
		})
		if err != nil {
			return err
		}
		id, err := c.nextID(ctx, "ledger_key")
		if err == nil {
			c.add(factLedgerKey, id, k.ID, k.Node, k.Public, int64(k.CreatedAt), auditID)
		}
		return err
	})
}

// Tombstones lists what retention removed, by id.
func (s *Store) Tombstones(ctx context.Context) ([]ledger.Tombstone, error) {
	list := []ledger.Tombstone{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var t ledger.Tombstone
		err := scan(&t.ID, &t.FromDay, &t.ToDay, &t.At, &t.ProposedBy, &t.CarriedOutBy, &t.Why, &t.KeyID, &t.Body, &t.Signature)
		list = append(list, t)
		return err
	}, selectTombstones)
	if err != nil {
		return nil, s.fail("list tombstones", err)
	}
	return list, nil
}

// LedgerHeads gives the ends of all chains, read one after the other: what is added meanwhile may be in the one and not in the other,
// and each was the end when it was read.
func (s *Store) LedgerHeads(ctx context.Context) (ledger.Heads, error) {
	const op = "read the ends of the ledger"
	var h ledger.Heads
	var digest []byte
	if _, err := s.one(ctx, []any{&h.Fact.ID, &digest}, selectFactHead); err != nil {
		return h, s.fail(op, err)
	}
	h.Fact.Digest = digestOf(digest)
	for node := ""; ; {
		if _, err := s.one(ctx, []any{&node}, selectNextNode, args("after", node)...); err != nil || node == "" {
			return h, s.fail(op, err)
		}
		head := ledger.Head{Node: node}
		if _, err := s.one(ctx, []any{&head.ID, &digest}, selectNodeHead, args("node", node)...); err != nil {
			return h, s.fail(op, err)
		}
		if digest != nil {
			head.Digest = digestOf(digest)
			h.Batches = append(h.Batches, head)
		}
		digest = nil
	}
}
