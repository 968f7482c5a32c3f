package modem

import (
	"bytes"
	"net/http"

	"halley"
	"halley/protocols"
)

// Protocol is the family of the loggers with modem. It is safe for use by several goroutines.
type Protocol struct{ layouts []layout }

// New gives the protocol.
func New() *Protocol { return &Protocol{layouts: layouts()} }

// Family gives halley.Modem.
func (*Protocol) Family() halley.Family { return halley.Modem }

// white are the bytes that may stand between JSON values.
const white = " \t\r\n"

// Recognizes says whether body begins with an array, or an array in an array, whose first element is the number 1 and whose
// second begins with a digit.
func (*Protocol) Recognizes(body []byte) bool {
	rest := bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	brackets := 0
	for {
		rest = bytes.TrimLeft(rest, white)
		if len(rest) == 0 || rest[0] != '[' || brackets == 2 {
			break
		}
		brackets++
		rest = rest[1:]
	}
	if brackets == 0 || len(rest) == 0 || rest[0] != '1' {
		return false
	}
	rest = bytes.TrimLeft(rest[1:], white)
	if len(rest) == 0 || rest[0] != ',' {
		return false
	}
	rest = bytes.TrimLeft(rest[1:], white)
	return len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9'
}

// Reply answers with a status and a line of plain text. Which answer these loggers want is not documented; any status but 200
// is taken to make a logger send again (see the package comment).
func (*Protocol) Reply(_ *halley.Upload, outcome protocols.Outcome) protocols.Reply {
	reply := protocols.Reply{Status: http.StatusServiceUnavailable, ContentType: "text/plain", Body: []byte(outcome.Reason())}
	switch outcome {
	case protocols.Stored:
		reply.Status, reply.Body = http.StatusOK, []byte("OK")
	case protocols.Refused:
		reply.Status = http.StatusForbidden
	case protocols.NotUnderstood:
		reply.Status = http.StatusBadRequest
	case protocols.Unavailable:
	}
	return reply
}

// Remembers is true: what could not be sent stays in the logger's memory.
func (*Protocol) Remembers() bool { return true }

// sample is a message of version 6 as the document describes it.
const sample = `[1,6,21,"320B5AD1",118,0,19270042,"U3120M",1,"320B5AD0",4,600,3600,0,1,65535,192,12,0,"",97,[` +
	`[1,0,"Temperature","41aa6666","°C",1,[0,0],["41200000","41f00000"],[1,2]],` +
	`[2,0,"Rel. humidity","42340000","%",0,[0,0],["41f00000","428c0000"],[1,2]],` +
	`[3,0,"Dew point","411ccccd","°C",1,[0,0],["00000000","00000000"],[0,0]],` +
	`[4,1,"Door",["closed","open"],0,[0,0],[0,2]]]]`

// Sample gives a message of version 6.
func (*Protocol) Sample() []byte { return []byte(sample) }

var _ protocols.Protocol = (*Protocol)(nil)
