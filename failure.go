package halley

import "errors"

// Kind says what sort of failure an Error is. Each kind maps to one HTTP status, in viewer-api.
type Kind uint8

// The kinds of failure. The list may only grow.
const (
	// Internal is a fault of Halley or its machine; its text is for the log, not for people.
	Internal Kind = iota
	// Invalid is input that cannot be right; Field says which.
	Invalid
	// Unauthenticated is a caller who is not known.
	Unauthenticated
	// Forbidden is a known caller without the permission.
	Forbidden
	// NotFound is a thing that is not there, or that the caller may not know of.
	NotFound
	// Conflict is a change that the present state does not allow.
	Conflict
	// TooLarge is input beyond a bound.
	TooLarge
	// TooMany is a caller who asks too often.
	TooMany
	// Unavailable is something that will work later: the database is away, the disk is full.
	Unavailable
)

// Error is a failure with what a person needs to act on it.
type Error struct {
	Kind Kind
	// Op is what was being done, such as "accept a device".
	Op string
	// Code is the stable word that programs rely on, such as "name-required"; empty where the kind says enough.
	Code string
	// Field is the input that is wrong, as its caller named it.
	Field string
	// Message says in plain English what to do. It never holds a secret.
	Message string
	// Err is the cause, for the log.
	Err error
}

// Error gives operation, message and cause as one line.
func (e *Error) Error() string {
	s := e.Op
	for _, part := range []string{e.Field, e.Message} {
		if part != "" {
			if s != "" {
				s += ": "
			}
			s += part
		}
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf gives the kind of the first Error in err's chain; Internal where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
