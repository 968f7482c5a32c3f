package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// pagePassword is that of all people of these tests.
const pagePassword = "Correct-horse-7"

// livePage is a signed-in person with the overview open: what the page asks for at first, then the stream of what is new.
type livePage struct {
	api
	messages, missed atomic.Int64
}

// post sends a body, with the page's session where it has one, and keeps the cookie that comes back.
func (a *api) post(ctx context.Context, path string, body, out any) error {
	return a.act(ctx, http.MethodPost, path, body, out)
}

// act sends a body by any method, as post does.
func (a *api) act(ctx context.Context, method, path string, body, out any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	switch {
	case a.cookie != nil:
		r.AddCookie(a.cookie)
	case a.token != "":
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, bytes.TrimSpace(text))
	}
	for _, c := range answer.Cookies() {
		a.cookie = c
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// invited makes a person who may see everything, and gives the secret of the link that invites them.
func invited(ctx context.Context, a *api, name string) (string, error) {
	var made struct{ Link string }
	err := a.post(ctx, "/people", map[string]any{
		"name": name, "organization_id": 1, "why": "many people",
		"grants": []map[string]any{{"role": "user", "organization_id": 1}},
	}, &made)
	if err != nil {
		return "", err
	}
	_, secret, found := strings.Cut(made.Link, "#link=")
	if !found {
		return "", fmt.Errorf("the link of %s holds no secret", name)
	}
	return secret, nil
}

// openPage signs somebody in by the link and asks for what the overview needs.
func openPage(ctx context.Context, tb testing.TB, p *program, secret string) (*livePage, error) {
	page := &livePage{api: *newAPI(tb, p, "")}
	if err := page.post(ctx, "/links", map[string]string{"secret": secret, "password": pagePassword}, nil); err != nil {
		return nil, err
	}
	for _, path := range []string{"/me", "/organizations", "/places?fields=lean&limit=10000", "/devices", "/latest", "/status"} {
		if err := page.ask(ctx, http.MethodGet, path, nil); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// listen opens the stream, says so, and counts what comes until ctx ends.
func (p *livePage) listen(ctx context.Context, open func()) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/live", http.NoBody)
	if err != nil {
		return err
	}
	r.AddCookie(p.cookie)
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream was answered %s", answer.Status)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		switch lines.Text() {
		case "event: hello":
			open()
		case "event: message":
			p.messages.Add(1)
		case "event: missed":
			p.missed.Add(1)
		}
	}
	if ctx.Err() == nil {
		return fmt.Errorf("the stream ended: %w", cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
	}
	return nil
}

// TestManyPeopleWatch has HALLEY_PEOPLE people (a few where it says nothing) signed in at once, each with a live page, while
// HALLEY_PEOPLE_DEVICES devices report. Every page must be told of every message. It prints what memory and processor time the
// server takes for it.
func TestManyPeopleWatch(t *testing.T) {
	t.Parallel()
	people, devices := numberFrom(t, "HALLEY_PEOPLE", 12), numberFrom(t, "HALLEY_PEOPLE_DEVICES", 4)
	rounds := numberFrom(t, "HALLEY_PEOPLE_ROUNDS", 3)
	data := filepath.Join(t.TempDir(), "data")
	token := administrator(t, data)
	p := serving(t, data)
	a := newAPI(t, p, token)
	send := func() {
		simulateFlood(t, p, devices, "--messages", "1")
		a.flush(t.Context(), t)
	}
	send() // makes them known
	before := standingOf(t, p)

	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	pages := make([]*livePage, people)
	var wg, opening sync.WaitGroup
	for i := range pages {
		secret, err := invited(ctx, a, "person "+strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		if pages[i], err = openPage(ctx, t, p, secret); err != nil {
			t.Fatal(err)
		}
		opening.Add(1)
		wg.Go(func() {
			var once sync.Once
			defer once.Do(opening.Done)
			if err := pages[i].listen(ctx, func() { once.Do(opening.Done) }); err != nil {
				t.Errorf("page %d: %v", i, err)
			}
		})
	}
	opening.Wait()
	open := standingOf(t, p)
	began := time.Now()
	for range rounds {
		send()
	}
	awaitMessages(t, pages, int64(rounds*devices))
	after, took := standingOf(t, p), time.Since(began)
	rest := atRest(t, p)
	leave()
	wg.Wait()
	p.stop(t)
	t.Logf("people: signed_in=%d devices=%d events=%d missed=0 memory_before=%.1fMB with_pages=%.1fMB peak=%.1fMB at_rest=%.1fMB a_page_at_rest=%.0fkB",
		people, devices, people*rounds*devices, before.resident, open.resident, after.peak, rest.resident, (rest.resident-before.resident)*1000/float64(people))
	t.Logf("people: processor=%.2fs for the events in %.2fs, %.1f microseconds an event and page", after.processor-open.processor, took.Seconds(),
		(after.processor-open.processor)*1e6/float64(people*rounds*devices))
}

// awaitMessages waits until every page was told of so many messages. The test's own time limit ends it.
func awaitMessages(t *testing.T, pages []*livePage, want int64) {
	t.Helper()
	for i, page := range pages {
		for page.messages.Load() < want {
			if page.missed.Load() > 0 || !pause(t.Context(), retryEvery) {
				t.Fatalf("page %d was told of %d messages and missed some %d times; want all %d", i, page.messages.Load(), page.missed.Load(), want)
			}
		}
	}
}

// atRest gives what the server takes with all pages open once it has given back what the sign-ins took, which is some seconds after the
// last one. The short form of the test does not wait for that.
func atRest(t *testing.T, p *program) taken {
	t.Helper()
	if os.Getenv("HALLEY_PEOPLE") != "" {
		pause(t.Context(), 25*time.Second)
	}
	return standingOf(t, p)
}

// taken is what a process took so far.
type taken struct {
	// resident and peak are in MB of 1,000,000 bytes, processor in seconds.
	resident, peak, processor float64
}

// standingOf reads what the server takes; zeros where the system does not tell.
func standingOf(tb testing.TB, p *program) taken {
	tb.Helper()
	if runtime.GOOS != "linux" {
		return taken{}
	}
	pid := p.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	// The fields behind the name, which may hold blanks: user and system time are the 12th and 13th, in hundredths of a second.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, errUser := strconv.ParseFloat(fields[11], 64)
	system, errSystem := strconv.ParseFloat(fields[12], 64)
	if errUser != nil || errSystem != nil {
		tb.Fatalf("process %d tells no times: %v, %v", pid, errUser, errSystem)
	}
	return taken{
		resident: float64(statusOf(tb, pid, "VmRSS")) / 1000, peak: float64(statusOf(tb, pid, "VmHWM")) / 1000,
		processor: (user + system) / 100,
	}
}
