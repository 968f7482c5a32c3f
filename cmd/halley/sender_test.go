package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"halley"
	"halley/cmd/halley/internal/fleet"
	"halley/protocols/websensor"
)

// retryEvery is how long a test waits before it asks again.
const retryEvery = 20 * time.Millisecond

// failsafe ends a test that hangs; no test depends on it otherwise.
const failsafe = 5 * time.Minute

// answerWithin is how long a device waits for an answer.
const answerWithin = time.Minute

// pause waits; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// board tells devices where the server is reached now; nowhere while it is down. A port that a killed server had may soon
// belong to somebody else, so that no device may use it after the kill.
type board struct {
	mu      sync.Mutex
	address string
	changed chan struct{}
}

func newBoard(address string) *board { return &board{address: address, changed: make(chan struct{})} }

func (b *board) set(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.address = address
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) get() (address string, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.address, b.changed
}

// mostMessages is how many messages a sender can make: one for each second of its past, and none whose value is an error word.
const mostMessages = 90_000

// sender is a device whose messages all differ: the n-th has the value n/10 and, in families with a clock, the time origin + n
// seconds and the running number n.
type sender struct {
	line   *fleet.Line
	serial string
	origin halley.Millis
	board  *board
	// every is how long it rests between two messages; 0 is not at all.
	every time.Duration

	conn net.Conn
	read *bufio.Reader
	out  bytes.Buffer

	// sent counts attempts, refused those that were answered otherwise than "stored".
	sent, refused int
	// next is the number of the next message. Those before are acknowledged, but for those in lost of a family without memory:
	// true may be stored or not, for no answer came; false was answered "not stored".
	next int
	lost map[int]bool
	// answered is when each message was.
	answered []time.Time
}

// newSenders makes devices of all families, dealt out in turn.
func newSenders(n int, b *board) []*sender {
	lines := fleet.Lines()
	origin := halley.MillisOf(time.Now()).Floor(halley.Second) - mostMessages*halley.Second
	senders := make([]*sender, n)
	for i := range senders {
		senders[i] = &sender{line: &lines[i%len(lines)], serial: fmt.Sprintf("%08d", 7001+i), origin: origin, board: b, lost: map[int]bool{}}
	}
	return senders
}

func (s *sender) family() halley.Family { return s.line.Protocol.Family() }

// upload gives the n-th message.
func (s *sender) upload(n int) *halley.Upload {
	value := float64(n) / 10
	if s.family() == halley.WebSensor {
		for _, m := range websensor.Models() {
			if m.Name == "T0510" {
				up := m.Upload(s.serial)
				up.Messages[0].Readings[0].Value = value
				return &up
			}
		}
	}
	model := s.line.Models[0]
	reading := model.Channels[0]
	reading.Value, reading.Decimals = value, 1
	m := halley.Message{
		Sample: s.origin + halley.Millis(n)*halley.Second, Now: halley.MillisOf(time.Now()).Floor(halley.Second), Clock: halley.ClockValid,
		Order: int64(n), Kind: halley.Periodic, RawKind: s.line.Kinds[halley.Periodic], Cache: s.line.Waited.NoNetwork,
		Interval: 1, Config: 7, State: 131, StateMask: 4352, Battery: halley.Unknown, Readings: []halley.Reading{reading},
	}
	if s.family() == halley.Modem {
		m.Clock, m.Battery = halley.ClockLocalOrUTC, 60
		m.Order %= int64(s.line.Numbers)
	}
	return &halley.Upload{
		DeviceKey: halley.DeviceKey{Family: s.family(), Serial: s.serial}, Model: model.Name, Name: "Device " + s.serial,
		Form: model.Form, Messages: []halley.Message{m},
	}
}

// work sends one message after the other until finish is closed or the family's most are sent. A message that is not
// acknowledged is sent again by devices with a memory, also after finish, and is lost by others.
func (s *sender) work(ctx context.Context, finish <-chan struct{}) error {
	defer s.disconnect()
	for s.next < mostMessages {
		select {
		case <-finish:
			return nil
		default:
		}
		if err := s.deliver(ctx); err != nil {
			return err
		}
		if s.every > 0 {
			pause(ctx, s.every)
		}
	}
	return nil
}

// unhurried lets devices send some times a second, where a test is not about load.
func unhurried(senders []*sender) []*sender {
	for _, s := range senders {
		s.every = retryEvery
	}
	return senders
}

// deliver sends the next message until it is acknowledged, or once if the family has no memory.
func (s *sender) deliver(ctx context.Context) error {
	up := s.upload(s.next)
	body, err := s.line.Protocol.Encode(up)
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.family(), s.serial, err)
	}
	for {
		stored, err := s.attempt(ctx, up.Form, body)
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: message %d: %w", s.family(), s.serial, s.next, ctx.Err())
		}
		if err != nil {
			s.disconnect()
		}
		if !stored && s.line.Protocol.Remembers() {
			if err == nil && !pause(ctx, retryEvery) {
				return ctx.Err()
			}
			continue
		}
		if !stored {
			s.lost[s.next] = err != nil
		}
		s.next++
		s.answered = append(s.answered, time.Now())
		return nil
	}
}

// attempt sends a body once and says whether it was acknowledged. After an error nobody knows.
func (s *sender) attempt(ctx context.Context, form string, body []byte) (bool, error) {
	if err := s.connect(ctx); err != nil {
		return false, err
	}
	header := "Content-Type: application/json\r\n"
	if s.line.Header != nil {
		header = s.line.Header(form)
	}
	s.out.Reset()
	fmt.Fprintf(&s.out, "POST / HTTP/1.1\r\nHost: halley\r\n%sContent-Length: %d\r\n\r\n", header, len(body))
	s.out.Write(body)
	if err := s.conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return false, err
	}
	s.sent++
	if _, err := s.conn.Write(s.out.Bytes()); err != nil {
		return false, err
	}
	answer, err := http.ReadResponse(s.read, nil)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return false, err
	}
	if answer.Close {
		s.disconnect()
	}
	if !s.line.Acknowledged(answer.StatusCode, text) {
		s.refused++
		return false, nil
	}
	return true, nil
}

// connect opens the connection where there is none, to the server that is up now, and waits for one.
func (s *sender) connect(ctx context.Context) error {
	for s.conn == nil {
		address, changed := s.board.get()
		if address == "" {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			select {
			case <-changed:
			case <-time.After(retryEvery):
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		if now, _ := s.board.get(); now != address {
			conn.Close()
			continue
		}
		s.conn, s.read = conn, bufio.NewReader(conn)
	}
	return nil
}

func (s *sender) disconnect() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// crowd is senders at work.
type crowd struct {
	senders []*sender
	finish  chan struct{}
	failed  chan error
	running sync.WaitGroup
}

// atWork lets all senders begin.
func atWork(ctx context.Context, senders []*sender) *crowd {
	c := &crowd{senders: senders, finish: make(chan struct{}), failed: make(chan error, len(senders))}
	for _, s := range senders {
		c.running.Go(func() {
			if err := s.work(ctx, c.finish); err != nil {
				c.failed <- err
			}
		})
	}
	return c
}

// rest lets every sender bring its last message to its end.
func (c *crowd) rest(tb testing.TB) {
	tb.Helper()
	close(c.finish)
	c.running.Wait()
	close(c.failed)
	for err := range c.failed {
		tb.Error(err)
	}
}

// outcome is what became of the messages of some senders.
type outcome struct {
	sent, refused, acknowledged, stored, missing, twice int
}

// String gives one line.
func (o outcome) String() string {
	return fmt.Sprintf("sent=%d acknowledged=%d stored=%d missing=%d twice=%d", o.sent, o.acknowledged, o.stored, o.missing, o.twice)
}

// account holds what the senders know against the embedded store of a server that has ended.
func account(tb testing.TB, data string, senders []*sender) outcome {
	tb.Helper()
	return accountOf(tb, storedMessages(tb, data, senders), senders)
}

// accountOf holds what the senders know against the number of times that each message is stored, by device and number.
func accountOf(tb testing.TB, stored map[halley.DeviceKey]map[int]int, senders []*sender) outcome {
	tb.Helper()
	var o outcome
	told := 0
	wrong := func(format string, args ...any) {
		const most = 20
		told++
		if told <= most {
			tb.Errorf(format, args...)
		}
	}
	defer func() {
		if told > 0 {
			tb.Errorf("%d messages are wrong: %v", told, o)
		}
	}()
	for _, s := range senders {
		o.sent += s.sent
		o.refused += s.refused
		got := stored[halley.DeviceKey{Family: s.family(), Serial: s.serial}]
		for n := range s.next {
			count := got[n]
			o.stored += count
			uncertain, lost := s.lost[n]
			if !lost {
				o.acknowledged++
			}
			switch {
			case !lost && count == 0:
				o.missing++
				wrong("%s %s: message %d was acknowledged and is not in the store", s.family(), s.serial, n)
			case lost && !uncertain && count > 0:
				wrong("%s %s: message %d was refused and is in the store", s.family(), s.serial, n)
			case count > 1:
				o.twice += count - 1
				wrong("%s %s: message %d is %d times in the store", s.family(), s.serial, n, count)
			}
			delete(got, n)
		}
		if len(got) > 0 {
			tb.Errorf("%s %s: the store holds messages that were never sent: %v", s.family(), s.serial, got)
		}
	}
	return o
}

// storedMessages counts the rows of each message, by device and number. The number is told by the value; time and running
// number must agree with it.
func storedMessages(tb testing.TB, data string, senders []*sender) map[halley.DeviceKey]map[int]int {
	tb.Helper()
	by := map[halley.DeviceKey]*sender{}
	counts := map[halley.DeviceKey]map[int]int{}
	for _, s := range senders {
		key := halley.DeviceKey{Family: s.family(), Serial: s.serial}
		by[key], counts[key] = s, map[int]int{}
	}
	rows, err := database(tb, filepath.Join(data, "halley.db")).QueryContext(tb.Context(), `SELECT d.family, d.serial, m.measured_at, coalesce(m.order_no, -1), m.v1
		FROM message m JOIN device d ON d.device_id = m.device_id WHERE m.part = 0`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key halley.DeviceKey
		var measured, order int64
		var value float64
		if err := rows.Scan(&key.Family, &key.Serial, &measured, &order, &value); err != nil {
			tb.Fatal(err)
		}
		s := by[key]
		if s == nil {
			continue
		}
		n := int(math.Round(value * 10))
		if want := s.upload(n).Messages[0]; want.Sample != 0 && (halley.Millis(measured) != want.Sample || order != want.Order) {
			tb.Errorf("%s %s: value %v is stored with the time %d and the number %d", key.Family, key.Serial, value, measured, order)
		}
		counts[key][n]++
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return counts
}

// database opens a file that nobody writes any more.
func database(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: "mode=rw"}).String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}
