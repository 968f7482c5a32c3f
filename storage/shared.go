package storage

import (
	"context"
	"time"

	"halley"
)

// Leases hand out work that must be done once, whichever of the servers on one database does it. All times are by the
// database's clock.
type Leases interface {
	// TakeLease takes the lease of this name for holder, or renews it where holder has it. Where another has it and its time is
	// not over, held is false and the lease is that one's. A lease that is taken anew has a higher fence than all before.
	TakeLease(ctx context.Context, name, holder string, lasting time.Duration) (l Lease, held bool, err error)
	// ReleaseLease ends a lease now, where it is still the holder's; else it does nothing.
	ReleaseLease(ctx context.Context, l Lease) error
}

// Lease is the right to do one kind of work for some time.
type Lease struct {
	Name string
	// Holder is unique to a running process.
	Holder string
	// Fence grows each time the lease goes to another: a transaction under an older one is refused.
	Fence int64
	// Until is when it ends, by the database's clock.
	Until halley.Millis
}

// Nodes knows the servers that share the database.
type Nodes interface {
	// Attend says that a node is there now, by the database's clock, and gives all that were ever there, by name, then journal.
	Attend(ctx context.Context, n Node) ([]Node, error)
}

// Node is one server: a name and the journal it writes.
type Node struct {
	// Name is the configured name of the server.
	Name string
	// JournalID is its journal. Two journals under one name at the same time are two servers with one name.
	JournalID string
	// Holder is what the node takes leases as.
	Holder string
	// Version is the program's.
	Version string
	// Waiting is how many journal entries were not recorded when it attended last, OldestWaiting since when; 0 for none.
	Waiting       int64
	OldestWaiting halley.Millis
	// FirstSeenAt and SeenAt are when it attended first and last, AgeMillis how long ago that is, all by the database's clock.
	// Attend does not look at them in what it is given.
	FirstSeenAt, SeenAt halley.Millis
	AgeMillis           int64
}

// Completeness keeps what was expected and received on each finished UTC day of each device. It is derived from the messages,
// by a rule that is not the store's, and is computed again after late data.
type Completeness interface {
	// DaysDue lists device-days before the UTC day before (days since 1970-01-01) that have no row, or one that late messages,
	// duplicates or conflicts made wrong; oldest first, at most limit. The days of an accepted device run from its first message
	// on, those of another up to its newest message.
	DaysDue(ctx context.Context, before int64, limit int) ([]DeviceDay, error)
	// PutDays writes rows over what is there, in one transaction under the lease; a row that became wrong since DaysDue gave its
	// Revision stays due.
	PutDays(ctx context.Context, l Lease, days []DayCount) error
	// Days lists the rows of one device on the UTC days [from, to), ascending.
	Days(ctx context.Context, device halley.DeviceID, from, to int64) ([]DayCount, error)
	// AllDays lists the rows of all devices on the UTC days [from, to), by day, then device; of the day from only devices with an
	// id above after. At most limit: the list goes on from the day of its last row, behind that row's device.
	AllDays(ctx context.Context, from, to int64, after halley.DeviceID, limit int) ([]DayCount, error)
}

// DeviceDay is a UTC day of a device.
type DeviceDay struct {
	Device halley.DeviceID
	Day    int64
	// Revision says what DaysDue saw, for PutDays.
	Revision int64
}

// DayCount is the completeness of a device on a day, counted in messages.
type DayCount struct {
	DeviceDay
	Expected, Received, Late, Missing, Uncertain, Duplicates, Conflicts, Extra int64
}
