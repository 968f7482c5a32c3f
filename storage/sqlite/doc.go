// Package sqlite is the embedded store: one SQLite file with one writing connection, a few readers, a write-ahead log and every
// commit flushed to the disk. Other processes, such as Halley's own commands and any SQLite tool, may use the file meanwhile.
//
// What is shared with the other store is in storage/internal/sqlkit; here are the schema, the statements that differ, the
// result codes and the opening of the file.
package sqlite
