package main

import (
	"strconv"
	"strings"
)

// cell gives a text for a terminal. Names of devices are hostile: control and bidi characters are shown as escapes.
func cell(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(s)
			return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
		}
	}
	return s
}
