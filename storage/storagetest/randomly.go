package storagetest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// randomTime is for how long a property is tried on an engine that needs more for all of its runs.
const randomTime = 8 * time.Second

// randomly checks a property with as many random runs as rapid makes, or as fit into randomTime. A property that fails is made
// smaller as long as rapid wants.
func randomly(t *testing.T, property func(rt *rapid.T)) {
	t.Helper()
	begin, failed := time.Now(), false
	rapid.Check(t, func(rt *rapid.T) {
		if !failed && time.Since(begin) > randomTime {
			return
		}
		defer func() { failed = failed || rt.Failed() }()
		property(rt)
	})
}
