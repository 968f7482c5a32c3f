// Package protocols says what a device family is to the server: something that turns a request body into messages and an
// outcome into the acknowledgement that the family understands. Each family has a folder of its own.
//
// A protocol knows no device list, no database, no clock and no log.
package protocols

import (
	"errors"

	"halley"
)

// MaxMessages is how many messages one body may hold; more is an error. The largest memory known is 2,688 messages, and these
// come one a request.
const MaxMessages = 4096

// MaxReadings is how many readings one message may hold; more is an error. The largest device known has 16.
const MaxReadings = 64

// Protocol is one device family. Its methods are pure and may be called at the same time.
type Protocol interface {
	// Family names it.
	Family() halley.Family
	// Recognizes says from a short look whether body may be of this family. At most one family recognizes a body.
	Recognizes(body []byte) bool
	// Decode reads body, which Recognizes accepted. On failure the error is a *DecodeError and the Upload holds what was read
	// so far, above all the serial number. The result shares no memory with body. Strings are valid UTF-8 without NUL, cut to
	// the bounds of their field; values are finite.
	Decode(body []byte) (halley.Upload, error)
	// Reply gives the answer to a device for this outcome. The upload may be nil or incomplete.
	Reply(up *halley.Upload, outcome Outcome) Reply
	// Redact gives body with every secret in it replaced by "***", for showing it to people. It never fails; what it cannot
	// read it returns as it is.
	Redact(body []byte) []byte
	// Encode gives the body that a device would send for the upload: what Decode turns back into the same upload. It serves
	// the simulator. A family whose devices send one message a request takes exactly one.
	Encode(up *halley.Upload) ([]byte, error)
	// Remembers says whether devices of this family keep messages that were not confirmed and send them again.
	Remembers() bool
	// Sample gives an example body, which seeds the compression of stored bodies. It never changes once released.
	Sample() []byte
}

// Outcome is what became of an upload.
type Outcome uint8

// The outcomes.
const (
	// Stored means that the upload is on stable storage.
	Stored Outcome = iota
	// Unavailable means that it cannot be stored now; a device with a memory sends it again later.
	Unavailable
	// Refused means that this device's uploads are not taken (rejected device, quarantine full).
	Refused
	// NotUnderstood means that the body cannot be decoded and names no accepted device.
	NotUnderstood
)

// Reason gives the outcome in plain English, at most 100 bytes, without quotes: what a device may show in its own log.
func (o Outcome) Reason() string {
	switch o {
	case Stored:
		return "stored"
	case Unavailable:
		return "not stored: the server cannot write now, send again"
	case Refused:
		return "not stored: the server does not accept this device, ask its administrator"
	case NotUnderstood:
		return "not stored: the server cannot read this message"
	}
	return "not stored"
}

// Reply is the answer to a device. It is sent with Content-Length, never chunked.
type Reply struct {
	// Status is the HTTP status.
	Status int
	// ContentType is the header of that name.
	ContentType string
	Body        []byte
}

// DecodeError says where and why a body could not be read.
type DecodeError struct {
	// At is the byte offset in the body where reading failed, or Unknown.
	At int
	// Field is the element or field that was being read, or "".
	Field string
	// Why is one line of plain English that holds nothing secret; parts of the body are quoted and cut.
	Why string
}

// Error gives one line.
func (e *DecodeError) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Why
	}
	return e.Why
}

// ErrUnrecognized is a body that no family recognizes.
var ErrUnrecognized = errors.New("no device family recognizes this body")

// Set is the list of families that a server speaks, in the order in which they are asked.
type Set []Protocol

// Recognize gives the family of a body, or nil.
func (s Set) Recognize(body []byte) Protocol {
	for _, p := range s {
		if p.Recognizes(body) {
			return p
		}
	}
	return nil
}

// Family gives the protocol of a family, or nil.
func (s Set) Family(f halley.Family) Protocol {
	for _, p := range s {
		if p.Family() == f {
			return p
		}
	}
	return nil
}
