package datadir

import (
	"path/filepath"

	"halley"
)

// WritePrivate writes a file anywhere as Dir.WriteFilePrivate writes one in the data folder: it is there whole or not at all, and
// only the owner of its folder can read it. It makes no folder.
func WritePrivate(path string, data []byte) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return &halley.Error{Kind: halley.Internal, Op: "write a private file", Err: err}
	}
	d := &Dir{path: filepath.Dir(abs)}
	return d.WriteFilePrivate(filepath.Base(abs), data)
}
