package intake

import (
	"slices"
	"sync"
	"time"

	"halley"
)

// Bounds of what is kept of bodies that nobody could read.
const (
	keptBodies    = 32
	keptBodyBytes = 4096
)

// Unrecognized is a body that could not be read.
type Unrecognized struct {
	ReceivedAt halley.Millis
	// Why is one line.
	Why string
	// Bytes is how long the body was; Body holds its first 4,096 bytes.
	Bytes int
	Body  []byte
}

// unrecognized keeps the last bodies that could not be read, in memory, for a person who looks for a mis-set sensor.
type unrecognized struct {
	mu    sync.Mutex
	count int64
	last  []Unrecognized
}

func newUnrecognized() *unrecognized { return &unrecognized{} }

func (u *unrecognized) add(body []byte, size int, why string) {
	kept := append([]byte(nil), body[:min(len(body), keptBodyBytes)]...)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count++
	if len(u.last) == keptBodies {
		u.last = append(u.last[:0], u.last[1:]...)
	}
	u.last = append(u.last, Unrecognized{ReceivedAt: halley.MillisOf(time.Now()), Why: why, Bytes: size, Body: kept})
}

// list gives the count and the last bodies, newest first.
func (u *unrecognized) list() (int64, []Unrecognized) {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := make([]Unrecognized, 0, len(u.last))
	for _, one := range slices.Backward(u.last) {
		list = append(list, one)
	}
	return u.count, list
}
