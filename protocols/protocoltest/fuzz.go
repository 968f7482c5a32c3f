package protocoltest

import (
	"testing"

	"halley/protocols"
)

// Fuzz decodes whatever the fuzzer thinks of, beginning with the family's golden cases and its Sample, and holds the result to
// the same rules as Run does.
func Fuzz(f *testing.F, p protocols.Protocol) {
	f.Helper()
	for _, c := range readCases(f) {
		f.Add(c.body)
	}
	f.Add(p.Sample())
	f.Fuzz(func(t *testing.T, body []byte) { checkBody(t, p, body) })
}
