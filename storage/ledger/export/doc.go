// Package export writes a ledger and what it covers to a folder of plain files, for somebody who checks it on a machine of their own,
// and reads such a folder as a ledger.Source, in a stream. docs/ledger.md describes the files.
//
//	manifest.json            what the folder holds
//	samples/2026-11-21.csv   the rows of message of a UTC day
//	ledger/batches.jsonl     all batches with the digests of all their parts
//	ledger/parts/2026-11-21.jsonl  the parts of a UTC day with their packs
//	ledger/facts.jsonl       all facts with their packs
//	ledger/checkpoints.jsonl, keys.jsonl, tombstones.jsonl, devices.jsonl
//	settings/limit.jsonl     the rows of a fact table, one file each
//
// There are no secrets in it: of columns that hold hashes of secrets it has the SHA-256 of the hash.
package export
