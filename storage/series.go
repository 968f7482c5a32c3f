package storage

import (
	"context"

	"halley"
)

// Series is what was measured.
type Series interface {
	// Samples lists the samples of one channel in [From, To) by measured-at, then variant.
	Samples(ctx context.Context, q SampleQuery) ([]Sample, error)
	// Buckets gives, for each bucket of q.Width that holds a value, its count, minimum, maximum and sum, ascending. Buckets are
	// aligned to 1970-01-01T00:00:00Z; the first and last count only what lies in [From, To). Samples without a value do not
	// count. It answers from rollups where they serve and is always right, also just after late data.
	Buckets(ctx context.Context, q BucketQuery) ([]Bucket, error)
	// Latest gives the newest message of each device, of all devices where none are named. Devices without messages are left
	// out.
	Latest(ctx context.Context, devices []halley.DeviceID) ([]LatestMessage, error)
	// Heads lists the messages of one device, without values, by measured-at, then variant, in [From, To) after After.
	Heads(ctx context.Context, q HeadQuery) ([]Head, error)
	// Tally counts the duplicates and conflicts of a device that were received on the UTC days from..to.
	Tally(ctx context.Context, device halley.DeviceID, from, to halley.Millis) (duplicates, conflicts int64, err error)
}

// SampleQuery asks for samples of one channel.
type SampleQuery struct {
	Channel  halley.ChannelID
	From, To halley.Millis
	// After and AfterVariant continue behind the sample with these; After 0 begins at From.
	After        halley.Millis
	AfterVariant int
	// Limit is the most to list, at least 1.
	Limit int
}

// Sample is one value of one channel at one instant.
type Sample struct {
	At      halley.Millis
	Variant int
	// Value counts only where Quality has a value.
	Value   float64
	Quality halley.Quality
	Late    bool
}

// BucketQuery asks for buckets of one channel. Width is a whole multiple of ten minutes, one hour or one day where rollups are
// to serve; any positive width is answered.
type BucketQuery struct {
	Channel  halley.ChannelID
	From, To halley.Millis
	Width    halley.Millis
}

// Bucket sums up the values of one span of time.
type Bucket struct {
	Start         halley.Millis
	Count         int64
	Min, Max, Sum float64
}

// Head is a message without its values.
type Head struct {
	MeasuredAt, SentAt, ReceivedAt halley.Millis
	Variant                        int
	Order                          int64
	Kind                           halley.MessageKind
	Cache, Interval, Buffer        int
	Config                         int
	// JournalID and Seq say where the raw body lies.
	JournalID     string
	Seq           uint64
	ClockNotValid bool
}

// HeadQuery asks for the heads of one device. The other fields are as in SampleQuery.
type HeadQuery struct {
	Device       halley.DeviceID
	From, To     halley.Millis
	After        halley.Millis
	AfterVariant int
	Limit        int
}

// LatestMessage is the newest message of a device with its values.
type LatestMessage struct {
	DeviceID halley.DeviceID
	Head
	// Values are by slot; the channels are those of the device that have not ended.
	Values []LatestValue
}

// LatestValue is one channel's value in the newest message.
type LatestValue struct {
	ChannelID halley.ChannelID
	Value     float64
	Quality   halley.Quality
}
