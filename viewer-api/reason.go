package viewerapi

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"halley"
)

// reasonRunes bounds the reason of a decision about a device or a message, whyRunes that of another act, in characters.
const (
	reasonRunes = 500
	whyRunes    = 1000
)

// checkReason checks the reason of a decision about a device or a message.
func checkReason(reason string, required bool) error {
	return checkText("reason", reason, reasonRunes, required)
}

// checkWhy checks the reason of another act.
func checkWhy(why string, required bool) error { return checkText("why", why, whyRunes, required) }

// checkText checks a reason in a field of the body, of at most so many characters.
func checkText(field, text string, most int, required bool) error {
	switch {
	case strings.TrimSpace(text) == "" && (required || text != ""):
		return &halley.Error{
			Kind: halley.Invalid, Op: "read the request", Code: "reason-required", Field: field,
			Message: fmt.Sprintf("say why, in 1 to %d characters", most),
		}
	case utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, unprintable):
		return invalid(field, fmt.Sprintf("say why, in 1 to %d characters without control characters", most))
	}
	return nil
}

// readReasoned reads a body that says why, which must be given.
func readReasoned(w http.ResponseWriter, r *http.Request, body any, why *string) error {
	if err := readBody(w, r, body); err != nil {
		return err
	}
	return checkWhy(*why, true)
}

// pathReasoned reads the id of the path and a body that holds nothing but a reason, which must be given.
func pathReasoned(w http.ResponseWriter, r *http.Request) (id int64, why string, err error) {
	if id, err = pathID(r); err != nil {
		return 0, "", err
	}
	var in struct {
		Why string `json:"why"`
	}
	err = readReasoned(w, r, &in, &in.Why)
	return id, in.Why, err
}
