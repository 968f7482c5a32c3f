// Package viewer holds the built web viewer, so that the server needs no file beside its program.
package viewer

import (
	"embed"
	"fmt"
	"io/fs"
)

// The folder dist is made by `npm run build`. Only its placeholder is committed, so that Go builds without it.
//
//go:embed all:dist
var dist embed.FS

// Files gives the built viewer, with index.html at its root, and whether the viewer is in it. Where it is not, the
// program was built without the viewer and the file system holds no page.
func Files() (files fs.FS, built bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		// fs.Sub refuses only names that are not valid paths; this one is a constant.
		panic(fmt.Sprintf("opening the built viewer: %v", err))
	}
	return files, hasPage(files)
}

// hasPage says whether files holds the page that everything else is loaded from.
func hasPage(files fs.FS) bool {
	info, err := fs.Stat(files, "index.html")
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}
