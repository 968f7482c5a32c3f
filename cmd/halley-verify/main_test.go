package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"halley/storage/ledger"
	"halley/storage/ledger/export"
	"halley/storage/ledger/ledgertest"
)

// files of an auditor: an export, the key of the server, and a checkpoint that was kept.
type auditors struct{ folder, key, other, anchor, late string }

func prepare(t *testing.T) auditors {
	t.Helper()
	m := ledgertest.Site(t)
	dir := t.TempDir()
	a := auditors{
		filepath.Join(dir, "export"), filepath.Join(dir, "north.pub"), filepath.Join(dir, "other.pub"), filepath.Join(dir, "anchor.txt"),
		filepath.Join(dir, "late.txt"),
	}
	if _, err := export.Write(t.Context(), export.Options{Source: m, Folder: a.folder}); err != nil {
		t.Fatal(err)
	}
	own, other := ledgertest.PublicKey("north", ledgertest.Key(1)), ledgertest.PublicKey("north", ledgertest.Key(9))
	newest := m.Checkpointed[len(m.Checkpointed)-1]
	m.Record("north")
	late := m.Sign("north", ledgertest.Key(1))
	for name, text := range map[string][]byte{a.key: own.Text(), a.other: other.Text(), a.anchor: newest.Text(), a.late: late.Text()} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestAnExportIsChecked(t *testing.T) {
	t.Parallel()
	a := prepare(t)
	damaged := filepath.Join(t.TempDir(), "export")
	if err := os.CopyFS(damaged, os.DirFS(a.folder)); err != nil {
		t.Fatal(err)
	}
	sheet := filepath.Join(damaged, "samples", ledger.DayText(ledgertest.FirstDay)+".csv")
	text, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sheet, bytes.Replace(text, []byte(",20.3,0,"), []byte(",20.4,0,"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		// out is in what is written to standard output, errs in what is written to standard error.
		out, errs string
	}{
		"untouched":      {[]string{a.folder, "--key", a.key}, 0, "\nverified samples=384 batches=73 from=2025-11-07 to=2025-11-11\n", "no checkpoint kept elsewhere was given"},
		"with an anchor": {[]string{"--key", a.key, a.folder, "--anchor", a.anchor}, 0, "\nverified samples=", "a checkpoint kept elsewhere, of 2025-11-08T00:12:41.000Z, was checked against"},
		"older than what was kept": {
			[]string{a.folder, "--key", a.key, "--anchor", a.late}, 1, "truncated: the chain of node north ends with batch 139", "",
		},
		"another key":                  {[]string{a.folder, "--key", a.other}, 1, "checkpoint: the checkpoint of node north", ""},
		"a value":                      {[]string{damaged, "--key", a.key}, 1, "changed: wifi 19960000, channel 1 temperature °C, 2025-11-08T00:00:00.000Z, batch 1: the value was 20.3 and is 20.4", ""},
		"no key":                       {[]string{a.folder}, 2, "", "--key is missing"},
		"no folder":                    {[]string{"--key", a.key}, 2, "", "FOLDER is missing"},
		"too much":                     {[]string{a.folder, "x", "--key", a.key}, 2, "", `"x" is too much`},
		"no export":                    {[]string{t.TempDir(), "--key", a.key}, 1, "", "name a folder that halley export wrote"},
		"a file that is no key":        {[]string{a.folder, "--key", a.anchor}, 2, "", "holds no public key"},
		"a file that is no checkpoint": {[]string{a.folder, "--key", a.key, "--anchor", a.key}, 2, "", "holds no checkpoint"},
		"help":                         {[]string{"--help"}, 0, "Usage: halley-verify FOLDER --key FILE", ""},
		"version":                      {[]string{"--version"}, 0, "halley-verify unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			code := run(t.Context(), c.args, &out, &errs)
			if code != c.code || !strings.Contains("\n"+out.String(), c.out) || !strings.Contains(errs.String(), c.errs) {
				t.Errorf("ended with %d, said\n%s\nand\n%s\nwant %d, %q and %q", code, out.String(), errs.String(), c.code, c.out, c.errs)
			}
		})
	}
}

// TestItHasNoCodeOfTheServer holds the promise of the package comment.
func TestItHasNoCodeOfTheServer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		switch {
		case name == "halley", name == "halley/cmd/halley-verify", strings.HasPrefix(name, "halley/storage/ledger"):
		case strings.HasPrefix(name, "halley/"), name == "net/http", name == "database/sql":
			t.Errorf("it has %s in it", name)
		}
	}
}
