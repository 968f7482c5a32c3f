package oidcsignin

import (
	"net/url"
	"strings"
)

// pathBytes bounds where somebody goes after signing in.
const pathBytes = 2000

// LocalPath gives to where it is a path of this viewer, with its query but without what follows a "#", and "/" for everything else: no
// other host, and no operation of the API, can be reached by it.
func LocalPath(to string) string {
	const home = "/"
	if len(to) > pathBytes || !strings.HasPrefix(to, home) || strings.Contains(to, "\\") {
		return home
	}
	// Browsers drop some characters of an address, which would bring others together.
	if strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return home
	}
	// The parser of request lines takes a fragment for a part of the path or of the query.
	to, _, _ = strings.Cut(to, "#")
	u, err := url.ParseRequestURI(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return home
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == ".." || part == "." {
			return home
		}
	}
	if u.Path == "/api" || strings.HasPrefix(u.Path, "/api/") {
		return home
	}
	local := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	return local.String()
}
