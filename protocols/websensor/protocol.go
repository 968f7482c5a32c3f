package websensor

import (
	"bytes"

	"halley"
	"halley/protocols"
)

// Protocol is the SOAP of Web Sensors. Its methods may be called at the same time.
type Protocol struct {
	// byCode and byName index the models; they are never changed.
	byCode map[int]*Model
	byName map[string]*Model
}

// New gives the protocol.
func New() *Protocol {
	models := Models()
	p := &Protocol{byCode: make(map[int]*Model, len(models)), byName: make(map[string]*Model, len(models))}
	for i := range models {
		p.byCode[models[i].Code] = &models[i]
		p.byName[models[i].Name] = &models[i]
	}
	return p
}

// Family gives halley.WebSensor.
func (*Protocol) Family() halley.Family { return halley.WebSensor }

// Remembers gives false: no published text of the family describes a memory of messages that were not confirmed.
func (*Protocol) Remembers() bool { return false }

// look is how far into a body Recognizes looks.
const look = 1024

// Recognizes says whether body looks like XML with a SOAP envelope, a message or a serial number near its beginning.
func (*Protocol) Recognizes(body []byte) bool {
	head := trimLeft(bytes.TrimPrefix(body, byteOrderMark()))
	if len(head) == 0 || head[0] != '<' {
		return false
	}
	head = head[:min(len(head), look)]
	for _, mark := range []string{"Envelope", "<Insert", "<passKey", "<sn>"} {
		if bytes.Contains(head, []byte(mark)) {
			return true
		}
	}
	return false
}

// Redact gives body as it is: the messages of the family hold no secret. What is secret is the path that they are sent to.
func (*Protocol) Redact(body []byte) []byte { return body }

// Sample gives a message of a T3510.
func (*Protocol) Sample() []byte { return []byte(sample) }

// sample seeds the compression of stored bodies and never changes.
const sample = `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
<soap:Body>
<InsertTx5xxSample xmlns="http://cometsystem.cz/schemas/soapTx5xx_v2.xsd">
<passKey>00000001</passKey>
<device>4145</device>
<temp>23.4</temp>
<relHum>45.6</relHum>
<compQuant>11.0</compQuant>
<pressure>-9999</pressure>
<alarms>no,no,no,no</alarms>
<compType>Dew point</compType>
<tempU>C</tempU>
<pressureU>n/a</pressureU>
<timer>60</timer>
</InsertTx5xxSample>
</soap:Body>
</soap:Envelope>
`

var _ protocols.Protocol = (*Protocol)(nil)
