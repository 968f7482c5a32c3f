package export

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"halley/storage/ledger"
)

// maxFaults bounds how many faults are kept.
const maxFaults = 1000

// faults are what is wrong with the files themselves.
type faults struct {
	texts []string
	seen  map[string]bool
}

func (x *faults) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if x.seen[text] || len(x.texts) >= maxFaults {
		return
	}
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	x.seen[text] = true
	x.texts = append(x.texts, text)
}

// sheetReader reads a day's file of samples, device by device.
type sheetReader struct {
	day  int64
	name string
	in   *os.File
	csv  *csv.Reader
	rows rowReader
	// device, batch and rows.row are the row at hand where more is set.
	device ledger.Device
	batch  int64
	more   bool
	// last is the device that was asked for last, where begun is set.
	begun bool
	last  ledger.Device
	// before is the row before, by which order is held.
	before lastRow
}

// lastRow is the place of the row before, by which order is held.
type lastRow struct {
	device ledger.Device
	row    ledger.Row
	there  bool
}

// LedgerRows hands the rows of a device on a day to each.
func (f *Folder) LedgerRows(ctx context.Context, d ledger.Device, day int64, each func(batch int64, r *ledger.Row) error) error {
	s, err := f.sheetAt(d, day)
	if err != nil || s == nil {
		return err
	}
	s.last, s.begun = d, true
	for s.more && compareDevices(s.device, d) <= 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading an export: %w", err)
		}
		if compareDevices(s.device, d) == 0 {
			if err := each(s.batch, &s.rows.row); err != nil {
				return err
			}
		} else {
			f.unknown(s)
		}
		f.advance(s)
	}
	return nil
}

// unknown takes note of rows of a device that the folder does not list.
func (f *Folder) unknown(s *sheetReader) {
	if !slices.ContainsFunc(f.devices, func(d ledger.Device) bool { return compareDevices(d, s.device) == 0 }) {
		f.found.add("%s has samples of a device that the export does not list: %s %s", s.name, s.device.Family, s.device.Serial)
	}
}

// sheetAt gives the day's reader, opened anew where it is past the device; nil where there is no file.
func (f *Folder) sheetAt(d ledger.Device, day int64) (*sheetReader, error) {
	if s := f.sheet; s != nil && s.day == day && s.begun && compareDevices(s.last, d) < 0 {
		return s, nil
	}
	f.finish()
	name := dayFile(samplesFolder, day, ".csv")
	in, err := os.Open(f.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a day without a file has no rows
	}
	if err != nil {
		return nil, fmt.Errorf("reading an export: %w", err)
	}
	s := &sheetReader{day: day, name: name, in: in, csv: csv.NewReader(bufio.NewReaderSize(in, 1<<16))}
	s.csv.ReuseRecord = true
	s.csv.FieldsPerRecord = columns
	f.sheet = s
	if first, err := s.csv.Read(); err != nil || !slices.Equal(first, header()) {
		f.found.add("%s does not begin with the line of columns", name)
	}
	f.advance(s)
	return s, nil
}

// finish reads what is left of the day's file, which nobody asked for, and closes it.
func (f *Folder) finish() {
	s := f.sheet
	if s == nil {
		return
	}
	for s.more {
		f.unknown(s)
		f.advance(s)
	}
	_ = s.in.Close() // only read
	f.sheet = nil
}

// advance goes to the next row that can be read and lies in order. What does not is a fault; the digests then say what is missing.
func (f *Folder) advance(s *sheetReader) {
	s.more = false
	for {
		fields, err := s.csv.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		line, _ := s.csv.FieldPos(0)
		if err != nil {
			f.found.add("%s cannot be read: %v", s.name, err)
			if errors.Is(err, csv.ErrFieldCount) {
				continue
			}
			return
		}
		s.device, s.batch, err = s.rows.read(fields)
		if err != nil {
			f.found.add("%s, line %d: %v", s.name, line, err)
			continue
		}
		r := &s.rows.row
		if ledger.DayOf(r.At) != s.day {
			f.found.add("%s, line %d: the sample is of another day", s.name, line)
			continue
		}
		if s.before.there && s.before.compare(s.device, r) >= 0 {
			f.found.add("%s, line %d: the line does not lie where it was written", s.name, line)
			continue
		}
		s.before = lastRow{device: s.device, row: ledger.Row{At: r.At, Variant: r.Variant, Part: r.Part}, there: true}
		s.more = true
		return
	}
}

func (b *lastRow) compare(d ledger.Device, r *ledger.Row) int {
	return cmp.Or(compareDevices(b.device, d), cmp.Compare(b.row.At, r.At), cmp.Compare(b.row.Variant, r.Variant),
		cmp.Compare(b.row.Part, r.Part))
}

// Faults gives what is wrong with the files themselves, as far as they were read. It closes what is open.
func (f *Folder) Faults() []string {
	f.finish()
	return f.found.texts
}
