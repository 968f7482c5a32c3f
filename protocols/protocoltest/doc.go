// Package protocoltest holds every device family to the same contract: protocols.Protocol.
//
// A family's test is a few lines:
//
//	func TestProtocol(t *testing.T) {
//		t.Parallel()
//		protocoltest.Run(t, func() protocols.Protocol { return wifi.New() }, protocoltest.Options{
//			Generate:    generate,    // func(*rapid.T) halley.Upload: what Encode can express
//			LooksStored: looksStored, // func(protocols.Reply) bool: how the device reads an answer
//			TooMany:     [][]byte{tooManyReadings, tooManyMessages},
//		})
//	}
//
//	func FuzzDecode(f *testing.F) { protocoltest.Fuzz(f, wifi.New()) }
//
// and a folder of golden cases, testdata/cases/NAME/, the name being the outcome ("alarm-high", "err-no-serial"):
//
//	request.body  the request's body, byte for byte; this one is written by hand
//	want.json     what Decode gives, where it succeeds
//	want.err      what Decode says, and the serial number that it still read, where it fails
//	reply.txt     the answer for outcome Stored: status, content type, empty line, body
//
// The last three are written by "go test ./protocols/NAME -update" and reviewed as code. The flag -update is this package's:
// a family's test must not declare another of that name. In want.json a number that was not sent is -1, as halley.Unknown;
// fields that are zero, empty or Unknown and say nothing are left out.
//
// Beside the golden cases the suite derives hostile bodies from them (cut at every byte, spoiled, nested deeply, with hostile
// text in the place of names) and checks what must hold for all: see Invariants and Bounds.
package protocoltest
