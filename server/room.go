package server

import (
	"sync/atomic"
	"time"
)

// roomEvery is how long one look at the disk holds good.
const roomEvery = 2 * time.Second

// room says whether the disk has space to spare for devices that are not known.
type room struct {
	free    func() (int64, error)
	reserve int64
	looked  atomic.Int64
	enough  atomic.Bool
}

func newRoom(free func() (int64, error), reserve int64) *room {
	return &room{free: free, reserve: reserve}
}

// forUnknown looks at the disk at most every two seconds. Where it cannot be told, there is room.
func (r *room) forUnknown() bool {
	now := time.Now().UnixNano()
	last := r.looked.Load()
	if (last == 0 || now-last > int64(roomEvery)) && r.looked.CompareAndSwap(last, now) {
		free, err := r.free()
		r.enough.Store(err != nil || free >= r.reserve)
	}
	return r.enough.Load()
}
