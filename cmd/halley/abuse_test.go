package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The bounds that a server under abuse must keep.
const (
	// spareFiles is how many more files than before the server may hold when all connections have ended: of SQLite's pool and
	// of a journal file that began meanwhile.
	spareFiles = 24
	// mostMemory is what the server may take, in KiB; with the race detector everything takes several times as much.
	mostMemory = 1 << 20
)

// abuseConfig makes connections that rest end soon, so that the test can wait for it.
const abuseConfig = "[devices]\nheader-timeout = \"1s\"\nbody-timeout = \"1s\"\nidle-timeout = \"2s\"\nconnections = 512\n" +
	"[recorder]\nevery = \"100ms\"\n"

// abuse is one thing that a hostile or broken peer does over one connection.
type abuse struct {
	name string
	do   func(c *abused)
}

// abused is a connection to the server that is treated badly.
type abused struct {
	net.Conn
	random *rand.Rand
	// good is a whole request of a device.
	good []byte
	// answers are the statuses that came.
	answers []int
}

// send writes; what the server cuts is no matter.
func (c *abused) send(parts ...string) {
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			return
		}
	}
}

// read reads answers until the server closes, or so many came.
func (c *abused) read(most int) {
	in := bufio.NewReader(c)
	for range most {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		c.answers = append(c.answers, r.StatusCode)
		if err != nil || r.Close {
			return
		}
	}
}

func (c *abused) noise(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.random.Uint32())
	}
	return string(b)
}

// abuses are tried one after the other, each over many connections at once.
var abuses = []abuse{
	{"random bytes", func(c *abused) { c.send(c.noise(4096)); c.read(10) }},
	{"random bytes behind a request line", func(c *abused) { c.send("POST / HTTP/1.1\r\n", c.noise(2000)); c.read(10) }},
	{"a connection that says nothing", func(c *abused) { c.read(1) }},
	{"open and close", func(*abused) {}},
	{"half a request line", func(c *abused) { c.send("POST /so"); c.read(1) }},
	{"half a header", func(c *abused) { c.send("POST / HTTP/1.1\r\nHost: x\r\nConte"); c.read(1) }},
	{"a header that comes drop by drop", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\n")
		for i := 0; i < 200 && pause(context.Background(), retryEvery); i++ {
			if _, err := fmt.Fprintf(c, "X-%d: y\r\n", i); err != nil {
				return
			}
		}
	}},
	{"a body that stops in the middle", func(c *abused) { c.send(string(c.good[:len(c.good)-20])); c.read(1) }},
	{"a body that is cut off", func(c *abused) { c.send(string(c.good[:len(c.good)-20])) }},
	{"no body at all", func(c *abused) { c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"); c.read(1) }},
	{"a body that says it is huge", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000000000000\r\n\r\nabc")
		c.read(1)
	}},
	{"a body that is too long", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", strings.Repeat("<", 2_000_000))
		c.read(1)
	}},
	{"a negative length", func(c *abused) { c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"); c.read(1) }},
	{"two lengths", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
		c.read(1)
	}},
	{"a chunked body of garbage", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")
		c.read(1)
	}},
	{"a chunked body without end", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
		for range 200 {
			c.send("4000\r\n", strings.Repeat("[", 0x4000), "\r\n")
		}
		c.read(1)
	}},
	{"a path of 8 KB", func(c *abused) {
		c.send("POST /" + strings.Repeat("p", 8<<10) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		c.read(1)
	}},
	{"a header of 1 MB", func(c *abused) {
		c.send("POST / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("h", 1<<20) + "\r\n\r\n")
		c.read(1)
	}},
	{"methods that nobody knows", func(c *abused) {
		for _, method := range []string{"BREW", "CONNECT", "TRACE", "OPTIONS", "DELETE", "GET"} {
			c.send(method + " / HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		c.read(6)
	}},
	{"HTTP/2 without being asked", func(c *abused) { c.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", c.noise(100)); c.read(2) }},
	{"TLS to a plain listener", func(c *abused) { c.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", c.noise(500)); c.read(1) }},
	{"deep nesting", func(c *abused) {
		body := strings.Repeat("[", 200_000)
		c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		c.read(1)
	}},
	{"answers that nobody reads", func(c *abused) {
		for range 200 {
			c.send(string(c.good))
		}
	}},
}

// TestAbuse treats the devices' listener badly while good devices send: these are served all the time, and nothing stays behind.
// HALLEY_ABUSE says how many connections each sort of abuse uses; few where it says nothing.
func TestAbuse(t *testing.T) {
	t.Parallel()
	connections := numberFrom(t, "HALLEY_ABUSE", 40)
	data := filepath.Join(t.TempDir(), "data")
	token := administrator(t, data)
	p := serving(t, data, "--config", configured(t, abuseConfig))
	a := newAPI(t, p, token)
	ctx, cancel := context.WithTimeout(t.Context(), 2*failsafe+time.Duration(connections)*2*time.Second)
	defer cancel()
	b := newBoard(p.devices)
	crowd := atWork(ctx, unhurried(newSenders(8, b)))
	until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 50 })
	before := measure(t, p)

	// One more device is looked at from near: it must be served during each abuse.
	good := newSenders(9, b)[8]
	request := whole(t, good)
	var worst time.Duration
	for _, kind := range abuses {
		done := make(chan struct{})
		go func() {
			defer close(done)
			attack(p.devices, kind, connections, request)
		}()
		for over := false; !over; {
			began := time.Now()
			if err := good.deliver(ctx); err != nil {
				t.Fatalf("during %s: %v", kind.name, err)
			}
			worst = max(worst, time.Since(began))
			select {
			case <-done:
				over = true
			default:
				over = !pause(ctx, retryEvery)
			}
		}
		if !p.lives() {
			t.Fatalf("the server did not survive %s and said\n%s", kind.name, p.said.String())
		}
	}
	busy := measure(t, p)
	crowd.rest(t)
	good.disconnect()
	after := settled(ctx, t, p, before)
	a.flush(ctx, t)
	if s := a.status(ctx, t); s.State != "ok" {
		t.Errorf("after all of it the status is %+v", s)
	}
	p.stop(t)
	if strings.Contains(p.said.String(), "panic") {
		t.Errorf("the server said\n%s", p.said.String())
	}
	o := account(t, data, append(crowd.senders, good))
	soundDatabases(t, data)
	if o.refused != 0 {
		t.Errorf("%d messages of good devices were refused", o.refused)
	}
	t.Logf("abuse: kinds=%d connections=%d %v slowest_good_answer=%v files=%d/%d/%d threads=%d/%d/%d memory_KiB=%d/%d/%d",
		len(abuses), connections*len(abuses), o, worst.Round(time.Millisecond), before.files, busy.files, after.files,
		before.threads, busy.threads, after.threads, before.memory, busy.memory, after.memory)
	if runtime.GOOS == "linux" && (busy.memory > mostMemory || after.files > before.files+spareFiles) {
		t.Errorf("the server holds %d files, before it held %d; at most it took %d KiB", after.files, before.files, busy.memory)
	}
}

// whole gives a whole request of a device, with a message of another one than those that the test counts.
func whole(t *testing.T, like *sender) []byte {
	t.Helper()
	s := *like
	s.serial = "00008999"
	up := s.upload(0)
	body, err := s.line.Protocol.Encode(up)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: halley\r\n%sContent-Length: %d\r\n\r\n%s", s.line.Header(up.Form), len(body), body)
}

// attack does one kind of abuse over so many connections, at most 32 at a time.
func attack(address string, kind abuse, connections int, good []byte) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, 32)
	for i := range connections {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			conn, err := net.DialTimeout("tcp", address, answerWithin)
			if err != nil {
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(answerWithin))
			kind.do(&abused{Conn: conn, random: rand.New(rand.NewPCG(uint64(i), 1)), good: good})
		})
	}
	wg.Wait()
}

// footprint is what a process holds.
type footprint struct{ files, threads, memory int }

// measure reads it from /proc; elsewhere it gives nothing.
func measure(t *testing.T, p *program) footprint {
	t.Helper()
	if runtime.GOOS != "linux" {
		return footprint{}
	}
	folder := fmt.Sprintf("/proc/%d", p.cmd.Process.Pid)
	entries, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	f := footprint{files: len(entries)}
	text, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		for name, into := range map[string]*int{"Threads:": &f.threads, "VmHWM:": &f.memory} {
			if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
				if _, err := fmt.Sscan(string(rest), into); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
		}
	}
	return f
}

// settled waits until the connections have ended that nobody uses, which the server does by itself after its idle time.
func settled(ctx context.Context, t *testing.T, p *program, before footprint) footprint {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, failsafe)
	defer cancel()
	for {
		f := measure(t, p)
		if f.files <= before.files+spareFiles || !pause(ctx, retryEvery) {
			return f
		}
	}
}
