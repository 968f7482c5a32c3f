package protocoltest

import (
	"bytes"

	"halley/protocols"
)

// redactedKey is what a secret becomes.
const redactedKey = "***"

// checkRedacted wants Redact to leave no secret that Decode found, to change nothing else, and to change nothing the second
// time.
func checkRedacted(r reporter, p protocols.Protocol, body []byte, d *decoded) {
	r.Helper()
	own := bytes.Clone(body)
	once := bytes.Clone(p.Redact(own))
	if !bytes.Equal(own, body) {
		r.Errorf("Redact changes the body that it was given\nbody %s", quoted(body))
	}
	if twice := p.Redact(bytes.Clone(once)); !bytes.Equal(once, twice) {
		r.Errorf("Redact twice differs from once\nonce %s\ntwice %s", quoted(once), quoted(twice))
	}
	key := d.up.CustomerKey.Reveal()
	if key == "" {
		return
	}
	if len(key) >= shortestSecret && bytes.Contains(once, []byte(key)) {
		r.Errorf("Redact leaves the customer key in a body of %d bytes", len(body))
	}
	again, panicked := decode(p, once)
	if panicked != nil {
		r.Errorf("redacted body: %v", panicked)
		return
	}
	if left := again.up.CustomerKey.Reveal(); left != "" && left != redactedKey {
		r.Errorf("Redact leaves a customer key in a body of %d bytes", len(body))
	}
	again.up.CustomerKey = d.up.CustomerKey
	if d.err == nil && again.err == nil {
		if diff := same(*d, again); diff != "" {
			r.Errorf("Redact changes more than the secret (-before +after):\n%s", diff)
		}
	}
}

// checkRedactedCuts wants the same of bodies that are cut: what Decode found before it failed is a secret, too.
func checkRedactedCuts(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	for _, c := range s.cases {
		if d, panicked := decode(p, c.body); panicked != nil || d.up.CustomerKey == "" {
			continue
		}
		for n := 0; n <= len(c.body); n += 1 + len(c.body)/mostPositions {
			if d, panicked := decode(p, c.body[:n]); panicked == nil {
				checkRedacted(r, p, c.body[:n], &d)
			}
		}
	}
}
