package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/microsoft/go-mssqldb"
)

const (
	// engineVariable names the SQL Server that tests may make databases on, as a DSN.
	engineVariable = "HALLEY_TEST_SQLSERVER"
	// controlVariable names a program that ends and starts that server; see engine.control.
	controlVariable = "HALLEY_TEST_SQLSERVER_CONTROL"
)

// engine is the SQL Server of the tests.
type engine struct {
	dsn   *url.URL
	admin *sql.DB
}

// onEngine gives the SQL Server that the environment names. Without one the test is skipped, always with the same words.
func onEngine(tb testing.TB) *engine {
	tb.Helper()
	text := os.Getenv(engineVariable)
	if text == "" {
		tb.Skip("SQL Server was not tested: " + engineVariable + " is not set")
	}
	dsn, err := url.Parse(text)
	if err != nil || dsn.Scheme != "sqlserver" || dsn.Host == "" {
		// The text holds a password.
		tb.Fatalf("%s is no DSN such as sqlserver://LOGIN:PASSWORD@HOST:PORT?database=NAME", engineVariable)
	}
	return &engine{dsn: dsn, admin: openSQLServer(tb, dsn)}
}

// openSQLServer opens a pool, which the test closes at its end.
func openSQLServer(tb testing.TB, dsn *url.URL) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlserver", dsn.String())
	if err != nil {
		tb.Fatalf("opening the database of the test: %v", err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// address gives HOST:PORT.
func (e *engine) address() string {
	if e.dsn.Port() == "" {
		return net.JoinHostPort(e.dsn.Hostname(), "1433")
	}
	return e.dsn.Host
}

// text says in words which engine it is.
func (e *engine) text(tb testing.TB) string {
	tb.Helper()
	var version string
	if err := e.admin.QueryRowContext(tb.Context(), "SELECT @@VERSION").Scan(&version); err != nil {
		tb.Fatalf("asking the server that %s names for its version: %v", engineVariable, err)
	}
	first, _, _ := strings.Cut(strings.ReplaceAll(version, "\r", ""), "\n")
	return strings.Join(strings.Fields(first), " ")
}

// creating keeps tests from making and dropping databases at the same time, for which an engine takes locks of its own.
var creating sync.Mutex

// database makes an empty database and gives its DSN. It is dropped at the end of the test, after everything that was started
// since is gone.
func (e *engine) database(tb testing.TB) *url.URL {
	tb.Helper()
	name := "halley_test_" + strings.ToLower(rand.Text()[:12])
	creating.Lock()
	err := e.insist(tb.Context(), "CREATE DATABASE "+mssql.TSQLQuoter{}.ID(name), isModelInUse)
	creating.Unlock()
	if err != nil {
		tb.Fatalf("making a database on the server that %s names: %v", engineVariable, err)
	}
	tb.Cleanup(func() { e.drop(tb, name) })
	own := *e.dsn
	query := own.Query()
	query.Set("database", name)
	own.RawQuery = query.Encode()
	return &own
}

// drop removes a database, whoever is still connected to it.
func (e *engine) drop(tb testing.TB, name string) {
	creating.Lock()
	defer creating.Unlock()
	// The test's own context is over. The pools of the test are closed; a server that was killed may have left a session.
	ctx := context.WithoutCancel(tb.Context())
	id := mssql.TSQLQuoter{}.ID(name)
	// An engine that cannot do the first may be able to do the second.
	_, alone := e.admin.ExecContext(ctx, "ALTER DATABASE "+id+" SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
	if err := e.insist(ctx, "DROP DATABASE "+id, isAny); err != nil {
		tb.Errorf("dropping the database of the test: %v (before: %v)", err, alone)
	}
}

// insist runs a statement again for half a minute while it fails in a way that passes by itself.
func (e *engine) insist(ctx context.Context, text string, passes func(error) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := e.admin.ExecContext(ctx, text)
		if err == nil || !passes(err) || !pause(ctx, time.Second) {
			return err
		}
	}
}

// isAny is for what fails until the engine has noticed that a client was killed.
func isAny(error) bool { return true }

// isModelInUse says that another program makes a database at this moment.
func isModelInUse(err error) bool {
	const noLockOnModel = 1807
	wrong, ok := errors.AsType[mssql.Error](err)
	return ok && wrong.Number == noLockOnModel
}

// login makes a login with a password of its own, for the test only, and a user of that name in the database.
func (e *engine) login(tb testing.TB, database *url.URL) *url.URL {
	tb.Helper()
	name := "halley_test_" + strings.ToLower(rand.Text()[:12])
	password := rand.Text() + "aA1!"
	quoted := mssql.TSQLQuoter{}
	db := openSQLServer(tb, database)
	for _, text := range []string{
		"CREATE LOGIN " + quoted.ID(name) + " WITH PASSWORD = " + quoted.Value(password),
		"CREATE USER " + quoted.ID(name) + " FOR LOGIN " + quoted.ID(name),
	} {
		if _, err := db.ExecContext(tb.Context(), text); err != nil {
			verb, _, _ := strings.Cut(text, quoted.ID(name))
			tb.Fatalf("%s: %v", strings.TrimSpace(verb), err)
		}
	}
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		_, user := db.ExecContext(ctx, "DROP USER "+quoted.ID(name))
		if err := e.insist(ctx, "DROP LOGIN "+quoted.ID(name), isAny); err != nil {
			tb.Errorf("dropping the login of the test: %v (its user: %v)", err, user)
		}
	})
	own := *database
	own.User = url.UserPassword(name, password)
	return &own
}

// via gives a DSN that reaches the same database through another address.
func via(dsn *url.URL, address string) *url.URL {
	own := *dsn
	query := own.Query()
	if query.Get("hostNameInCertificate") == "" {
		// Whoever verifies the certificate knows the server by its own name.
		query.Set("hostNameInCertificate", dsn.Hostname())
	}
	own.Host, own.RawQuery = address, query.Encode()
	return &own
}

// controlled gives the engine for tests that end it. They are not parallel to others of this package; whoever uses the same
// engine from elsewhere meanwhile is cut off.
func controlled(tb testing.TB) *engine {
	tb.Helper()
	e := onEngine(tb)
	if os.Getenv(controlVariable) == "" {
		tb.Skip("what happens when SQL Server is killed was not tested: " + controlVariable + " is not set")
	}
	tb.Cleanup(func() { e.control(tb, "start") })
	return e
}

// control calls the program that rules the engine, with one word: "kill" ends it without a goodbye, "stop" in good order, "start"
// starts it where it does not run and comes back when it takes logins.
func (e *engine) control(tb testing.TB, word string) {
	tb.Helper()
	out, err := exec.Command(os.Getenv(controlVariable), word).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v: %s", controlVariable, word, err, out)
	}
}

// TestSQLServerEngine says which engine the tests of this package ran against. The summary of a run shows its line.
func TestSQLServerEngine(t *testing.T) {
	t.Parallel()
	e := onEngine(t)
	version := e.text(t)
	if version == "" {
		t.Fatal("the server does not say which version it is")
	}
	t.Logf("SQL Server: tested against %s", version)
}
