package protocoltest

import (
	"flag"
	"testing"

	"pgregory.net/rapid"

	"halley"
	"halley/protocols"
)

// update is the switch of "go test -update"; it is read by Run alone.
var update = flag.Bool("update", false, "rewrite the golden files of the protocol's cases")

// Options say what the suite must know of a family.
type Options struct {
	// Generate draws an upload that the family can express: what Encode writes and Decode must give back unchanged. It is
	// required. Values should go to the bounds of their fields: no value, every quality, empty and long names.
	Generate func(*rapid.T) halley.Upload
	// LooksStored says whether a device of this family would take the answer for "stored". Nil stands for: status 200.
	LooksStored func(protocols.Reply) bool
	// TooMany are bodies with one reading more than protocols.MaxReadings or one message more than protocols.MaxMessages, as far
	// as the family can write such; each must be refused.
	TooMany [][]byte
}

// Run holds a family to the contract. The constructor is called for each part of the suite; the golden cases are read from
// testdata/cases of the package under test.
func Run(t *testing.T, newProtocol func() protocols.Protocol, o Options) {
	t.Helper()
	if o.Generate == nil {
		t.Fatal("protocoltest: Options.Generate is required")
	}
	if o.LooksStored == nil {
		o.LooksStored = func(r protocols.Reply) bool { return r.Status == 200 }
	}
	cases := readCases(t)
	t.Run("golden", func(t *testing.T) { runGolden(t, newProtocol(), cases) })
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, newProtocol(), &subject{cases: cases, options: o})
		})
	}
	t.Run(roundTrip, func(t *testing.T) {
		t.Parallel()
		p := newProtocol()
		rapid.Check(t, func(rt *rapid.T) { checkRoundTrip(rt, p, o.Generate(rt)) })
	})
}

// roundTrip names the part of the suite that Options.Generate is for.
const roundTrip = "round trip"

// reporter is what a check needs of a test, so that the suite's own tests can watch a check fail.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// subject is what a check looks at.
type subject struct {
	cases   []goldenCase
	options Options
}

// check is one part of the suite.
type check struct {
	name string
	run  func(r reporter, p protocols.Protocol, s *subject)
}

// checks are the parts of the suite besides the golden files and the round trip.
var checks = []check{
	{"cases", checkCases},
	{"foreign bodies", checkForeign},
	{"truncated", checkTruncated},
	{"spoiled", checkSpoiled},
	{"hostile names", checkHostileNames},
	{"deep", checkDeep},
	{"oversize", checkOversize},
	{"too many", checkTooMany},
	{"parallel", checkParallel},
	{"replies", checkReplies},
	{"redacted cuts", checkRedactedCuts},
	{"sample", checkSample},
	{"odd uploads", checkOddUploads},
}
