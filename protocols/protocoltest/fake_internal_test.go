package protocoltest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"halley"
	"halley/protocols"
)

// fake is a family that keeps the contract: a body is "FAKE|serial|key|name|END". A test breaks one method of it to see the
// suite object.
type fake struct {
	decode     func(halley.Upload, error) (halley.Upload, error)
	recognizes func([]byte) bool
	reply      func(*halley.Upload, protocols.Outcome, protocols.Reply) protocols.Reply
	redact     func([]byte) []byte
	encode     func(*halley.Upload, []byte, error) ([]byte, error)
	sample     func() []byte
}

func (fake) Family() halley.Family { return halley.Modem }

func (fake) Remembers() bool { return true }

func (f fake) Recognizes(body []byte) bool {
	if f.recognizes != nil {
		return f.recognizes(body)
	}
	return bytes.HasPrefix(body, []byte("FAKE|"))
}

func (f fake) Decode(body []byte) (halley.Upload, error) {
	up, err := decodeFake(body)
	if f.decode != nil {
		return f.decode(up, err)
	}
	return up, err
}

func decodeFake(body []byte) (halley.Upload, error) {
	up := halley.Upload{DeviceKey: halley.DeviceKey{Family: halley.Modem}}
	parts := strings.Split(string(body), "|")
	fail := func(why string) (halley.Upload, error) {
		return up, &protocols.DecodeError{At: halley.Unknown, Why: why}
	}
	if len(parts) < 3 || parts[0] != "FAKE" {
		return fail("no serial number")
	}
	if checkText("serial", parts[1], MaxSerial) != nil || parts[1] == "" || strings.Trim(parts[1], "0123456789") != "" {
		return fail("bad serial number")
	}
	up.Serial = parts[1]
	if len(parts) < 4 || checkText("key", parts[2], MaxSecret) != nil {
		return fail("bad key")
	}
	up.CustomerKey = halley.Secret(parts[2])
	if len(parts) != 5 || parts[4] != "END" || checkText("name", parts[3], MaxName) != nil {
		return fail("bad name or end")
	}
	up.Name = parts[3]
	up.Messages = []halley.Message{message()}
	return up, nil
}

// message gives a message that keeps all rules.
func message() halley.Message {
	return halley.Message{
		Clock: halley.ClockValid, Sample: halley.EarliestMillis, Now: halley.EarliestMillis, Order: 1, RawKind: 2,
		Cache: halley.Unknown, Config: halley.Unknown, State: halley.Unknown, StateMask: halley.Unknown, Battery: halley.Unknown,
		Readings: []halley.Reading{{Number: 1, Quantity: halley.Temperature, Unit: "°C", Decimals: 1, Value: 20.3}},
	}
}

func (f fake) Reply(up *halley.Upload, o protocols.Outcome) protocols.Reply {
	r := protocols.Reply{Status: 200, ContentType: "text/plain", Body: []byte(o.Reason())}
	if o != protocols.Stored {
		r.Status = 503
	}
	if f.reply != nil {
		return f.reply(up, o, r)
	}
	return r
}

func (f fake) Redact(body []byte) []byte {
	if f.redact != nil {
		return f.redact(body)
	}
	parts := bytes.Split(body, []byte("|"))
	if len(parts) > 2 && len(parts[2]) > 0 {
		parts[2] = []byte(redactedKey)
	}
	return bytes.Join(parts, []byte("|"))
}

func (f fake) Encode(up *halley.Upload) ([]byte, error) {
	body := fmt.Appendf(nil, "FAKE|%s|%s|%s|END", up.Serial, up.CustomerKey.Reveal(), up.Name)
	var err error
	if up.Serial == "" {
		err = errors.New("no serial")
	}
	if f.encode != nil {
		return f.encode(up, body, err)
	}
	return body, err
}

func (f fake) Sample() []byte {
	if f.sample != nil {
		return f.sample()
	}
	return []byte("FAKE|00000001||sample|END")
}

var _ protocols.Protocol = fake{}
