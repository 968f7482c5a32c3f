package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestManyWrongSignInsTakeLittleMemory has many sign in at once with names and passwords that are nobody's, from one address. Each gets
// an answer that says what is the matter, and the memory does not grow with their number: a hash takes 19 MiB.
func TestManyWrongSignInsTakeLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the most memory that a process took")
	}
	attempts := numberFrom(t, "HALLEY_GUESSES", 300)
	data := filepath.Join(t.TempDir(), "data")
	administrator(t, data)
	p := serving(t, data)
	before := standingOf(t, p)
	guesser := newAPI(t, p, "")
	var refused, waits atomic.Int64
	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() {
			switch status, err := signInAs(t.Context(), guesser, fmt.Sprintf("nobody %d", i)); {
			case err != nil:
				t.Errorf("attempt %d: %v", i, err)
			case status == http.StatusUnauthorized:
				refused.Add(1)
			default:
				waits.Add(1)
			}
		})
	}
	all.Wait()
	after := standingOf(t, p)
	t.Logf("guesses: attempts=%d refused=%d told_to_wait=%d memory_before=%.0fMB peak=%.0fMB", attempts, refused.Load(), waits.Load(), before.resident, after.peak)
	// A race detector takes several times as much.
	if grown, each := after.peak-before.resident, 19.9; grown > each*float64(attempts)/4 {
		t.Errorf("%d wrong sign-ins took %.0f MB more, each by itself takes %.0f", attempts, grown, each)
	}
	p.stop(t)
}

// signInAs gives the status of an attempt that must not succeed. One that is told to come again must be told when.
func signInAs(ctx context.Context, a *api, name string) (int, error) {
	body := strings.NewReader(fmt.Sprintf(`{"name":%q,"password":%q}`, name, pagePassword))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/session", body)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := a.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusUnauthorized:
	case http.StatusTooManyRequests:
		if answer.Header.Get("Retry-After") == "" {
			return 0, errors.New("it is not said when to come again")
		}
	default:
		return 0, fmt.Errorf("it was answered %s", answer.Status)
	}
	return answer.StatusCode, nil
}
