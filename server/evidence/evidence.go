// Package evidence makes the file that answers an auditor for one place and one period: a readable report, the figures behind it as
// CSV, and a signed list of all files with their digests, in one ZIP.
//
// It says what was recorded and what was checked, and "none recorded" where there is nothing. It claims no conformity with any
// regulation, changes nothing, and needs memory that does not grow with the number of samples.
package evidence

import (
	"context"
	"time"

	"halley"
	"halley/server/completeness"
	"halley/storage"
	"halley/storage/ledger"
)

// Store is what is read; storage.Store has it.
type Store interface {
	storage.Attachments
	storage.Explanations
	Device(ctx context.Context, id halley.DeviceID) (halley.Device, error)
	Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error)
	PlaceStates(ctx context.Context, after halley.PlaceID, limit int) ([]halley.Place, error)
	Organizations(ctx context.Context) ([]halley.Organization, error)
	AuditWhere(ctx context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error)
	Samples(ctx context.Context, q storage.SampleQuery) ([]storage.Sample, error)
	Buckets(ctx context.Context, q storage.BucketQuery) ([]storage.Bucket, error)
	Heads(ctx context.Context, q storage.HeadQuery) ([]storage.Head, error)
	Proofs(ctx context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error)
	FactRows(ctx context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error)
}

// Options are the parts of a Maker.
type Options struct {
	Store Store
	// Completeness counts what was to come of a place and what came.
	Completeness func(ctx context.Context, place halley.PlaceID, from, to halley.Millis) (completeness.Report, error)
	// Clock says how the clock of this server stands, in a sentence; nil where no server runs.
	Clock func() string
	// Sign signs a text; nil where there is no key. The signature is Ed25519.
	Sign func(text []byte) (Signature, error)
	// Node and Version are this server's.
	Node, Version string
}

// Signature is what Sign gives.
type Signature struct {
	// KeyID names the key: the first 16 hexadecimal digits of the SHA-256 of the public key.
	KeyID     string
	Public    []byte
	Signature []byte
}

// Request says what to make.
type Request struct {
	Place    halley.PlaceID
	From, To halley.Millis
	// By is who asks, At when.
	By halley.Actor
	At halley.Millis
}

// Evidence is what was gathered for one request. Its samples are read when it is written.
type Evidence struct {
	opts Options
	req  Request

	place        string
	organization string
	zone         *time.Location
	zoneName     string
	stays        []stay
	devices      []device
	limits       []limit
	complete     completeness.Report
	trail        trail
	checks       checks
	stops        []storage.Interruption
	causes       []personalCause
	clock        string
	simulated    bool

	// figures are what was counted while the samples were written.
	figures []figures
	counted counted
}

// stay is a channel at the place, clipped to the period.
type stay struct {
	storage.Attachment
	channel halley.Channel
	// names are the channel's own, from one instant on, ascending.
	names []channelName
	// wholeFrom and wholeTo are the attachment's own bounds.
	wholeFrom, wholeTo halley.Millis
}

// channelName is what a channel was called from an instant on.
type channelName struct {
	from     halley.Millis
	name     string
	decimals int64
}

// device is a device that had a channel at the place, with what was said of it over time.
type device struct {
	halley.Device
	// spans are when it was at the place, within the period.
	spans []halley.Span
	// there are its stays at the place that touch the period, as a whole. What was done to it elsewhere is not the place's.
	there []halley.Span
	said  []deviceName
}

// deviceName is what was decided and said of a device at an instant.
type deviceName struct {
	at           halley.Millis
	state, model string
	name         string
}

// limit is a limit as it was set.
type limit struct {
	quantity, unit, side, rank string
	from                       halley.Millis
	value                      *float64
	hysteresis                 float64
	delay                      halley.Millis
}

// personalCause is what a person said of missing messages.
type personalCause struct {
	storage.GapCause
	device string
}

// Gather reads all that is small. NotFound where there is no such place; Invalid where the period cannot be.
func Gather(ctx context.Context, o Options, r Request) (*Evidence, error) {
	if r.From >= r.To {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: "gather the evidence", Code: "period-empty", Field: "from", Message: "give a from that is before to",
		}
	}
	e := &Evidence{opts: o, req: r}
	if o.Clock != nil {
		e.clock = o.Clock()
	}
	for _, step := range []func(context.Context) error{
		e.gatherPlace, e.gatherStays, e.gatherDevices, e.gatherLimits, e.gatherTrail, e.gatherChecks, e.gatherExplanations,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	var err error
	e.complete, err = o.Completeness(ctx, r.Place, r.From, r.To)
	return e, err
}

// Place gives the place's name.
func (e *Evidence) Place() string { return e.place }

// FileName gives a name for the file that every file system takes.
func (e *Evidence) FileName() string {
	return "halley-evidence-" + safeName(e.place) + "-" + e.req.From.Time().Format("20060102T1504Z") + "-" +
		e.req.To.Time().Format("20060102T1504Z") + ".zip"
}
