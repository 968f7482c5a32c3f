package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	_ "time/tzdata" // the report is in the zone of the site, also on a machine that knows no zones

	"halley"
	"halley/server/completeness"
	"halley/server/durable"
	"halley/server/evidence"
	"halley/server/ledger"
	"halley/server/registry"
	"halley/storage"
)

func evidenceCommand() *command {
	return &command{
		name:    "evidence",
		summary: "make the file that answers for a place over a period",
		about: "One ZIP with a page to read, the figures behind it as CSV, and a signed list of all files with their SHA-256. What was\n" +
			"verified and backed up is said as it was recorded; run halley verify before. Works whether the server runs or not.",
		example: "halley evidence --place \"Cold room 3\" --from 2026-01-01 --to 2026-07-01 --out cold-room-3.zip --data /var/lib/halley",
		prepare: prepareEvidence,
	}
}

func prepareEvidence(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "store", "node"})
	place := fs.String("place", "", "the `PLACE`: its name or its number")
	from := fs.String("from", "", "the `TIME` where the period begins, such as 2026-01-01 or 2026-01-01T06:00:00Z; a day begins in UTC")
	to := fs.String("to", "", "the `TIME` where it ends, not included")
	out := fs.String("out", "", "the `FILE` to write; it must not be there yet")
	return func(ctx context.Context, io streams, _ []string) error {
		for name, value := range map[string]string{"--place": *place, "--from": *from, "--to": *to, "--out": *out} {
			if value == "" {
				return misuse("%s is missing", name)
			}
		}
		r := evidence.Request{By: change("").Actor, At: halley.MillisOf(time.Now())}
		var err error
		if r.From, err = parseDay("--from", *from); err != nil {
			return err
		}
		if r.To, err = parseDay("--to", *to); err != nil {
			return err
		}
		if _, err := os.Lstat(*out); err == nil {
			return fmt.Errorf("%s is there already: give another --out", *out)
		}
		return withStore(ctx, st, io, func(o opened) error {
			if r.Place, err = findPlace(ctx, o.store, *place); err != nil {
				return err
			}
			if err := makeEvidence(ctx, o, r, *out); err != nil {
				return err
			}
			_, err := fmt.Fprintf(io.out, "written: %s\n", *out)
			return err
		})
	}
}

// parseDay reads a UTC day or an instant.
func parseDay(option, text string) (halley.Millis, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return halley.MillisOf(t), nil
	}
	at, err := halley.ParseMillis(text)
	if err != nil {
		return 0, misuse("%s is a day such as 2026-01-01 or a time such as 2026-01-01T06:00:00Z; %q is neither", option, text)
	}
	return at, nil
}

// findPlace finds a place by its number or its name.
func findPlace(ctx context.Context, store storage.Store, text string) (halley.PlaceID, error) {
	tree, err := registry.ReadTree(ctx, store)
	if err != nil {
		return 0, err
	}
	var named []halley.PlaceID
	for _, p := range tree.Places() {
		if p.Name == text {
			named = append(named, p.ID)
		}
	}
	switch len(named) {
	case 0:
		id, err := strconv.ParseInt(text, 10, 64)
		if _, found := tree.Place(halley.PlaceID(id)); err == nil && found {
			return halley.PlaceID(id), nil
		}
		return 0, &halley.Error{
			Kind: halley.NotFound, Op: "find place " + cell(text), Message: "there is none of this name or number; the viewer and GET /api/v1/places list all",
		}
	case 1:
		return named[0], nil
	}
	return 0, misuse("several places are called %s: give the number of one of them, %v", cell(text), named)
}

// makeEvidence writes the file and has the audit trail say so.
func makeEvidence(ctx context.Context, o opened, r evidence.Request, out string) error {
	keys, err := ledger.Open(ledger.KeysFolder(o.config.Keys.Path, o.config.Data), o.config.Node)
	if err != nil {
		return err
	}
	e, err := evidence.Gather(ctx, evidence.Options{
		Store: o.store, Completeness: storeCompleteness(o.store), Sign: evidence.SignWith(keys), Node: o.config.Node, Version: version,
	}, r)
	if err != nil {
		return err
	}
	err = o.store.NoteAudit(ctx, halley.AuditEntry{
		Change: change(""), What: "evidence.make", On: fmt.Sprintf("place %d", r.Place),
		New: fmt.Sprintf(`{"from":%q,"to":%q}`, r.From, r.To),
	})
	if err != nil {
		return err
	}
	return durable.WriteFile(out, durable.Options{Shared: true}, func(f io.Writer) error {
		w := bufio.NewWriterSize(f, 1<<16)
		if err := e.Write(ctx, w); err != nil {
			return err
		}
		return w.Flush()
	})
}

// storeCompleteness counts a place from the store alone: what waits in the quarantine of a server is not looked at, and a server
// counts as down only where all servers that ever recorded here were.
func storeCompleteness(store storage.Store) func(context.Context, halley.PlaceID, halley.Millis, halley.Millis) (completeness.Report, error) {
	return func(ctx context.Context, place halley.PlaceID, from, to halley.Millis) (completeness.Report, error) {
		heads, err := store.LedgerHeads(ctx)
		if err != nil {
			return completeness.Report{}, err
		}
		var servers []completeness.Server
		for _, h := range heads.Batches {
			servers = append(servers, completeness.Server{Node: h.Node, From: halley.EarliestMillis, To: halley.LatestMillis})
		}
		devices, err := store.Devices(ctx, storage.DeviceFilter{})
		if err != nil {
			return completeness.Report{}, err
		}
		families := make(map[halley.DeviceID]halley.Family, len(devices))
		for _, d := range devices {
			families[d.ID] = d.Family
		}
		return completeness.OfPlace(ctx, store, completeness.PlaceQuery{
			Place: place, From: from, To: to, Now: halley.MillisOf(time.Now()), Servers: servers,
			Family: func(id halley.DeviceID) (halley.Family, bool) { f, ok := families[id]; return f, ok },
			Held: func(context.Context, halley.DeviceID, halley.Millis, halley.Millis) ([]halley.Millis, error) {
				return nil, nil
			},
		})
	}
}
