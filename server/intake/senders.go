package intake

import (
	"hash/maphash"
	"net"
	"sync"
	"time"

	"halley"
)

// sendersWindow is how long two addresses must stay apart to count as one device that moved.
const sendersWindow = 10 * time.Minute

// maxSenders bounds the devices that are watched; beyond it new ones are not.
const maxSenders = 100_000

// senders notices a serial number that comes from two addresses in turn. It keeps no address, only its hash under a seed of this
// process, and only in memory.
type senders struct {
	seed maphash.Seed
	mu   sync.Mutex
	seen map[halley.DeviceKey]*sender
}

// sender is where a device was heard from: its own address, and another that came between.
type sender struct {
	own, other         uint64
	ownHeard, othHeard time.Time
	// turns counts how often the address changed back and forth inside the window.
	turns int
}

func newSenders() *senders {
	return &senders{seed: maphash.MakeSeed(), seen: map[halley.DeviceKey]*sender{}}
}

// two says whether this upload comes from a second sender: its address is not the device's own while both are heard in turn. A
// device that gets a new address changes once and does not change back; a second sender shows at its second upload.
func (s *senders) two(key halley.DeviceKey, address string, now time.Time) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	h := maphash.String(s.seed, host)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.seen[key]
	if d == nil {
		if len(s.seen) < maxSenders {
			s.seen[key] = &sender{own: h, ownHeard: now}
		}
		return false
	}
	return d.heard(h, now)
}

func (d *sender) heard(h uint64, now time.Time) bool {
	switch {
	case h == d.own:
		if now.Sub(d.othHeard) > sendersWindow {
			d.turns = 0
		} else if d.othHeard.After(d.ownHeard) {
			d.turns++
		}
		d.ownHeard = now
		return false
	case h == d.other && d.turns > 0 && now.Sub(d.ownHeard) <= sendersWindow:
		d.othHeard = now
		return true
	case h == d.other && now.Sub(d.ownHeard) > sendersWindow:
		// The former address has fallen silent: the device has moved.
		*d = sender{own: h, ownHeard: now}
		return false
	}
	d.other, d.othHeard, d.turns = h, now, 0
	return false
}
