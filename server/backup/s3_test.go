package backup_test

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"halley/server/backup"
)

// bucket starts an S3 store in this process, with TLS, and gives a place in it and a change of what is needed to reach it.
func bucket(t *testing.T) backup.Place {
	t.Helper()
	backend := s3mem.New()
	must(t, backend.CreateBucket("halley"))
	srv := httptest.NewUnstartedServer(gofakes3.New(backend).Server())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // of those who refuse its certificate
	srv.StartTLS()
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, text, 0o600))
		return path
	}
	return backup.Place{At: "s3://halley/site/1", S3: backup.S3Options{
		Endpoint: srv.URL, Region: "us-east-1", AccessKeyFile: file("access", []byte("access\n")), SecretKeyFile: file("secret", []byte("secret\n")),
		Certificate: file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})),
	}}
}

func TestABackupInAnS3Store(t *testing.T) {
	t.Parallel()
	p := bucket(t)
	to, err := backup.OpenTarget(p)
	must(t, err)
	s := newSite(t)
	public, private := keys(t)
	s.options.Recipients = []string{public}
	s.options.Rule = backup.Rule{Daily: 1}
	// More than one part of an upload, and nothing that can be compressed.
	large := make([]byte, 20<<20)
	_, _ = rand.Read(large)
	s.write("quarantine.db", string(large))
	s.receive(10)
	s.record()
	s.receive(2)
	first := s.mustBackup(to)
	second := s.backupUnderNewName(to)
	must(t, second.Err)
	if len(second.Removed) != 1 || second.Removed[0] != first.Summary.Name || second.Warning != "" {
		t.Errorf("removed %v, warning %q", second.Removed, second.Warning)
	}
	names, err := to.List(t.Context())
	must(t, err)
	if len(names) != 1 || names[0] != second.Summary.Name {
		t.Errorf("the store lists %v", names)
	}
	o, _ := restoreOptions(t, to)
	o.Identities = private
	got, err := backup.Restore(t.Context(), o)
	must(t, err)
	held, err := os.ReadFile(filepath.Join(o.Data, "quarantine.db"))
	must(t, err)
	if got.Last != 12 || got.Recorded != 10 || !bytes.Equal(held, large) {
		t.Errorf("restored %+v", got)
	}
}

func TestACompleteBackupIsNotWrittenOverNorDiscarded(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]backup.Place{"in a folder": {At: filepath.Join(t.TempDir(), "backups"), Make: true}, "in an S3 store": bucket(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to, err := backup.OpenTarget(at)
			must(t, err)
			s := newSite(t)
			s.receive(1)
			s.record()
			r := s.mustBackup(to)
			must(t, to.Discard(t.Context(), r.Summary.Name))
			if at.Make {
				must(t, os.Mkdir(filepath.Join(at.At, "."+r.Summary.Name+".partial"), 0o700))
				err = to.Complete(t.Context(), r.Summary.Name, []byte("{}"))
			} else {
				err = to.Put(t.Context(), r.Summary.Name, "store.zst", 1, func(io.Writer) error { return nil })
			}
			if codeOf(err) != "backup-exists" {
				t.Errorf("writing over it says %v", err)
			}
			o, _ := restoreOptions(t, to)
			_, err = backup.Restore(t.Context(), o)
			must(t, err)
		})
	}
}

func TestAnIncompleteBackupInAnS3StoreIsNone(t *testing.T) {
	t.Parallel()
	to, err := backup.OpenTarget(bucket(t))
	must(t, err)
	s := newSite(t)
	s.receive(1)
	s.record()
	if r := s.backup(&faulty{Target: to, piece: "keys.tar.zst", after: 1, err: os.ErrClosed}); r.Err == nil {
		t.Fatal("it did not fail")
	}
	for what, list := range map[string]func() ([]string, error){
		"complete":   func() ([]string, error) { return to.List(t.Context()) },
		"incomplete": func() ([]string, error) { return to.Incomplete(t.Context()) },
	} {
		if names, err := list(); err != nil || len(names) > 0 {
			t.Errorf("%s: %v, %v", what, names, err)
		}
	}
}

func TestAnS3StoreThatCannotBeUsedIsExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*backup.Place)
		want   string
	}{
		"a bucket that is not there":      {func(p *backup.Place) { p.At = "s3://other/x" }, "has no bucket other"},
		"a certificate of somebody else":  {func(p *backup.Place) { p.S3.Certificate = "" }, "does not answer as it should"},
		"a file of the key that is away":  {func(p *backup.Place) { p.S3.SecretKeyFile = "/nowhere/secret" }, "/nowhere/secret cannot be read"},
		"an endpoint that is no address":  {func(p *backup.Place) { p.S3.Endpoint = "minio:9000" }, "https://HOST:PORT"},
		"a bucket without a name":         {func(p *backup.Place) { p.At = "s3://" }, "s3://BUCKET/PREFIX"},
		"a certificate that is no PEM":    {func(p *backup.Place) { p.S3.Certificate = p.S3.SecretKeyFile }, "holds no certificate"},
		"an endpoint with something more": {func(p *backup.Place) { p.S3.Endpoint += "/path" }, "https://HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := bucket(t)
			c.change(&p)
			to, err := backup.OpenTarget(p)
			if err == nil {
				err = to.Ready(t.Context())
			}
			if !strings.Contains(backup.Problem(err), c.want) {
				t.Errorf("it says %v, want %q", err, c.want)
			}
		})
	}
}
