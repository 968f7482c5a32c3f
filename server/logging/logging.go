// Package logging builds the logger that every other part is given: readable lines for a person, JSON lines in a file that is
// rotated, secrets removed. It is the only package that knows which library writes them.
//
// It keeps no logger of its own; whoever builds one hands it on as a *slog.Logger.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"
	bridge "github.com/sirupsen/logrus/hooks/slog"
	"gopkg.in/natefinch/lumberjack.v2"

	"halley"
)

// Options say where the log goes.
type Options struct {
	// Level is the least that is logged: "debug", "info", "warn" or "error"; "" is "info".
	Level string
	// Terminal gets readable lines; nil for none.
	Terminal io.Writer
	// Colour paints the level; for a terminal only.
	Colour bool
	// File gets JSON lines; "" for none. Its folder is made where it is missing, for this account alone.
	File string
	// FileBytes is the size at which a new file begins, in whole MiB, rounded up; Files is how many old ones are kept,
	// compressed. 0 is 20 MiB and 10.
	FileBytes int64
	Files     int
}

// Log is a logger and the file behind it.
type Log struct {
	*slog.Logger
	file io.Closer
}

// New builds a logger. Close it when the last line is written.
func New(o Options) (*Log, error) {
	const op = "open the log"
	level, err := levelOf(o.Level)
	if err != nil {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "log.level", Message: err.Error()}
	}
	sink := logrus.New()
	sink.SetLevel(level)
	sink.SetOutput(io.Discard)
	sink.SetFormatter(&readable{colour: o.Colour})
	if o.Terminal != nil {
		sink.SetOutput(o.Terminal)
	}
	l := &Log{Logger: slog.New(bridge.NewHandler(sink, nil))}
	if o.File == "" {
		return l, nil
	}
	out, err := openFile(o)
	if err != nil {
		return nil, &halley.Error{
			Kind: halley.Unavailable, Op: op, Field: "log.file",
			Message: "the log file cannot be written; name another or give this account the right to write it", Err: err,
		}
	}
	sink.AddHook(&jsonFile{out: out})
	l.file = out
	return l, nil
}

// Close closes the file. What is logged later still reaches the terminal.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// levelOf gives the library's level for a word.
func levelOf(word string) (logrus.Level, error) {
	switch word {
	case "debug":
		return logrus.DebugLevel, nil
	case "info", "":
		return logrus.InfoLevel, nil
	case "warn":
		return logrus.WarnLevel, nil
	case "error":
		return logrus.ErrorLevel, nil
	}
	return 0, fmt.Errorf("write debug, info, warn or error; %q is none", word)
}

// openFile opens the file at once, so that a wrong path is told at the start and not at the first line.
func openFile(o Options) (*lumberjack.Logger, error) {
	path, err := filepath.Abs(o.File)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	probe, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	const mebi, files, bytes = 1 << 20, 10, 20 << 20
	size, keep := o.FileBytes, o.Files
	if size <= 0 {
		size = bytes
	}
	if keep <= 0 {
		keep = files
	}
	return &lumberjack.Logger{Filename: path, MaxSize: int((size + mebi - 1) / mebi), MaxBackups: keep, Compress: true}, nil
}
