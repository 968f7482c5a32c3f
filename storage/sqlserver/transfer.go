package sqlserver

import (
	"context"
	"database/sql"
	"fmt"

	"halley/storage"
	"halley/storage/internal/sqlkit"
)

// ImportRows adds the rows of another store whose keys are absent, in one transaction. With mark it also marks the rollups of the
// periods that rows of message fall into.
func (s *Store) ImportRows(ctx context.Context, t storage.TransferTable, rows [][]any, mark bool) (added int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	var marks [][]any
	if mark {
		marks = rows
	}
	err = s.Exclusively(ctx, marks, func(ctx context.Context, conn *sql.Conn) error {
		b := &bulk{conn: conn, staged: map[string]bool{}}
		var err error
		added, err = b.bringIn(ctx, t, rows)
		return err
	})
	return added, err
}

// bringIn copies rows through a table of the session into the table, leaving out those whose keys are there.
func (b *bulk) bringIn(ctx context.Context, t storage.TransferTable, rows [][]any) (int64, error) {
	if err := b.stage(ctx, t.Name, t.Columns); err != nil {
		return 0, err
	}
	if err := b.copyAll(ctx, "#"+t.Name, t.Columns, rows); err != nil {
		return 0, fmt.Errorf("copying rows of %s: %w", t.Name, err)
	}
	return b.affect(ctx, insertFrom(sqlkit.Spec{Name: t.Name, Columns: t.Columns, Key: t.Key, Repeat: sqlkit.Keep}, "#"+t.Name))
}

// Interface guard.
var _ storage.Importer = (*Store)(nil)
