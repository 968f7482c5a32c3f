package config

import _ "embed" // The documented file.

//go:embed halley.toml
var documented string

// Documented gives the example halley.toml: every setting explained, each with its default as a comment.
func Documented() string { return documented }
