package protocoltest

import (
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/protocols"
)

// fataler is what the round trip needs of a test.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkRoundTrip holds Encode against Decode: what a device would send is read back as the same upload.
func checkRoundTrip(t fataler, p protocols.Protocol, up halley.Upload) {
	t.Helper()
	body, err := p.Encode(&up)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	if !p.Recognizes(body) {
		t.Fatalf("Recognizes gives false for a body of Encode: %q", body)
	}
	got, err := p.Decode(body)
	if err != nil {
		t.Fatalf("Decode of a body of Encode: %v\n%q", err, body)
	}
	if diff := cmp.Diff(up, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("Decode of Encode differs (-want +got):\n%s\n%q", diff, body)
	}
	if err := Invariants(p, &got); err != nil {
		t.Fatalf("%v\n%q", err, body)
	}
}
