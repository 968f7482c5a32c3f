package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"halley"
)

// What is remembered lies in files beside the journal's, DIR/recorded-NUMBER.log, in the order of their numbers. A file begins with
// four lines: memoryTitle, the node, the journal's id, and an empty one. Batches follow, memoryBytes each, all numbers with the most
// significant byte first: the first and the last sequence number, the number of the batch, the instant in ms, the highest sequence
// number that was ever remembered (8 bytes each), the digest (32), and the CRC-32 of all that (4).
const (
	memoryTitle = "halley recorded 1"
	memoryBytes = 5*8 + 32 + 4
	// memoryFileBytes is how large a file becomes.
	memoryFileBytes = 1 << 20
)

var memoryName = regexp.MustCompile(`^recorded-(\d{8})\.log$`)

// memoryFile is a file of batches that were recorded under one name.
type memoryFile struct {
	path            string
	number          int
	node, journalID string
	// header is how many bytes come before the first batch.
	header int64
}

// remembered is a batch as a file has it.
type remembered struct {
	Remembered
	// upTo is the highest sequence number that was remembered until then.
	upTo uint64
}

// listMemory finds the files of a folder by their numbers. One whose beginning cannot be read says nothing and is left out.
func listMemory(dir string) ([]memoryFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("finding what was recorded: %w", err)
	}
	var files []memoryFile
	for _, e := range entries {
		named := memoryName.FindStringSubmatch(e.Name())
		if named == nil {
			continue
		}
		number, err := strconv.Atoi(named[1])
		if err != nil {
			return nil, fmt.Errorf("reading the name %s: %w", e.Name(), err)
		}
		f := memoryFile{path: filepath.Join(dir, e.Name()), number: number}
		switch err := f.readHeader(); {
		case errors.Is(err, errForeign), errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("finding what was recorded: %w", err)
		default:
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b memoryFile) int { return a.number - b.number })
	return files, nil
}

// readHeader reads under which name the file was recorded; errForeign where the lines are not there.
func (f *memoryFile) readHeader() error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	lines := make([]string, 0, 4)
	for b := bufio.NewReader(in); len(lines) < cap(lines); {
		line, err := b.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return errForeign
		}
		if err != nil {
			return err
		}
		f.header += int64(len(line))
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	if lines[0] != memoryTitle || lines[3] != "" {
		return errForeign
	}
	f.node, f.journalID = lines[1], lines[2]
	return nil
}

// createMemory begins the file behind the others.
func createMemory(dir string, others []memoryFile, r *Remembered) (memoryFile, error) {
	number := 1
	if n := len(others); n > 0 {
		number = others[n-1].number + 1
	}
	f := memoryFile{number: number, node: r.Node, journalID: r.JournalID}
	header := strings.Join([]string{memoryTitle, r.Node, r.JournalID, "", ""}, "\n")
	f.header = int64(len(header))
	for {
		f.path = filepath.Join(dir, fmt.Sprintf("recorded-%08d.log", f.number))
		out, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			f.number++ // one whose beginning cannot be read
			continue
		}
		if err != nil {
			return memoryFile{}, err
		}
		_, err = out.WriteString(header)
		return f, errors.Join(err, out.Close())
	}
}

// takes says whether a batch may be added to the file.
func (f *memoryFile) takes(r *Remembered) bool {
	info, err := os.Stat(f.path)
	return err == nil && info.Size() < memoryFileBytes && f.node == r.Node && f.journalID == r.JournalID
}

// whole gives how many bytes of the file are its header and whole batches.
func (f *memoryFile) whole() (int64, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return 0, err
	}
	return max(info.Size()-(info.Size()-f.header)%memoryBytes, f.header), nil
}

// repair cuts off what a crash left of a batch.
func (f *memoryFile) repair() error {
	for {
		size, err := f.whole()
		if err != nil {
			return err
		}
		if err := os.Truncate(f.path, size); err != nil {
			return err
		}
		if size <= f.header {
			return nil
		}
		if _, ok, err := f.at(size - memoryBytes); ok || err != nil {
			return err
		}
		if err := os.Truncate(f.path, size-memoryBytes); err != nil {
			return err
		}
	}
}

// at reads the batch at a place in the file; ok is false where it is damaged.
func (f *memoryFile) at(place int64) (r remembered, ok bool, err error) {
	in, err := os.Open(f.path)
	if err != nil {
		return remembered{}, false, err
	}
	defer in.Close()
	var b [memoryBytes]byte
	if _, err := in.ReadAt(b[:], place); err != nil {
		return remembered{}, false, err
	}
	r, ok = f.decode(&b)
	return r, ok, nil
}

// last gives the newest batch that is whole.
func (f *memoryFile) last() (r remembered, found bool, err error) {
	size, err := f.whole()
	for err == nil && !found && size > f.header {
		size -= memoryBytes
		r, found, err = f.at(size)
	}
	return r, found, err
}

// each gives the batches in order until more is false. What is damaged is left out.
func (f *memoryFile) each(more func(r *remembered) bool) error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	b := bufio.NewReaderSize(in, 64<<10)
	if _, err := b.Discard(int(f.header)); err != nil {
		return err
	}
	var buffer [memoryBytes]byte
	for {
		_, err := io.ReadFull(b, buffer[:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r, ok := f.decode(&buffer); ok && !more(&r) {
			return nil
		}
	}
}

// append writes a batch to the end of the file.
func (f *memoryFile) append(r *remembered) error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = out.Write(r.encode())
	if err = errors.Join(err, out.Close()); err != nil {
		// Half a batch would shift all that come behind it.
		return errors.Join(err, f.repair())
	}
	return nil
}

func (r *remembered) encode() []byte {
	b := make([]byte, 0, memoryBytes)
	for _, n := range []uint64{r.FirstSeq, r.LastSeq, uint64(r.Batch), uint64(r.At), r.upTo} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, r.Digest[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// decode reads what encode wrote; ok is false where it is something else.
func (f *memoryFile) decode(b *[memoryBytes]byte) (r remembered, ok bool) {
	const sum = memoryBytes - 4
	if binary.BigEndian.Uint32(b[sum:]) != crc32.ChecksumIEEE(b[:sum]) {
		return remembered{}, false
	}
	var n [5]uint64
	for i := range n {
		n[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	r.Node, r.JournalID = f.node, f.journalID
	r.FirstSeq, r.LastSeq, r.Batch, r.At, r.upTo = n[0], n[1], int64(n[2]), halley.Millis(n[3]), n[4]
	copy(r.Digest[:], b[40:])
	return r, true
}
