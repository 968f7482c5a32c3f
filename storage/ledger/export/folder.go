package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"halley"
	"halley/storage/ledger"
)

// Folder is an exported folder as a ledger.Source. It is for one goroutine. It reads in a stream; of the settings it holds one table
// at a time.
//
// What cannot be told by the rows alone, such as a line that cannot be read, is kept as faults: whoever verifies a folder asks for
// Faults in the end.
type Folder struct {
	path     string
	manifest Manifest
	from, to int64
	// sheets are the days of which there is a file of samples.
	sheets []int64

	batches, facts, checkpoints *lineFile
	devices                     []ledger.Device
	keys                        []ledger.Key
	stones                      []ledger.Tombstone

	sheet *sheetReader
	parts *dayParts
	table *tableRows
	found faults
}

// Open opens an exported folder.
func Open(path string) (*Folder, error) {
	f := &Folder{path: path}
	text, err := os.ReadFile(f.file(manifestFile))
	if err != nil {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: "open an export", Message: "name a folder that halley export wrote to its end", Err: err,
		}
	}
	if err := json.Unmarshal(text, &f.manifest); err != nil || f.manifest.Format != format {
		return nil, &halley.Error{
			Kind: halley.Invalid, Op: "open an export", Message: "its manifest is of another program, or of a newer version", Err: err,
		}
	}
	if err := f.readDays(); err != nil {
		return nil, err
	}
	for _, open := range []struct {
		file **lineFile
		name string
	}{{&f.batches, batchesFile}, {&f.facts, factsFile}, {&f.checkpoints, checkpointsFile}} {
		if *open.file, err = openLines(f.file(open.name)); err != nil {
			return nil, err
		}
	}
	return f, errors.Join(f.readDevices(), f.readKeys(), f.readTombstones(), f.readSheets())
}

func (f *Folder) file(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// Manifest gives what the folder says of itself.
func (f *Folder) Manifest() Manifest { return f.manifest }

// Days gives the UTC days whose samples are in the folder, half-open.
func (f *Folder) Days() (from, to int64) { return f.from, f.to }

func (f *Folder) readDevices() error {
	err := readAll(f.file(devicesFile), func(line []byte) error {
		var l deviceLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		f.devices = append(f.devices, ledger.Device{ID: halley.DeviceID(l.ID), Family: halley.Family(l.Family), Serial: l.Serial})
		return nil
	})
	slices.SortFunc(f.devices, compareDevices)
	return err
}

func compareDevices(a, b ledger.Device) int {
	return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Serial, b.Serial))
}

func (f *Folder) readKeys() error {
	return readAll(f.file(keysFile), func(line []byte) error {
		var l keyLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		f.keys = append(f.keys, ledger.Key{ID: l.ID, Node: l.Node, Public: l.Public, CreatedAt: halley.Millis(l.CreatedAt)})
		return nil
	})
}

func (f *Folder) readTombstones() error {
	return readAll(f.file(tombstonesFile), func(line []byte) error {
		var l tombstoneLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		from, err := ledger.ParseDay(l.FromDay)
		if err != nil {
			return err
		}
		to, err := ledger.ParseDay(l.ToDay)
		if err != nil {
			return err
		}
		f.stones = append(f.stones, ledger.Tombstone{
			ID: l.ID, FromDay: from, ToDay: to, At: halley.Millis(l.At), ProposedBy: l.ProposedBy, CarriedOutBy: l.CarriedOutBy, Why: l.Why,
			KeyID: l.KeyID, Body: l.Body, Signature: l.Signature,
		})
		return nil
	})
}

// LedgerBatches lists batches.
func (f *Folder) LedgerBatches(_ context.Context, after int64, limit int) (list []ledger.Batch, err error) {
	err = f.batches.after(after, limit, func(line []byte) error {
		var l batchLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		b, err := l.batch()
		list = append(list, b)
		return err
	})
	return list, err
}

// LedgerFacts lists facts.
func (f *Folder) LedgerFacts(_ context.Context, after int64, limit int) (list []ledger.Fact, err error) {
	err = f.facts.after(after, limit, func(line []byte) error {
		var l factLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		list = append(list, ledger.Fact{
			ID: l.ID, At: halley.Millis(l.At), Count: l.Count, Digest: l.Digest, Previous: l.Previous, Pack: l.Pack,
		})
		return nil
	})
	return list, err
}

// Checkpoints lists checkpoints.
func (f *Folder) Checkpoints(_ context.Context, after int64, limit int) (list []ledger.Checkpoint, err error) {
	err = f.checkpoints.after(after, limit, func(line []byte) error {
		var l checkpointLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		list = append(list, ledger.Checkpoint{
			ID: l.ID, Node: l.Node, At: halley.Millis(l.At), Kind: l.Kind, KeyID: l.KeyID, Body: l.Body, Signature: l.Signature,
		})
		return nil
	})
	return list, err
}

// LedgerDevices lists all devices.
func (f *Folder) LedgerDevices(context.Context) ([]ledger.Device, error) { return f.devices, nil }

// LedgerKeys lists the keys that the folder names.
func (f *Folder) LedgerKeys(context.Context) ([]ledger.Key, error) { return f.keys, nil }

// Tombstones lists what retention had removed.
func (f *Folder) Tombstones(context.Context) ([]ledger.Tombstone, error) { return f.stones, nil }

// LedgerDays gives the first and last day that the folder says it has.
func (f *Folder) LedgerDays(context.Context) (first, last int64, ok bool, err error) {
	return f.from, f.to - 1, f.to > f.from, nil
}

// dayParts is the file of a day's parts.
type dayParts struct {
	day  int64
	file *lineFile
}

func (f *Folder) partsOf(day int64) (*lineFile, error) {
	if f.parts == nil || f.parts.day != day {
		file, err := openLines(f.file(dayFile(partsFolder, day, ".jsonl")))
		if err != nil {
			return nil, err
		}
		f.parts = &dayParts{day, file}
	}
	return f.parts.file, nil
}

func (f *Folder) eachPart(day, after int64, limit int, each func(ledger.Part)) error {
	file, err := f.partsOf(day)
	if err != nil {
		return err
	}
	return file.after(after, limit, func(line []byte) error {
		var l partLine
		if err := decodeLine(line, &l); err != nil {
			return err
		}
		p, err := l.part(l.ID)
		if err == nil && p.Day == day {
			each(p)
		}
		return err
	})
}

// LedgerParts lists the parts of a day.
func (f *Folder) LedgerParts(_ context.Context, day, after int64, limit int) (list []ledger.Part, err error) {
	err = f.eachPart(day, after, limit, func(p ledger.Part) {
		p.Pack = nil
		list = append(list, p)
	})
	return list, err
}

// LedgerPack gives the pack of a part.
func (f *Folder) LedgerPack(_ context.Context, batch, day int64) (pack []byte, err error) {
	err = f.eachPart(day, batch-1, 1, func(p ledger.Part) {
		if p.Batch == batch {
			pack = p.Pack
		}
	})
	return pack, err
}

// tableRows is a table of settings, by key.
type tableRows struct {
	name string
	rows []ledger.FactRow
}

func (f *Folder) tableOf(t ledger.FactTable) (*tableRows, error) {
	if f.table != nil && f.table.name == t.Name {
		return f.table, nil
	}
	x := &tableRows{name: t.Name}
	err := readAll(f.file(settingsFolder+"/"+t.Name+".jsonl"), func(line []byte) error {
		var values map[string]any
		if err := decodeLine(line, &values); err != nil {
			return err
		}
		row := ledger.FactRow{Table: t.Name, Values: make([]any, len(t.Columns))}
		for i, c := range t.Columns {
			v, there := values[c]
			if !there {
				return fmt.Errorf("%w: a row has no %s", ledger.ErrForm, c)
			}
			var err error
			if row.Values[i], err = decodeValue(v); err != nil {
				return fmt.Errorf("%w: %w", ledger.ErrForm, err)
			}
		}
		if len(values) != len(t.Columns) {
			return fmt.Errorf("%w: a row has columns that are not known", ledger.ErrForm)
		}
		if _, ok := row.KeyOf(t); !ok {
			return fmt.Errorf("%w: a row has no key", ledger.ErrForm)
		}
		x.rows = append(x.rows, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(x.rows, func(a, b ledger.FactRow) int { return compareKeys(t, a, b) })
	f.table = x
	return x, nil
}

func compareKeys(t ledger.FactTable, a, b ledger.FactRow) int {
	x, _ := a.KeyOf(t)
	y, _ := b.KeyOf(t)
	return slices.Compare(x, y)
}

// search gives the first place whose key is not below the given one.
func (x *tableRows) search(t ledger.FactTable, key []int64) (int, bool) {
	return slices.BinarySearchFunc(x.rows, key, func(r ledger.FactRow, key []int64) int {
		k, _ := r.KeyOf(t)
		return slices.Compare(k, key)
	})
}

// FactRow gives a row of a table of settings.
func (f *Folder) FactRow(_ context.Context, t ledger.FactTable, key []int64) (ledger.FactRow, bool, error) {
	x, err := f.tableOf(t)
	if err != nil {
		return ledger.FactRow{}, false, err
	}
	if i, found := x.search(t, key); found {
		return x.rows[i], true, nil
	}
	return ledger.FactRow{}, false, nil
}

// FactRows lists the rows of a table of settings.
func (f *Folder) FactRows(_ context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error) {
	x, err := f.tableOf(t)
	if err != nil {
		return nil, err
	}
	i := 0
	if after != nil {
		i, _ = x.search(t, after)
		// Rows that say they have the same key are one too many; what stood before them is behind all of them.
		for i < len(x.rows) {
			if key, _ := x.rows[i].KeyOf(t); slices.Compare(key, after) > 0 {
				break
			}
			i++
		}
	}
	return x.rows[i:min(i+limit, len(x.rows))], nil
}

// LedgerNextDay gives the first day at or after a day of which there is a file of samples.
func (f *Folder) LedgerNextDay(_ context.Context, _ ledger.Device, from int64) (int64, bool, error) {
	i, _ := slices.BinarySearch(f.sheets, from)
	if i == len(f.sheets) || f.sheets[i] >= f.to {
		return 0, false, nil
	}
	return f.sheets[i], true, nil
}

// readSheets lists the days of which there is a file of samples. What is no such file is a fault.
func (f *Folder) readSheets() error {
	entries, err := os.ReadDir(f.file(samplesFolder))
	if err != nil {
		return fmt.Errorf("reading an export: %w", err)
	}
	for _, e := range entries {
		day, err := ledger.ParseDay(strings.TrimSuffix(e.Name(), ".csv"))
		if err != nil || day < f.from || day >= f.to {
			f.found.add("%s/%s is no file of the days that the manifest names", samplesFolder, e.Name())
			continue
		}
		f.sheets = append(f.sheets, day)
	}
	slices.Sort(f.sheets)
	return nil
}

// readDays reads which days the manifest names.
func (f *Folder) readDays() (err error) {
	if f.manifest.From == "" {
		return nil
	}
	if f.from, err = ledger.ParseDay(f.manifest.From); err != nil {
		return err
	}
	if f.to, err = ledger.ParseDay(f.manifest.To); err != nil {
		return err
	}
	if f.from < ledger.DayOf(halley.EarliestMillis) || f.to > ledger.DayOf(halley.LatestMillis) || f.from > f.to {
		return &halley.Error{Kind: halley.Invalid, Op: "open an export", Message: "its manifest names days that cannot be"}
	}
	return nil
}

var (
	_ ledger.Source    = (*Folder)(nil)
	_ ledger.DayFinder = (*Folder)(nil)
)
