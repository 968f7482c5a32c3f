package sqlserver

import (
	"context"
	"database/sql"
	"fmt"

	"halley"
)

const opRemove = "remove samples"

const selectMayRemove = `
SELECT COALESCE(HAS_PERMS_BY_NAME(N'halley.tombstone', 'OBJECT', 'INSERT'), 0), COALESCE(HAS_PERMS_BY_NAME(N'halley.message', 'OBJECT', 'DELETE'), 0)`

// MayRemove says whether the login of the options may remove samples behind a tombstone, which the keeper's may and the service's
// may not. Forbidden where it may not.
func MayRemove(ctx context.Context, o Options) error {
	return o.administer(ctx, opRemove, "", func(ctx context.Context, conn *sql.Conn, _ string) error {
		var bury, remove int
		if err := conn.QueryRowContext(ctx, selectMayRemove).Scan(&bury, &remove); err != nil {
			return fmt.Errorf("asking for the rights of the login: %w", err)
		}
		if bury == 1 && remove == 1 {
			return nil
		}
		return &halley.Error{
			Kind: halley.Forbidden, Op: opRemove, Code: CodePermission,
			Message: "this login may not remove samples: name the database with --store and the keeper's login, a member of the role " +
				roleKeeper + " (docs/retention.md)",
		}
	})
}
