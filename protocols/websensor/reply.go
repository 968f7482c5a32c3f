package websensor

import (
	"net/http"

	"halley"
	"halley/protocols"
)

// The two kinds of answer.
const (
	typeXML  = "text/xml; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

// Reply gives the answer. Devices look at the status alone: all but 200 is to them "wrong response code from the SOAP server"
// (manual IE-SNC-Tx5xx-28, traps), so that a refusal is a line of text for the person who looks for the reason.
func (*Protocol) Reply(up *halley.Upload, outcome protocols.Outcome) protocols.Reply {
	switch outcome {
	case protocols.Stored:
		form := ""
		if up != nil {
			form = up.Form
		}
		return protocols.Reply{Status: http.StatusOK, ContentType: typeXML, Body: response(form)}
	case protocols.Unavailable:
		return refusal(http.StatusServiceUnavailable, outcome)
	case protocols.Refused:
		return refusal(http.StatusForbidden, outcome)
	case protocols.NotUnderstood:
	}
	return refusal(http.StatusBadRequest, outcome)
}

func refusal(status int, outcome protocols.Outcome) protocols.Reply {
	return protocols.Reply{Status: status, ContentType: typeText, Body: []byte(outcome.Reason() + "\n")}
}

// response gives the smallest SOAP 1.1 answer to a message of this form: an envelope with an empty element named for it.
func response(form string) []byte {
	if !isPlainName(form) {
		form = "InsertSample"
	}
	b := make([]byte, 0, 384)
	b = append(b, `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="`...)
	b = append(b, envelopeSpace...)
	b = append(b, `"><soap:Body><`...)
	b = append(b, form...)
	b = append(b, `Response xmlns="`...)
	b = append(b, spaceOf(form)...)
	return append(b, `"/></soap:Body></soap:Envelope>`...)
}

// isPlainName says whether a device's own name of its message may stand in an answer.
func isPlainName(form string) bool {
	for i := range len(form) {
		c := form[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return form != "" && len(form) < maxForm
}

const envelopeSpace = "http://schemas.xmlsoap.org/soap/envelope/"

// spaceOf gives the namespace of a message form. Of a form that no document gives it is the one of the documented SOAPAction.
func spaceOf(form string) string {
	switch form {
	case FormTx5xx:
		return "http://cometsystem.cz/schemas/soapTx5xx_v2.xsd"
	case FormTx5xxCO2:
		return "http://cometsystem.cz/schemas/soapTx5xxCO2.xsd"
	case FormP2520:
		return "http://cometsystem.cz/schemas/soapP2520.xsd"
	}
	return "http://tempuri.org/"
}
