package datadir_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"halley"
	"halley/server/datadir"
)

// asProgram names the variable that makes the test binary lock a folder until its standard input ends.
const asProgram = "HALLEY_DATADIR_TEST"

func TestMain(m *testing.M) {
	if path := os.Getenv(asProgram); path != "" {
		os.Exit(holdLock(path))
	}
	goleak.VerifyTestMain(m)
}

func holdLock(path string) int {
	d, err := datadir.Open(path)
	if err == nil {
		err = d.Lock()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = os.Stdout.WriteString("locked\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func open(t *testing.T, path string) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(path)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return d
}

// kindAndCode gives what a caller acts on in an error.
func kindAndCode(err error) string {
	e := new(halley.Error)
	if !errors.As(err, &e) {
		return fmt.Sprintf("%v", err)
	}
	return fmt.Sprintf("%d %s", e.Kind, e.Code)
}

func TestOpenMakesTheFolderAbsolute(t *testing.T) {
	base := t.TempDir()
	t.Chdir(base)
	d := open(t, filepath.Join("a", "..", "b", "data"))
	want, err := filepath.EvalSymlinks(filepath.Join(base, "b", "data"))
	if err != nil {
		t.Fatalf("the folder is not there: %v", err)
	}
	got, err := filepath.EvalSymlinks(d.Path())
	if err != nil || got != want || !filepath.IsAbs(d.Path()) {
		t.Errorf("the path is %s, %v; want %s", d.Path(), err, want)
	}
	if got, want := d.Join("keys", "x"), filepath.Join(d.Path(), "keys", "x"); got != want {
		t.Errorf("Join gave %s, want %s", got, want)
	}
	if _, err := os.Stat(filepath.Join(base, "a")); err == nil {
		t.Error("a folder that is not on the way was made")
	}
	again := open(t, d.Path())
	if diff := cmp.Diff(d.Path(), again.Path()); diff != "" {
		t.Errorf("opened again the path is another (-want +got):\n%s", diff)
	}
}

func TestOpenRefusesWhatCannotBeADataFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		"no path":      "",
		"a whole disk": filepath.VolumeName(file) + string(filepath.Separator),
		"a file":       file,
	}
	for name, path := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := datadir.Open(path); halley.KindOf(err) != halley.Invalid {
				t.Errorf("open gave %v, want invalid", err)
			}
		})
	}
	if _, err := datadir.Open(filepath.Join(file, "below")); err == nil {
		t.Error("a folder below a file was opened")
	}
}

func TestLockIsForOneProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asProgram+"="+path)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	d := open(t, path) // to look is allowed
	err = d.Lock()
	if got, want := kindAndCode(err), fmt.Sprintf("%d in-use", halley.Conflict); got != want {
		t.Errorf("lock gave %s, want %s", got, want)
	}
	if want := fmt.Sprintf("(process %d)", cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("lock says %v, want it to name the %s", err, want)
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the other process: %v", err)
	}
	if err := d.Lock(); err != nil {
		t.Fatalf("lock after the other process ended: %v", err)
	}
	if err := d.Lock(); halley.KindOf(err) != halley.Conflict {
		t.Errorf("the second lock gave %v, want a conflict", err)
	}
	other := open(t, path)
	if err := other.Lock(); halley.KindOf(err) != halley.Conflict {
		t.Errorf("the lock of another opening gave %v, want a conflict", err)
	}
	if err := errors.Join(other.Unlock(), d.Unlock(), d.Unlock()); err != nil {
		t.Errorf("unlock: %v", err)
	}
	if err := errors.Join(other.Lock(), other.Unlock()); err != nil {
		t.Errorf("lock after unlock: %v", err)
	}
}

func TestFreeGivesTheDisksSpace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	d := open(t, path)
	if free, err := d.Free(); err != nil || free <= 0 {
		t.Errorf("free gave %d, %v", free, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Free(); err == nil {
		t.Error("free of a folder that is gone gave no error")
	}
}

func TestWriteFilePrivateReplacesTheWhole(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "data"))
	for _, name := range []string{"first-sign-in.txt", filepath.Join("keys", "deep", "server.key")} {
		for _, want := range []string{"long enough to be cut", "short", ""} {
			if err := d.WriteFilePrivate(name, []byte(want)); err != nil {
				t.Fatalf("write %s: %v", name, err)
			}
			got, err := os.ReadFile(d.Join(name))
			if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
				t.Errorf("%s holds: %v (-want +got):\n%s", name, err, diff)
			}
		}
		entries, err := os.ReadDir(filepath.Dir(d.Join(name)))
		if err != nil || len(entries) != 1 && name != "first-sign-in.txt" {
			t.Errorf("beside %s lies something: %v %v", name, entries, err)
		}
	}
}

func TestWriteFilePrivateStaysInTheFolder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	d := open(t, filepath.Join(base, "data"))
	for _, name := range []string{"", ".", "..", "../out", filepath.Join(base, "out"), "a/../../out", "a/.."} {
		if err := d.WriteFilePrivate(name, []byte("x")); halley.KindOf(err) != halley.Invalid {
			t.Errorf("write %q gave %v, want invalid", name, err)
		}
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) != 1 {
		t.Errorf("beside the folder lies something: %v %v", entries, err)
	}
}

func TestMakeFileLeavesWhatIsThere(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "data"))
	if err := d.MakeFile("halley.db"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(d.Join("halley.db")); err != nil || len(got) != 0 {
		t.Errorf("the new file holds %q, %v; want nothing", got, err)
	}
	if err := os.WriteFile(d.Join("halley.db"), []byte("samples"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.MakeFile("halley.db"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(d.Join("halley.db")); err != nil || string(got) != "samples" {
		t.Errorf("the file that was there holds %q, %v", got, err)
	}
	for _, name := range []string{"", ".", "..", "../out", "keys/below"} {
		if err := d.MakeFile(name); halley.KindOf(err) != halley.Invalid {
			t.Errorf("making %q gave %v, want invalid", name, err)
		}
	}
}

func TestWriteFilePrivateLeavesNothingAfterAFailure(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "data"))
	if err := os.MkdirAll(d.Join("taken", "by", "folders"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFilePrivate("taken", []byte("secret")); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if entries, err := os.ReadDir(d.Path()); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v %v, want what was there", entries, err)
	}
}

func TestStreamFilePrivateKeepsTheFileWhereWritingFails(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "data"))
	if err := d.WriteFilePrivate("copy.json", []byte("as it was")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := d.StreamFilePrivate("copy.json", func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of it"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want what the content said", err)
	}
	got, err := os.ReadFile(d.Join("copy.json"))
	if diff := cmp.Diff("as it was", string(got)); diff != "" || err != nil {
		t.Errorf("the file holds: %v (-want +got):\n%s", err, diff)
	}
	if entries, err := os.ReadDir(d.Path()); err != nil || len(entries) != 1 {
		t.Errorf("beside the file lies something: %v %v", entries, err)
	}
}
