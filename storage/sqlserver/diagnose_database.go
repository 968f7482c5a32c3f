package sqlserver

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

const (
	selectVersion = `SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))`

	selectUpdateable = `SELECT CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS nvarchar(128))`

	selectJSON = `SELECT COUNT(*) FROM OPENJSON(N'[1]')`

	selectSnapshots = `SELECT CAST(is_read_committed_snapshot_on AS int) FROM sys.databases WHERE database_id = DB_ID()`

	// NULL where there is no such table for this login.
	selectRight = `SELECT COALESCE(HAS_PERMS_BY_NAME(@object, 'OBJECT', @right), 0)`
)

// engine looks at what serves the database and how the database is set up. Nothing of it depends on another part, so that all is
// told at once.
func (d *diagnosis) engine(ctx context.Context) bool {
	ok := d.version(ctx)
	ok = d.updateable(ctx) && ok
	ok = d.settings(ctx) && ok
	d.size(ctx)
	return ok
}

func (d *diagnosis) version(ctx context.Context) bool {
	text, _, err := describeEngine(ctx, d.db)
	if err != nil {
		return d.fail(mapError("ask for the version", err))
	}
	var version sql.NullString
	if err := d.db.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return d.fail(mapError("ask for the version", err))
	}
	if !isSupported(version.String) {
		d.add(Noted, "the server is "+printable(text), "Halley is made for SQL Server 2016 SP1 (13.0.4001) and newer.")
		return true
	}
	d.add(Passed, "the server is "+printable(text))
	return true
}

// isSupported says whether a version is 2016 SP1 or newer.
func isSupported(version string) bool {
	const major, build = 13, 4001
	parts := strings.Split(version, ".")
	if len(parts) < 3 {
		return false
	}
	m, errMajor := strconv.Atoi(parts[0])
	b, errBuild := strconv.Atoi(parts[2])
	return errMajor == nil && errBuild == nil && (m > major || m == major && b >= build)
}

func (d *diagnosis) updateable(ctx context.Context) bool {
	var word sql.NullString
	if err := d.db.QueryRowContext(ctx, selectUpdateable).Scan(&word); err != nil {
		return d.fail(mapError("ask whether the database can be written", err))
	}
	if word.String == "READ_ONLY" {
		d.add(Failed, "the database can only be read",
			"Connect to the listener of the availability group, or to the replica that is the primary one.",
			"Or allow changes: ALTER DATABASE "+d.databaseName()+" SET READ_WRITE")
		return false
	}
	return true
}

func (d *diagnosis) settings(ctx context.Context) bool {
	var one int
	if err := d.db.QueryRowContext(ctx, selectJSON).Scan(&one); err != nil {
		d.add(Failed, "the database behaves as an older SQL Server than 2016",
			"Run: ALTER DATABASE "+d.databaseName()+" SET COMPATIBILITY_LEVEL = 130")
		return false
	}
	var snapshots int
	switch err := d.db.QueryRowContext(ctx, selectSnapshots).Scan(&snapshots); {
	case err != nil:
		d.add(Noted, "this login may not see how the database is set up")
	case snapshots == 0:
		d.add(Noted, "whoever reads waits for the one that writes (READ_COMMITTED_SNAPSHOT is off)",
			"Run while nobody uses the database: ALTER DATABASE "+d.databaseName()+" SET READ_COMMITTED_SNAPSHOT ON")
	default:
		d.add(Passed, "whoever reads need not wait for the one that writes (READ_COMMITTED_SNAPSHOT is on)")
	}
	return true
}

func (d *diagnosis) size(ctx context.Context) {
	m, err := measure(ctx, d.db)
	if err != nil {
		d.add(Noted, "this login may not see how large the database is")
		return
	}
	const mebi = 1 << 20
	text := fmt.Sprintf("the database takes %d MiB", m.Bytes/mebi)
	if m.LimitBytes == 0 {
		d.add(Passed, text)
		return
	}
	text += fmt.Sprintf(" of at most %d MiB (%s)", m.LimitBytes/mebi, map[string]string{
		"edition": "this edition of SQL Server", "file-size": "the size that its files may grow to",
	}[m.Limit])
	const almost = 90
	if m.Bytes > m.LimitBytes/100*almost {
		d.add(Noted, text, "Make room before it is full: a larger edition or larger files.")
		return
	}
	d.add(Passed, text)
}

// databaseName is quoted, for a statement.
func (d *diagnosis) databaseName() string { return quoteName(d.target.config.Database) }

// schema looks at the tables of Halley and at the rights of this login on them.
func (d *diagnosis) schema(ctx context.Context) bool {
	number, err := ready(ctx, d.db)
	if err != nil {
		return d.fail(mapError("read the schema", err))
	}
	d.add(Passed, fmt.Sprintf("the tables are there and of this version (schema %d)", number))
	return d.rights(ctx)
}

func (d *diagnosis) rights(ctx context.Context) bool {
	var missing []string
	for _, want := range []struct {
		right  string
		tables []string
	}{{"SELECT", tables()}, {"INSERT", addable()}, {"UPDATE", derived()}, {"DELETE", derived()}} {
		for _, table := range want.tables {
			var has int
			err := d.db.QueryRowContext(ctx, selectRight, sql.Named("object", schemaPrefix+table), sql.Named("right", want.right)).Scan(&has)
			if err != nil {
				d.add(Noted, "the rights of this login on the tables could not be asked")
				return true
			}
			if has == 0 {
				missing = append(missing, want.right+" on "+schemaPrefix+table)
			}
		}
	}
	if len(missing) == 0 {
		d.add(Passed, "this login has all rights that the server needs")
		return true
	}
	const most = 3
	text := "this login lacks rights: " + strings.Join(missing[:min(most, len(missing))], ", ")
	if more := len(missing) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return d.failed(CodePermission, text)
}
