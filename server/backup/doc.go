// Package backup keeps a server restorable: it writes backups of the store, the journal, the configuration and the keys, beside a
// running server and without stopping intake; it restores them to a new place; and it proves by a drill that they can be restored.
//
// # What a backup is
//
// A backup is a folder of its own in the place where backups are kept (an object prefix on an S3-compatible store), named
// halley-NODE-YYYYMMDDTHHMMSSZ:
//
//	manifest.json               what the backup is, readable without a key
//	store.zst[.age]             the store: a SQLite file, or a backup file of SQL Server
//	journal.tar.zst[.age]       the journal's files, its identity, and the quarantine
//	configuration.tar.zst[.age] the configuration as text, and the certificates that it names
//	keys.tar.zst[.age]          the keys of the data folder, without the private keys that sign the ledger
//
// The pieces are taken in this order, so that the journal reaches further than the store and the backup's end is the journal's
// snapshot: every message that was acknowledged before is in the backup. With age recipients each piece is encrypted to them; a
// server that only writes backups holds no key that opens them.
//
// The manifest is written last, a folder gets its name only then: what has no manifest is no backup. It holds the size and the
// SHA-256 of each piece as it lies there.
package backup
