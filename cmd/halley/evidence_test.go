package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/storage"
	"halley/storage/ledger"
	"halley/storage/sqlite"
)

// unzipped gives the files of a ZIP by name.
func unzipped(tb testing.TB, content []byte) map[string]string {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		tb.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// checkSigned holds a file of evidence against its own list, and the list against the public key that the server publishes.
func checkSigned(tb testing.TB, data string, files map[string]string) {
	tb.Helper()
	var list struct {
		Files []struct{ Name, SHA256 string }
	}
	var signature struct {
		PublicKey string `json:"public_key"`
		Signature string
	}
	for name, into := range map[string]any{"manifest.json": &list, "manifest.signature.json": &signature} {
		if err := json.Unmarshal([]byte(files[name]), into); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
	}
	for _, f := range list.Files {
		if sum := sha256.Sum256([]byte(files[f.Name])); hex.EncodeToString(sum[:]) != f.SHA256 {
			tb.Errorf("%s is not as listed", f.Name)
		}
	}
	if len(list.Files) != len(files)-2 {
		tb.Errorf("%d files are listed of %d", len(list.Files), len(files))
	}
	published, err := filepath.Glob(filepath.Join(data, "keys", "ledger-*.pub"))
	if err != nil || len(published) != 1 {
		tb.Fatalf("public keys: %v, %v", published, err)
	}
	text, err := os.ReadFile(published[0])
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := ledger.ParseKeys(text)
	if err != nil {
		tb.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(signature.Signature)
	if err != nil {
		tb.Fatal(err)
	}
	if !ed25519.Verify(keys[0].Public, []byte(files["manifest.json"]), sig) || base64.StdEncoding.EncodeToString(keys[0].Public) != signature.PublicKey {
		tb.Error("the signature does not hold")
	}
}

// TestTheProgramMakesEvidence runs the whole program: a device posts, and its place gets a file through the API and by command.
func TestTheProgramMakesEvidence(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := serving(t, data, "--accept", "any")
	a := newAPI(t, p, administrator(t, data))
	p.send(t, "wifi", "periodic")
	flush(t, a)
	var places struct {
		Places []struct {
			ID       int64
			Name     string
			Channels []struct{ ID int64 }
		}
	}
	if err := a.ask(t.Context(), http.MethodGet, "/places", &places); err != nil {
		t.Fatal(err)
	}
	if len(places.Places) != 1 || len(places.Places[0].Channels) == 0 {
		t.Fatalf("places %+v", places)
	}
	place := places.Places[0]
	files := unzipped(t, a.bytes(t, fmt.Sprintf("/places/%d/evidence?from=2026-11-21T12:00:00Z&to=2026-11-21T14:00:00Z", place.ID)))
	checkSigned(t, data, files)
	if lines := strings.Count(files["samples.csv"], "\n"); lines != 1+len(place.Channels) {
		t.Errorf("%d lines of samples for %d channels:\n%s", lines, len(place.Channels), files["samples.csv"])
	}
	if got := files["report.html"]; !strings.Contains(got, place.Name) || !strings.Contains(got, "device.accept") || !strings.Contains(got, "Not verified") {
		t.Errorf("the page does not tell all:\n%s", got)
	}
	p.stop(t)

	out := filepath.Join(t.TempDir(), "evidence.zip")
	code, printed, errs := try(t, "evidence", "--data", data, "--place", place.Name, "--from", "2026-11-21", "--to", "2026-11-22", "--out", out)
	if code != exitDone || printed != "written: "+out+"\n" || errs != "" {
		t.Fatalf("exit %d, printed %q and %q", code, printed, errs)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	again := unzipped(t, content)
	checkSigned(t, data, again)
	for _, name := range []string{"samples.csv", "messages.csv", "devices.csv"} {
		if diff := cmp.Diff(files[name], again[name]); diff != "" {
			t.Errorf("%s of the server and of the command (-server +command):\n%s", name, diff)
		}
	}
	if code, _, errs := try(t, "evidence", "--data", data, "--place", place.Name, "--from", "2026-11-21", "--to", "2026-11-22", "--out", out); code != exitFailed || !strings.Contains(errs, "is there already") {
		t.Errorf("over a file that is there: exit %d, %q", code, errs)
	}
	acts := auditOf(t, data, "evidence.*")
	if len(acts) != 2 || !strings.HasPrefix(acts[0], "token test evidence.make place ") || !strings.HasPrefix(acts[1], "command ") {
		t.Errorf("acts %q", acts)
	}
}

// bytes gives the answer to a GET as it comes.
func (a *api) bytes(tb testing.TB, path string) []byte {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, a.base+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	answer, err := a.client.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %s, %v: %s", path, answer.Status, err, content)
	}
	return content
}

// auditOf lists the acts that begin so, oldest first: kind and name of who, what, on what.
func auditOf(tb testing.TB, data, what string) []string {
	tb.Helper()
	store, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(data, storeFile), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	defer store.Close()
	list, err := store.AuditWhere(tb.Context(), storage.AuditFilter{What: what, Limit: 1000})
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, e := range slices.Backward(list) {
		out = append(out, strings.TrimSpace(e.Change.Actor.Kind+" "+e.Change.Actor.Name+" "+e.What+" "+e.On+" "+e.New))
	}
	return out
}

func TestCommandsLeaveAnAct(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, words := range [][]string{
		{"init", "--data", data},
		{"config", "check", "--data", data},
		{"token", "create", "--data", data, "--name", "grafana", "--expires", "24h"},
		{"token", "list", "--data", data},
		{"device", "accept", "--data", data, "99999999"},
		{"token", "create", "--data", data},
		{"version"},
		{"help"},
	} {
		try(t, words...)
	}
	who := change("").Actor.Name
	var got []string
	for _, a := range auditOf(t, data, "command.*") {
		got = append(got, strings.ReplaceAll(strings.ReplaceAll(a, data, "DATA"), "command "+who, "WHO"))
	}
	want := []string{
		`WHO command.run halley init {"outcome":"done","options":{"data":"given"},"version":"unknown"}`,
		`WHO command.run halley token create {"outcome":"done","options":{"data":"given","expires":"24h","name":"grafana"},"version":"unknown"}`,
		`WHO command.run halley token list {"outcome":"done","options":{"data":"given"},"version":"unknown"}`,
		`WHO command.run halley device accept {"outcome":"failed","options":{"data":"given"},"arguments":["99999999"],"version":"unknown"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
}

func TestACommandMakesNoStoreOnlyToNoteItself(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	try(t, "retention", "plan", "--data", data)
	try(t, "config", "check", "--data", data)
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("there is a data folder: %v", err)
	}
}

func TestNoAddressOfACommandIsKept(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Cold room 3": "Cold room 3", "sqlserver://halley:secret@db": "an address", "a\x00b\xff": "ab?",
		strings.Repeat("é", 400): strings.Repeat("é", 300) + "…",
	} {
		if got := harmless(in); got != want {
			t.Errorf("%q is kept as %q", in, got)
		}
	}
}
