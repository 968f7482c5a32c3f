package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"halley"
)

// ScratchPrefix begins the name of every database that a backup is restored into for trial.
const ScratchPrefix = "halley_drill_"

// maxFileName is how long the name of a backup file may be, in characters (documentation of BACKUP, "physical_device_name").
const maxFileName = 259

// undoTime bounds removing what a restore left half done.
const undoTime = 30 * time.Second

const (
	opBackup       = "back up the database"
	opVerifyBackup = "check the backup"
	opRestore      = "restore the database"
	opDropScratch  = "remove the database of a drill"
)

// OnDatabase gives the options for another database of the same server.
func (o Options) OnDatabase(name string) (Options, error) {
	if err := checkDatabaseName("name another database", name); err != nil {
		return Options{}, err
	}
	at, err := withDatabase(o.DSN, name)
	if err != nil {
		return Options{}, err
	}
	o.DSN = at
	if _, err := parse(o); err != nil {
		return Options{}, err
	}
	return o, nil
}

// withDatabase gives a DSN that names another database.
func withDatabase(dsn halley.Secret, name string) (halley.Secret, error) {
	if _, _, err := split(dsn); err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(dsn.Reveal()))
	if err != nil {
		return "", invalid("dsn", "this cannot be read")
	}
	query := u.Query()
	for key := range query {
		if strings.EqualFold(key, msdsn.Database) {
			query.Del(key)
		}
	}
	query.Set(msdsn.Database, name)
	u.RawQuery = query.Encode()
	return halley.Secret(u.String()), nil
}

// BackupDatabase has SQL Server write a backup of the whole database into a file, whose name is as SQL Server sees it: on the
// machine of SQL Server, or on a share that the account of its service may write to. What is there under this name is written
// over. The backup is consistent as of its end, holds checksums, stands beside the customer's own backups without disturbing them
// (COPY_ONLY), and is compressed where the edition can. It is not encrypted. It ends early with ctx. It needs the keeper's login.
//
// Forbidden where the login may not; Unavailable where SQL Server cannot write the file.
func BackupDatabase(ctx context.Context, o Options, file string) error {
	if err := checkFileName(opBackup, file); err != nil {
		return err
	}
	return o.administer(ctx, opBackup, "", func(ctx context.Context, conn *sql.Conn, database string) error {
		compressed, err := compressesBackups(ctx, conn)
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, backupText(database, file, compressed))
		if compressed && holdsNumber(err, errNoCompression) {
			_, err = conn.ExecContext(ctx, backupText(database, file, false))
		}
		return err
	})
}

// VerifyBackup has SQL Server read a backup file to its end and compute its checksums, without restoring it.
func VerifyBackup(ctx context.Context, o Options, file string) error {
	if err := checkFileName(opVerifyBackup, file); err != nil {
		return err
	}
	return o.administer(ctx, opVerifyBackup, "master", func(ctx context.Context, conn *sql.Conn, _ string) error {
		_, err := conn.ExecContext(ctx, verifyBackupText(file))
		return err
	})
}

// Restore says what to restore, and into which database.
type Restore struct {
	// File is the backup, as SQL Server sees it.
	File string
	// Database is the name of the new database. One that is there already is never overwritten.
	Database string
	// Moves say where the files of the database go; none for the default folders of SQL Server, under names made of Database.
	Moves []Move
}

// Move says where one file of a restored database goes.
type Move struct {
	// Logical is its name inside the database, To the file as SQL Server sees it.
	Logical, To string
}

// RestoreDatabase has SQL Server restore a backup into a new database, which then belongs to the login. The database of the
// options is not touched. Conflict where a database of that name is there.
func RestoreDatabase(ctx context.Context, o Options, r Restore) error {
	if err := checkFileName(opRestore, r.File); err != nil {
		return err
	}
	if err := checkDatabaseName(opRestore, r.Database); err != nil {
		return err
	}
	return o.administer(ctx, opRestore, "master", func(ctx context.Context, conn *sql.Conn, _ string) error {
		there, err := hasDatabase(ctx, conn, r.Database)
		if err != nil {
			return err
		}
		if there {
			return &halley.Error{
				Kind: halley.Conflict, Op: opRestore, Code: CodeExists,
				Message: "the database " + r.Database + " is there already and is never overwritten: choose another name",
			}
		}
		if len(r.Moves) == 0 {
			if r.Moves, err = defaultMoves(ctx, conn, r); err != nil {
				return err
			}
		}
		if _, err = conn.ExecContext(ctx, restoreText(r)); err != nil {
			undoRestore(ctx, conn, r.Database)
		}
		return err
	})
}

// undoRestore removes what a restore left half done, which is of no use to anybody. Where that cannot be done the name is taken
// until somebody drops it.
func undoRestore(ctx context.Context, conn *sql.Conn, database string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_, _ = conn.ExecContext(ctx, undoRestoreText(database))
}

// DropScratch removes a database whose name begins with ScratchPrefix, whoever is connected to it; where it is not there it does
// nothing. Invalid for any other name.
func DropScratch(ctx context.Context, o Options, database string) error {
	if err := checkScratchName(database); err != nil {
		return err
	}
	return o.administer(ctx, opDropScratch, "master", func(ctx context.Context, conn *sql.Conn, _ string) error {
		there, err := hasDatabase(ctx, conn, database)
		if err != nil || !there {
			return err
		}
		// Whoever still looks at it is sent away. A database that a restore left half done takes no settings, and needs none.
		if _, err := conn.ExecContext(ctx, singleUserText(database)); err != nil && number(err) == 0 {
			return err
		}
		_, err = conn.ExecContext(ctx, "DROP DATABASE "+quoteName(database))
		return err
	})
}

// Scratches lists the databases whose names begin with ScratchPrefix, by name: what drills left behind that were broken off.
func Scratches(ctx context.Context, o Options) ([]string, error) {
	var list []string
	err := o.administer(ctx, "list the databases of drills", "master", func(ctx context.Context, conn *sql.Conn, _ string) error {
		rows, err := conn.QueryContext(ctx, "SELECT name FROM sys.databases WHERE name LIKE N'halley[_]drill[_]%' ORDER BY name")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			list = append(list, name)
		}
		return rows.Err()
	})
	return list, err
}

// administer runs do on a connection of its own to a database, "" for the one of the DSN, and explains what goes wrong. An answer
// is waited for as long as it takes: a backup is silent for hours.
func (o Options) administer(ctx context.Context, op, database string,
	do func(ctx context.Context, conn *sql.Conn, database string) error,
) (err error) {
	t, err := check(o)
	if err != nil {
		return err
	}
	t.config.ConnTimeout = 0
	if database != "" {
		t.config.Database = database
	}
	db := newConnector(t, o.PasswordFile).pool(1)
	defer func() { err = explainBackup(op, errors.Join(err, db.Close())) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return do(ctx, conn, t.config.Database)
}

func backupText(database, file string, compressed bool) string {
	text := "BACKUP DATABASE " + quoteName(database) + " TO DISK = " + quoteText(file) +
		" WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, NAME = N'Halley'"
	if compressed {
		text += ", COMPRESSION"
	}
	return text
}

func verifyBackupText(file string) string {
	return "RESTORE VERIFYONLY FROM DISK = " + quoteText(file) + " WITH CHECKSUM"
}

func restoreText(r Restore) string {
	var text strings.Builder
	text.WriteString("RESTORE DATABASE " + quoteName(r.Database) + " FROM DISK = " + quoteText(r.File) + " WITH CHECKSUM, RECOVERY")
	for _, m := range r.Moves {
		text.WriteString(", MOVE " + quoteText(m.Logical) + " TO " + quoteText(m.To))
	}
	return text.String()
}

// undoRestoreText drops a database that is being restored (state 1) and nothing else.
func undoRestoreText(database string) string {
	return "IF EXISTS (SELECT 1 FROM sys.databases WHERE name = " + quoteText(database) + " AND state = 1) DROP DATABASE " + quoteName(database)
}

func fileListText(file string) string { return "RESTORE FILELISTONLY FROM DISK = " + quoteText(file) }

func singleUserText(database string) string {
	return "ALTER DATABASE " + quoteName(database) + " SET SINGLE_USER WITH ROLLBACK IMMEDIATE"
}

// compressesBackups says whether the edition compresses backups: all but Express and Web do (documentation of SQL Server,
// "Editions and supported features").
func compressesBackups(ctx context.Context, q querier) (bool, error) {
	var edition string
	var engine int
	err := q.QueryRowContext(ctx, `
SELECT COALESCE(CAST(SERVERPROPERTY('Edition') AS nvarchar(128)), N''), COALESCE(CAST(SERVERPROPERTY('EngineEdition') AS int), 0)`).
		Scan(&edition, &engine)
	if err != nil {
		return false, fmt.Errorf("asking for the edition: %w", err)
	}
	return engine != expressEngine && !strings.HasPrefix(edition, "Web"), nil
}

func hasDatabase(ctx context.Context, q querier, name string) (there bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT CASE WHEN DB_ID(@name) IS NULL THEN 0 ELSE 1 END", sql.Named("name", name)).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("looking for the database: %w", err)
	}
	return there, nil
}

// backedUp is a file of the database in a backup.
type backedUp struct {
	logical, physical, kind string
}

// defaultMoves puts the files of a backup into the default folders of the server.
func defaultMoves(ctx context.Context, conn *sql.Conn, r Restore) ([]Move, error) {
	files, err := filesIn(ctx, conn, r.File)
	if err != nil {
		return nil, err
	}
	var data, log sql.NullString
	err = conn.QueryRowContext(ctx, `
SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(4000)), CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(4000))`).
		Scan(&data, &log)
	if err != nil {
		return nil, fmt.Errorf("asking for the default folders: %w", err)
	}
	if data.String == "" || log.String == "" {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: opRestore, Field: "moves",
			Message: "SQL Server does not say where its databases lie: say for each file of the database where it goes",
		}
	}
	return movesInto(files, r.Database, data.String, log.String), nil
}

// movesInto names a file of the new database for each file of the backup.
func movesInto(files []backedUp, database, data, log string) []Move {
	list := make([]Move, 0, len(files))
	for i, f := range files {
		folder, ending := data, ".ndf"
		switch {
		case f.kind == "L":
			folder, ending = log, ".ldf"
		case i == 0:
			ending = ".mdf"
		}
		list = append(list, Move{Logical: f.logical, To: inFolder(folder, fmt.Sprintf("%s_%d%s", database, i+1, ending))})
	}
	return list
}

// inFolder joins a folder and a name as the machine of SQL Server does, which may be of another kind than this one.
func inFolder(folder, name string) string {
	separator := `\`
	if strings.HasPrefix(folder, "/") {
		separator = "/"
	}
	return strings.TrimRight(folder, separator) + separator + name
}

// filesIn lists the files of the database in a backup. What else the answer tells depends on the version.
func filesIn(ctx context.Context, conn *sql.Conn, file string) ([]backedUp, error) {
	rows, err := conn.QueryContext(ctx, fileListText(file))
	if err != nil {
		return nil, fmt.Errorf("reading what the backup holds: %w", err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var list []backedUp
	for rows.Next() {
		var f backedUp
		dest := make([]any, len(names))
		for i, name := range names {
			switch name {
			case "LogicalName":
				dest[i] = &f.logical
			case "PhysicalName":
				dest[i] = &f.physical
			case "Type":
				dest[i] = &f.kind
			default:
				dest[i] = new(any)
			}
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, fmt.Errorf("reading what the backup holds: %w", err)
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

func checkScratchName(name string) error {
	if err := checkDatabaseName(opDropScratch, name); err != nil {
		return err
	}
	if rest, ok := strings.CutPrefix(name, ScratchPrefix); !ok || rest == "" {
		return &halley.Error{
			Kind: halley.Invalid, Op: opDropScratch, Field: "database",
			Message: "only databases whose names begin with " + ScratchPrefix + " are removed",
		}
	}
	return nil
}

// maxName is how long a name in SQL Server may be, in characters.
const maxName = 128

func checkDatabaseName(op, name string) error {
	if name == "" || len([]rune(name)) > maxName || strings.ContainsFunc(name, isControl) {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "database", Message: fmt.Sprintf("a database has a name of 1 to %d characters", maxName),
		}
	}
	return nil
}

func checkFileName(op, file string) error {
	if file == "" || len([]rune(file)) > maxFileName || strings.ContainsFunc(file, isControl) {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "file",
			Message: fmt.Sprintf("SQL Server takes the name of a backup file with its folder in 1 to %d characters", maxFileName),
		}
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// holdsNumber says whether one of the engine's errors in err has a number.
func holdsNumber(err error, n int32) bool {
	e, ok := errors.AsType[mssql.Error](err)
	if !ok {
		return false
	}
	for _, one := range append(append([]mssql.Error{}, e.All...), e) {
		if one.Number == n {
			return true
		}
	}
	return false
}
