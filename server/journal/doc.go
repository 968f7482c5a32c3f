// Package journal is the local, durable, append-only record of what devices upload: the only thing on the way to an
// acknowledgement. Append returns once an entry is on stable storage; all that wait at one time share one flush. Followers
// (recorder, alarm, live) read it with positions of their own. It knows no device, no protocol and no store, and it never
// changes an entry.
//
// # Files
//
// A journal is a row of SQLite files, DIR/journal-YYYYMMDD-FIRST.db, where FIRST is the first sequence number of the file.
// A file is a UTC day or Options.FileBytes, whichever ends first. Only the newest is written; the others stand alone, without
// a write-ahead log beside them, and are removed as a whole. A new file is made under a name that ends in ".new" and renamed
// when it is complete, so that a file with its final name always has its meta row.
//
//	meta(format, journal_id, first_seq, previous_hash, dictionary)     one row
//	flush(first_seq INTEGER PRIMARY KEY, count, at_micros, hash, pack) one row a flush
//
// format is 1. previous_hash is the running hash before the file's first row. The dictionary is kept in each file, so that a
// file can be read by itself whatever dictionary a later version of the program ships.
//
// journal_id is the id with which the journal began. Where it goes by another one since (Renew), a file beside it says so:
//
//	DIR/journal-identity.json  {"format", "origin", "id", "renewals": [{"at", "old", "new", "why"}]}
//
// origin is journal_id; the file counts only where the two agree. It is replaced as a whole, so that the journal has one id or the
// other at any moment. Entries, sequence numbers and hashes stay as they are.
//
// # Running hash
//
//	hash = SHA-256(previous hash || first_seq || count || pack)
//
// with both numbers as eight bytes, most significant first. The hash before the first row of a journal is the SHA-256 of
// "halley journal " and journal_id.
//
// # Pack, format 1
//
// The pack is one zstd frame, made with the file's dictionary as raw content under the id that DictionaryID gives. Inside it, with "uvarint" and "varint" as in encoding/binary and "text" as a uvarint length and as many bytes:
//
//	byte     1, the version of this layout
//	then for every entry, in the order of their sequence numbers:
//	uvarint  receive time in microseconds, less that of the entry before (for the first: whole)
//	byte     kind
//	text     family
//	text     serial number
//	varint   entry point
//	byte     admission
//	text     quarantine
//	varint   original receive time in microseconds
//	uvarint  original sequence number
//	text     body
//
// at_micros of the row is the receive time of its first entry, for people who look at the file; reading checks that it agrees.
package journal
