package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"halley"
	signing "halley/server/ledger"
	"halley/storage/ledger"
	"halley/storage/ledger/export"
	"halley/storage/ledger/verify"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// withOldDays makes a data folder whose store has messages of three days a month ago, and knows the key of the node n1. It gives
// the first of the days.
func withOldDays(t *testing.T) (data string, first int64) {
	t.Helper()
	data = t.TempDir()
	if err := os.Chmod(data, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, storeFile)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := signing.Open(signing.KeysFolder("", data), "n1")
	if err != nil {
		t.Fatal(err)
	}
	first = ledger.DayOf(halley.MillisOf(time.Now())) - 30
	start := halley.Millis(first) * halley.Day
	f := storagetest.NewFeed(s)
	d := storagetest.WiFi("00012345", 2)
	for hour := range 72 {
		at := start + halley.Millis(hour)*halley.Hour
		b := f.Batch(d.Upload(0, d.Message(at, 20)))
		b.RecordedAt = at + halley.Hour
		if _, err := s.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddLedgerKey(t.Context(), keys.Public(), halley.Change{Actor: halley.Actor{Kind: "program", Name: "halley"}, At: start}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data, first
}

func TestRetentionTakesTwoPeople(t *testing.T) {
	t.Parallel()
	data, first := withOldDays(t)
	config := filepath.Join(t.TempDir(), "halley.toml")
	if err := os.WriteFile(config, []byte("node = \"n1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(words ...string) (int, string, string) {
		return try(t, append(append([]string{"retention"}, words...), "--data", data, "--config", config)...)
	}
	code, out, errs := run("list")
	if code != exitDone || !strings.Contains(out, "nothing was removed") {
		t.Fatalf("retention list of a new store ends with %d: %s%s", code, out, errs)
	}
	code, out, errs = run("plan", "--before", ledger.DayText(first+2), "--why", "as rule 17 says")
	found := regexp.MustCompile(`plan ([a-z2-7]{8}) by .*: remove 2 UTC days from ` + ledger.DayText(first) + ` to ` + ledger.DayText(first+1) +
		`, with 48 rows`).FindStringSubmatch(out)
	if code != exitDone || found == nil {
		t.Fatalf("retention plan ends with %d: %s%s", code, out, errs)
	}
	plan := found[1]
	if code, _, errs = run("carry-out", "--plan", plan); code != exitFailed || !strings.Contains(errs, "another person") {
		t.Errorf("the one who planned it carries it out: %d: %s", code, errs)
	}
	token := func(name, role string) string {
		code, out, errs := try(t, "token", "create", "--name", name, "--role", role, "--data", data, "--config", config)
		if code != exitDone {
			t.Fatalf("token create: %s", errs)
		}
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if code, _, errs = run("carry-out", "--plan", plan, "--token-file", token("grafana", "reader")); code != exitFailed ||
		!strings.Contains(errs, "no right to decide about retention") {
		t.Errorf("a reader's token carries it out: %d: %s", code, errs)
	}
	ben := token("ben", "administrator")
	folder := filepath.Join(t.TempDir(), "export")
	code, out, errs = run("carry-out", "--plan", plan, "--token-file", ben, "--export", folder)
	if code != exitDone || !strings.Contains(out, "exported 48 messages") || !strings.Contains(out, "removed 48 rows of messages of 2 UTC days") {
		t.Fatalf("retention carry-out ends with %d: %s%s", code, out, errs)
	}
	if code, _, errs = run("carry-out", "--plan", plan, "--token-file", ben); code != exitFailed || !strings.Contains(errs, "already") {
		t.Errorf("carrying it out again: %d: %s", code, errs)
	}
	code, out, errs = run("list")
	for _, want := range []string{plan + "  done", "tombstone 1: days from " + ledger.DayText(first) + " and before " + ledger.DayText(first+2), "by ben"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("retention list does not say %q: %s%s", want, out, errs)
		}
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, storeFile)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if rows, parts, err := s.CountDays(t.Context(), first, first+3); err != nil || rows != 24 || parts != 72 {
		t.Errorf("left are %d rows and %d parts, %v, want those of the third day and all parts", rows, parts, err)
	}
	storagetest.CheckLedger(t, s)
	// What was exported before still holds against its own ledger, value by value.
	source, err := export.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	result, err := verify.Run(t.Context(), verify.Options{Source: source})
	if err != nil || result.Count != 0 || result.Samples != 48*2 {
		t.Errorf("the export verifies as %+v, %v", result, err)
	}
}

func TestRetentionRefusesWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	data, _ := withOldDays(t)
	tomorrow := ledger.DayText(ledger.DayOf(halley.MillisOf(time.Now())) + 1)
	tests := map[string]struct {
		words []string
		code  int
		says  string
	}{
		"a plan without a date":    {[]string{"plan", "--why", "x"}, exitMisused, "--before is missing"},
		"a plan without a reason":  {[]string{"plan", "--before", "2024-01-01"}, exitMisused, "--why is missing"},
		"a date that is none":      {[]string{"plan", "--before", "yesterday", "--why", "x"}, exitMisused, "2024-01-01"},
		"a day that is too young":  {[]string{"plan", "--before", tomorrow, "--why", "x"}, exitFailed, "7 days"},
		"days that hold nothing":   {[]string{"plan", "--before", "2001-01-01", "--why", "x"}, exitFailed, "nothing is stored"},
		"no plan":                  {[]string{"carry-out"}, exitMisused, "--plan is missing"},
		"a plan that is not there": {[]string{"carry-out", "--plan", "abc"}, exitFailed, "there is no plan"},
		"a token that is not there": {
			[]string{"carry-out", "--plan", "abc", "--token-file", filepath.Join(data, "no-such-file")}, exitFailed, "token cannot be read",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := try(t, append(append([]string{"retention"}, test.words...), "--data", data)...)
			if code != test.code || !strings.Contains(errs, test.says) {
				t.Errorf("it ends with %d: %s%s, want %d and %q", code, out, errs, test.code, test.says)
			}
		})
	}
}
