package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/server/logging"
)

// instant is the time of every record here.
var instant = time.Date(2026, 11, 21, 14, 16, 0, 123e6, time.FixedZone("", 3600))

// write logs one record at the instant.
func write(t *testing.T, l *logging.Log, level slog.Level, text string, attrs ...slog.Attr) {
	t.Helper()
	r := slog.NewRecord(instant, level, text, 0)
	r.AddAttrs(attrs...)
	if err := l.Handler().Handle(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, o logging.Options) *logging.Log {
	t.Helper()
	l, err := logging.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestReadableLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		level  slog.Level
		text   string
		attrs  []slog.Attr
		colour bool
		want   string
	}{
		"message alone": {text: "started", want: "2026-11-21T13:16:00.123Z INFO  started\n"},
		"fields by name": {
			level: slog.LevelWarn, text: "slow",
			attrs: []slog.Attr{slog.Duration("took", 1500*time.Millisecond), slog.Int("device", 7), slog.String("address", "127.0.0.1:80")},
			want:  "2026-11-21T13:16:00.123Z WARN  slow  address=127.0.0.1:80 device=7 took=1.5s\n",
		},
		"values that need quotes": {
			text:  "x",
			attrs: []slog.Attr{slog.String("a", "two words"), slog.String("b", ""), slog.String("c", `say "hi"`), slog.String("d", "a=b")},
			want:  "2026-11-21T13:16:00.123Z INFO  x  a=\"two words\" b=\"\" c=\"say \\\"hi\\\"\" d=\"a=b\"\n",
		},
		"an error": {
			level: slog.LevelError, text: "failed", attrs: []slog.Attr{slog.Any("error", errors.New("no room"))},
			want: "2026-11-21T13:16:00.123Z ERROR failed  error=\"no room\"\n",
		},
		"hostile text cannot forge a line": {
			text: "a\n2026 INFO b", attrs: []slog.Attr{slog.String("name", "\x1b[2Jx\u202Ey")},
			want: "2026-11-21T13:16:00.123Z INFO  a\\n2026 INFO b  name=\"\\x1b[2Jx\\u202ey\"\n",
		},
		"colour": {
			level: slog.LevelError, text: "bad", colour: true,
			want: "2026-11-21T13:16:00.123Z \x1b[31mERROR\x1b[0m bad\n",
		},
		"no colour for what is normal": {text: "good", colour: true, want: "2026-11-21T13:16:00.123Z INFO  good\n"},
		"a time":                       {text: "x", attrs: []slog.Attr{slog.Time("ends", instant)}, want: "2026-11-21T13:16:00.123Z INFO  x  ends=2026-11-21T13:16:00.123Z\n"},
		"an instant":                   {text: "x", attrs: []slog.Attr{slog.Any("at", halley.Millis(1_795_267_000_000))}, want: "2026-11-21T13:16:00.123Z INFO  x  at=2026-11-21T13:16:40.000Z\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			write(t, open(t, logging.Options{Terminal: &out, Colour: c.colour}), c.level, c.text, c.attrs...)
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLevelDecidesWhatIsWritten(t *testing.T) {
	t.Parallel()
	levels := []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for word, want := range map[string]string{"debug": "DEBUG INFO WARN ERROR", "info": "INFO WARN ERROR", "": "INFO WARN ERROR", "warn": "WARN ERROR", "error": "ERROR"} {
		var out bytes.Buffer
		l := open(t, logging.Options{Level: word, Terminal: &out})
		for _, level := range levels {
			l.Log(t.Context(), level, "x")
		}
		got := strings.Join(regexp.MustCompile(`[A-Z]{4,5}`).FindAllString(out.String(), -1), " ")
		if got != want {
			t.Errorf("level %q writes %q, want %q", word, got, want)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	file := filepath.Join(t.TempDir(), "halley.log")
	var out bytes.Buffer
	l := open(t, logging.Options{Terminal: &out, File: file})
	for _, name := range []string{
		"password", "Password", "new_password", "secret", "token", "session-cookie", "authorization", "customer_key", "private_key",
		"entry_point", "entry_point_path", "dsn", "CustomerUid_customer_uid", "bearer",
	} {
		write(t, l, slog.LevelInfo, "x", slog.String(name, secret))
	}
	write(t, l, slog.LevelInfo, "x", slog.Group("credentials", slog.String("value", secret)))
	write(t, l, slog.LevelInfo, "x", slog.Group("request", slog.String("token", secret)))
	write(t, l, slog.LevelInfo, "x", slog.Any("upload", halley.Secret(secret)))
	l.With("token", secret).WithGroup("g").Info("x", "cookie", secret)
	for place, text := range map[string]string{"terminal": out.String(), "file": read(t, file)} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s shows a secret:\n%s", place, text)
		}
		if got := strings.Count(text, "***"); got < 19 {
			t.Errorf("the %s hides %d values, want 19 or more:\n%s", place, got, text)
		}
	}
}

func TestNamesOfSecretsAreShown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	write(t, open(t, logging.Options{Terminal: &out}), slog.LevelInfo, "x",
		slog.String("token_name", "grafana"), slog.Int("entry_point_id", 3), slog.String("key", "devices.accept"), slog.String("tokenizer", "y"))
	if want := "  entry_point_id=3 key=devices.accept token_name=grafana tokenizer=y\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want it to end in %q", out.String(), want)
	}
}

func TestFileHoldsJSON(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "logs", "halley.log")
	l := open(t, logging.Options{File: file, FileBytes: 1, Files: 1})
	write(t, l, slog.LevelWarn, "<slow>", slog.Duration("took", time.Second), slog.Any("error", errors.New("e")), slog.Float64("ratio", math.NaN()), slog.Int("n", 1))
	write(t, l, slog.LevelInfo, "next")
	var got []map[string]any
	for line := range strings.Lines(read(t, file)) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, one)
	}
	want := []map[string]any{
		{"time": "2026-11-21T13:16:00.123Z", "level": "warning", "msg": "<slow>", "took": "1s", "error": "e", "ratio": "NaN", "n": 1.0},
		{"time": "2026-11-21T13:16:00.123Z", "level": "info", "msg": "next"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestFileIsForThisAccountAlone(t *testing.T) {
	t.Parallel()
	if os.PathSeparator == '\\' {
		t.Skip("Windows has no permission bits")
	}
	file := filepath.Join(t.TempDir(), "logs", "halley.log")
	open(t, logging.Options{File: file}).Info("x")
	for path, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestFileIsRotated(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := open(t, logging.Options{File: filepath.Join(folder, "halley.log"), FileBytes: 1, Files: 2})
	long := strings.Repeat("x", 300<<10)
	for range 5 {
		l.Info("long", "text", long)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Errorf("%d files after 1.5 MiB with files of 1 MiB, want 2 or more", len(files))
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	occupied := filepath.Join(folder, "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options logging.Options
		kind    halley.Kind
	}{
		"level that does not exist": {logging.Options{Level: "loud"}, halley.Invalid},
		"folder that is a file":     {logging.Options{File: filepath.Join(occupied, "halley.log")}, halley.Unavailable},
		"file that is a folder":     {logging.Options{File: folder}, halley.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := logging.New(c.options)
			if err == nil || halley.KindOf(err) != c.kind {
				t.Errorf("got %v of kind %d, want kind %d", err, halley.KindOf(err), c.kind)
			}
		})
	}
}

func TestClosedLogStillReachesTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l, err := logging.New(logging.Options{Terminal: &out, File: filepath.Join(t.TempDir(), "halley.log")})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Info("last words")
	if !strings.Contains(out.String(), "last words") {
		t.Errorf("the terminal got %q", out.String())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
