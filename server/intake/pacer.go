package intake

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"halley"
)

// pacer notices a device that sends faster than allowed. Messages from a device's memory do not count.
type pacer struct {
	perMinute int
	mu        sync.Mutex
	devices   map[halley.DeviceKey]*rate.Limiter
}

func newPacer(perMinute int) *pacer {
	return &pacer{perMinute: perMinute, devices: map[halley.DeviceKey]*rate.Limiter{}}
}

// allow says whether the device may send this many messages now.
func (p *pacer) allow(key halley.DeviceKey, messages int, now time.Time) bool {
	if p.perMinute <= 0 || messages == 0 {
		return true
	}
	p.mu.Lock()
	l := p.devices[key]
	if l == nil && len(p.devices) < maxSenders {
		l = rate.NewLimiter(rate.Limit(float64(p.perMinute)/60), p.perMinute)
		p.devices[key] = l
	}
	p.mu.Unlock()
	return l == nil || l.AllowN(now, messages)
}
