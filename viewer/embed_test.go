package viewer

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHasPage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"a built viewer has its page":            {fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}}, true},
		"the placeholder alone is no viewer":     {fstest.MapFS{"placeholder": {Data: []byte("x")}}, false},
		"an empty page is no viewer":             {fstest.MapFS{"index.html": {}}, false},
		"a folder of the page's name is no page": {fstest.MapFS{"index.html/x": {Data: []byte("x")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := hasPage(tc.files); got != tc.want {
				t.Errorf("hasPage() = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestFilesAlwaysOpens(t *testing.T) {
	t.Parallel()
	files, _ := Files()
	if _, err := fs.Stat(files, "placeholder"); err != nil {
		t.Errorf("the committed placeholder is not embedded: %v", err)
	}
}

// What the page loads must be in the program, come from the same host and pass a policy that refuses anything inline.
func TestBuiltPageLoadsOnlyWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	files, built := Files()
	if !built {
		t.Skip("built without the viewer: run `npm ci --ignore-scripts && npm run build` in viewer/")
	}
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatalf("reading the page: %v", err)
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(page), -1)
	if len(refs) < 3 {
		t.Fatalf("the page names %d files, want its script, its styles and its icon", len(refs))
	}
	for _, ref := range refs {
		path, local := strings.CutPrefix(ref[1], "/")
		if !local || strings.HasPrefix(path, "/") {
			t.Errorf("the page loads %q, which is not of this server", ref[1])
			continue
		}
		if _, err := fs.Stat(files, path); err != nil {
			t.Errorf("the page loads %q, which is not embedded: %v", ref[1], err)
		}
	}
	for _, inline := range []string{"<style", "style=", "<script>", "onclick="} {
		if strings.Contains(string(page), inline) {
			t.Errorf("the page holds %q, which a strict policy refuses", inline)
		}
	}
}
