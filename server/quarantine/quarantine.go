// Package quarantine keeps uploads that are not trusted or not understood, in an SQLite file of its own, until a person decides.
// It has a budget of its own, so that nobody who merely reaches the listener can harm the devices that are known.
//
// Uploads pass through the journal first; what lies here is therefore already durable, and Keep may be repeated.
package quarantine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"sync"

	// The driver named "sqlite".
	_ "modernc.org/sqlite"

	"halley"
)

// Budget bounds what is kept.
type Budget struct {
	// Devices is how many devices that are not accepted may have uploads here.
	Devices int
	// DeviceBytes bounds one device, Bytes all of them.
	DeviceBytes, Bytes int64
}

// Upload is one upload that is kept.
type Upload struct {
	ID  int64
	Key halley.DeviceKey
	// JournalID and Seq say where it was journaled.
	JournalID string
	Seq       uint64
	// ReceivedMicros is when it was received, in microseconds since 1970.
	ReceivedMicros int64
	Reason         Reason
	// Note says more about the reason, or is empty.
	Note string
	Body []byte
}

// Held says what is kept of one device.
type Held struct {
	Uploads int
	Bytes   int64
	// FirstMicros and LastMicros are the receive times of the oldest and newest upload.
	FirstMicros, LastMicros int64
	Reasons                 map[Reason]int
}

// Usage says how much of the budget is used.
type Usage struct {
	Budget
	Uploads, HeldDevices int
	HeldBytes            int64
	// Refused counts the uploads that were answered "not stored" because the budget was used up, since the start.
	Refused int64
}

// Store is the quarantine of this server. Its methods may be called at the same time.
type Store struct {
	db     *sql.DB
	budget Budget
	mu     sync.Mutex
	held   map[halley.DeviceKey]*Held
	// reserved are uploads that Reserve let in and Keep has not seen yet.
	reserved map[halley.DeviceKey]*Held
	refused  int64
}

const schema = `
CREATE TABLE IF NOT EXISTS upload (
	upload_id       INTEGER PRIMARY KEY,
	journal_id      TEXT    NOT NULL,
	seq             INTEGER NOT NULL,
	received_micros INTEGER NOT NULL,
	family          TEXT    NOT NULL,
	serial          TEXT    NOT NULL,
	reason          TEXT    NOT NULL,
	note            TEXT    NOT NULL,
	body            BLOB    NOT NULL,
	UNIQUE (seq, received_micros, family, serial)
) STRICT;
CREATE INDEX IF NOT EXISTS upload_device ON upload (family, serial, upload_id);
PRAGMA user_version = 2;
`

// schema1to2 makes room for a table by which an upload is known whatever id its journal goes by.
const (
	schema1to2Before = `
ALTER TABLE upload RENAME TO upload_1;
DROP INDEX upload_device;
`
	schema1to2After = `
INSERT INTO upload (upload_id, journal_id, seq, received_micros, family, serial, reason, note, body)
SELECT upload_id, journal_id, seq, received_micros, family, serial, reason, note, body FROM upload_1
 WHERE true ON CONFLICT DO NOTHING;
DROP TABLE upload_1;
`
)

// Open opens or creates the quarantine in the file.
func Open(ctx context.Context, file string, budget Budget) (*Store, error) {
	// Made beforehand, so that it is for its owner alone; the files beside it take over its rights.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("opening the quarantine: %w", err)
	}
	dsn := "file:" + url.PathEscape(file) + "?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the quarantine: %w", err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, budget: budget, held: map[halley.DeviceKey]*Held{}, reserved: map[halley.DeviceKey]*Held{}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Store) start(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return fmt.Errorf("preparing the quarantine: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT family, serial, reason, count(*), sum(length(body)), min(received_micros), max(received_micros)
		FROM upload GROUP BY family, serial, reason`)
	if err != nil {
		return fmt.Errorf("counting the quarantine: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			key    halley.DeviceKey
			reason Reason
			h      Held
		)
		if err := rows.Scan(&key.Family, &key.Serial, &reason, &h.Uploads, &h.Bytes, &h.FirstMicros, &h.LastMicros); err != nil {
			return fmt.Errorf("counting the quarantine: %w", err)
		}
		add(s.held, key, reason, h)
	}
	return rows.Err()
}

// migrate brings the tables to the newest schema in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back, before it the first error counts
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	statements := []string{schema}
	if version == 1 {
		statements = []string{schema1to2Before, schema, schema1to2After}
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// add counts what more holds, all of it for one reason.
func add(m map[halley.DeviceKey]*Held, key halley.DeviceKey, reason Reason, more Held) {
	h := m[key]
	if h == nil {
		h = &Held{Reasons: map[Reason]int{}, FirstMicros: more.FirstMicros}
		m[key] = h
	}
	h.Uploads += more.Uploads
	h.Bytes += more.Bytes
	h.Reasons[reason] += more.Uploads
	h.FirstMicros = min(h.FirstMicros, more.FirstMicros)
	h.LastMicros = max(h.LastMicros, more.LastMicros)
}

func remove(m map[halley.DeviceKey]*Held, key halley.DeviceKey, reason Reason, size int64) {
	h := m[key]
	if h == nil {
		return
	}
	h.Uploads--
	h.Bytes -= size
	h.Reasons[reason]--
	if h.Reasons[reason] <= 0 {
		delete(h.Reasons, reason)
	}
	if h.Uploads <= 0 {
		delete(m, key)
	}
}

// Reserve asks for room for an upload that is about to be journaled, and says whether there is some. What is reserved is freed
// by Keep, or by Cancel where the journal could not take it.
func (s *Store) Reserve(key halley.DeviceKey, reason Reason, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var device, all int64
	keys := len(s.held)
	for _, m := range []map[halley.DeviceKey]*Held{s.held, s.reserved} {
		if h := m[key]; h != nil {
			device += h.Bytes
		}
		for _, h := range m {
			all += h.Bytes
		}
	}
	for k := range s.reserved {
		if s.held[k] == nil {
			keys++
		}
	}
	known := s.held[key] != nil || s.reserved[key] != nil
	n := int64(size)
	crowded := reason == NewDevice && !known && keys >= s.budget.Devices
	if device+n > s.budget.DeviceBytes || all+n > s.budget.Bytes || crowded {
		s.refused++
		return false
	}
	add(s.reserved, key, reason, Held{Uploads: 1, Bytes: n})
	return true
}

// Cancel frees what Reserve took.
func (s *Store) Cancel(key halley.DeviceKey, reason Reason, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	remove(s.reserved, key, reason, int64(size))
}

// Keep stores uploads durably. Those that are here already stay as they are: an upload is known by its device, sequence number and
// receive time, not by its journal's id, which may be renewed. It does not ask for the budget: what is journaled is kept.
func (s *Store) Keep(ctx context.Context, uploads []Upload) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("keeping uploads in quarantine: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back, before it the first error counts
	fresh := make([]bool, len(uploads))
	for i, u := range uploads {
		res, err := tx.ExecContext(ctx, `INSERT INTO upload (journal_id, seq, received_micros, family, serial, reason, note, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			u.JournalID, int64(u.Seq), u.ReceivedMicros, u.Key.Family, u.Key.Serial, u.Reason, u.Note, notNil(u.Body))
		if err != nil {
			return fmt.Errorf("keeping uploads in quarantine: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("keeping uploads in quarantine: %w", err)
		}
		fresh[i] = n > 0
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("keeping uploads in quarantine: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, u := range uploads {
		size := int64(len(u.Body))
		remove(s.reserved, u.Key, u.Reason, size)
		if fresh[i] {
			add(s.held, u.Key, u.Reason, Held{Uploads: 1, Bytes: size, FirstMicros: u.ReceivedMicros, LastMicros: u.ReceivedMicros})
		}
	}
	return nil
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Remove takes uploads out that have been released into the journal.
func (s *Store) Remove(ctx context.Context, uploads []Upload) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("taking uploads out of quarantine: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back, before it the first error counts
	gone := make([]bool, len(uploads))
	for i, u := range uploads {
		res, err := tx.ExecContext(ctx, `DELETE FROM upload WHERE upload_id = ?`, u.ID)
		if err != nil {
			return fmt.Errorf("taking uploads out of quarantine: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("taking uploads out of quarantine: %w", err)
		}
		gone[i] = n > 0
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("taking uploads out of quarantine: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, u := range uploads {
		if gone[i] {
			remove(s.held, u.Key, u.Reason, int64(len(u.Body)))
		}
	}
	return nil
}

// Forget takes out uploads that were released and are recorded by now: those of the same device, sequence number and receive time
// as in the list. They are here again where the journal was recorded a second time.
func (s *Store) Forget(ctx context.Context, uploads []Upload) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("taking recorded uploads out of quarantine: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back, before it the first error counts
	type left struct {
		key    halley.DeviceKey
		reason Reason
		size   int64
	}
	gone := make([]left, 0, len(uploads))
	for _, u := range uploads {
		l := left{key: u.Key}
		err := tx.QueryRowContext(ctx, `DELETE FROM upload WHERE seq = ? AND received_micros = ? AND family = ? AND serial = ?
			RETURNING reason, length(body)`, int64(u.Seq), u.ReceivedMicros, u.Key.Family, u.Key.Serial).Scan(&l.reason, &l.size)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("taking recorded uploads out of quarantine: %w", err)
		}
		gone = append(gone, l)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("taking recorded uploads out of quarantine: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range gone {
		remove(s.held, l.key, l.reason, l.size)
	}
	return nil
}

// Uploads lists what is kept of a device in the order of receipt, behind the id after, at most limit.
func (s *Store) Uploads(ctx context.Context, key halley.DeviceKey, after int64, limit int) ([]Upload, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT upload_id, journal_id, seq, received_micros, reason, note, body FROM upload
		WHERE family = ? AND serial = ? AND upload_id > ? ORDER BY upload_id LIMIT ?`, key.Family, key.Serial, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the quarantine of a device: %w", err)
	}
	defer rows.Close()
	var list []Upload
	for rows.Next() {
		u := Upload{Key: key}
		var seq int64
		if err := rows.Scan(&u.ID, &u.JournalID, &seq, &u.ReceivedMicros, &u.Reason, &u.Note, &u.Body); err != nil {
			return nil, fmt.Errorf("listing the quarantine of a device: %w", err)
		}
		u.Seq = uint64(seq)
		list = append(list, u)
	}
	return list, rows.Err()
}

// Newest gives the newest upload that is kept of a device.
func (s *Store) Newest(ctx context.Context, key halley.DeviceKey) (Upload, error) {
	u := Upload{Key: key}
	var seq int64
	err := s.db.QueryRowContext(ctx, `SELECT upload_id, journal_id, seq, received_micros, reason, note, body FROM upload
		WHERE family = ? AND serial = ? ORDER BY upload_id DESC LIMIT 1`, key.Family, key.Serial).
		Scan(&u.ID, &u.JournalID, &seq, &u.ReceivedMicros, &u.Reason, &u.Note, &u.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return Upload{}, &halley.Error{Kind: halley.NotFound, Op: "find the newest upload in quarantine", Message: "there is none of this device"}
	}
	if err != nil {
		return Upload{}, fmt.Errorf("finding the newest upload in quarantine: %w", err)
	}
	u.Seq = uint64(seq)
	return u, nil
}

// Held gives what is kept, by device.
func (s *Store) Held() map[halley.DeviceKey]Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[halley.DeviceKey]Held, len(s.held))
	for k, h := range s.held {
		c := *h
		c.Reasons = maps.Clone(h.Reasons)
		all[k] = c
	}
	return all
}

// Usage says how much of the budget is used.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Budget: s.budget, HeldDevices: len(s.held), Refused: s.refused}
	for _, h := range s.held {
		u.Uploads += h.Uploads
		u.HeldBytes += h.Bytes
	}
	return u
}

// Close releases the file.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing the quarantine: %w", err)
	}
	return nil
}
