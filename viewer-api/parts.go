package viewerapi

import (
	"context"

	"halley"
	"halley/server/access"
	"halley/server/directory"
	"halley/server/quarantine"
	"halley/storage"
)

// The parts that the API asks. Their methods may be called at the same time and give errors as *halley.Error.

// Registry is what is known of devices; storage.Registry has these methods. Where ChangeDevice accepts a device, what lies in
// quarantine of it must be released by whoever stands behind this interface.
type Registry interface {
	Devices(ctx context.Context, f storage.DeviceFilter) ([]halley.Device, error)
	Device(ctx context.Context, id halley.DeviceID) (halley.Device, error)
	Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error)
	Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error)
	ChangeDevice(ctx context.Context, id halley.DeviceID, u storage.DeviceUpdate, c halley.Change) (halley.Device, error)
}

// Directory knows the tree of organizations, its places and people; *registry.Registry has these methods.
type Directory interface {
	// Directory gives the newest copy of the directory. It does not change.
	Directory() *directory.State
	// Refresh looks at the store and takes over what changed.
	Refresh(ctx context.Context) error
}

// Tree changes organizations, places and what is attached to them; storage.Directory has these methods, and says what they do.
type Tree interface {
	AddOrganization(ctx context.Context, o halley.Organization, c halley.Change) (halley.Organization, error)
	ChangeOrganization(ctx context.Context, id halley.OrganizationID, u storage.OrganizationUpdate, c halley.Change) (halley.Organization, error)
	AddPlace(ctx context.Context, p halley.Place, c halley.Change) (halley.Place, error)
	ChangePlace(ctx context.Context, id halley.PlaceID, u storage.PlaceUpdate, c halley.Change) (halley.Place, error)
	Attach(ctx context.Context, list []halley.Attachment, c halley.Change) ([]halley.Attachment, error)
	Swap(ctx context.Context, s storage.Swap, c halley.Change) ([]halley.Attachment, error)
	MoveDevice(ctx context.Context, id halley.DeviceID, to halley.OrganizationID, c halley.Change) (halley.Device, error)
}

// Series is what was measured; storage.Series has these methods.
type Series interface {
	Samples(ctx context.Context, q storage.SampleQuery) ([]storage.Sample, error)
	Buckets(ctx context.Context, q storage.BucketQuery) ([]storage.Bucket, error)
}

// StatusSource knows how the program stands.
type StatusSource interface {
	// Status never fails: what cannot be found out is itself the status.
	Status(ctx context.Context) Status
}

// Flusher records what waits in the journal.
type Flusher interface {
	// Flush waits until everything that was in the journal at the call is recorded and gives the position then. Unavailable
	// where the store is away.
	Flush(ctx context.Context) (recorded, last uint64, err error)
}

// Uploads shows what devices sent.
type Uploads interface {
	// LastUpload gives the newest upload of a device, trusted or not; NotFound where there is none.
	LastUpload(ctx context.Context, key halley.DeviceKey) (RawUpload, error)
	// Quarantined lists what is held of a device by ascending id behind after, at most limit.
	Quarantined(ctx context.Context, key halley.DeviceKey, after int64, limit int) ([]RawUpload, error)
	// Held sums up what quarantine holds, for each device of which it holds something. It answers from memory.
	Held(ctx context.Context) (map[halley.DeviceKey]Held, error)
	// FirstValues gives the readings of the first held upload of a device that can be read; none where there is none.
	FirstValues(ctx context.Context, key halley.DeviceKey) ([]halley.Reading, error)
	// Release has what is held of an accepted device recorded, as far as it can be read, and audits it. Conflict where the device
	// is not accepted.
	Release(ctx context.Context, d halley.Device, c halley.Change) error
	// Unrecognized gives how many bodies no family recognized, and the last ones that were kept, newest first.
	Unrecognized(ctx context.Context) (count int64, bodies []RawUpload, err error)
}

// RawUpload is an upload as it was received, for people to see.
type RawUpload struct {
	ID         int64
	ReceivedAt halley.Millis
	Family     halley.Family
	// Bytes is the length of the body as received.
	Bytes int
	// Body is the body with secrets replaced by "***".
	Body string
	// Reason is why it was quarantined; "" for an upload that was trusted, and for a body that no family recognized.
	Reason quarantine.Reason
	// Note says more in plain English, above all why a body was not recognized.
	Note string
}

// Held sums up what quarantine holds of one device.
type Held struct {
	Uploads         int
	Bytes           int64
	FirstAt, LastAt halley.Millis
	// Reasons counts the uploads by their reason.
	Reasons map[quarantine.Reason]int
}

// Live knows the newest message of every device and tells of new ones.
type Live interface {
	// Latest gives the newest message of each device that has one, in no order. Nothing in it changes afterwards.
	Latest() []LiveMessage
	// LatestOf gives the newest message of one device; ok is false where it has none.
	LatestOf(id halley.DeviceID) (m LiveMessage, ok bool)
	// Subscribe gives the events from now until ctx ends, when the channel is closed. A reader who lags loses events, and finds one
	// EventMissed in their place. The messages of all readers are the same and never change.
	Subscribe(ctx context.Context) <-chan Event
}

// EventKind says what happened.
type EventKind uint8

// The kinds of event.
const (
	// EventMessage is a new message of an accepted device.
	EventMessage EventKind = iota + 1
	// EventDevices says that a device is new or changed.
	EventDevices
	// EventMissed stands for events that were lost because their reader was too slow.
	EventMissed
)

// Event is something that happened.
type Event struct {
	Kind EventKind
	// Message belongs to EventMessage.
	Message LiveMessage
	// Version is that of the registry, for EventDevices.
	Version int64
	// text is made by Shared.
	text func() ([]byte, error)
}

// LiveMessage is a message whose readings have found their channels.
type LiveMessage struct {
	DeviceID               halley.DeviceID
	MeasuredAt, ReceivedAt halley.Millis
	// HeardAt is when the device was heard last, at least ReceivedAt: the message that came last need not be the newest one.
	HeardAt halley.Millis
	// Interval is the sending interval in seconds, 0 where it is not known; Buffer is as in halley.Message.
	Interval, Buffer int
	Late             bool
	// Signal is in dBm, 0 where it is not known; Battery in percent, halley.Unknown where it is not.
	Signal, Battery int
	Values          []LiveValue
}

// LiveValue is one value of a LiveMessage.
type LiveValue struct {
	ChannelID halley.ChannelID
	// Value counts only where Quality has a value.
	Value   float64
	Quality halley.Quality
}

// Completeness counts what should have come and what came.
type Completeness interface {
	// Completeness answers for the messages measured in [from, to).
	Completeness(ctx context.Context, device halley.Device, from, to halley.Millis) (CompletenessReport, error)
	// PlaceCompleteness answers for the devices of a place, each while it was there.
	PlaceCompleteness(ctx context.Context, place halley.PlaceID, from, to halley.Millis) (CompletenessReport, error)
	// CompletenessDays answers for all devices by the UTC days [from, to), days since 1970, worst first.
	CompletenessDays(ctx context.Context, from, to int64) ([]DeviceCompleteness, error)
	// GapCauses lists what people said of a device, by id; AddGapCause adds to it with an audit row.
	GapCauses(ctx context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error)
	AddGapCause(ctx context.Context, g storage.GapCause, c halley.Change) (storage.GapCause, error)
}

// DeviceCompleteness is the completeness of a device over some UTC days.
type DeviceCompleteness struct {
	Device halley.Device
	// Total is the sum of Days.
	Total storage.DayCount
	// Days are ascending; a day that was not counted yet is left out.
	Days []storage.DayCount
}

// CompletenessReport says how complete a device's messages are over a period.
type CompletenessReport struct {
	Expected, Received, Late, Missing, Uncertain int64
	Duplicates, Conflicts, Extra                 int64
	Gaps                                         []Gap
}

// Gap is a span in which messages are missing.
type Gap struct {
	From, To halley.Millis
	Messages int64
	// Cause is a word of the list in openapi.yaml.
	Cause string
	// By, At and Note are of the person who said the cause; empty where nobody did.
	By   string
	At   halley.Millis
	Note string
}

// Access finds out who asks, and signs people in and out; *access.Access has these methods.
type Access interface {
	Authenticate(ctx context.Context, p access.Presented) (access.Caller, error)
	// NoteDenied has the audit trail say that a caller was refused an operation, now or with the next refusals.
	NoteDenied(ctx context.Context, c access.Caller, d access.Denied)
	Accounts
	FurtherSignIn
}

var (
	_ Registry = storage.Registry(nil)
	_ Series   = storage.Series(nil)
	_ Tree     = storage.Directory(nil)
	_ Access   = (*access.Access)(nil)
)
