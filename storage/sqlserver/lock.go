package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"halley"
)

const (
	// lockAppend is owned by the transaction and ends with it. The resource is named for the database, because not every engine
	// keeps the locks of its databases apart. A right that whoever writes needs is asked for along, because a login that may only
	// read gets other errors from other engines.
	lockAppend = `
DECLARE @r int;
DECLARE @name nvarchar(255) = N'halley-append ' + DB_NAME();
EXEC @r = sp_getapplock @Resource = @name, @LockMode = N'Exclusive', @LockOwner = N'Transaction', @LockTimeout = 25000;
SELECT @r, COALESCE(HAS_PERMS_BY_NAME(N'halley.fact', N'OBJECT', N'INSERT'), 0);`

	// The resource is named for the database, because the lock is taken in master too, before the database is there.
	lockPreparation = `
DECLARE @r int;
EXEC @r = sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 25000;
SELECT @r;`

	unlockPreparation = "EXEC sp_releaseapplock @Resource = @resource, @LockOwner = N'Session'"
)

// Both locks are waited for less long than the connection waits for an answer; whoever tries again does so on another
// connection or in another transaction. initWait is how long Init tries.
const initWait = 5 * time.Minute

// errTaken says that another init holds the lock.
var errTaken = errors.New("another halley init is changing the database")

// lockAppends keeps every other transaction that writes out until this one ends: those of the other servers on this database
// too.
func lockAppends(ctx context.Context, tx *sql.Tx) error {
	var answer, may int
	if err := tx.QueryRowContext(ctx, lockAppend).Scan(&answer, &may); err != nil {
		return fmt.Errorf("waiting for the other servers: %w", err)
	}
	switch {
	case may != 1:
		return &halley.Error{
			Kind: halley.Unavailable, Op: "write to the store", Code: CodePermission,
			Message: "the login may not record in the database: make it a member of the role " + roleService,
		}
	case answer >= 0:
		return nil
	}
	return &halley.Error{
		Kind: halley.Unavailable, Op: "write to the store", Code: CodeBusy,
		Message: fmt.Sprintf("another server of Halley writes to the database all the time (answer %d): it is tried again", answer),
	}
}

// lockInit keeps every other init of a database out until the given function is called or the connection ends; errTaken where
// another one is at it.
func lockInit(ctx context.Context, conn *sql.Conn, database string) (func(), error) {
	resource := sql.Named("resource", "halley-init "+database)
	var answer int
	if err := conn.QueryRowContext(ctx, lockPreparation, resource).Scan(&answer); err != nil {
		return nil, fmt.Errorf("waiting for another init: %w", err)
	}
	// 0 and 1 are a lock that was given.
	if answer < 0 {
		return nil, errTaken
	}
	return func() {
		// The connection is closed next, which frees the lock in any case.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), unlockPreparation, resource)
	}, nil
}
