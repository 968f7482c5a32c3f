// Package sqlkit implements storage.Store over database/sql for every engine. Statements use named parameters (@name) and the
// SQL that the engines share; what truly differs is in a Dialect, which the engine's own package gives.
//
// One writer goes at a time: every change is one transaction under the engine's lock, in which ids are handed out as the
// highest plus one. Readers use connections of their own and never hold a transaction between two statements.
package sqlkit
