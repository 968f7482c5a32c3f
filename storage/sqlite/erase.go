package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

const (
	// overwriteCheap has what is removed from a page written over where the page is written anyway. Every connection that writes has
	// it.
	overwriteCheap = "secure_delete(FAST)"
	// emptyingMillis is how long emptying the log waits for readers of an older state. Nobody writes meanwhile.
	emptyingMillis = 500
)

// erase has everything that is removed written over, whole pages too, until it is called with on false.
func erase(ctx context.Context, conn *sql.Conn, on bool) error {
	setting := "FAST"
	if on {
		setting = "ON"
	}
	var got int
	if err := conn.QueryRowContext(ctx, "PRAGMA secure_delete = "+setting).Scan(&got); err != nil {
		return fmt.Errorf("setting secure_delete: %w", err)
	}
	return nil
}

// emptyLog brings the log into the file and cuts it to nothing, for it holds pages as they were before. A long reader of an older
// state keeps it from that: the log is then written over as time goes by, at the latest when the store is closed.
func emptyLog(ctx context.Context, conn *sql.Conn) error {
	wait := func(millis int) error {
		var got int
		return conn.QueryRowContext(ctx, "PRAGMA busy_timeout = "+strconv.Itoa(millis)).Scan(&got)
	}
	if err := wait(emptyingMillis); err != nil {
		return fmt.Errorf("emptying the log: %w", err)
	}
	var busy, pages, moved int
	err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err := errors.Join(err, wait(busyMillis)); err != nil {
		return fmt.Errorf("emptying the log: %w", err)
	}
	return nil
}
