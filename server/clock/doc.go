// Package clock watches the server's clock: it notices jumps, asks a time source of the customer's network how far the clock is
// off, and gives the time to sensors that have no other source. It never sets the clock, and changes no time of any sample: what it
// finds is an act for the audit trail and a state for people.
package clock
