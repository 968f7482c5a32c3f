package passwords

import (
	"bytes"
	"compress/gzip"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "compress testdata/common.txt anew")

// TestListInTheProgramIsTheOneInTheFile compresses testdata/common.txt with -update.
func TestListInTheProgramIsTheOneInTheFile(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/common.txt")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		var packed bytes.Buffer
		w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.Write(want); err == nil {
			err = w.Close()
		}
		if err == nil {
			err = os.WriteFile("common.txt.gz", packed.Bytes(), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := unpack(commonList)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run the test with -update (-file +program):\n%s", diff)
	}
}

func TestListHoldsFoldedWordsOnceInOrder(t *testing.T) {
	t.Parallel()
	text, err := unpack(commonList)
	if err != nil {
		t.Fatal(err)
	}
	n, last := 0, ""
	for line := range strings.Lines(text) {
		word := strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(word, "# ") {
			continue
		}
		if word != folded(word) || strings.TrimSpace(word) != word || word <= last {
			t.Errorf("%q behind %q is not folded, not trimmed or not in order", word, last)
		}
		n, last = n+1, word
	}
	if n < 5000 {
		t.Errorf("the list has %d entries, want at least 5000", n)
	}
}
