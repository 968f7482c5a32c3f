package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"halley"
)

// act is the body of an entry of the kind Act. The names are stored and never change.
type act struct {
	At    halley.Millis `json:"at"`
	Actor actor         `json:"actor"`
	Why   string        `json:"why,omitempty"`
	What  string        `json:"what"`
	On    string        `json:"on,omitempty"`
	// Old and New are JSON inside a string, so that they come back byte for byte.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

type actor struct {
	Kind    string `json:"kind"`
	Name    string `json:"name,omitempty"`
	Session string `json:"session,omitempty"`
}

// EncodeAct gives the body of an entry of the kind Act. The audit entry's ID is the store's and is left out. Invalid where a text
// is not UTF-8 or the deed has no name.
func EncodeAct(e halley.AuditEntry) ([]byte, error) {
	const op = "note an act in the journal"
	if e.What == "" {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Field: "What", Message: "say what was done"}
	}
	who := e.Change.Actor
	if !utf8.ValidString(strings.Join([]string{who.Kind, who.Name, who.Session, e.Change.Why, e.What, e.On, e.Old, e.New}, "\n")) {
		return nil, &halley.Error{Kind: halley.Invalid, Op: op, Message: "the texts of an act must be UTF-8"}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(act{
		At: e.Change.At, Actor: actor{Kind: who.Kind, Name: who.Name, Session: who.Session}, Why: e.Change.Why,
		What: e.What, On: e.On, Old: e.Old, New: e.New,
	})
	if err != nil {
		return nil, fmt.Errorf("describing an act: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// errAct says that a body is not an act as this version knows it.
var errAct = errors.New("the entry is not an act that this version understands")

// DecodeAct reads the body of an entry of the kind Act. A body with more in it than this version knows is an error: part of an
// act must not be recorded as the whole.
func DecodeAct(body []byte) (halley.AuditEntry, error) {
	var a act
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return halley.AuditEntry{}, fmt.Errorf("%w: %w", errAct, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return halley.AuditEntry{}, fmt.Errorf("%w: something follows it", errAct)
	}
	if a.What == "" {
		return halley.AuditEntry{}, fmt.Errorf("%w: it does not say what was done", errAct)
	}
	return halley.AuditEntry{
		Change: halley.Change{
			Actor: halley.Actor{Kind: a.Actor.Kind, Name: a.Actor.Name, Session: a.Actor.Session}, At: a.At, Why: a.Why,
		},
		What: a.What, On: a.On, Old: a.Old, New: a.New,
	}, nil
}
