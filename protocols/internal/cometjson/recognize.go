package cometjson

import "bytes"

// jsonType is the name of the member that tells the families apart.
var jsonType = []byte(`"JsonType"`)

// TypeOf gives the number of JsonType of a body that begins like an object, from a short look that does not read the rest. In
// a text the quotes of the name would be escaped, so that the name in quotes with a colon behind it is a member.
func TypeOf(body []byte) (int64, bool) {
	rest := bytes.TrimLeft(bytes.TrimPrefix(body, bom), " \t\r\n")
	if len(rest) == 0 || rest[0] != '{' {
		return 0, false
	}
	for {
		at := bytes.Index(rest, jsonType)
		if at < 0 {
			return 0, false
		}
		rest = rest[at+len(jsonType):]
		r := Reader{data: rest}
		if r.Peek() != ':' {
			continue
		}
		r.pos++
		t := r.Value()
		if r.err != nil {
			return 0, false
		}
		return t.whole()
	}
}
