package tax6xx

import (
	"net/http"

	"halley"
	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

// Protocol is the family of the TAx6xx and PAx6xx Web Sensors. It is safe for use by several goroutines.
type Protocol struct{ dialect cometjson.Dialect }

// New gives the protocol.
func New() *Protocol {
	return &Protocol{dialect: cometjson.Dialect{
		Family:   halley.TAx6xx,
		JSONType: 5,
		// TAx6xx document, field MsgType. The numbers are not those of the WiFi sensors.
		Kinds: []cometjson.KindNumber{
			{Number: 0, Kind: halley.AfterRestart},
			{Number: 1, Kind: halley.Periodic},
			{Number: 2, Kind: halley.Extra},
			{Number: 4, Kind: halley.TestMessage},
			{Number: 5, Kind: halley.TestMessage}, // started from the device's own web page
		},
		Models:     Models(),
		HasTypes:   true,
		Address:    "LocalIPv4",
		ErrorWord:  "Error",
		ConfigTail: "-04-00",
	}}
}

// Family gives halley.TAx6xx.
func (*Protocol) Family() halley.Family { return halley.TAx6xx }

// Recognizes says whether body is an object with JsonType 5.
func (p *Protocol) Recognizes(body []byte) bool {
	t, ok := cometjson.TypeOf(body)
	return ok && t == p.dialect.JSONType
}

// Decode reads one message object.
func (p *Protocol) Decode(body []byte) (halley.Upload, error) { return p.dialect.Decode(body) }

// Reply answers with the JSON object of the WiFi sensors. Status 200 alone means "stored" to these devices, whatever the body
// says; any other keeps the message in the device as WRONG_HTTP_CODE (TAx6xx document, "Acknowledgement").
func (*Protocol) Reply(_ *halley.Upload, outcome protocols.Outcome) protocols.Reply {
	status := http.StatusServiceUnavailable
	switch outcome {
	case protocols.Stored:
		status = http.StatusOK
	case protocols.Refused:
		status = http.StatusForbidden
	case protocols.NotUnderstood:
		status = http.StatusBadRequest
	case protocols.Unavailable:
	}
	return cometjson.Answer(status, outcome)
}

// Redact gives body as it is: these messages hold no secret.
func (*Protocol) Redact(body []byte) []byte { return body }

// Encode gives the body for an upload of exactly one message.
func (p *Protocol) Encode(up *halley.Upload) ([]byte, error) { return p.dialect.Encode(up) }

// Remembers is true: unconfirmed messages are kept (up to 2,688) and sent again.
func (*Protocol) Remembers() bool { return true }

// sample is a message of a TA3610 as the document describes it.
const sample = `{"JsonType":5,"JsonVersion":1,"OrderId":1467,"MsgType":1,"MsgCache":0,"Sn":"26680042","Desc":"TA3610","Kind":1,` +
	`"AState":{"Reg":128,"Mask":10688},"NConf":167,"ConfID":"1-3F0A4931-04-30","Interval":60,` +
	`"Time":{"Now":"2026-03-15T15:20:01+01:00","Sample":"2026-03-15T15:20:00+01:00","IsValid":1},` +
	`"LocalIPv4":"192.168.1.50","Channels":[` +
	`{"Nr":1,"En":1,"Quant":"Temperature","Val":"41A26666","ValStr":"20.3","Unit":"°C","Dec":1,` +
	`"Type":[3,255],"Alarm":[0,0],"AlarmMode":[0,0]},` +
	`{"Nr":2,"En":1,"Quant":"Relative humidity","Val":"424CCCCD","ValStr":"51.2","Unit":"%RH","Dec":1,` +
	`"Type":[6,255],"Alarm":[0,0],"AlarmMode":[0,0]},` +
	`{"Nr":3,"En":1,"Quant":"Dew point","Val":"411CCCCD","ValStr":"9.8","Unit":"°C","Dec":1,` +
	`"Type":[7,255],"Alarm":[0,0],"AlarmMode":[0,0]},` +
	`{"Nr":4,"En":0,"Quant":"Calculated channel","Val":"FF810004","ValStr":"Error4","Unit":"","Dec":0,` +
	`"Type":[13,255],"Alarm":[0,0],"AlarmMode":[0,0]}]}`

// Sample gives a message of a TA3610.
func (*Protocol) Sample() []byte { return []byte(sample) }

var _ protocols.Protocol = (*Protocol)(nil)
