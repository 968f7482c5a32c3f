package viewerapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"halley"
)

const (
	// bodyBytes bounds the body of a request.
	bodyBytes = 64 << 10
	// nameRunes bounds the names that people give, in characters.
	nameRunes = 200
)

// invalid gives the error for an input that cannot be right.
func invalid(field, message string) error {
	return &halley.Error{Kind: halley.Invalid, Op: "read the request", Code: "not-valid", Field: field, Message: message}
}

// pathID reads the id of the path; NotFound where it cannot be one.
func pathID(r *http.Request) (int64, error) {
	id := wholeID(mux.Vars(r)["id"])
	if id == 0 {
		return 0, &halley.Error{Kind: halley.NotFound, Op: "read the id", Message: "there is no such id: ids are whole numbers from 1"}
	}
	return id, nil
}

// wholeID reads an id as the API writes it; 0 where it is none. One thing has one path: no sign and no zeros in front.
func wholeID(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || text[0] < '1' {
		return 0
	}
	return id
}

// query reads the parameters of a request once each, and remembers the first mistake.
type query struct {
	values url.Values
	err    error
}

// newQuery reads the query of r, in which only these names may stand, once each.
func newQuery(r *http.Request, names ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.err = invalid("", "the query cannot be read: escape it as URLs need")
		return q
	}
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	for name, given := range values {
		switch {
		case !known[name]:
			q.fail(cut(name), "there is no such parameter here: use "+strings.Join(names, ", "))
		case len(given) > 1:
			q.fail(name, "give this parameter once")
		}
	}
	return q
}

// cut shortens what a caller wrote before it is shown back.
func cut(s string) string {
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.ToValidUTF8(s, "")
}

func (q *query) fail(field, message string) {
	if q.err == nil {
		q.err = invalid(field, message)
	}
}

// text reads a text of at most most characters.
func (q *query) text(name string, most int) string {
	s := q.values.Get(name)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
		q.fail(name, fmt.Sprintf("write at most %d characters", most))
	}
	return s
}

// number reads a whole number from least to most; absent is otherwise.
func (q *query) number(name string, least, most, otherwise int64) int64 {
	s := q.values.Get(name)
	if s == "" && !q.values.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		q.fail(name, fmt.Sprintf("write a whole number from %d to %d", least, most))
		return otherwise
	}
	return n
}

// flag reads true or false; absent is false.
func (q *query) flag(name string) bool {
	switch q.values.Get(name) {
	case "true":
		return true
	case "false", "":
	default:
		q.fail(name, `write "true" or "false"`)
	}
	return false
}

// word reads one of a list of words; absent is "".
func (q *query) word(name string, words ...string) string {
	s := q.values.Get(name)
	if s == "" {
		return ""
	}
	if slices.Contains(words, s) {
		return s
	}
	q.fail(name, "write one of "+strings.Join(words, ", "))
	return ""
}

// span reads from and to; absent, to is now and from a day before to. What lies outside the years that can be stored is cut
// off, for there is nothing.
func (q *query) span(now halley.Millis) (from, to halley.Millis) {
	to = q.instant("to", now)
	from = q.instant("from", to-halley.Day)
	if q.err == nil && from >= to {
		q.fail("from", "from must lie before to")
	}
	return from, to
}

func (q *query) instant(name string, otherwise halley.Millis) halley.Millis {
	s := q.values.Get(name)
	if s == "" {
		return bounded(otherwise)
	}
	// A + that was not escaped arrives as a blank, and a time has no blank of its own.
	m, err := halley.ParseMillis(strings.ReplaceAll(s, " ", "+"))
	if err != nil {
		q.fail(name, "write a time as 2026-11-21T14:16:00Z or with an offset, its + escaped as %2B")
		return bounded(otherwise)
	}
	return bounded(m)
}

// bounded cuts an instant to the bounds of what can be stored.
func bounded(m halley.Millis) halley.Millis {
	return min(max(m, halley.EarliestMillis), halley.LatestMillis)
}

// readBody reads a JSON object into v. No body is an empty object.
func readBody(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytes))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, more := d.Token(); errors.Is(more, io.EOF) {
			return nil
		}
		return invalid("", "send one JSON object and nothing behind it")
	}
	return bodyError(err)
}

// bodyError says what is wrong with a body, without showing it.
func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &halley.Error{Kind: halley.TooLarge, Op: "read the request", Message: "send a body of at most 64 KiB"}
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return invalid(wrong.Field, "write a "+wrong.Type.String()+" here, not a "+wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid(cut(strings.Trim(name, `"`)), "there is no such field here: see /api/v1/openapi.json")
	}
	return invalid("", "send the body as one JSON object")
}

// checkName checks a name that a person gives; nil is none.
func checkName(name *string) error {
	if name == nil {
		return nil
	}
	if s := *name; strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > nameRunes || strings.ContainsFunc(s, invisible) {
		return invalid("name", "write a name of 1 to 200 characters without control characters")
	}
	return nil
}

// invisible says whether r does not show, or changes how its neighbours show: control characters, and format characters such
// as those that turn the direction of writing.
func invisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// unprintable is invisible but for the ends of lines, which a reason may have.
func unprintable(r rune) bool { return r != '\n' && invisible(r) }
