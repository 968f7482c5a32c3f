package sqlserver_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage/sqlserver"
)

// testDSN is the engine under test, with a login that may create databases and logins.
const testDSN = "HALLEY_TEST_SQLSERVER"

// engine gives the DSN of the engine under test, or skips the test.
func engine(t testing.TB) *url.URL {
	t.Helper()
	dsn := os.Getenv(testDSN)
	if dsn == "" {
		t.Skipf("NOT TESTED ON SQL SERVER: %s is not set to a DSN such as sqlserver://sa:PASSWORD@127.0.0.1:1433?database=master", testDSN)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("the DSN in " + testDSN + " cannot be read")
	}
	return u
}

// at gives the DSN of a database of the engine.
func at(u *url.URL, database string) halley.Secret {
	c := *u
	q := c.Query()
	q.Set("database", database)
	c.RawQuery = q.Encode()
	return halley.Secret(c.String())
}

// as gives the DSN of a database of the engine for another login.
func as(u *url.URL, login, password, database string) halley.Secret {
	c := *u
	c.User = url.UserPassword(login, password)
	return at(&c, database)
}

// random gives a name that no other test uses.
func random(t testing.TB, prefix string) string {
	t.Helper()
	b := make([]byte, 6)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return prefix + hex.EncodeToString(b)
}

// noDatabase gives the name of a database that is not there and is dropped when the test ends.
func noDatabase(t testing.TB, u *url.URL) string {
	t.Helper()
	name := random(t, "halley_test_")
	t.Cleanup(func() {
		master := raw(t, at(u, "master"))
		if _, err := master.ExecContext(context.Background(), "DROP DATABASE IF EXISTS ["+name+"]"); err != nil {
			t.Logf("the database %s stays: %v", name, err)
		}
	})
	return name
}

// newDatabase gives the options of a fresh database that Init made.
func newDatabase(t testing.TB) sqlserver.Options {
	t.Helper()
	u := engine(t)
	o := sqlserver.Options{DSN: at(u, noDatabase(t, u))}
	// Some engines trip over two databases that are made at the same time.
	for attempt := 1; ; attempt++ {
		_, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{})
		if err == nil {
			return o
		}
		if attempt == 3 {
			t.Fatalf("Init: %v", err)
		}
		t.Logf("Init is tried again after: %v", err)
	}
}

// raw opens a database past the store.
func raw(t testing.TB, dsn halley.Secret) *sql.DB {
	t.Helper()
	c, err := mssql.NewConnector(dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing a connection: %v", err)
		}
	})
	return db
}

// lines reads a query into one line a row, the columns separated by "|".
func lines(t testing.TB, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, dest := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	list := []string{}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = v.String
		}
		list = append(list, strings.Join(words, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// codeOf gives the code of a *halley.Error.
func codeOf(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok {
		return e.Code
	}
	return ""
}

// newLogin makes a login without any right, which is dropped when the test ends.
func newLogin(t testing.TB, u *url.URL) (login, password string) {
	t.Helper()
	login, password = random(t, "halley_test_"), random(t, "Pw1-")
	master := raw(t, at(u, "master"))
	if _, err := master.ExecContext(t.Context(), "CREATE LOGIN ["+login+"] WITH PASSWORD = '"+password+"'"); err != nil {
		t.Fatalf("making a login: %v", err)
	}
	dropLogin(t, u, login)
	return login, password
}

// dropLogin drops a login when the test ends.
func dropLogin(t testing.TB, u *url.URL, login string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := raw(t, at(u, "master")).ExecContext(context.Background(), "DROP LOGIN ["+login+"]"); err != nil {
			t.Logf("the login %s stays: %v", login, err)
		}
	})
}

// rawSQLite opens a file of the embedded store past it.
func rawSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing a connection: %v", err)
		}
	})
	return db
}
