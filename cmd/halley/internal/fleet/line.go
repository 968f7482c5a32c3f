package fleet

import (
	"halley"
	"halley/protocols"
)

// Line is what a fleet needs to know of a family besides its protocol.
type Line struct {
	Protocol protocols.Protocol
	// Models are the instruments that the devices of the family are, in turn; at least one.
	Models []Model
	// Kinds gives the family's own numbers for the kinds of message; kinds that are not there are sent as periodic.
	Kinds map[halley.MessageKind]int
	// Numbers is after how many messages their running numbers begin anew; 0 where that never comes.
	Numbers int
	// Waited gives the family's own numbers for the reasons why a message waited.
	Waited Reasons
	// Header is further header lines of a request, each ended by CR and LF, for a message of the given form.
	Header func(form string) string
	// Acknowledged says whether an answer confirms the message.
	Acknowledged func(status int, body []byte) bool
	// Prepare completes a message with what only this family sends; nil for none.
	Prepare func(d *Device, m *halley.Message)
}

// Model is an instrument with its usual values.
type Model struct {
	Name string
	// Form is the upload's form; "" where the family has one only.
	Form string
	// Nameless says that its messages have no place for a name.
	Nameless bool
	// Faults are the sensor errors that every channel of it can have; none where it is empty.
	Faults []halley.Quality
	// Channels are readings with the usual value of each.
	Channels []halley.Reading
}

// Reasons are a family's numbers for why a message waited; each is halley.Unknown where the family reports none.
type Reasons struct {
	NoNetwork, Name, Connection, TLS, Transfer, Refused int
}

// noReasons is what families have that report none.
func noReasons() Reasons {
	return Reasons{halley.Unknown, halley.Unknown, halley.Unknown, halley.Unknown, halley.Unknown, halley.Unknown}
}
