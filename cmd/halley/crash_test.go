package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The spans of time inside which the program is killed, at random.
const (
	// underLoad is from the line "ready".
	underLoad = 500 * time.Millisecond
	// catchingUp is from a request to record everything.
	catchingUp = 100 * time.Millisecond
)

// crashing is the program, and the moments at which it is killed.
type crashing struct {
	t      *testing.T
	data   string
	token  string
	config string
	board  *board
	random *rand.Rand
	// starting is how long the program lately took to start.
	starting time.Duration
}

// TestCrash kills the program at random moments while devices of all families send: under load, right after its start, and while
// it records. HALLEY_CRASHES says how often; six times where it says nothing.
func TestCrash(t *testing.T) {
	t.Parallel()
	kills := numberFrom(t, "HALLEY_CRASHES", 6)
	seed := rand.Uint64()
	c := &crashing{
		t: t, data: filepath.Join(t.TempDir(), "data"), board: newBoard(""),
		random: rand.New(rand.NewPCG(seed, 0)), starting: time.Second,
	}
	// The recorder shall be at work at any time.
	c.config = configured(t, "[recorder]\nevery = \"100ms\"\nsamples = 500\n")
	c.token = administrator(t, c.data)
	ctx, cancel := context.WithTimeout(t.Context(), failsafe+time.Duration(kills)*10*time.Second)
	defer cancel()
	senders := newSenders(16, c.board)
	crowd := atWork(ctx, senders)
	for i := range kills {
		switch i % 3 {
		case 0:
			c.killUnderLoad()
		case 1:
			c.killWhileRecording(ctx)
		case 2:
			c.killWhileStarting()
		}
	}
	p := c.start()
	pause(ctx, c.within(underLoad))
	crowd.rest(t)
	newAPI(t, p, c.token).flush(ctx, t)
	p.stop(t)
	o := account(t, c.data, senders)
	soundDatabases(t, c.data)
	if o.acknowledged == 0 || o.missing != 0 || o.twice != 0 {
		t.Errorf("the moments came from the seed %d", seed)
	}
	t.Logf("kills=%d %v", kills, o)
}

// configured writes a configuration for one run.
func configured(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "halley.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// within gives a random moment.
func (c *crashing) within(span time.Duration) time.Duration {
	return time.Duration(c.random.Int64N(int64(span)))
}

// launch starts the program.
func (c *crashing) launch() *program {
	c.t.Helper()
	return launch(c.t, c.data, "--config", c.config)
}

// start starts the program and tells the devices where it is.
func (c *crashing) start() *program {
	c.t.Helper()
	began := time.Now()
	p := c.launch()
	if err := p.awaitReady(); err != nil {
		c.t.Fatal(err)
	}
	c.starting = time.Since(began)
	c.board.set(p.devices)
	return p
}

// kill ends the program, which no device may then reach any more.
func (c *crashing) kill(p *program) {
	c.board.set("")
	p.kill()
}

func (c *crashing) killUnderLoad() {
	c.t.Helper()
	p := c.start()
	pause(c.t.Context(), c.within(underLoad))
	c.kill(p)
}

func (c *crashing) killWhileRecording(ctx context.Context) {
	c.t.Helper()
	p := c.start()
	pause(ctx, c.within(underLoad))
	ctx, cancel := context.WithCancel(ctx)
	asked := make(chan error, 1)
	a := newAPI(c.t, p, c.token)
	go func() { asked <- a.ask(ctx, http.MethodPost, "/journal/flush", nil) }()
	pause(ctx, c.within(catchingUp))
	c.kill(p)
	cancel()
	<-asked // it came before the kill or not: both are fine
}

// killWhileStarting kills it at a moment before or shortly after it is ready.
func (c *crashing) killWhileStarting() {
	c.t.Helper()
	p := c.launch()
	pause(c.t.Context(), c.within(c.starting+c.starting/5))
	c.kill(p)
}
