package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"halley"
	"halley/cmd/halley/internal/transfer"
	signing "halley/server/ledger"
	"halley/server/namedfile"
	"halley/storage"
	"halley/storage/ledger"
	"halley/storage/ledger/verify"
)

func verifyCommand() *command {
	return &command{
		name:    "verify",
		summary: "check that nothing stored was changed, and say what was",
		about: "Holds every sample, batch, setting and entry of the audit trail against the ledger's digests, the chains against the\n" +
			"signed checkpoints and what the journal remembers, and the figures for charts against the samples. Works beside a running\n" +
			"server. Writes a line for each finding, and ends with 0 where there is none, else with 1.\n" +
			"Without --anchor it is checked against this machine only: who has it, with its signing key, can have made it all.",
		example: "halley verify --data /var/lib/halley --anchor /media/usb/checkpoint.txt",
		prepare: prepareVerify,
	}
}

// checks are what a person asked to verify.
type checks struct {
	from, to int64
	place    string
	anchors  []string
}

func prepareVerify(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "node", "store"})
	var c checks
	from := fs.String("from", "", "check the samples from this UTC `DATE` on, such as 2026-01-01 (default the first)")
	to := fs.String("to", "", "check the samples before this UTC `DATE` (default all)")
	fs.StringVar(&c.place, "place", "", "report only what concerns devices of this `PLACE`, its name or its number")
	fs.Func("anchor", "a `FILE` with a checkpoint that was kept elsewhere; may be given again", func(file string) error {
		c.anchors = append(c.anchors, file)
		return nil
	})
	return func(ctx context.Context, io streams, _ []string) error {
		var err error
		if c.from, c.to, err = dayRange(*from, *to); err != nil {
			return err
		}
		return withStore(ctx, st, io, func(o opened) error { return verifyOpened(ctx, io, o, c) })
	}
}

// dayRange reads --from and --to; both 0 for all.
func dayRange(from, to string) (first, end int64, err error) {
	if from == "" && to == "" {
		return 0, 0, nil
	}
	first, end = ledger.DayOf(halley.EarliestMillis), ledger.DayOf(halley.LatestMillis)
	for _, option := range []struct {
		name, text string
		day        *int64
	}{{"--from", from, &first}, {"--to", to, &end}} {
		if option.text == "" {
			continue
		}
		if *option.day, err = ledger.ParseDay(option.text); err != nil {
			return 0, 0, misuse("%s is a date such as 2026-01-01; %q is none", option.name, option.text)
		}
	}
	if first >= end {
		return 0, 0, misuse("--from must lie before --to")
	}
	return first, end, nil
}

// verifyOpened verifies a store, keeps the result and tells it.
func verifyOpened(ctx context.Context, s streams, o opened, c checks) error {
	began := time.Now()
	options, err := verifyOptions(ctx, o, c)
	if err != nil {
		return err
	}
	bar := newBar(s.err)
	options.Tell = func(p verify.Progress) {
		bar.tell(transfer.Progress{Step: "verifying " + p.Step, Done: p.Done, Total: p.Total})
	}
	r, err := verify.Run(ctx, options)
	bar.end()
	if kept := keepVerification(ctx, o, c, verified{r, err, time.Since(began)}); kept != nil {
		fmt.Fprintf(s.err, "warning: the result could not be kept in the database: %v\n", kept)
	}
	tellVerified(s, &r)
	if err != nil {
		return err
	}
	if r.Count > 0 {
		return &exitError{exitFailed}
	}
	_, err = fmt.Fprintln(s.out, r.Line())
	return err
}

// verifyOptions gathers what to hold the store against.
func verifyOptions(ctx context.Context, o opened, c checks) (verify.Options, error) {
	trusted, err := signing.TrustedKeys(signing.KeysFolder(o.config.Keys.Path, o.config.Data))
	if err != nil {
		return verify.Options{}, err
	}
	options := verify.Options{
		Source: o.store, From: c.from, To: c.to, Keys: trusted, Remembered: signing.Remembered(ctx, o.config.Data), Rollups: signing.RollupFaults(o.store),
	}
	for _, file := range c.anchors {
		list, err := readCheckpoints(file)
		if err != nil {
			return verify.Options{}, err
		}
		options.Anchors = append(options.Anchors, list...)
	}
	own, err := readCheckpoints(filepath.Join(o.config.Data, signing.CopyName(o.config.Node)))
	switch {
	case err == nil:
		options.Copies = own
	case !errors.Is(err, fs.ErrNotExist):
		o.log.Warn("the copy of the newest checkpoint in the data folder cannot be read", "err", err)
	}
	if c.place != "" {
		if options.Only, err = onlyAt(ctx, o.store, c); err != nil {
			return verify.Options{}, err
		}
	}
	return options, nil
}

// maxAnchorBytes bounds a file of checkpoints.
const maxAnchorBytes = 16 << 20

func readCheckpoints(file string) ([]ledger.Checkpoint, error) {
	text, err := namedfile.Read(file, maxAnchorBytes)
	if err != nil {
		return nil, fmt.Errorf("reading a checkpoint: %w", err)
	}
	list, err := ledger.ParseCheckpoints(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no checkpoint as Halley sends them: %w", file, err)
	}
	return list, nil
}

// onlyAt says which devices were at a place in the range that is verified.
func onlyAt(ctx context.Context, store storage.Store, c checks) (func(ledger.Device) bool, error) {
	place, err := findPlace(ctx, store, c.place)
	if err != nil {
		return nil, err
	}
	from, to := halley.EarliestMillis, halley.LatestMillis
	if c.to != 0 {
		from, to = halley.Millis(c.from)*halley.Day, halley.Millis(c.to)*halley.Day
	}
	attached, err := store.Attachments(ctx, place, from, to)
	if err != nil {
		return nil, err
	}
	return func(d ledger.Device) bool {
		return slices.ContainsFunc(attached, func(a storage.Attachment) bool { return a.Device == d.ID })
	}, nil
}

// verified is how a verification ended.
type verified struct {
	result verify.Result
	err    error
	took   time.Duration
}

// keepVerification keeps the result as a proof, with the audit row that belongs to it. One that a place was asked for reported only
// some of what there is, and is kept as not done to the end.
func keepVerification(ctx context.Context, o opened, c checks, v verified) error {
	r := &v.result
	sum := signing.Summary(r, signing.ShownFindings)
	sum.Millis, sum.Version = v.took.Milliseconds(), version
	if c.to != 0 {
		sum.From, sum.To = halley.Millis(c.from)*halley.Day, halley.Millis(c.to)*halley.Day
	}
	switch {
	case ctx.Err() != nil:
		sum.Problem = "it was broken off"
	case v.err != nil:
		sum.Problem = "the database could not be read to the end"
	case c.place != "":
		sum.Problem = "only what concerns the devices of one place was reported"
	}
	text, err := json.Marshal(sum)
	if err != nil {
		return fmt.Errorf("describing the result: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	ch := change("")
	_, err = o.store.AddProof(ctx, storage.Proof{
		At: ch.At, Node: o.config.Node, Kind: storage.ProofVerify, OK: v.err == nil && r.Count == 0 && c.place == "", Summary: string(text),
	}, ch)
	return err
}

// tellVerified writes a line for each finding to standard output, and what else a reader must know to standard error.
func tellVerified(s streams, r *verify.Result) {
	for _, f := range r.Findings {
		fmt.Fprintf(s.out, "%s: %s\n", f.What, cell(f.Text))
	}
	if more := r.Count - int64(len(r.Findings)); more > 0 {
		fmt.Fprintf(s.out, "and %d more\n", more)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(s.err, "note: %s\n", cell(n))
	}
	switch {
	case r.Outside:
		fmt.Fprintf(s.err, "checked against a checkpoint kept outside, of %s\n", r.AnchorAt)
	default:
		fmt.Fprintln(s.err, "checked against this machine only: no checkpoint that was kept elsewhere was given (--anchor)")
	}
	if !r.Signed {
		fmt.Fprintln(s.err, "no public key of a server is in the keys folder: signatures were checked only with the keys that the database itself names")
	}
}
