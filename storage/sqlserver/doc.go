// Package sqlserver keeps the samples in Microsoft SQL Server, 2016 SP1 or newer, every edition. It is the part of the store that
// differs from other engines: how to reach the server, what its failures mean, its schema and its bulk copy; what all engines
// share is in storage/internal/sqlkit.
//
// Opening a store does not need the server: it may be away, and whoever uses the store hears so then. The schema is made and
// changed by Init only, never by a server that runs.
//
// No error, log line or report of this package holds a password or the name of a login.
package sqlserver
