package oidcsignin_test

import (
	"net/url"
	"strings"
	"testing"

	"halley/server/oidcsignin"
)

func TestOnlyPathsOfTheViewerAreGoneTo(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"/", "/places", "/places/7?from=2026-01-01T00:00:00Z&to=x%2By", "/people?q=%2F%2Fevil.example", "/a%20b"} {
		if got := oidcsignin.LocalPath(to); got != to {
			t.Errorf("%q became %q", to, got)
		}
	}
	for to, want := range map[string]string{"/?#%": "/", "/a?b=c#d": "/a?b=c", "/a#/../b": "/a", "/#": "/"} {
		if got := oidcsignin.LocalPath(to); got != want {
			t.Errorf("%q became %q, want %q", to, got, want)
		}
	}
	for _, to := range []string{
		"", "places", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%5cevil.example", "https://evil.example",
		"https:evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "/ /evil.example", "/%2F/evil.example",
		"/..//evil.example", "/a/../../evil", "/./x", "/%2e%2e/x", "/api/v1/session", "/api", "http://localhost@evil.example/",
		"/é", "/\x00", "/\u202e", "/" + strings.Repeat("a", 2000), "/%zz", " /x", "//", "/a//b", "/%2Fevil.example",
	} {
		if got := oidcsignin.LocalPath(to); got != "/" {
			t.Errorf("%q became %q, want /", to, got)
		}
	}
}

// FuzzLocalPath holds that no text leads to another host.
func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/", "//evil.example", "/\\evil.example", "/a?b=c#d", "https://evil.example", "/%2f%2fevil.example", "/?#%"} {
		f.Add(s)
	}
	base, err := url.Parse("https://halley.example:8443/api/v1/session/oidc/main/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got := oidcsignin.LocalPath(to)
		there, err := base.Parse(got)
		if err != nil || there.Host != base.Host || there.Scheme != base.Scheme || !strings.HasPrefix(got, "/") ||
			strings.HasPrefix(got, "//") || strings.HasPrefix(got, "/\\") || strings.HasPrefix(there.Path, "/api/") {
			t.Errorf("%q leads to %q: %v", to, got, err)
		}
	})
}
