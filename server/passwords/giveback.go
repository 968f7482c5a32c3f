package passwords

import (
	"context"
	"time"
)

// giveBackAfter is how long no hash was made before the memory that hashes took is given back.
const giveBackAfter = 10 * time.Second

// GiveBack calls release, which gives unused memory back to the system, some seconds after the last of one or more hashes, until ctx
// ends. Each hash takes 19 MiB anew: without it the program keeps what a morning's sign-ins took until something else makes it look.
func (h *Hasher) GiveBack(ctx context.Context, release func()) error {
	tick := time.NewTicker(giveBackAfter)
	defer tick.Stop()
	seen, owed := h.Work(), false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := h.Work()
		if owed && now == seen {
			release()
			owed = false
		}
		owed, seen = owed || now != seen, now
	}
}
