// Package retention removes whole UTC days of samples for good, as an act of two people: one plans it, another one carries it out.
// Without both nothing is ever removed. What is removed leaves a signed tombstone, so that the ledger still holds.
package retention
