package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const opOpen = "open the journal"

// listFiles finds the journal's files, ascending, and clears what an interrupted start or rotation left.
func listFiles(ctx context.Context, options *Options) ([]file, error) {
	entries, err := os.ReadDir(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("reading the journal's folder: %w", err)
	}
	var files []file
	for _, entry := range entries {
		path := filepath.Join(options.Dir, entry.Name())
		if complete, found := strings.CutSuffix(path, newSuffix); found {
			if _, ok := parseFile(complete); ok {
				removeFile(path)
			}
			continue
		}
		if f, ok := parseFile(path); ok {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b file) int { return int(int64(a.first) - int64(b.first)) })
	for i := 1; i < len(files); i++ {
		if files[i].first == files[i-1].first {
			return nil, damaged(files[i].path, fmt.Errorf("%s begins with the same sequence number", files[i-1].path))
		}
	}
	for i := range max(len(files)-1, 0) {
		sealLeftover(ctx, options.Log, &files[i])
	}
	return files, nil
}

// sealLeftover moves a log that lies beside an old file into it. It is there when the program ended just after it began the
// next file. Where that fails the file is read with its log.
func sealLeftover(ctx context.Context, log *slog.Logger, f *file) {
	if f.hasLog() {
		db, err := openWriter(ctx, f.path)
		if err == nil {
			err = errors.Join(moveLog(ctx, db, "TRUNCATE"), db.Close())
		}
		if err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "a journal file keeps its log beside it", slog.String("file", f.path), slog.Any("error", err))
		}
	}
	f.bytes = f.size()
}

// existing gives those paths of a database that are there.
func existing(path string) []string {
	var there []string
	for _, suffix := range []string{"-shm", "-wal", "-journal", ""} {
		if _, err := os.Lstat(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, path+suffix)
		}
	}
	return there
}

// recovered is how far a journal goes.
type recovered struct {
	out     *output
	readers *readers
	last    uint64
	hash    [32]byte
	micros  int64
}

// recoverNewest opens the newest file for writing and reads all of it.
func recoverNewest(ctx context.Context, files []file) (*recovered, error) {
	newest := &files[len(files)-1]
	out, err := openOutput(ctx, newest)
	if err != nil {
		return nil, openDamage(ctx, newest.path, err)
	}
	r := &recovered{out: out, readers: &readers{journalID: out.meta.journalID, current: newest.path}}
	damagedPath := newest.path
	err = r.follow(ctx, newest)
	if err == nil && r.last == newest.first-1 && len(files) > 1 {
		before := &files[len(files)-2]
		damagedPath = before.path
		err = r.timeBefore(ctx, before)
	}
	if err != nil {
		return nil, errors.Join(openDamage(ctx, damagedPath, err), r.close())
	}
	return r, nil
}

// close gives up what recoverNewest opened.
func (r *recovered) close() error {
	return errors.Join(r.readers.close(), r.out.insert.Close(), r.out.db.Close(), r.out.enc.Close())
}

// follow reads all rows of the newest file.
func (r *recovered) follow(ctx context.Context, newest *file) error {
	in, release, err := r.readers.acquire(ctx, newest)
	if err != nil {
		return err
	}
	defer release()
	r.last, r.hash = in.meta.first-1, in.meta.previous
	if newest.first == 1 && r.hash != chainStart(in.meta.journalID) {
		return errChain
	}
	var newestRow row
	err = in.rows(ctx, newest.first, maxSeq, func(row *row) (bool, error) {
		r.last, r.hash = row.last(), row.hash
		newestRow = *row
		newestRow.pack = append(newestRow.pack[:0:0], row.pack...)
		r.out.rows++
		return true, nil
	})
	if err != nil || r.out.rows == 0 {
		return err
	}
	return r.time(in, &newestRow)
}

// time takes the receive time of the last entry from the newest row.
func (r *recovered) time(in *reader, newest *row) error {
	entries, err := in.entries(newest)
	if err != nil {
		return err
	}
	r.micros = entries[len(entries)-1].ReceivedMicros
	return nil
}

// timeBefore takes the receive time of the last entry from the file before the newest, which is empty.
func (r *recovered) timeBefore(ctx context.Context, f *file) error {
	in, release, err := r.readers.acquire(ctx, f)
	if err != nil {
		return err
	}
	defer release()
	return in.rows(ctx, r.last, r.last, func(row *row) (bool, error) { return false, r.time(in, row) })
}

// openDamage says that a file is damaged, unless something else is in the way: the caller or the disk.
func openDamage(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil || severityOf(err) == diskFull || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if severityOf(err) == fatal || errors.Is(err, errChain) || errors.Is(err, errPack) || errors.Is(err, errForeign) {
		return damaged(path, err)
	}
	return fmt.Errorf("reading %s: %w", path, err)
}
