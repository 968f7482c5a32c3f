package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"halley"
	"halley/config"
	"halley/server/mail"
	"halley/server/syslog"
	"halley/storage"
	form "halley/storage/ledger"
)

const (
	// sendSoon and sendSeldom bound the wait after a checkpoint that could not be sent.
	sendSoon   = 15 * time.Second
	sendSeldom = 15 * time.Minute
	// sendWithin bounds one try.
	sendWithin = 2 * time.Minute
)

// place is somewhere outside to which checkpoints go. It holds at most one that waits: a newer one says all that an older one does.
type place struct {
	config.Place
	ledger *Ledger
	wake   chan struct{}

	mu      sync.Mutex
	waiting *form.Checkpoint
	// failingSince is since when nothing could be sent, 0 where that is not so; problem is why.
	failingSince halley.Millis
	problem      string
	// sentBefore says that something was sent since the start.
	sentBefore bool
}

func newPlace(l *Ledger, p config.Place) *place {
	return &place{Place: p, ledger: l, wake: make(chan struct{}, 1)}
}

// offer gives a checkpoint to be sent. By e-mail goes one a day, and the first, so that it is seen to work.
func (p *place) offer(c form.Checkpoint) {
	if p.Kind == config.PlaceMail && c.Kind != kindDay && p.everSent() {
		return
	}
	p.mu.Lock()
	p.waiting = &c
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// everSent says whether a checkpoint went there before, as far as is known.
func (p *place) everSent() bool {
	p.mu.Lock()
	done := p.sentBefore
	p.mu.Unlock()
	if done {
		return true
	}
	for _, r := range p.ledger.results.of(storage.ProofSent) {
		var s storage.SentSummary
		if r.OK && r.Node == p.ledger.opts.Node && json.Unmarshal([]byte(r.Summary), &s) == nil && s.To == p.Text {
			return true
		}
	}
	return false
}

func (p *place) next() *form.Checkpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// run sends what is offered, until ctx ends.
func (p *place) run(ctx context.Context) {
	failures := 0
	for {
		c := p.next()
		if c == nil {
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
			}
			continue
		}
		err := p.send(ctx, c)
		if ctx.Err() != nil {
			return
		}
		p.note(c, err)
		if err == nil {
			failures = 0
			continue
		}
		wait := retry(failures, sendSoon, sendSeldom)
		failures++
		if !sleep(ctx, wait/2+rand.N(wait/2)) {
			return
		}
	}
}

// note keeps what became of a checkpoint: each that was sent, and the first failure of some in a row.
func (p *place) note(c *form.Checkpoint, err error) {
	s := storage.SentSummary{Checkpoint: c.ID, At: c.At, To: p.Text}
	p.mu.Lock()
	failing := p.failingSince != 0
	if err == nil {
		if p.waiting == c {
			p.waiting = nil
		}
		p.failingSince, p.problem, p.sentBefore = 0, "", true
	} else {
		s.Problem = plain(err)
		p.problem = s.Problem
		if !failing {
			p.failingSince = now()
		}
	}
	p.mu.Unlock()
	if err != nil && failing {
		return
	}
	if err != nil {
		p.ledger.opts.Log.Warn("a checkpoint could not be sent; it is tried again", "to", p.Text, "err", err)
	}
	p.ledger.results.add(storage.Proof{At: now(), Node: p.ledger.opts.Node, Kind: storage.ProofSent, OK: err == nil}, s, by("[ledger] outside"))
}

// plain says in plain English what went wrong.
func plain(err error) string {
	if e, ok := errors.AsType[*halley.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return "it failed; the log says why"
}

// failing says since when nothing could be sent and why; since is 0 where that is not so.
func (p *place) failing() (since halley.Millis, problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failingSince, p.problem
}

func (p *place) send(ctx context.Context, c *form.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	switch p.Kind {
	case config.PlaceFolder:
		return p.leave(ctx, c)
	case config.PlaceMail:
		return p.ledger.opts.Mailer.Send(ctx, p.letter(c))
	case config.PlaceSyslog:
		return syslog.Send(ctx, syslog.Server{Transport: syslog.UDP, Address: p.Target}, line(c))
	case config.PlaceSyslogTCP:
		return syslog.Send(ctx, syslog.Server{Transport: syslog.TCP, Address: p.Target}, line(c))
	case config.PlaceSyslogTLS:
		return syslog.Send(ctx, syslog.Server{Transport: syslog.TLS, Address: p.Target}, line(c))
	}
	return fmt.Errorf("there is no way to %s", p.Text)
}

// letter is the e-mail with a checkpoint.
func (p *place) letter(c *form.Checkpoint) mail.Message {
	var b strings.Builder
	fmt.Fprintf(&b, "This is a checkpoint of the Halley server %s, made at %s.\n\n", c.Node, words(c.At))
	b.WriteString("It states what the server had stored by then, and is signed. Keep this message, or the attached file, where nobody who\n" +
		"can change the server's database can change it. To check the database against it, save the file and run\n\n" +
		"    halley verify --data DIR --anchor FILE\n\n" +
		"What is behind the checkpoint and was there when it was made can then not have been changed unnoticed. What a device or a\n" +
		"network did before the data reached the server, no checkpoint can show.\n\n")
	key := p.ledger.opts.Keys.Public()
	fmt.Fprintf(&b, "The public key of this server, to compare with the one that you were given:\n\n    %s\n", bytes.TrimSpace(key.Text()))
	return mail.Message{
		To: []string{p.Target}, Subject: fmt.Sprintf("Halley checkpoint of %s, %s", c.Node, words(c.At)), Text: b.String(),
		Attachments: []mail.Attachment{{Name: fileName(c), Content: c.Text()}},
	}
}

// line is a checkpoint as one line of syslog: its text in base64, behind words for people.
func line(c *form.Checkpoint) syslog.Message {
	return syslog.Message{
		At: c.At, Host: c.Node, App: "halley", ID: "checkpoint",
		Text: fmt.Sprintf("checkpoint %d of %s (%s): %s", c.ID, c.Node, c.Kind, base64.StdEncoding.EncodeToString(c.Text())),
	}
}

// fileName names the file of a checkpoint, so that names sort by time.
func fileName(c *form.Checkpoint) string {
	return fmt.Sprintf("halley-checkpoint-%s-%s-%s.txt", c.Node, c.At.Time().Format(fileLayout), cmp.Or(c.Kind, "none"))
}
