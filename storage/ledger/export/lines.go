package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strconv"

	"halley/storage/ledger"
)

// maxLine bounds a line of JSON: a fact with the longest pack, in base64.
const maxLine = ledger.MaxCanonicalBytes/3*4 + 1<<20

// indexEvery is how many lines lie between two that the index knows.
const indexEvery = 256

// mark is a place in a file of lines: from offset on lie the lines whose id is above after.
type mark struct {
	after  int64
	offset int64
}

// lineFile reads a file of JSON lines that begin with an id and ascend by it.
type lineFile struct {
	path string
	// marks are some places in the file, ascending.
	marks []mark
	// next is where the last reading stopped.
	next mark
}

// openLines reads through a file once, to know its places. A file that is not there has no lines.
func openLines(path string) (*lineFile, error) {
	f := &lineFile{path: path, marks: []mark{{after: minID}}, next: mark{after: minID}}
	n := 0
	last := int64(minID)
	err := f.scan(f.next, func(line []byte, begin int64) (bool, error) {
		id, err := idOf(line)
		if err != nil {
			return false, err
		}
		if id <= last {
			return false, fmt.Errorf("%w: the numbers do not ascend at %d", ledger.ErrForm, id)
		}
		n++
		if n%indexEvery == 0 {
			f.marks = append(f.marks, mark{after: last, offset: begin})
		}
		last = id
		return true, nil
	})
	return f, err
}

// minID is below every id.
const minID = -1 << 63

// idOf reads the id with which a line begins.
func idOf(line []byte) (int64, error) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":`))
	end := bytes.IndexAny(rest, ",}")
	if !ok || end < 0 {
		return 0, fmt.Errorf("%w: a line does not begin with its id", ledger.ErrForm)
	}
	id, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: a line does not begin with its id", ledger.ErrForm)
	}
	return id, nil
}

// scan hands lines from a place on to each, with where they begin, until it says that it has enough.
func (f *lineFile) scan(from mark, each func(line []byte, begin int64) (more bool, err error)) error {
	in, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading an export: %w", err)
	}
	defer in.Close()
	if _, err := in.Seek(from.offset, io.SeekStart); err != nil {
		return fmt.Errorf("reading %s: %w", f.path, err)
	}
	r := bufio.NewReaderSize(in, 1<<16)
	for begin, number := from.offset, 1; ; number++ {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		more := false
		if err == nil {
			more, err = each(bytes.TrimRight(line, "\r\n"), begin)
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.path, err)
		}
		if !more {
			return nil
		}
		begin += int64(len(line))
	}
}

// readLine reads a line with its end; io.EOF is the end of the file.
func readLine(r *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		piece, err := r.ReadSlice('\n')
		if err == nil && long == nil {
			return piece, nil
		}
		long = append(long, piece...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: a line is too long", ledger.ErrForm)
		case errors.Is(err, io.EOF) && len(long) > 0:
			return long, nil
		}
		return long, err
	}
}

// after reads at most limit lines with an id above after, and hands each to each.
func (f *lineFile) after(after int64, limit int, each func(line []byte) error) error {
	from := f.next
	if from.after > after || from.offset == 0 {
		i := sort.Search(len(f.marks), func(i int) bool { return f.marks[i].after > after })
		from = f.marks[i-1]
	} else if i := sort.Search(len(f.marks), func(i int) bool { return f.marks[i].after > after }); f.marks[i-1].after > from.after {
		from = f.marks[i-1]
	}
	return f.scan(from, func(line []byte, begin int64) (bool, error) {
		id, err := idOf(line)
		if err != nil || id <= after {
			return true, err
		}
		if limit == 0 {
			f.next = mark{after: after, offset: begin}
			return false, nil
		}
		limit--
		after = id
		return true, each(line)
	})
}

// decodeLine reads a line of JSON strictly.
func decodeLine(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrForm, err)
	}
	if dec.More() {
		return fmt.Errorf("%w: there is more in a line", ledger.ErrForm)
	}
	return nil
}

// readAll reads all lines of a file whose lines need not begin with an id.
func readAll(path string, each func(line []byte) error) error {
	f := lineFile{path: path}
	return f.scan(mark{}, func(line []byte, _ int64) (bool, error) { return true, each(line) })
}
