package cometjson

import (
	"strconv"
	"unicode/utf8"
)

// The bounds of what a message may say about itself.
const (
	maxRemarks     = 16
	maxRemarkBytes = 160
	maxUnknown     = 4
	// maxShown is how many bytes of a device's own text a remark shows.
	maxShown = 40
)

// Remarks collects what decoding noticed and did not resolve, within bounds.
type Remarks struct {
	list []string
	left bool
	// unknown counts the fields that no document names.
	unknown int
}

// Add appends a remark: what it is about, and one line of plain English.
func (m *Remarks) Add(field, why string) {
	switch {
	case len(m.list) < maxRemarks-1:
		m.list = append(m.list, cut(field+": "+why, maxRemarkBytes))
	case !m.left:
		m.left = true
		m.list = append(m.list, "further remarks are left out")
	}
}

// AddUnknown appends a remark on a field that no document names. A few are enough: they must not crowd out others.
func (m *Remarks) AddUnknown(name []byte) {
	m.unknown++
	if m.unknown <= maxUnknown {
		m.Add("unknown field", Shown(name))
	}
}

// List gives the remarks in the order in which they came.
func (m *Remarks) List() []string { return m.list }

// Shown quotes a part of a body for a remark: escaped, in ASCII and cut.
func Shown(b []byte) string {
	if len(b) > maxShown {
		return strconv.QuoteToASCII(string(b[:maxShown])) + "..."
	}
	return strconv.QuoteToASCII(string(b))
}

// cut shortens s, which is valid UTF-8, to at most limit bytes at the border of a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
