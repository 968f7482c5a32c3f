package cometjson

import (
	"strconv"

	"halley/protocols"
)

// Answer gives the answer that both families read: a JSON object with Result, and a Message of at most 100 bytes without quotes
// that the device shows in its log (WiFi document, "Required response").
func Answer(status int, outcome protocols.Outcome) protocols.Reply {
	b := append([]byte(nil), `{"Result":`...)
	b = strconv.AppendBool(b, outcome == protocols.Stored)
	b = append(b, `,"Message":"`...)
	b = append(b, outcome.Reason()...)
	b = append(b, `"}`...)
	return protocols.Reply{Status: status, ContentType: "application/json", Body: b}
}
