package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	signing "halley/server/ledger"
	"halley/storage/ledger/export"
	"halley/storage/ledger/verify"
)

// isVerified has halley verify check the database of a stopped server: nothing may be found, every batch must be covered, and an
// export must show the same to whoever holds the public key.
func (s *site) isVerified(t *testing.T) {
	t.Helper()
	out, errs, code := s.run(t, "verify", "--data", s.data)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := lines[len(lines)-1]
	if code != exitDone || !strings.HasPrefix(last, "verified samples=") {
		t.Fatalf("verify ends with %d and says\n%s%s", code, firstLines(out), lastLines(errs, 20))
	}
	if strings.Contains(errs, "not covered") {
		t.Errorf("not all is covered by the ledger:\n%s", lastLines(errs, 20))
	}
	counts := s.rows(t)
	if want := fmt.Sprintf(" batches=%d ", counts["[halley].[batch]"]); !strings.Contains(last, want) {
		t.Errorf("verify says %q, want%s", last, want)
	}
	if counts["[halley].[checkpoint]"] == 0 {
		t.Error("a server that was stopped left no checkpoint")
	}
	folder := filepath.Join(t.TempDir(), "export")
	if out, errs, code := s.run(t, "export", "--data", s.data, "--out", folder); code != exitDone {
		t.Fatalf("export ends with %d and says\n%s%s", code, out, lastLines(errs, 20))
	}
	keys, err := signing.TrustedKeys(signing.KeysFolder("", s.data))
	if err != nil {
		t.Fatal(err)
	}
	source, err := export.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	result, err := verify.Run(t.Context(), verify.Options{Source: source, Keys: keys})
	if err != nil || result.Count > 0 || !result.Signed || result.Line() != last {
		t.Errorf("of the export it is said %q with the findings %v, %v, want %q", result.Line(), result.Findings, err, last)
	}
	t.Log(last)
}
