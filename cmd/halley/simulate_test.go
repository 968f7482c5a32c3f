package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// simulated runs the command against a server and gives what it says.
func simulated(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := &command{name: "halley", commands: []*command{simulateCommand()}}
	code = dispatch(t.Context(), root, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}, append([]string{"simulate"}, args...))
	return code, stdout.String(), stderr.String()
}

// sink is a server that remembers paths and confirms or refuses everything.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	paths map[string]int
}

func newSink(t *testing.T, status int, secured bool) *sink {
	t.Helper()
	s := &sink{paths: map[string]int{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.mu.Lock()
		s.paths[r.URL.Path]++
		s.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"Result":true}`)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if secured {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func TestSimulateSaysWhatWasSent(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusOK, false)
	for _, c := range []struct {
		args string
		want string
	}{
		{"--family wifi --devices 3 --interval 0 --messages 4 --cached 5 --seed 1", "sent=27 acknowledged=27 refused=0\n"},
		{"--family websensor --devices 3 --interval 0 --messages 4 --cached 5", "sent=12 acknowledged=12 refused=0\n"},
		{"--family tax6xx --devices 2 --interval 0 --messages 0 --cached 5", "sent=10 acknowledged=10 refused=0\n"},
		{"--family modem --devices 1 --interval 60 --messages 0 --history 1h", "sent=60 acknowledged=60 refused=0\n"},
		{"--family all --devices 8 --interval 20ms --messages 2", "sent=16 acknowledged=16 refused=0\n"},
	} {
		code, out, errs := simulated(t, append([]string{"--to", s.URL}, strings.Fields(c.args)...)...)
		if code != exitDone || out != c.want || errs != "" {
			t.Errorf("%s: exit code %d, %q, %q; want %q", c.args, code, out, errs, c.want)
		}
	}
}

func TestSimulateIsOneModelWhereAsked(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	kinds := map[string]int{}
	kind := regexp.MustCompile(`"Kind":\d+`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		kinds[kind.FindString(string(body))]++
		mu.Unlock()
		_, _ = io.WriteString(w, `{"Result":true}`)
	}))
	t.Cleanup(s.Close)
	send := func(model string) (int, string) {
		code, _, errs := simulated(t, "--to", s.URL, "--family", "wifi", "--model", model, "--devices", "5", "--interval", "0", "--messages", "2")
		return code, errs
	}
	if code, errs := send("W7710"); code != exitDone || errs != "" {
		t.Errorf("exit code %d, %q", code, errs)
	}
	if kinds[`"Kind":7`] != 10 || len(kinds) != 1 {
		t.Errorf("the messages were of %v, want ten of a W7710, which is 7", kinds)
	}
	if code, errs := send("U0110"); code != exitMisused || !strings.Contains(errs, `--model names no instrument`) {
		t.Errorf("a model of another family: exit code %d, %q", code, errs)
	}
}

func TestSimulateFailsWhenNotAllIsAcknowledged(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusServiceUnavailable, false)
	for _, family := range []string{"websensor", "wifi", "tax6xx", "modem"} {
		code, out, errs := simulated(t, "--to", s.URL, "--family", family, "--devices", "2", "--interval", "0", "--messages", "1", "--patience", "1ns")
		if code != exitFailed || out != "sent=2 acknowledged=0 refused=2\n" || !strings.Contains(errs, "2 of 2 messages were not acknowledged") ||
			!strings.Contains(errs, "answered 503") {
			t.Errorf("%s: exit code %d, %q, %q", family, code, out, errs)
		}
	}
}

func TestSimulateEndsWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusOK, false)
	for _, forever := range [][]string{nil, {"--forever"}} {
		code, out, errs := simulated(t, append([]string{"--to", s.URL, "--interval", "10ms", "--for", "0.2"}, forever...)...)
		if code != exitDone || !regexp.MustCompile(`^sent=[1-9]\d* acknowledged=[1-9]\d* refused=0\n$`).MatchString(out) {
			t.Errorf("exit code %d, %q, %q", code, out, errs)
		}
	}
}

func TestSimulateEndsCleanlyWhenStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	defer s.Close()
	var stdout, stderr bytes.Buffer
	root := &command{name: "halley", commands: []*command{simulateCommand()}}
	code := dispatch(ctx, root, streams{out: &stdout, err: &stderr},
		[]string{"simulate", "--to", s.URL, "--family", "wifi", "--devices", "1", "--messages", "5", "--interval", "0"})
	if code != exitFailed || !strings.HasPrefix(stdout.String(), "sent=1 acknowledged=0") {
		t.Errorf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

func TestSimulateTrustsAsAsked(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusOK, true)
	sum := sha256.Sum256(s.Certificate().Raw)
	right := hex.EncodeToString(sum[:])
	wrong := strings.Repeat("0", len(right))
	var colons []string
	for i := 0; i < len(right); i += 2 {
		colons = append(colons, strings.ToUpper(right[i:i+2]))
	}
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"nothing said", nil, exitFailed},
		{"insecure", []string{"--insecure"}, exitDone},
		{"the right fingerprint", []string{"--fingerprint", right}, exitDone},
		{"the right fingerprint as browsers write it", []string{"--fingerprint", strings.Join(colons, ":")}, exitDone},
		{"another fingerprint", []string{"--fingerprint", wrong}, exitFailed},
		{"half a fingerprint", []string{"--fingerprint", right[:32]}, exitMisused},
		{"both", []string{"--fingerprint", right, "--insecure"}, exitMisused},
	} {
		args := []string{"--to", s.URL, "--family", "wifi", "--devices", "1", "--messages", "1", "--interval", "0", "--patience", "1ns"}
		if code, out, errs := simulated(t, append(args, c.args...)...); code != c.code {
			t.Errorf("%s: exit code %d, want %d; %q, %q", c.name, code, c.code, out, errs)
		}
	}
}

func TestSimulateSendsToEntryPoints(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusOK, false)
	file := filepath.Join(t.TempDir(), "entry-points")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--to", s.URL, "--family", "websensor", "--devices", "3", "--messages", "1", "--interval", "0", "--entry-point-file", file}
	write("# secret\n\n00000001 http://server:8081/e/first\n00000003\t/e/third\n")
	if code, _, errs := simulated(t, args...); code != exitDone {
		t.Fatalf("exit code %d, %q", code, errs)
	}
	if s.paths["/e/first"] != 1 || s.paths["/e/third"] != 1 || s.paths["/"] != 1 {
		t.Errorf("paths: %v", s.paths)
	}
	for _, bad := range []string{"00000001\n", "00000001 s3cret x\n", "00000001 http://h\n", "00000001 /\n", "00000001 ://s3cret\n"} {
		write(bad)
		if code, _, errs := simulated(t, args...); code != exitMisused || !strings.Contains(errs, "line 1") || strings.Contains(errs, "s3cret") {
			t.Errorf("%q: exit code %d, %q", bad, code, errs)
		}
	}
	if code, _, _ := simulated(t, append(args, "--entry-point-file", file+"x")...); code != exitFailed {
		t.Errorf("without the file: exit code %d", code)
	}
}

func TestSimulateExplainsMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"", "--to is missing"},
		{"--to 127.0.0.1:1", "--to: give the server's address"},
		{"--to http://h --family fax", `"fax" is none`},
		{"--to http://h --devices 10000", "--devices: the serial numbers of simulated devices end at 00009999"},
		{"--to http://h --devices 2 --first 9999", "--devices: the serial numbers"},
		{"--to http://h --messages -1", "--messages is 0 or more"},
		{"--to http://h --messages 1 --forever", "contradict"},
		{"--to http://h --alarms 2", "shares from 0 to 1"},
		{"--to http://h --interval soon", "write a time such as 90s"},
		{"--to http://h --interval -5s", "write a time such as 90s"},
		{"--to http://h --history 1e99d", "write a time such as 90s"},
		{"--to http://h more", `"more" is too much`},
	} {
		code, out, errs := simulated(t, strings.Fields(c.args)...)
		if code != exitMisused || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit code %d, %q, %q; want %q", c.args, code, out, errs, c.want)
		}
	}
}

func TestSimulateHelpShowsAnExample(t *testing.T) {
	t.Parallel()
	code, out, _ := simulated(t, "--help")
	if code != exitDone || !strings.Contains(out, "halley simulate --to http://127.0.0.1:8081 --family all") || !strings.Contains(out, "--cached HOW-MANY") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

func TestSpanReadsTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "0.5": 500 * time.Millisecond, "1m30s": 90 * time.Second, "30d": 720 * time.Hour, "1.5d": 36 * time.Hour,
	} {
		var s span
		if err := s.Set(text); err != nil || time.Duration(s) != want || s.String() != want.String() {
			t.Errorf("%s: %v, %v; want %v", text, s.String(), err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "-1s", "d", "NaN", "Inf", "1e12", "NaNd"} {
		var s span
		if err := s.Set(text); err == nil {
			t.Errorf("%q was read as %v", text, s.String())
		}
	}
}
