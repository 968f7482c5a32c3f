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
	// Reopen closes a store and opens the same database again.
	Reopen func(t testing.TB, s storage.Store) storage.Store
}

// group is one test of the contract.
type group struct {
	name string
	run  func(t *testing.T, e Engine)
}

// Run holds the engine to the whole contract, each test on a store of its own.
func Run(t *testing.T, open func(t testing.TB) storage.Store, reopen func(t testing.TB, s storage.Store) storage.Store) {
	t.Helper()
	e := Engine{Open: open, Reopen: reopen}
	for _, list := range [][]group{
		deviceTests(), channelTests(), sampleTests(), identityTests(), batchTests(), rollupTests(), registryTests(), accessTests(),
		concurrencyTests(),
	} {
		for _, g := range list {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				g.run(t, e)
			})
		}
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

// whats gives the acts of the audit trail, oldest first.
func whats(t testing.TB, s storage.Store) []string {
	t.Helper()
	list, err := s.Audit(t.Context(), 0, 1000)
	must(t, "Audit", err)
	acts := make([]string, 0, len(list))
	for _, a := range slices.Backward(list) {
		acts = append(acts, a.What)
	}
	return acts
}

func version(t testing.TB, s storage.Store) int64 {
	t.Helper()
	v, err := s.RegistryVersion(t.Context())
	must(t, "RegistryVersion", err)
	return v
}
