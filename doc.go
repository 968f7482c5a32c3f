// Package halley holds the words of Halley as types: devices, channels, messages, readings, samples, places and the people
// and programs that act on them. Every other package speaks in these types.
//
// It does no I/O, reads no clock, logs nothing and depends on the standard library alone.
package halley
