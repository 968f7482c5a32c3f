package protocoltest

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/protocols"
)

// decoded is what Decode made of a body.
type decoded struct {
	up  halley.Upload
	err error
}

// decode calls Decode with a copy of body, which it overwrites afterwards, so that a result that shares its memory shows.
// A panic becomes an error of its own.
func decode(p protocols.Protocol, body []byte) (d decoded, panicked error) {
	own := bytes.Clone(body)
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Errorf("panic: %v", r)
		}
		for i := range own {
			own[i] = '~'
		}
	}()
	d.up, d.err = p.Decode(own)
	return d, nil
}

// same compares two decodings of one body. It returns "" or the difference.
func same(want, got decoded) string {
	if text(want.err) != text(got.err) {
		return cmp.Diff(text(want.err), text(got.err))
	}
	return cmp.Diff(want.up, got.up, cmpopts.EquateEmpty())
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// checkBody decodes any bytes at all and checks what must hold whatever they are.
func checkBody(r reporter, p protocols.Protocol, body []byte) {
	r.Helper()
	d, panicked := decode(p, body)
	if panicked != nil {
		r.Errorf("%v\nbody %s", panicked, quoted(body))
		return
	}
	if err := checkDecoded(p, d, len(body)); err != nil {
		r.Errorf("%v\nbody %s", err, quoted(body))
	}
	again, _ := decode(p, body)
	if diff := same(d, again); diff != "" {
		r.Errorf("the second decoding differs (-first +second):\n%s\nbody %s", diff, quoted(body))
	}
	checkRedacted(r, p, body, &d)
}

// checkDecoded checks a decoding alone.
func checkDecoded(p protocols.Protocol, d decoded, size int) error {
	if d.err == nil {
		return Invariants(p, &d.up)
	}
	if err := partial(&d.up); err != nil {
		return fmt.Errorf("upload beside the error %q: %w", text(d.err), err)
	}
	return checkDecodeError(d.err, &d.up, size)
}

// quoted shows a body in a failure, cut.
func quoted(body []byte) string {
	const limit = 2000
	if len(body) > limit {
		return fmt.Sprintf("of %d bytes: %q...", len(body), body[:limit])
	}
	return fmt.Sprintf("%q", body)
}

// checkCases holds every golden body to the rules for any body, and its answers and its serial number besides.
func checkCases(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	for _, c := range s.cases {
		checkBody(r, p, c.body)
	}
}

// checkParallel decodes all cases in several goroutines with one protocol; the race detector looks on.
func checkParallel(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	want := make([]decoded, len(s.cases))
	for i, c := range s.cases {
		want[i], _ = decode(p, c.body)
	}
	const goroutines = 4
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for i, c := range s.cases {
				got, panicked := decode(p, c.body)
				if panicked != nil {
					r.Errorf("case %s: %v", c.name, panicked)
					continue
				}
				if diff := same(want[i], got); diff != "" {
					r.Errorf("case %s differs in parallel (-alone +parallel):\n%s", c.name, diff)
				}
				p.Recognizes(c.body)
				p.Reply(&got.up, protocols.Stored)
				p.Redact(bytes.Clone(c.body))
			}
			if _, err := p.Decode(p.Sample()); err != nil {
				r.Errorf("the sample does not decode in parallel: %v", err)
			}
		})
	}
	group.Wait()
}

// checkSample wants an example that is recognized, decodes and stays the same.
func checkSample(r reporter, p protocols.Protocol, _ *subject) {
	r.Helper()
	sample := bytes.Clone(p.Sample())
	if !p.Recognizes(sample) {
		r.Errorf("Recognizes gives false for the sample")
	}
	d, panicked := decode(p, sample)
	if panicked != nil || d.err != nil {
		r.Errorf("the sample does not decode: %v %v", panicked, d.err)
	}
	if again := p.Sample(); !bytes.Equal(sample, again) {
		r.Errorf("the sample changes between two calls:\n%q\n%q", sample, again)
	}
}

// checkTooMany wants every body of Options.TooMany refused.
func checkTooMany(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	for i, body := range s.options.TooMany {
		d, panicked := decode(p, body)
		switch {
		case panicked != nil:
			r.Errorf("too many, body %d: %v", i, panicked)
		case d.err == nil:
			r.Errorf("too many, body %d was read: %d messages", i, len(d.up.Messages))
		default:
			if err := checkDecoded(p, d, len(body)); err != nil {
				r.Errorf("too many, body %d: %v", i, err)
			}
		}
	}
}

// checkOddUploads wants Encode to refuse what is no upload, not to panic.
func checkOddUploads(r reporter, p protocols.Protocol, _ *subject) {
	r.Helper()
	odd := []halley.Upload{{}, {Messages: make([]halley.Message, 2)}, {Messages: []halley.Message{{Readings: make([]halley.Reading, 1)}}}}
	for i := range odd {
		err, panicked := encode(p, &odd[i])
		switch {
		case panicked != nil:
			r.Errorf("Encode of odd upload %d: %v", i, panicked)
		case err == nil:
			r.Errorf("Encode takes odd upload %d, which has no serial number", i)
		}
	}
}

// encode calls Encode. A panic becomes an error of its own.
func encode(p protocols.Protocol, up *halley.Upload) (err, panicked error) {
	defer func() {
		if v := recover(); v != nil {
			panicked = fmt.Errorf("panic: %v", v)
		}
	}()
	_, err = p.Encode(up)
	return err, nil
}
