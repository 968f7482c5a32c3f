package storagetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage"
)

// Engine is a store under test.
type Engine struct {
	// Open gives a fresh, empty store, which is closed when the test ends.
	Open func(t testing.TB) storage.Store
	// Reopen closes a store and opens the same database again. The new one is closed when the test ends.
	Reopen func(t testing.TB, s storage.Store) storage.Store
	// Kill cuts every connection of a store to its database without a goodbye, while calls are running. The store finds its way
	// back by itself. Nil where the engine has no connections to cut.
	Kill func(t testing.TB, s storage.Store)
	// Without names chapters that are left out: where an engine is tried a second time, in another way of writing samples, those that
	// write none.
	Without []string
	// Model gives a fresh, empty store of another engine, which must answer the same as the one under test to the same
	// operations. Nil compares with a plain model in memory.
	Model func(t testing.TB) storage.Store
	// Runs is how many random runs a property gets where a statement is dear, instead of randomRuns; 0 for those. What -rapid.checks
	// says counts for every engine.
	Runs int
}

// chapter is the tests of one subject. They run one after the other on one store, each on a plot of its own, because opening a
// store may cost a second; chapters run at the same time.
type chapter struct {
	name  string
	tests []test
}

// test is one sentence of the contract.
type test struct {
	name string
	run  func(t *testing.T, p *plot)
}

// Run holds an engine to the whole contract, with the plain model in memory and without cutting connections.
func Run(t *testing.T, open func(t testing.TB) storage.Store, reopen func(t testing.TB, s storage.Store) storage.Store) {
	t.Helper()
	Engine{Open: open, Reopen: reopen}.Run(t)
}

// Run holds the engine to the whole contract.
func (e Engine) Run(t *testing.T) {
	t.Helper()
	for _, c := range []chapter{
		{"devices", deviceTests()},
		{"channels", channelTests()},
		{"samples", slices.Concat(sampleTests(), valueTests(), timeTests())},
		{"identity", identityTests()},
		{"repeats", repeatTests()},
		{"texts", unicodeTests()},
		{"batches", slices.Concat(batchTests(), entryTests(), journaledTests())},
		{"rollups", slices.Concat(rollupTests(), rollupFaultTests())},
		{"registry", slices.Concat(registryTests(), accessTests())},
		{"directory", slices.Concat(directoryTests(), attachTests(), followTests(), swapTests())},
		{"people", slices.Concat(peopleTests(), grantTests(), roleTests(), secretTests(), personSessionTests(), reviewTests())},
		{"people at random", peopleModelTests()},
		{"ledger", ledgerTests()},
		{"retention", retentionTests()},
		{"proof", proofTests()},
		{"leases", slices.Concat(leaseTests(), nodeTests())},
		{"completeness", completenessTests()},
		{"info", infoTests()},
		{"cancellation", cancellationTests()},
		{"concurrency", concurrencyTests()},
		{"model", modelTests()},
	} {
		if slices.Contains(e.Without, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, e)
		})
	}
}

func (c chapter) run(t *testing.T, e Engine) {
	ground := &ground{engine: e, owner: t, store: e.Open(t)}
	for _, x := range c.tests {
		t.Run(x.name, func(t *testing.T) { x.run(t, ground.plot(t)) })
	}
}

// wantKind ends the test where err is not of the kind.
func wantKind(t testing.TB, what string, err error, want halley.Kind) {
	t.Helper()
	if err == nil || halley.KindOf(err) != want {
		t.Fatalf("%s = %v (kind %d), want an error of kind %d", what, err, halley.KindOf(err), want)
	}
	if _, ok := errors.AsType[*halley.Error](err); !ok {
		t.Fatalf("%s = %T, want a *halley.Error in its chain", what, err)
	}
}

// wantCode ends the test where err is not of the kind and the code.
func wantCode(t testing.TB, what string, err error, kind halley.Kind, code string) {
	t.Helper()
	wantKind(t, what, err, kind)
	if e, _ := errors.AsType[*halley.Error](err); e.Code != code {
		t.Fatalf("%s = %v with the code %q, want %q", what, err, e.Code, code)
	}
}

// must ends the test on an error.
func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// equal reports a difference.
func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
