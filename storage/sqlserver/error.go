package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
)

// The codes of an Unavailable error besides those of package storage. With all of them the database counts as away.
const (
	// CodeAway is a server that does not answer, or whose connection broke.
	CodeAway = "away"
	// CodeBusy is a lock that another holds, or memory that the server lacks at the moment.
	CodeBusy = "busy"
	// CodeLogin is a sign-in that was refused, CodeNoDatabase one whose database is not there or not for this login.
	CodeLogin      = "login-failed"
	CodeNoDatabase = "no-database"
	// CodeOffline is a database that the server has but does not serve at the moment.
	CodeOffline = "database-offline"
	// CodePermission is a right that the login lacks.
	CodePermission = "no-permission"
	// CodeDamaged is a file that the server cannot read.
	CodeDamaged = "damaged"
)

// problem is what a failure means.
type problem struct {
	kind          halley.Kind
	code, message string
	// quiet says that the server's own words may hold what no log should: the name of a login, a value.
	quiet bool
}

// mapError turns a failure of SQL Server into what the contract of storage says, by its number and never by its text.
func mapError(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*halley.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	fail := func(p problem, cause error) error {
		return &halley.Error{Kind: p.kind, Op: op, Code: p.code, Message: p.message, Err: cause}
	}
	if e, ok := errors.AsType[mssql.Error](err); ok {
		first, p := problemOf(e)
		return fail(p, &engineError{err: first, quiet: p.quiet})
	}
	if isBroken(err) {
		return fail(problem{
			kind: halley.Unavailable, code: CodeAway, message: "the connection to SQL Server broke, or it does not answer",
		}, err)
	}
	return fail(problem{kind: halley.Internal, message: "the store failed"}, err)
}

// isBroken says whether a failure is one of the connection and not of what was asked.
func isBroken(err error) bool {
	for _, broken := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded} {
		if errors.Is(err, broken) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	_, stream := errors.AsType[mssql.StreamError](err)
	return stream
}

// problemOf finds what an error means: of several that came together, the first that is known, for the others follow from it.
func problemOf(e mssql.Error) (mssql.Error, problem) {
	for _, one := range append(append([]mssql.Error{}, e.All...), e) {
		if p, known := numbered(one.Number); known {
			return one, p
		}
	}
	// From class 20 on the server has ended the connection.
	const fatal = 20
	if e.Class >= fatal {
		return e, problem{kind: halley.Unavailable, code: CodeAway, message: "SQL Server ended the connection because of a fault of its own; its error log says more"}
	}
	return e, problem{kind: halley.Internal, message: "the store failed"}
}

// numbered says what a number means. The numbers are those of sys.messages, "Database Engine events and errors" in the
// documentation of SQL Server.
func numbered(n int32) (problem, bool) {
	if n == 2627 || n == 2601 {
		return problem{kind: halley.Conflict, message: "it is there already", quiet: true}, true
	}
	for _, of := range []func(int32) (problem, bool){loginProblem, databaseProblem, roomProblem, workProblem} {
		if p, known := of(n); known {
			p.kind = halley.Unavailable
			return p, true
		}
	}
	return problem{}, false
}

// loginProblem is what refuses a sign-in.
func loginProblem(n int32) (problem, bool) {
	p := problem{code: CodeLogin, quiet: true}
	switch n {
	case 18456, 18450:
		p.message = "SQL Server does not let this login in: the name or the password is wrong, or it allows Windows accounts only"
	case 18452:
		p.message = "SQL Server does not know the Windows account that Halley runs under, or its domain"
	case 18470:
		p.message = "the login is disabled in SQL Server"
	case 18486:
		p.message = "the login is locked after too many wrong passwords; unlock it in SQL Server"
	case 18487, 18488:
		p.message = "the password of the login has expired or must be changed in SQL Server first"
	case 4060, 911, 4064:
		p.code, p.message = CodeNoDatabase, "the database is not there, or this login may not use it"
	case 916:
		p.code, p.message = CodeNoDatabase, "this login has no user in the database; run halley init again to grant rights"
	default:
		return problem{}, false
	}
	return p, true
}

// databaseProblem is a database, or a server, that does not serve at the moment.
func databaseProblem(n int32) (problem, bool) {
	p := problem{code: CodeOffline}
	switch n {
	case 921, 922:
		p.message = "the database is being recovered after a start of SQL Server; wait until it has finished"
	case 927:
		p.message = "the database is being restored"
	case 923:
		p.message = "the database is restricted to its owners at the moment"
	case 924:
		p.message = "the database is in single-user mode, and somebody else uses it"
	case 925, 926, 945, 823, 824:
		p.code, p.message = CodeDamaged, "SQL Server cannot read files of the database: its error log says which, and DBCC CHECKDB what is damaged"
	case 942, 952, 954, 955, 983, 988:
		p.message = "the database is offline, or moves to another replica at the moment"
	case 976, 978, 979:
		p.code, p.message = storage.CodeReadOnly, "this replica of the database can only be read: connect to the listener of the availability group"
	case 3906, 3908:
		p.code, p.message = storage.CodeReadOnly, "the database is read-only"
	case 233, 64, 121, 10053, 10054, 10060, 10061, 596, 6005, 17142, 17187, 17188, 17189, 18401, 18461:
		p.code, p.message = CodeAway, "SQL Server is starting or stopping, or the connection to it broke"
	case 17809, 17810:
		p.code, p.message = CodeAway, "SQL Server takes no further connections; its setting \"user connections\" bounds them"
	default:
		return problem{}, false
	}
	return p, true
}

// roomProblem is a disk, a file or an edition that takes no more.
func roomProblem(n int32) (problem, bool) {
	p := problem{code: storage.CodeFull}
	switch n {
	case 1101, 1105:
		p.message = "the files of the database are full: make room on their disk, or let them grow"
	case 1827:
		p.message = "the database has reached the limit of this edition of SQL Server (Express: 10 GB): move to a larger edition, or keep less"
	case 9002:
		p.message = "the transaction log of the database is full: back it up, or make room on its disk"
	case 5149, 3257:
		p.message = "the disk of the database is full"
	default:
		return problem{}, false
	}
	return p, true
}

// workProblem is what keeps a statement from being run.
func workProblem(n int32) (problem, bool) {
	switch n {
	case 1205:
		return problem{code: CodeBusy, message: "SQL Server ended this transaction for the sake of another one (deadlock)"}, true
	case 1222:
		return problem{code: CodeBusy, message: "another program holds a lock in the database"}, true
	case 701, 802, 8645, 8651:
		return problem{code: CodeBusy, message: "SQL Server has no memory left for this at the moment"}, true
	case 229, 230, 262, 297, 300, 15247:
		return problem{code: CodePermission, message: "the login lacks a right in the database; run halley init again to grant rights"}, true
	case 207, 208, 2812:
		return problem{code: storage.CodeNoSchema, message: "the tables of Halley are not in this database, or are damaged; run halley init"}, true
	}
	return problem{}, false
}

// engineError is an error of the server as it may stand in a log: on one line, without its words where they may hold a name.
type engineError struct {
	err   mssql.Error
	quiet bool
}

// Error gives one line.
func (e *engineError) Error() string {
	s := fmt.Sprintf("SQL Server error %d, state %d, class %d", e.err.Number, e.err.State, e.err.Class)
	if !e.quiet {
		s += ": " + strings.Join(strings.Fields(e.err.Message), " ")
	}
	return s
}

// Unwrap gives the error of the driver, of several that came together the one that counts.
func (e *engineError) Unwrap() error { return e.err }
