package sqlserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage/internal/sqlkit"
)

const opInit = "prepare the database"

// InitOptions say how to prepare a database.
type InitOptions struct {
	// DryRun finds out what is to be done and changes nothing.
	DryRun bool
	// LedgerTables makes the append-only ledger table of SQL Server 2022 and newer besides; Conflict where the engine has none.
	LedgerTables bool
}

// InitReport says what Init did, or would do.
type InitReport struct {
	// Database is its name, Engine which engine holds it, in words; "" where a dry run found no database.
	Database, Engine string
	// Schema is the number of the newest migration afterwards.
	Schema int
	// Done are the changes in their order, in plain English: "created the database halley". Empty where all was there. Under
	// DryRun they are what would be done: "create the database halley".
	Done []string
	// Advice is what somebody else should do, each a sentence or two with the statement to run.
	Advice []string
	// Warnings are about the connection itself.
	Warnings []string
}

// Init creates the database where it is not there and the login may, brings its schema up to date, and gives the roles of the
// service, the keeper and the reader their rights. Whoever runs it at the same time waits. Run again, it changes nothing. It
// needs the login of the owner; the login that the server uses later must not be able to do any of it.
//
// Unavailable where the server cannot be reached, Forbidden where the login may not do it (the message says what to run),
// Conflict for a database of a newer program or of another one.
func Init(ctx context.Context, o Options, io InitOptions) (InitReport, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	list, err := migrations()
	if err != nil {
		return InitReport{}, err
	}
	t, err := parse(o)
	if err != nil {
		return InitReport{}, err
	}
	p := &preparation{options: o, dry: io.DryRun, ledger: io.LedgerTables, list: list}
	p.report = InitReport{Database: t.config.Database, Schema: len(list), Warnings: t.warnings}
	if err := p.run(ctx); err != nil {
		return InitReport{}, explainInit(err, p.report.Database)
	}
	return p.report, nil
}

// preparation is one run of Init.
type preparation struct {
	options Options
	dry     bool
	ledger  bool
	list    []sqlkit.Migration
	report  InitReport
	// found says that the database is there, though it could not be opened at first.
	found bool
}

// step is a change to be made.
type step struct {
	// will and did say it: "create the role x", "created the role x".
	will, did string
	do        func(ctx context.Context, conn *sql.Conn) error
}

func (p *preparation) run(ctx context.Context) error {
	err := p.on(ctx, p.report.Database, p.prepare)
	if !missingDatabase(err) {
		return err
	}
	if err := p.on(ctx, "master", p.create); err != nil {
		return err
	}
	if p.dry && !p.found {
		steps := p.steps(0, roles())
		if p.ledger {
			steps = append(steps, ledgerStep())
		}
		p.note(steps)
		return nil
	}
	if err = p.on(ctx, p.report.Database, p.prepare); !missingDatabase(err) {
		return err
	}
	return &halley.Error{
		Kind: halley.Forbidden, Op: opInit, Code: "no-access", Err: err,
		Message: "the database " + p.report.Database + " is there, but this login may not open it: use the login of its owner, or let an " +
			"administrator of SQL Server run what halley init --print-script=owner prints",
	}
}

// on runs do on a connection to a database, and again on another one while a second init holds the lock.
func (p *preparation) on(ctx context.Context, database string, do func(ctx context.Context, conn *sql.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, initWait)
	defer cancel()
	for {
		err := p.once(ctx, database, do)
		switch {
		case !errors.Is(err, errTaken):
			return err
		case ctx.Err() != nil:
			return &halley.Error{
				Kind: halley.Unavailable, Op: opInit, Code: CodeBusy, Err: err,
				Message: "another halley init is changing this database: run it again later",
			}
		}
	}
}

func (p *preparation) once(ctx context.Context, database string, do func(ctx context.Context, conn *sql.Conn) error) (err error) {
	t, err := parse(p.options)
	if err != nil {
		return err
	}
	t.config.Database = database
	db := newConnector(t, p.options.PasswordFile).pool(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return do(ctx, conn)
}

// The numbers of errors that Init looks at.
const (
	errNoDatabase   = 911
	errCannotOpen   = 4060
	errMayNotCreate = 262
	errDenied       = 229
)

// number gives the number of the engine's error in err; 0 where there is none.
func number(err error) int32 {
	if e, ok := errors.AsType[mssql.Error](err); ok {
		return e.Number
	}
	return 0
}

func missingDatabase(err error) bool {
	n := number(err)
	return n == errNoDatabase || n == errCannotOpen
}

// create creates the database, over a connection to master.
func (p *preparation) create(ctx context.Context, conn *sql.Conn) error {
	if err := p.wantLedger(ctx, conn); err != nil {
		return err
	}
	name := p.report.Database
	if !p.dry {
		// Another init may be doing the same.
		unlock, err := lockInit(ctx, conn, name)
		if err != nil {
			return err
		}
		defer unlock()
	}
	var there bool
	err := conn.QueryRowContext(ctx, "SELECT CASE WHEN DB_ID(@name) IS NULL THEN 0 ELSE 1 END", sql.Named("name", name)).Scan(&there)
	switch {
	case err != nil:
		return fmt.Errorf("looking for the database: %w", err)
	case there:
		p.found = true
		return nil
	case p.dry:
		p.report.Done = append(p.report.Done, "create the database "+name)
		return nil
	}
	if _, err := conn.ExecContext(ctx, "CREATE DATABASE "+quoteName(name)); err != nil {
		if number(err) == 0 {
			return fmt.Errorf("creating the database: %w", err)
		}
		return &halley.Error{
			Kind: halley.Forbidden, Op: opInit, Code: CodeNoDatabase, Err: err,
			Message: "the database " + name + " is not there and this login could not create it: use the login of an administrator, or " +
				"let one run what halley init --print-script=owner prints",
		}
	}
	p.did("created the database " + name)
	return nil
}

// prepare brings a database that is there up to date.
func (p *preparation) prepare(ctx context.Context, conn *sql.Conn) error {
	if err := errors.Join(p.look(ctx, conn), p.wantLedger(ctx, conn)); err != nil {
		return err
	}
	if !p.dry {
		unlock, err := lockInit(ctx, conn, p.report.Database)
		if err != nil {
			return err
		}
		defer unlock()
	}
	reached, err := applied(ctx, conn, p.list)
	if err != nil {
		return err
	}
	missing, err := missingRoles(ctx, conn)
	if err != nil {
		return err
	}
	ledger, err := p.ledgerSteps(ctx, conn)
	if err != nil {
		return err
	}
	steps := append(p.steps(reached, missing), ledger...)
	if p.dry {
		p.note(steps)
		return p.snapshots(ctx, conn)
	}
	for _, s := range steps {
		if err := s.do(ctx, conn); err != nil {
			return err
		}
		p.did(s.did)
	}
	if err := p.grant(ctx, conn); err != nil {
		return err
	}
	if err := p.compress(ctx, conn); err != nil {
		return err
	}
	return p.snapshots(ctx, conn)
}

func (p *preparation) did(what string) {
	p.report.Done = append(p.report.Done, what)
	p.options.Log.Info("the database was changed", "change", what)
}

// note reports what would be done.
func (p *preparation) note(steps []step) {
	for _, s := range steps {
		p.report.Done = append(p.report.Done, s.will)
	}
}

// look asks what the engine is and whether the database can do what Halley needs.
func (p *preparation) look(ctx context.Context, conn *sql.Conn) error {
	engine, _, err := describeEngine(ctx, conn)
	if err != nil {
		return err
	}
	p.report.Engine = engine
	var one int
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM OPENJSON(N'[1]')").Scan(&one); err != nil {
		name := p.report.Database
		return &halley.Error{
			Kind: halley.Conflict, Op: opInit, Code: "compatibility-level", Err: err,
			Message: "the database behaves as an older SQL Server than 2016: run ALTER DATABASE " + quoteName(name) +
				" SET COMPATIBILITY_LEVEL = 130, or choose another database",
		}
	}
	return nil
}

// steps lists what is to be done in a database that has these migrations and lacks these roles.
func (p *preparation) steps(reached int, missing []string) []step {
	var steps []step
	for _, m := range p.list[reached:] {
		steps = append(steps, step{
			will: fmt.Sprintf("run migration %d (%s)", m.Number, m.Name),
			did:  fmt.Sprintf("ran migration %d (%s)", m.Number, m.Name),
			do:   func(ctx context.Context, conn *sql.Conn) error { return migrate(ctx, conn, m) },
		})
	}
	for _, role := range missing {
		steps = append(steps, step{
			will: "create the role " + role, did: "created the role " + role,
			do: func(ctx context.Context, conn *sql.Conn) error {
				if _, err := conn.ExecContext(ctx, createRole(role)); err != nil {
					return fmt.Errorf("creating the role %s: %w", role, err)
				}
				return nil
			},
		})
	}
	return steps
}

func missingRoles(ctx context.Context, conn *sql.Conn) ([]string, error) {
	var missing []string
	for _, role := range roles() {
		var there int
		err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sys.database_principals WHERE name = @name", sql.Named("name", role)).
			Scan(&there)
		if err != nil {
			return nil, fmt.Errorf("looking for the role %s: %w", role, err)
		}
		if there == 0 {
			missing = append(missing, role)
		}
	}
	return missing, nil
}

// grant gives the roles their rights, at every run: a right that somebody took away is there again afterwards.
func (p *preparation) grant(ctx context.Context, conn *sql.Conn) error {
	for _, role := range roles() {
		r := rightsOf(role)
		if _, err := conn.ExecContext(ctx, strings.Join(r.grants, ";\n")); err != nil {
			return fmt.Errorf("giving the role %s its rights: %w", role, err)
		}
		if len(r.denials) > 0 {
			if _, err := conn.ExecContext(ctx, strings.Join(r.denials, ";\n")); err != nil {
				p.options.Log.Debug("this engine denies no rights; they are only not granted", "role", role, "error", err)
			}
		}
		for _, x := range r.extras {
			if _, err := conn.ExecContext(ctx, x.grant); err != nil {
				p.report.Advice = append(p.report.Advice, x.missing+": have an administrator run "+x.grant)
			}
		}
	}
	return nil
}

const (
	selectCompression = `
SELECT COALESCE(MAX(p.data_compression), 0), COALESCE(MAX(p.rows), 0)
  FROM sys.partitions p
 WHERE p.object_id = OBJECT_ID(N'halley.message')`

	compressMessages = "ALTER TABLE halley.message REBUILD WITH (DATA_COMPRESSION = PAGE)"
)

// pageCompressed is what sys.partitions calls page compression.
const pageCompressed = 2

// compress turns page compression on while the table is empty. An engine without it goes on without; a table that holds
// samples is left to an administrator, because rebuilding it takes its time.
func (p *preparation) compress(ctx context.Context, conn *sql.Conn) error {
	var compression, rows int64
	if err := conn.QueryRowContext(ctx, selectCompression).Scan(&compression, &rows); err != nil {
		return fmt.Errorf("looking for page compression: %w", err)
	}
	if compression == pageCompressed {
		return nil
	}
	_, able, err := describeEngine(ctx, conn)
	if err != nil {
		return err
	}
	if rows > 0 {
		if able.compresses() {
			p.report.Advice = append(p.report.Advice, "the samples are not compressed and take about twice the room: "+
				"have an administrator run "+compressMessages+" at a quiet time")
		}
		return nil
	}
	_, refused := conn.ExecContext(ctx, compressMessages)
	switch {
	case refused == nil:
		p.did("turned on page compression for the samples")
	case able.compresses():
		p.report.Advice = append(p.report.Advice, "page compression could not be turned on: have an administrator run "+compressMessages)
	}
	return nil
}

// snapshots has readers see the last committed state instead of waiting for writers.
func (p *preparation) snapshots(ctx context.Context, conn *sql.Conn) error {
	const what = "read-committed snapshot, so that readers never wait"
	var on bool
	err := conn.QueryRowContext(ctx, "SELECT is_read_committed_snapshot_on FROM sys.databases WHERE database_id = DB_ID()").Scan(&on)
	if err != nil {
		return fmt.Errorf("looking for read-committed snapshot: %w", err)
	}
	if on {
		return nil
	}
	if p.dry {
		p.report.Done = append(p.report.Done, "turn on "+what)
		return nil
	}
	// It needs the database to itself and is not to wait for others.
	_, refused := conn.ExecContext(ctx, "ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH NO_WAIT")
	switch {
	case refused == nil:
		p.did("turned on " + what)
	case isBroken(refused):
		return fmt.Errorf("turning on read-committed snapshot: %w", refused)
	default:
		p.report.Advice = append(p.report.Advice, "readers wait for writers until somebody runs, while nobody else is connected: ALTER DATABASE "+
			quoteName(p.report.Database)+" SET READ_COMMITTED_SNAPSHOT ON")
	}
	return nil
}

// explainInit turns what the login may not do into words; other failures are explained as everywhere.
func explainInit(err error, database string) error {
	switch number(err) {
	case errMayNotCreate, errDenied:
		return &halley.Error{
			Kind: halley.Forbidden, Op: opInit, Code: "not-owner", Err: err,
			Message: "this login may not do that in the database " + database + ": halley init needs the login of its owner, which the " +
				"server does not use; an administrator can make it with what halley init --print-script=owner prints",
		}
	}
	return mapError(opInit, err)
}
