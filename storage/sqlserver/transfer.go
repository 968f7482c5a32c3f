package sqlserver

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"halley/storage"
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
		b := &bulk{conn: conn}
		var err error
		added, err = b.bringIn(ctx, t, rows)
		return err
	})
	return added, err
}

// bringIn copies rows through a table of the session into the table, leaving out those whose keys are there.
func (b *bulk) bringIn(ctx context.Context, t storage.TransferTable, rows [][]any) (int64, error) {
	list := strings.Join(t.Columns, ", ")
	stage, table := "#transfer_"+t.Name, "halley.["+t.Name+"]"
	if _, err := b.conn.ExecContext(ctx, "IF OBJECT_ID(N'tempdb.."+stage+"') IS NULL SELECT TOP (0) "+list+
		" INTO "+stage+" FROM "+table+" ELSE TRUNCATE TABLE "+stage); err != nil {
		return 0, fmt.Errorf("making a table of the session for %s: %w", t.Name, err)
	}
	err := b.copyRows(ctx, stage, t.Columns, func(send func([]any) error) error {
		for _, row := range rows {
			if err := send(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("copying rows of %s: %w", t.Name, err)
	}
	same := make([]string, t.Key)
	for i, c := range t.Columns[:t.Key] {
		same[i] = "o." + c + " = s." + c
	}
	return b.affect(ctx, "INSERT INTO "+table+" ("+list+") SELECT "+list+" FROM "+stage+" s WHERE NOT EXISTS (SELECT 1 FROM "+
		table+" o WHERE "+strings.Join(same, " AND ")+")")
}

// Interface guard.
var _ storage.Importer = (*Store)(nil)
