package storagetest

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// randomRuns is how many random runs of a property are made. Runs are counted, not time: how much is tried must not follow from
// what else the machine does meanwhile. More of them are made with -rapid.checks, as make random does.
const randomRuns = 50

// randomly checks a property with random runs. One that fails is made smaller as long as rapid wants.
func (e Engine) randomly(t *testing.T, property func(rt *rapid.T)) {
	t.Helper()
	left, failed := e.runs(), false
	rapid.Check(t, func(rt *rapid.T) {
		if left == 0 && !failed {
			return
		}
		left--
		defer func() { failed = failed || rt.Failed() }()
		property(rt)
	})
}

// runs gives how many random runs a property gets; less than none where rapid decides.
func (e Engine) runs() int {
	runs := randomRuns
	if e.Runs > 0 {
		runs = e.Runs
	}
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "rapid.checks" {
			runs = -1
		}
	})
	return runs
}
