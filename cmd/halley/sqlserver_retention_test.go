package main

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	signing "halley/server/ledger"
	"halley/storage/ledger"
	"halley/storage/ledger/verify"
	"halley/storage/sqlserver"
	"halley/storage/storagetest"
)

// memberOf makes a login that has a role of the database and nothing else.
func (e *engine) memberOf(tb testing.TB, database *url.URL, role string) *url.URL {
	tb.Helper()
	dsn := e.login(tb, database)
	text := "ALTER ROLE " + role + " ADD MEMBER " + mssql.TSQLQuoter{}.ID(dsn.User.Username())
	if _, err := openSQLServer(tb, database).ExecContext(tb.Context(), text); err != nil {
		tb.Fatalf("giving a login the role %s: %v", role, err)
	}
	return dsn
}

// TestRetentionOnSQLServerNeedsTheKeeper plans with the server's login and carries out with the keeper's; afterwards the store
// verifies.
func TestRetentionOnSQLServerNeedsTheKeeper(t *testing.T) {
	t.Parallel()
	e := onEngine(t)
	owner := e.database(t)
	o := sqlserver.Options{DSN: halley.Secret(owner.String())}
	if _, err := sqlserver.Init(t.Context(), o, sqlserver.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	service, keeper := e.memberOf(t, owner, "halley_service"), e.memberOf(t, owner, "halley_keeper")
	data := t.TempDir()
	if err := os.Chmod(data, 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := signing.Open(signing.KeysFolder("", data), "n1")
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlserver.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	first := ledger.DayOf(halley.MillisOf(time.Now())) - 30
	f := storagetest.NewFeed(s)
	d := storagetest.WiFi("00012345", 2)
	for hour := 0; hour < 72; hour += 6 {
		at := halley.Millis(first)*halley.Day + halley.Millis(hour)*halley.Hour
		b := f.Batch(d.Upload(0, d.Message(at, 20), d.Message(at+halley.Minute, 21)))
		b.RecordedAt = at + halley.Hour
		if _, err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	at := halley.Millis(first) * halley.Day
	if err := s.AddLedgerKey(t.Context(), keys.Public(), halley.Change{Actor: halley.Actor{Kind: "program", Name: "halley"}, At: at}); err != nil {
		t.Fatal(err)
	}
	as := func(dsn *url.URL, words ...string) (int, string, string) {
		return try(t, append(words, "--data", data, "--store", dsn.String())...)
	}
	code, out, errs := as(service, "retention", "plan", "--before", ledger.DayText(first+2), "--why", "as rule 17 says")
	found := regexp.MustCompile(`plan ([a-z2-7]{8}) by`).FindStringSubmatch(out)
	if code != exitDone || found == nil {
		t.Fatalf("retention plan ends with %d: %s%s", code, out, errs)
	}
	code, out, errs = as(service, "token", "create", "--name", "ben", "--role", "administrator")
	if code != exitDone {
		t.Fatalf("token create: %s", errs)
	}
	ben := filepath.Join(t.TempDir(), "ben")
	if err := os.WriteFile(ben, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	carry := []string{"retention", "carry-out", "--plan", found[1], "--token-file", ben, "--node", "n1"}
	if code, _, errs = as(service, carry...); code != exitFailed || !strings.Contains(errs, "keeper's login") {
		t.Errorf("with the server's login carry-out ends with %d: %s", code, errs)
	}
	if code, out, errs = as(keeper, carry...); code != exitDone || !strings.Contains(out, "removed 16 rows") {
		t.Fatalf("with the keeper's login carry-out ends with %d: %s%s", code, out, errs)
	}
	if rows, parts, err := s.CountDays(t.Context(), first, first+3); err != nil || rows != 8 || parts != 12 {
		t.Errorf("left are %d rows and %d parts, %v, want those of the third day and all parts", rows, parts, err)
	}
	result, err := verify.Run(t.Context(), verify.Options{Source: s, Keys: []ledger.Key{keys.Public()}})
	if err != nil || result.Count != 0 || result.Batches != 12 {
		t.Errorf("after the removal verification finds %+v, %v", result, err)
	}
}
