package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"halley"
	"halley/storage/ledger"
)

// pageSize is how many rows of a list are read at once, factPage how many facts, whose packs may be long.
const (
	pageSize = 500
	factPage = 100
)

// Options say what to write and where.
type Options struct {
	Source ledger.Source
	// Folder is made; where it is there it must be empty.
	Folder string
	// From and To bound the UTC days of measured-at whose samples are written, half-open; both 0 for all. Batches, facts, settings and
	// checkpoints are written whole, or the chains could not be followed.
	From, To int64
	// Version is that of the program, MadeAt the instant, for the manifest.
	Version string
	MadeAt  halley.Millis
	// Tell is told now and then how many of so many days are done; nil tells nobody.
	Tell func(done, total int64)
}

// Write writes an export. What is added to the source meanwhile is not in it.
func Write(ctx context.Context, o Options) (Manifest, error) {
	w := &writer{
		Options: o, newer: map[string]map[string]struct{}{},
		manifest: Manifest{Format: format, MadeAt: o.MadeAt.String(), Version: o.Version},
	}
	if err := w.prepare(); err != nil {
		return Manifest{}, err
	}
	unpack, err := ledger.NewUnpacker()
	if err != nil {
		return Manifest{}, err
	}
	w.unpack = unpack
	// In this order: what a checkpoint says must be in what is read after it, and what tombstones explain in what was read before.
	for _, step := range []func(context.Context) error{
		w.checkpoints, w.facts, w.batches, w.devices, w.days, w.settings, w.keys, w.tombstones,
	} {
		if err := step(ctx); err != nil {
			return Manifest{}, err
		}
	}
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return Manifest{}, fmt.Errorf("writing the manifest: %w", err)
	}
	// The manifest comes last: a folder without one is no export.
	if err := os.WriteFile(filepath.Join(o.Folder, manifestFile), append(text, '\n'), 0o600); err != nil {
		return Manifest{}, fmt.Errorf("writing the manifest: %w", err)
	}
	return w.manifest, nil
}

type writer struct {
	Options
	manifest Manifest
	unpack   *ledger.Unpacker
	// lastFact is the last fact that is written, caughtUp the last that was seen, bound the last batch.
	lastFact, caughtUp, bound int64
	// newer are the rows of facts that came since.
	newer map[string]map[string]struct{}
	list  []ledger.Device
}

func (w *writer) prepare() error {
	for _, f := range []string{"", samplesFolder, ledgerFolder, partsFolder, settingsFolder} {
		if err := os.MkdirAll(filepath.Join(w.Folder, filepath.FromSlash(f)), 0o700); err != nil {
			return folderError(err)
		}
		if f != "" {
			continue
		}
		entries, err := os.ReadDir(w.Folder)
		if err != nil {
			return folderError(err)
		}
		if len(entries) > 0 {
			return &halley.Error{
				Kind: halley.Conflict, Op: "write an export", Code: "folder-not-empty", Message: "name a folder that is empty, or not there yet",
			}
		}
	}
	return nil
}

func folderError(err error) error {
	return &halley.Error{Kind: halley.Invalid, Op: "write an export", Message: "check that this account may write the folder", Err: err}
}

// lines writes a file of JSON, a value a line.
func (w *writer) lines(name string, write func(add func(any) error) error) error {
	return w.file(name, func(out *bufio.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return write(enc.Encode)
	})
}

// file writes a file, whole on disk at the end.
func (w *writer) file(name string, write func(*bufio.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(w.Folder, filepath.FromSlash(name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	out := bufio.NewWriterSize(f, 1<<16)
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (w *writer) checkpoints(ctx context.Context) error {
	return w.lines(checkpointsFile, func(add func(any) error) error {
		for after := int64(0); ; {
			page, err := w.Source.Checkpoints(ctx, after, pageSize)
			if err != nil || len(page) == 0 {
				return err
			}
			for i := range page {
				c := &page[i]
				after = c.ID
				w.manifest.Checkpoints++
				if err := add(checkpointLine{c.ID, c.Node, int64(c.At), c.Kind, c.KeyID, c.Body, c.Signature}); err != nil {
					return err
				}
			}
		}
	})
}

func (w *writer) facts(ctx context.Context) error {
	return w.lines(factsFile, func(add func(any) error) error {
		for {
			page, err := w.Source.LedgerFacts(ctx, w.lastFact, factPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for i := range page {
				f := &page[i]
				w.lastFact, w.caughtUp = f.ID, f.ID
				w.manifest.Facts++
				if err := add(factLine{f.ID, int64(f.At), f.Count, f.Digest, f.Previous, f.Pack}); err != nil {
					return err
				}
			}
		}
	})
}

func (w *writer) batches(ctx context.Context) error {
	return w.lines(batchesFile, func(add func(any) error) error {
		for {
			page, err := w.Source.LedgerBatches(ctx, w.bound, pageSize)
			if err != nil || len(page) == 0 {
				return err
			}
			for i := range page {
				w.bound = page[i].ID
				w.manifest.Batches++
				if err := add(lineOfBatch(&page[i])); err != nil {
					return err
				}
			}
		}
	})
}

func (w *writer) devices(ctx context.Context) error {
	var err error
	if w.list, err = w.Source.LedgerDevices(ctx); err != nil {
		return fmt.Errorf("reading devices: %w", err)
	}
	return w.lines(devicesFile, func(add func(any) error) error {
		for _, d := range w.list {
			if err := add(deviceLine{int64(d.ID), string(d.Family), d.Serial}); err != nil {
				return err
			}
		}
		return nil
	})
}

// days writes the samples and the parts of each day.
func (w *writer) days(ctx context.Context) error {
	first, last, ok, err := w.Source.LedgerDays(ctx)
	if err != nil {
		return fmt.Errorf("reading the days that there are: %w", err)
	}
	from, to := first, last+1
	if w.From != 0 || w.To != 0 {
		from, to = max(from, w.From), min(to, w.To)
	}
	if !ok || from >= to {
		return nil
	}
	w.manifest.From, w.manifest.To = ledger.DayText(from), ledger.DayText(to)
	for day := from; day < to; day++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("writing an export: %w", err)
		}
		if w.Tell != nil {
			w.Tell(day-from, to-from)
		}
		if err := w.parts(ctx, day); err != nil {
			return err
		}
		if err := w.samples(ctx, day); err != nil {
			return err
		}
	}
	return nil
}

// parts writes the parts of a day with their packs. A day without parts has no file.
func (w *writer) parts(ctx context.Context, day int64) error {
	page, err := w.Source.LedgerParts(ctx, day, 0, pageSize)
	if err != nil || len(page) == 0 {
		return err
	}
	return w.lines(dayFile(partsFolder, day, ".jsonl"), func(add func(any) error) error {
		for len(page) > 0 {
			after := page[len(page)-1].Batch
			for i := range page {
				p := &page[i]
				if p.Batch > w.bound {
					return nil
				}
				pack, err := w.Source.LedgerPack(ctx, p.Batch, day)
				if err != nil {
					return err
				}
				if err := add(partLine{p.Batch, ledger.DayText(day), p.Count, p.Digest, pack}); err != nil {
					return err
				}
			}
			if page, err = w.Source.LedgerParts(ctx, day, after, pageSize); err != nil {
				return err
			}
		}
		return nil
	})
}

// samples writes the rows of message of a day. Where there are none the file has its header alone.
func (w *writer) samples(ctx context.Context, day int64) error {
	return w.file(dayFile(samplesFolder, day, ".csv"), func(out *bufio.Writer) error {
		sheet := csv.NewWriter(out)
		sheet.UseCRLF = true
		if err := sheet.Write(header()); err != nil {
			return err
		}
		fields := make([]string, columns)
		for _, d := range w.list {
			err := w.Source.LedgerRows(ctx, d, day, func(batch int64, r *ledger.Row) error {
				if batch > w.bound {
					return nil
				}
				w.manifest.Messages++
				for i := range r.Qualities {
					if r.Qualities[i].Valid {
						w.manifest.Samples++
					}
				}
				writeRow(fields, d, batch, r)
				return sheet.Write(fields)
			})
			if err != nil {
				return err
			}
		}
		sheet.Flush()
		return sheet.Error()
	})
}

// settings writes the rows of the fact tables, as far as the facts that are written recorded them, or none did.
func (w *writer) settings(ctx context.Context) error {
	for _, t := range ledger.FactTables() {
		err := w.lines(settingsFolder+"/"+t.Name+".jsonl", func(add func(any) error) error { return w.table(ctx, t, add) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) table(ctx context.Context, t ledger.FactTable, add func(any) error) error {
	var after []int64
	for {
		page, err := w.Source.FactRows(ctx, t, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		// A row and its fact come in together, so whatever is in the page has its fact by now.
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		for _, row := range page {
			if row, err = t.Canonical(row); err != nil {
				return err
			}
			key, ok := row.KeyOf(t)
			if !ok {
				return fmt.Errorf("a row of %s has no key", t.Name)
			}
			after = key
			if _, newer := w.newer[t.Name][fmt.Sprint(key)]; newer {
				continue
			}
			values := make(map[string]any, len(row.Values))
			for i, v := range row.Values {
				values[t.Columns[i]] = encodeValue(v)
			}
			if err := add(values); err != nil {
				return err
			}
		}
	}
}

// catchUp takes note of the rows of facts that came since the facts were written.
func (w *writer) catchUp(ctx context.Context) error {
	for {
		page, err := w.Source.LedgerFacts(ctx, w.caughtUp, factPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			w.caughtUp = page[i].ID
			canonical, err := w.unpack.Unpack(nil, page[i].Pack)
			if err != nil {
				return err
			}
			err = ledger.DecodeFacts(canonical, func(row ledger.FactRow) error {
				if t, known := ledger.FactTableOf(row.Table); known {
					key, _ := row.KeyOf(t)
					if w.newer[row.Table] == nil {
						w.newer[row.Table] = map[string]struct{}{}
					}
					w.newer[row.Table][fmt.Sprint(key)] = struct{}{}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
}

func (w *writer) keys(ctx context.Context) error {
	keys, err := w.Source.LedgerKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading public keys: %w", err)
	}
	return w.lines(keysFile, func(add func(any) error) error {
		for i := range keys {
			k := &keys[i]
			if err := add(keyLine{k.ID, k.Node, k.Public, int64(k.CreatedAt)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *writer) tombstones(ctx context.Context) error {
	stones, err := w.Source.Tombstones(ctx)
	if err != nil {
		return fmt.Errorf("reading tombstones: %w", err)
	}
	return w.lines(tombstonesFile, func(add func(any) error) error {
		for i := range stones {
			t := &stones[i]
			if err := add(tombstoneLine{
				t.ID, ledger.DayText(t.FromDay), ledger.DayText(t.ToDay), int64(t.At), t.ProposedBy, t.CarriedOutBy, t.Why, t.KeyID, t.Body,
				t.Signature,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
