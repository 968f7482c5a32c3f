package logging

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sirupsen/logrus"
)

// timeLayout is the same as for every other time that Halley prints: UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// levelWords have one width, so that messages stand below each other.
var levelWords = map[logrus.Level]string{
	logrus.DebugLevel: "DEBUG", logrus.InfoLevel: "INFO ", logrus.WarnLevel: "WARN ", logrus.ErrorLevel: "ERROR",
}

// levelColours are those of terminals: grey, none, yellow, red.
var levelColours = map[logrus.Level]string{
	logrus.DebugLevel: "\x1b[90m", logrus.WarnLevel: "\x1b[33m", logrus.ErrorLevel: "\x1b[31m",
}

// readable writes a line for a person: time, level, message, then the fields by name.
type readable struct{ colour bool }

// Format gives one line.
func (f *readable) Format(e *logrus.Entry) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(e.Time.UTC().Format(timeLayout) + " ")
	word := levelWords[e.Level]
	if paint := levelColours[e.Level]; f.colour && paint != "" {
		word = paint + word + "\x1b[0m"
	}
	b.WriteString(word + " " + escaped(e.Message))
	fields := shown(e.Data)
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i == 0 {
			b.WriteByte(' ')
		}
		b.WriteString(" " + escaped(name) + "=" + oneWord(fmt.Sprint(fields[name])))
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// oneWord gives a value as one word: quoted where it has blanks, quotes or characters that cannot be seen.
func oneWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=") || escaped(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// escaped replaces what a terminal could act on or hide (line ends, control and bidi characters). Names and texts in a log
// line may come from a device.
func escaped(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(s)
			return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
		}
	}
	return s
}

// jsonFile writes every entry as a line of JSON.
type jsonFile struct{ out io.Writer }

// Levels says that every entry is written.
func (*jsonFile) Levels() []logrus.Level { return logrus.AllLevels }

// Fire writes one entry.
func (h *jsonFile) Fire(e *logrus.Entry) error {
	format := logrus.JSONFormatter{TimestampFormat: timeLayout, DisableHTMLEscape: true}
	// The entry belongs to the library and its fields to other loggers too, so neither is changed.
	line, err := format.Format(&logrus.Entry{
		Logger: e.Logger, Time: e.Time.UTC(), Level: e.Level, Message: e.Message, Data: shown(e.Data),
	})
	if err != nil {
		return fmt.Errorf("writing a log line: %w", err)
	}
	_, err = h.out.Write(line)
	return err
}

// Interface guards.
var (
	_ logrus.Formatter = (*readable)(nil)
	_ logrus.Hook      = (*jsonFile)(nil)
)
