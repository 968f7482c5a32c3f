// Package fleet is a fleet of simulated devices that speak the real protocols, for demonstrations, tests and load. Each device
// measures by its interval, sends what it measured, reads the answer as its family does, and keeps what was not confirmed if its
// family has a memory: oldest first, with the reason why it waited, on one connection that is kept alive.
//
// Values, faults and alarms follow from the seed, the serial number and the message's place in the row alone, so that a fleet can
// be run again. The package does not know what a server makes of its messages, and it is no measuring instrument: it counts
// attempts and answers.
package fleet

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"halley"
)

// The serial numbers that only simulated devices use, and so the most devices that a fleet can have.
const (
	FirstSerial = 1
	LastSerial  = 9999
)

// defaultInterval is what devices report, and how far apart they measured, when they send as fast as answers come.
const defaultInterval = time.Minute

// Options says what a fleet does.
type Options struct {
	// To is where the devices send: http://HOST:PORT or https://HOST:PORT, with or without a path.
	To string
	// TLS is used for https; nil checks the server's certificate as usual.
	TLS *tls.Config
	// Lines are the families; the devices are dealt out over them in turn.
	Lines []Line
	// Devices is how many, at least 1. Their serial numbers begin at First, from 1; the last is at most LastSerial.
	Devices, First int
	// Interval is how often a device measures and sends. The devices are spread evenly over it. 0 sends as fast as answers come;
	// the devices then report an interval of one minute, and their times lie one minute apart and end at Start, or are real
	// in an endless fleet.
	Interval time.Duration
	// Messages is how many a device sends, besides its backlog; Endless sends until the context ends.
	Messages int
	// Cached is how many messages a device with a memory has waiting at the start.
	Cached int
	// History is a span in front of the start from which a device with a memory has all messages waiting.
	History time.Duration
	// Seed fixes values, faults and alarms.
	Seed uint64
	// Errors is the share of messages with a sensor error, Alarms and Outages the share of spans of 24 messages with an alarm
	// and with an outage of the device's network. All are from 0 to 1. A device without a memory loses what it measures in an
	// outage; such messages are not part of the plan. In an alarm, devices also send one message out of turn.
	Errors, Alarms, Outages float64
	// Losses is the share of spans of 24 messages in which messages are lost: on the way, while the device is off, in an outage that
	// is longer than its memory, or at a change of its interval, which clears the memory and doubles the interval for the rest of the
	// span. Other spans of it have an outage in which a device with a memory loses nothing. Planned says exactly what is lost. Without
	// an Interval, Messages must have an end.
	Losses float64
	// Dial opens the connections of the devices; nil for TCP to the host of To.
	Dial func(ctx context.Context) (net.Conn, error)
	// Concurrency is the most connections at one time; 0 is 1,000. Where there are more devices they take turns.
	Concurrency int
	// Patience is how long a device tries on without any acknowledgement before it gives up; 0 is for ever.
	Patience time.Duration
	// Start is when the devices were switched on: the end of their backlog.
	Start halley.Millis
	// EntryPoints are the secret paths of some devices, by serial number, instead of the path of To.
	EntryPoints map[string]string
	// Log gets a line when a first device is in trouble, and when all are well again; nil for none.
	Log *slog.Logger
}

// Endless as Options.Messages sends until the context ends.
const Endless = -1

// Counts is what a fleet did.
type Counts struct {
	// Planned is how many messages were to be acknowledged; in an endless fleet, how many were begun.
	Planned int64
	// Sent counts attempts, Acknowledged those that were confirmed, Refused those that were answered otherwise. The rest of
	// what was sent got no answer that a device understands.
	Sent, Acknowledged, Refused int64
	// Trouble is the last attempt that failed, in words; "" where none did. It holds no secret.
	Trouble string
}

// All says whether every planned message was acknowledged.
func (c Counts) All() bool { return c.Acknowledged >= c.Planned }

// Check says whether a fleet of these options can be run. The error is as that of Run.
func Check(o Options) error {
	_, err := targetOf(&o)
	return err
}

// Run runs a fleet until all its messages are acknowledged or lost, every device has lost its patience, or ctx ends, which is no
// error. It returns after the last connection is closed. The error is a *halley.Error of kind Invalid that names the option.
func Run(ctx context.Context, o Options) (Counts, error) {
	t, err := targetOf(&o)
	if err != nil {
		return Counts{}, err
	}
	devices := Devices(o)
	f := &fleet{options: o, target: t}
	if len(devices) > o.Concurrency {
		f.turns = make(chan struct{}, o.Concurrency)
	}
	var running sync.WaitGroup
	for i := range devices {
		running.Go(func() { f.run(ctx, &devices[i]) })
	}
	running.Wait()
	return f.counts(), nil
}

// fleet is a run.
type fleet struct {
	options Options
	target  target
	// turns holds a place for each connection that may be open; nil where every device has one.
	turns chan struct{}

	planned, sent, acknowledged, refused atomic.Int64
	trouble                              atomic.Pointer[string]
	// failing is how many devices wait for an acknowledgement after a failure.
	failing atomic.Int64
}

func (f *fleet) counts() Counts {
	c := Counts{
		Planned: f.planned.Load(), Sent: f.sent.Load(), Acknowledged: f.acknowledged.Load(), Refused: f.refused.Load(),
	}
	if t := f.trouble.Load(); t != nil {
		c.Trouble = *t
	}
	return c
}

// Devices gives the devices of a fleet in the order of their serial numbers.
func Devices(o Options) []Device {
	devices := make([]Device, o.Devices)
	for i := range devices {
		line := &o.Lines[i%len(o.Lines)]
		serial := fmt.Sprintf("%08d", o.First+i)
		seed := mix(o.Seed, mix(familySeed(line.Protocol.Family()), uint64(o.First+i)))
		model := &line.Models[(i/len(o.Lines))%len(line.Models)]
		devices[i] = Device{
			DeviceKey: halley.DeviceKey{Family: line.Protocol.Family(), Serial: serial},
			Model:     model.Name, Name: nameOf(i), room: rooms[i%len(rooms)].warmer, line: line, model: model, seed: seed, errors: o.Errors,
			plan: newPlan(&o, line, i, seed),
		}
	}
	return devices
}

// oldest gives when the first message is measured.
func (o *Options) oldest() halley.Millis {
	step := o.Interval
	messages := int64(o.Cached)
	if step == 0 {
		step = defaultInterval
		messages += int64(max(o.Messages, 0))
	}
	span := float64(messages)*float64(step.Milliseconds()) + float64(o.History.Milliseconds())
	return o.Start - halley.Millis(min(span, float64(halley.LatestMillis)))
}

// targetOf checks the options, fills in defaults, and reads the address.
func targetOf(o *Options) (target, error) {
	invalid := func(field, message string) (target, error) {
		return target{}, &halley.Error{Kind: halley.Invalid, Op: "run a fleet", Field: field, Message: message}
	}
	u, err := url.Parse(o.To)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return invalid("to", "give the server's address as http://HOST:PORT or https://HOST:PORT")
	}
	switch {
	case len(o.Lines) == 0:
		return invalid("family", "name at least one family")
	case o.Devices < 1:
		return invalid("devices", "give at least 1")
	case o.First < FirstSerial || o.First > LastSerial || o.Devices > LastSerial-o.First+1:
		return invalid("devices", fmt.Sprintf("the serial numbers of simulated devices end at %08d: take fewer devices, or a lower first one", LastSerial))
	case o.Interval < 0 || o.Interval > 0 && o.Interval < time.Millisecond || o.Interval > 65535*time.Second:
		return invalid("interval", "give 0, or from 1ms to 65535s")
	case o.Messages < Endless:
		return invalid("messages", "give 0 or more")
	case o.Cached < 0 || o.Cached > 10_000_000:
		return invalid("cached", "give from 0 to 10000000")
	case o.History < 0 || o.History > 20*365*24*time.Hour:
		return invalid("history", "give a span of at most 20 years")
	case !o.Start.Storable():
		return invalid("start", "the clock of this machine is not set")
	case !o.oldest().Storable():
		return invalid("messages", "the first of so many messages would be older than the year 2000: take fewer, or a shorter interval")
	case o.Concurrency < 0 || o.Patience < 0:
		return invalid("concurrency", "give 0 or more")
	case !(o.Losses >= 0 && o.Losses <= 1):
		return invalid("losses", "give a share from 0 to 1")
	case o.Losses > 0 && o.Interval == 0 && o.Messages == Endless:
		return invalid("losses", "give an interval too, or how many messages each device sends")
	}
	for _, share := range []float64{o.Errors, o.Alarms, o.Outages} {
		if !(share >= 0 && share <= 1) {
			return invalid("errors, alarms, outages", "give shares from 0 to 1")
		}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 1000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return newTarget(u, o.TLS), nil
}
