package ledger

import (
	"context"
	"fmt"
	"iter"

	"halley"
	"halley/server/journal"
	"halley/storage"
	form "halley/storage/ledger"
	"halley/storage/ledger/verify"
)

// What a store on this machine is verified against besides itself, by the server and by commands alike.

// CopyName is the file in a node's data folder with a copy of its newest checkpoint.
func CopyName(node string) string { return "checkpoint-" + node + ".txt" }

// Remembered gives what the journal in a data folder knows of recorded batches, also while a server runs.
func Remembered(ctx context.Context, folder string) iter.Seq2[verify.Remembered, error] {
	return func(yield func(verify.Remembered, error) bool) {
		for r, err := range journal.ReadRemembered(ctx, folder) {
			v := verify.Remembered{
				Node: r.Node, JournalID: r.JournalID, FirstSeq: r.FirstSeq, LastSeq: r.LastSeq, Batch: r.Batch, Digest: r.Digest,
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// RollupStore knows rollups that do not follow from their samples, and channels; storage.Store does.
type RollupStore interface {
	storage.Rollups
	Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error)
}

// RollupFaults names the channels of rollups that do not follow from their samples, for verify.Options.
func RollupFaults(s RollupStore) func(context.Context, form.Device, int64) ([]verify.RollupFault, error) {
	return func(ctx context.Context, d form.Device, day int64) ([]verify.RollupFault, error) {
		faults, err := s.RollupFaults(ctx, d.ID, day)
		if err != nil || len(faults) == 0 {
			return nil, err
		}
		channels, err := s.Channels(ctx, storage.ChannelFilter{Devices: []halley.DeviceID{d.ID}, Ended: true})
		if err != nil {
			return nil, fmt.Errorf("reading the channels of a device: %w", err)
		}
		list := make([]verify.RollupFault, 0, len(faults))
		for _, f := range faults {
			named := verify.RollupFault{From: f.From, To: f.To}
			for _, c := range channels {
				if c.ID == f.Channel {
					named.Channel = form.Channel{Number: c.Number, Quantity: c.Quantity, Unit: c.Unit}
				}
			}
			list = append(list, named)
		}
		return list, nil
	}
}

// Summary says what a verification checked and found, with at most so many findings. Who asked for it, over which range and how
// long it took, is the caller's to add.
func Summary(r *verify.Result, findings int) storage.VerifySummary {
	s := storage.VerifySummary{
		Samples: r.Samples, Batches: r.Batches, Facts: r.Facts, Checkpoints: r.Checkpoints, FindingCount: r.Count,
		Outside: r.Outside, AnchorAt: r.AnchorAt,
		Findings: make([]storage.FindingSummary, 0, min(len(r.Findings), findings)),
	}
	for _, f := range r.Findings[:min(len(r.Findings), findings)] {
		s.Findings = append(s.Findings, storage.FindingSummary{What: string(f.What), Text: f.Text})
	}
	return s
}
