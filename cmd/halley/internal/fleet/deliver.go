package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"halley"
)

// How long a device waits before it tries again: twice as long each time, up to the bound.
const (
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
)

// freshAfter is after how much idle time a device opens a new connection. A web sensor, which cannot send again, opens one for
// each message unless messages follow closely.
const (
	freshAfter         = 20 * time.Second
	freshAfterNoMemory = time.Second
)

// jsonHeader is the header of the families that have none of their own.
const jsonHeader = "Content-Type: application/json\r\n"

// outcome is what became of an attempt.
type outcome uint8

const (
	// acknowledged is a message that the device may forget.
	acknowledged outcome = iota
	// notYet is one that may be sent again.
	notYet
	// never is one that cannot be sent at all.
	never
)

// delivery is one device at work.
type delivery struct {
	fleet  *fleet
	device *Device
	client client
	path   string
	holds  bool
	// pause is how long to wait after the next failure; failing since is when the first of a row of failures was.
	pause        time.Duration
	failingSince time.Time
	// waited is why messages that were due up to waitedUntil wait.
	waited      int
	waitedUntil halley.Millis
}

// run delivers the messages of one device.
func (f *fleet) run(ctx context.Context, d *Device) {
	w := &delivery{fleet: f, device: d, client: client{target: f.target, open: f.options.Dial}, path: f.target.path, pause: firstPause}
	if p, ok := f.options.EntryPoints[d.Serial]; ok {
		w.path = "/" + strings.TrimPrefix(p, "/")
	}
	defer w.rest(true)
	remembers := d.line.Protocol.Remembers()
	endless := d.plan.total < 0
	if !endless {
		f.planned.Add(w.expected(remembers))
	}
	for {
		it, ok := d.plan.next(halley.MillisOf(time.Now()))
		if !ok || !w.await(ctx, it.due) {
			return
		}
		if end := d.plan.outageEnd(it.tick); end > 0 && d.plan.live {
			if !remembers {
				continue
			}
			if !w.sitOut(ctx, &it, end) {
				return
			}
		}
		if it.due > 0 && it.due <= w.waitedUntil {
			it.cache = w.waited
		}
		if endless {
			f.planned.Add(1)
		}
		if !w.deliver(ctx, &it, remembers) {
			return
		}
	}
}

// expected gives how many messages are to be acknowledged: all, but for those that a device without a memory loses in outages.
func (w *delivery) expected(remembers bool) int64 {
	p := w.device.plan
	n := p.planned()
	if remembers || p.outages == 0 && p.losses == 0 || !p.live {
		return n
	}
	for it, ok := p.next(0); ok; it, ok = p.next(0) {
		if p.outageEnd(it.tick) > 0 {
			n--
		}
	}
	return n
}

// await waits for an instant; false when ctx ended before.
func (w *delivery) await(ctx context.Context, due halley.Millis) bool {
	if due == 0 {
		return ctx.Err() == nil
	}
	left := time.Until(due.Time())
	if left <= 0 {
		return ctx.Err() == nil
	}
	w.rest(false)
	return sleep(ctx, left)
}

// sitOut waits for the end of an outage. What is measured until then waits with the device.
func (w *delivery) sitOut(ctx context.Context, it *item, end int64) bool {
	p := &w.device.plan
	if p.total >= 0 {
		end = min(end, p.total-1)
	}
	until := p.first + halley.Millis(end)*p.step
	w.waited, w.waitedUntil = w.device.line.Waited.NoNetwork, until-1
	it.cache = w.waited
	return w.await(ctx, until)
}

// deliver sends one message until it is acknowledged or, without a memory, once. False ends the device's work.
func (w *delivery) deliver(ctx context.Context, it *item, remembers bool) bool {
	for {
		if !w.begin(ctx) {
			return false
		}
		switch w.attempt(ctx, it) {
		case acknowledged:
			w.recovered()
			return true
		case never:
			return false
		case notYet:
		}
		patience := w.fleet.options.Patience
		if patience > 0 && time.Since(w.failingSince) >= patience {
			return false
		}
		if !w.holdOff(ctx) {
			return false
		}
		if !remembers {
			return true
		}
	}
}

// holdOff waits before the next attempt, longer each time.
func (w *delivery) holdOff(ctx context.Context) bool {
	w.rest(false)
	pause := w.pause
	w.pause = min(2*w.pause, longPause)
	// A quarter more or less keeps the devices of a fleet from coming back all at once.
	pause += time.Duration(swing(w.device.seed, uint64(pause)) / 4 * float64(pause))
	return sleep(ctx, pause)
}

// recovered ends a row of failures.
func (w *delivery) recovered() {
	if !w.failingSince.IsZero() && w.fleet.failing.Add(-1) == 0 {
		w.fleet.options.Log.Info("all devices are acknowledged again")
	}
	w.failingSince = time.Time{}
	w.pause = firstPause
}

// begin takes a place among the connections.
func (w *delivery) begin(ctx context.Context) bool {
	if w.fleet.turns == nil || w.holds {
		return ctx.Err() == nil
	}
	select {
	case w.fleet.turns <- struct{}{}:
		w.holds = true
		return true
	case <-ctx.Done():
		return false
	}
}

// rest gives the place back. Where places are few, or at the end, the connection is closed with it.
func (w *delivery) rest(last bool) {
	if last || w.fleet.turns != nil {
		w.client.close()
	}
	if w.holds {
		<-w.fleet.turns
		w.holds = false
	}
}

// attempt sends a message once. What was not acknowledged is marked with the reason why it waits now.
func (w *delivery) attempt(ctx context.Context, it *item) outcome {
	d, f := w.device, w.fleet
	up := d.compose(it, halley.MillisOf(time.Now()))
	body, err := d.line.Protocol.Encode(up)
	if err != nil {
		w.failed(it, it.cache, "the message cannot be written: "+err.Error())
		return never
	}
	r := request{path: w.path, header: jsonHeader, body: body, freshAfter: freshAfter}
	if d.line.Header != nil {
		r.header = d.line.Header(up.Form)
	}
	if !d.line.Protocol.Remembers() {
		r.freshAfter = freshAfterNoMemory
	}
	f.sent.Add(1)
	status, answer, err := w.client.post(ctx, r)
	switch {
	case err == nil && d.line.Acknowledged(status, answer):
		f.acknowledged.Add(1)
		return acknowledged
	case err == nil:
		f.refused.Add(1)
		w.failed(it, d.line.Waited.Refused, fmt.Sprintf("answered %d %.200q", status, answer))
	case ctx.Err() == nil:
		w.failed(it, reasonOf(d.line.Waited, err), err.Error())
	}
	return notYet
}

// failed notes why a message was not acknowledged.
func (w *delivery) failed(it *item, reason int, trouble string) {
	if w.failingSince.IsZero() {
		w.failingSince = time.Now()
		if w.fleet.failing.Add(1) == 1 {
			d := w.device
			w.fleet.options.Log.Warn("a device is not acknowledged", "serial", d.Serial, "family", d.Family, "trouble", trouble)
		}
	}
	w.fleet.trouble.Store(&trouble)
	it.cache = reason
	if it.due > 0 {
		w.waited, w.waitedUntil = reason, halley.MillisOf(time.Now())
	}
}

// reasonOf gives the family's number for a failure.
func reasonOf(r Reasons, err error) int {
	dial, ok := errors.AsType[*dialError](err)
	if !ok {
		return r.Transfer
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return r.Name
	}
	if dial.tls {
		return r.TLS
	}
	return r.Connection
}

// sleep waits; false when ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
