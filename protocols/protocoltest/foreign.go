package protocoltest

import (
	"os"
	"path/filepath"

	"halley/protocols"
)

// checkForeign wants the golden bodies of the other families not to be recognized: at most one family may recognize a body.
// They are found beside the package under test.
func checkForeign(r reporter, p protocols.Protocol, _ *subject) {
	r.Helper()
	own, err := filepath.Abs(".")
	if err != nil {
		r.Errorf("%v", err)
		return
	}
	paths, err := filepath.Glob(filepath.Join("..", "*", casesFolder, "*", "request.body"))
	if err != nil {
		r.Errorf("%v", err)
		return
	}
	for _, path := range paths {
		if family := filepath.Clean(filepath.Join(filepath.Dir(path), "..", "..", "..")); filepath.Base(family) == filepath.Base(own) {
			continue
		}
		body, err := os.ReadFile(path)
		if err != nil {
			r.Errorf("%v", err)
			continue
		}
		if p.Recognizes(body) {
			r.Errorf("recognizes %s, which is of another family", path)
		}
	}
	for _, body := range []string{"", " ", "\xef\xbb\xbf", "{}", "[]", "null", "hello", "<html></html>", "a=1&b=2", "\x00\x01\x02"} {
		if p.Recognizes([]byte(body)) {
			r.Errorf("recognizes %q, which no device sends", body)
		}
	}
}
