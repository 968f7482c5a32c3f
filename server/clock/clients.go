package clock

import (
	"net/netip"
	"time"
)

const (
	// clientsMost is how many addresses are told apart at one time; those beyond share one allowance.
	clientsMost = 4096
	// clientBurst is how many answers an address gets at once, clientEvery when it gets a further one.
	clientBurst = 8
	clientEvery = 2 * time.Second
	// forgetAfter is when an address has its whole allowance again, and need not be remembered.
	forgetAfter = clientBurst * clientEvery
)

// clients bounds how often each address is answered. It is used by one goroutine.
type clients struct {
	// spent is the instant at which an address has spent nothing any more.
	spent map[netip.Addr]time.Time
	swept time.Time
}

func newClients() clients { return clients{spent: make(map[netip.Addr]time.Time)} }

// allow says whether the address may have an answer now, and counts it. IPv6 addresses count by their network, /64.
func (c *clients) allow(from netip.Addr, now time.Time) bool {
	if from.Is6() {
		if network, err := from.WithZone("").Prefix(64); err == nil {
			from = network.Addr()
		}
	}
	if _, known := c.spent[from]; !known && len(c.spent) >= clientsMost {
		c.sweep(now)
		if len(c.spent) >= clientsMost {
			from = netip.Addr{} // the shared allowance
		}
	}
	until := c.spent[from]
	if until.Before(now) {
		until = now
	}
	until = until.Add(clientEvery)
	if until.Sub(now) > forgetAfter {
		return false
	}
	c.spent[from] = until
	return true
}

// sweep forgets those who have spent nothing, at most once in a while.
func (c *clients) sweep(now time.Time) {
	if now.Sub(c.swept) < clientEvery {
		return
	}
	c.swept = now
	for a, until := range c.spent {
		if until.Before(now) {
			delete(c.spent, a)
		}
	}
}
