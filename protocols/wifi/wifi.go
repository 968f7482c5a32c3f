package wifi

import (
	"net/http"

	"halley"
	"halley/protocols"
	"halley/protocols/internal/cometjson"
)

// Protocol is the family of the WiFi sensors. It is safe for use by several goroutines.
type Protocol struct{ dialect cometjson.Dialect }

// New gives the protocol.
func New() *Protocol {
	return &Protocol{dialect: cometjson.Dialect{
		Family:   halley.WiFi,
		JSONType: 2,
		// WiFi document, field MsgType.
		Kinds: []cometjson.KindNumber{
			{Number: 0, Kind: halley.AfterRestart},
			{Number: 1, Kind: halley.AfterConfiguration},
			{Number: 2, Kind: halley.Periodic},
			{Number: 3, Kind: halley.Extra},
			{Number: 4, Kind: halley.TestMessage},
		},
		Models:            Models(),
		HasRadio:          true,
		EnabledUnlessSaid: true,
		Address:           "LocalIP",
		ErrorWord:         "Error ",
		ConfigTail:        "-0001",
	}}
}

// Family gives halley.WiFi.
func (*Protocol) Family() halley.Family { return halley.WiFi }

// Recognizes says whether body is an object with JsonType 2.
func (p *Protocol) Recognizes(body []byte) bool {
	t, ok := cometjson.TypeOf(body)
	return ok && t == p.dialect.JSONType
}

// Decode reads one message object.
func (p *Protocol) Decode(body []byte) (halley.Upload, error) { return p.dialect.Decode(body) }

// Reply answers with a JSON object. A device keeps its message unless Result is true; it shows Message in its log (WiFi document,
// "Required response"). A refused device gets status 200, so that it shows the reason and not a failed transfer.
func (*Protocol) Reply(_ *halley.Upload, outcome protocols.Outcome) protocols.Reply {
	status := http.StatusOK
	switch outcome {
	case protocols.Stored, protocols.Refused:
	case protocols.Unavailable:
		status = http.StatusServiceUnavailable
	case protocols.NotUnderstood:
		status = http.StatusBadRequest
	}
	return cometjson.Answer(status, outcome)
}

// Redact gives body as it is: these messages hold no secret.
func (*Protocol) Redact(body []byte) []byte { return body }

// Encode gives the body for an upload of exactly one message.
func (p *Protocol) Encode(up *halley.Upload) ([]byte, error) { return p.dialect.Encode(up) }

// Remembers is true: unconfirmed messages are kept (up to 2,240) and sent again.
func (*Protocol) Remembers() bool { return true }

// sample is a message of a W3710 as the documents describe it.
const sample = `{"JsonType":2,"JsonVersion":1,"OrderId":1467,"MsgType":2,"MsgCache":0,"Sn":"20960042","Desc":"W3710","Kind":3,` +
	`"AState":{"Reg":131,"Mask":4352},"NConf":7,"ConfID":"1-3F0A4931-0004","Interval":600,` +
	`"Time":{"Now":"2026-03-15T15:20:01+01:00","Sample":"2026-03-15T15:20:00+01:00","IsValid":1},` +
	`"Rssi":{"Now":-58,"Sample":-58},"LocalIP":"192.168.1.50","Channels":[` +
	`{"Nr":1,"En":1,"Quant":"Temperature","Val":"41A26666","ValStr":"20.3","Unit":"°C","Dec":1,` +
	`"Alarm":[0,0],"AlarmLim":["41F00000","41200000"],"AlarmMode":[2,1]},` +
	`{"Nr":2,"En":1,"Quant":"Relative humidity","Val":"424CCCCD","ValStr":"51.2","Unit":"%RH","Dec":1,` +
	`"Alarm":[0,0],"AlarmLim":["428C0000","41F00000"],"AlarmMode":[2,1]},` +
	`{"Nr":3,"En":1,"Quant":"Dew point","Val":"411CCCCD","ValStr":"9.8","Unit":"°C","Dec":1,` +
	`"Alarm":[0,0],"AlarmLim":["00000000","00000000"],"AlarmMode":[0,0]},` +
	`{"Nr":4,"En":0,"Quant":"Pressure","Val":"FF810004","ValStr":"Error 4","Unit":"hPa","Dec":1,` +
	`"Alarm":[0,0],"AlarmLim":["00000000","00000000"],"AlarmMode":[0,0]}]}`

// Sample gives a message of a W3710.
func (*Protocol) Sample() []byte { return []byte(sample) }

var _ protocols.Protocol = (*Protocol)(nil)
