package viewerapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"halley"
)

// viewerIndex is the page of the viewer, which answers every address inside it.
const viewerIndex = "index.html"

// hashedFolder is where the viewer's build puts files that carry a hash of their content in their name.
const hashedFolder = "assets/"

// contentTypes are those of the files that a viewer has. The table of the operating system is not asked: on some machines it
// calls scripts plain text, which browsers then refuse.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// viewerFiles are the files of the built viewer, held in memory.
type viewerFiles struct{ byName map[string]viewerFile }

// viewerFile is one of them.
type viewerFile struct {
	content     []byte
	contentType string
	tag         string
}

// newViewerFiles reads all files of the viewer; there are none in a nil file system.
func newViewerFiles(files fs.FS) (*viewerFiles, error) {
	v := &viewerFiles{byName: make(map[string]viewerFile)}
	if files == nil {
		return v, nil
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		kind, ok := contentTypes[path.Ext(name)]
		if !ok {
			kind = "application/octet-stream"
		}
		sum := sha256.Sum256(content)
		v.byName[name] = viewerFile{content: content, contentType: kind, tag: `W/"` + hex.EncodeToString(sum[:12]) + `"`}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the viewer: %w", err)
	}
	return v, nil
}

// serve answers with a file of the viewer. An address that is no file, and does not look like one, is a page inside the
// viewer: the browser gets index.html and finds the page itself.
func (v *viewerFiles) serve(w http.ResponseWriter, r *http.Request) error {
	noteOperation(r.Context(), "viewer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return errMethodNotAllowed
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	file, ok := v.byName[name]
	if !ok && path.Ext(name) == "" && !strings.HasPrefix(name, hashedFolder) {
		name = viewerIndex
		file, ok = v.byName[name]
	}
	if !ok {
		return &halley.Error{Kind: halley.NotFound, Op: "find a file of the viewer", Message: v.missing()}
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("ETag", file.tag)
	if strings.HasPrefix(name, hashedFolder) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
	return nil
}

// missing says why there is no file.
func (v *viewerFiles) missing() string {
	if len(v.byName) == 0 {
		return "this program was built without the viewer: use the API under /api/v1"
	}
	return "there is no such file: open /"
}
