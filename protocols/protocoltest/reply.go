package protocoltest

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"halley"
	"halley/protocols"
)

// maxReason is how many bytes of a reason a device takes (WiFi and TAx6xx documents: a Message of at most 100 bytes without
// the character ").
const maxReason = 100

// outcomes are all that a device may be answered.
var outcomes = [...]protocols.Outcome{protocols.Stored, protocols.Unavailable, protocols.Refused, protocols.NotUnderstood}

// checkReplies wants "stored" to look so to the device and nothing else to; for whole, empty and missing uploads alike.
func checkReplies(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	uploads := []*halley.Upload{nil, {}, {Form: "x\"><y/>\r\n", Name: "</x>"}}
	for _, c := range s.cases {
		if d, panicked := decode(p, c.body); panicked == nil {
			uploads = append(uploads, &d.up)
		}
	}
	for _, up := range uploads {
		for _, o := range outcomes {
			checkReply(r, p, up, o, s.options.LooksStored)
		}
	}
}

func checkReply(r reporter, p protocols.Protocol, up *halley.Upload, o protocols.Outcome, looksStored func(protocols.Reply) bool) {
	r.Helper()
	reply := p.Reply(up, o)
	if got, want := looksStored(reply), o == protocols.Stored; got != want {
		r.Errorf("the answer for %q looks stored: %v, want %v: %d %q", o.Reason(), got, want, reply.Status, reply.Body)
	}
	if o == protocols.Stored && reply.Status != 200 {
		r.Errorf("the answer for %q has status %d, want 200", o.Reason(), reply.Status)
	}
	if reply.Status < 200 || reply.Status > 599 || reply.Status == 204 || reply.Status == 304 {
		r.Errorf("the answer for %q has status %d, which takes no body", o.Reason(), reply.Status)
	}
	if reply.ContentType == "" || strings.ContainsAny(reply.ContentType, "\r\n") {
		r.Errorf("the answer for %q has content type %q", o.Reason(), reply.ContentType)
	}
	if len(reply.Body) == 0 || !utf8.Valid(reply.Body) || bytes.IndexByte(reply.Body, 0) >= 0 {
		r.Errorf("the answer for %q has body %q", o.Reason(), reply.Body)
	}
	if again := p.Reply(up, o); again.Status != reply.Status || again.ContentType != reply.ContentType || !bytes.Equal(again.Body, reply.Body) {
		r.Errorf("the answer for %q differs the second time: %q, %q", o.Reason(), reply.Body, again.Body)
	}
	if reason := reasonOf(reply); len(reason) > maxReason || strings.ContainsAny(reason, "\"\r\n") {
		r.Errorf("the answer for %q gives the reason %q: more than %d bytes, or a quote, or two lines", o.Reason(), reason, maxReason)
	}
	if up != nil && len(up.CustomerKey) >= shortestSecret && bytes.Contains(reply.Body, []byte(up.CustomerKey.Reveal())) {
		r.Errorf("the answer for %q shows the customer key", o.Reason())
	}
}

// reasonOf gives the text that a device may log: the Message of a JSON answer, all of a plain one.
func reasonOf(reply protocols.Reply) string {
	var answer struct{ Message string }
	switch {
	case json.Unmarshal(reply.Body, &answer) == nil:
		return answer.Message
	case strings.HasPrefix(reply.ContentType, "text/plain"):
		return strings.TrimSuffix(string(reply.Body), "\n")
	}
	return ""
}
