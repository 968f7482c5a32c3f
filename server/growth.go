package server

import (
	"fmt"

	"halley"
	"halley/storage"
)

// What limits a store: LimitBytes' Limit.
const (
	limitEdition  = "edition"
	limitFileSize = "file-size"
	limitDisk     = "disk"
)

const (
	// forecastFrom is how many samples a store must hold before its growth is foretold: below, most of its bytes are its tables.
	forecastFrom = 10_000
	// fullSoon is how long before a store is full people are told.
	fullSoon = 90 * halley.Day
)

// storeStatus joins how the store stands with what it last said of itself.
func (s *Server) storeStatus(now halley.Millis) StoreStatus {
	info, free := s.info.get()
	standing := s.gate.Standing()
	st := StoreStatus{
		Kind: orWord(info.Kind, s.opts.StoreKind), Engine: info.Engine, State: standing.State, Since: standing.Since,
		Schema: info.Schema, Bytes: info.Bytes, Samples: info.Samples, SamplesPerDay: info.SamplesPerDay,
		LimitBytes: info.LimitBytes, Limit: info.Limit,
	}
	if standing.State != storage.OK {
		st.Problem = standing.Problem
	}
	// The embedded store grows on the disk of the data folder.
	if disk := info.Bytes + free; st.Kind == embedded && free > 0 && info.Bytes > 0 && (st.LimitBytes == 0 || disk < st.LimitBytes) {
		st.LimitBytes, st.Limit = disk, limitDisk
	}
	if st.Samples > 0 {
		st.BytesPerSample = float64(st.Bytes) / float64(st.Samples)
	}
	st.FullAt = st.fullAt(now)
	return st
}

// embedded is the kind of the store in the data folder.
const embedded = "sqlite"

// fullAt gives when the store will have grown to its limit if it grows as now; 0 where that is not known or not in this century.
func (s *StoreStatus) fullAt(now halley.Millis) halley.Millis {
	if s.LimitBytes <= 0 || s.Bytes <= 0 {
		return 0
	}
	if s.Bytes >= s.LimitBytes {
		return now
	}
	perDay := s.BytesPerSample * s.SamplesPerDay
	if s.Samples < forecastFrom || perDay <= 0 {
		return 0
	}
	days := float64(s.LimitBytes-s.Bytes) / perDay
	if days >= float64(halley.LatestMillis-now)/float64(halley.Day) {
		return 0
	}
	return now + halley.Millis(days*float64(halley.Day))
}

// growthFinding says when the store will be full, where that is soon.
func growthFinding(st *Status) (Finding, bool) {
	s := &st.Store
	if s.FullAt == 0 || s.FullAt-st.At > fullSoon || s.State == storage.Full {
		return Finding{}, false
	}
	when := "is full on " + s.FullAt.Time().Format("2 January 2006") + " if it grows as now"
	if s.FullAt <= st.At {
		when = "has reached its limit"
	}
	return Finding{
		Code: "store-full-soon", Severity: Degraded,
		Text: fmt.Sprintf("The database %s: it takes %s, and %s.", when, sizeWords(s.Bytes), s.limitWords()),
	}, true
}

// limitWords says what sets the limit and what to do.
func (s *StoreStatus) limitWords() string {
	size := sizeWords(s.LimitBytes)
	switch s.Limit {
	case limitEdition:
		return fmt.Sprintf("SQL Server Express holds at most %s. Plan for another edition; uploads wait in the journal where it is full", size)
	case limitFileSize:
		return fmt.Sprintf("its files may grow to %s. Let them grow further", size)
	case limitDisk:
		return fmt.Sprintf("the disk has room until it takes %s. Make room on the disk of the data folder, or move the data folder to a larger one", size)
	}
	return fmt.Sprintf("it may take %s. Raise that limit", size)
}

// sizeWords gives a number of bytes in the units in which disks and editions are sold.
func sizeWords(bytes int64) string {
	const mb, gb = 1 << 20, 1 << 30
	switch {
	case bytes >= 10*gb:
		return fmt.Sprintf("%d GB", (bytes+gb/2)/gb)
	case bytes >= gb:
		return fmt.Sprintf("%.1f GB", float64(bytes)/gb)
	}
	return fmt.Sprintf("%d MB", max((bytes+mb/2)/mb, 1))
}
