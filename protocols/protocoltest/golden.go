package protocoltest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/protocols"
)

// casesFolder is where a family keeps its golden cases.
const casesFolder = "testdata/cases"

// goldenCase is one folder of golden files.
type goldenCase struct {
	name   string
	folder string
	body   []byte
}

// readCases reads all cases of the package under test.
func readCases(tb testing.TB) []goldenCase {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(casesFolder, "*", "request.body"))
	if err != nil {
		tb.Fatalf("protocoltest: %v", err)
	}
	if len(paths) == 0 {
		tb.Fatalf("protocoltest: no %s/NAME/request.body", casesFolder)
	}
	cases := make([]goldenCase, 0, len(paths))
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			tb.Fatalf("protocoltest: %v", err)
		}
		folder := filepath.Dir(path)
		cases = append(cases, goldenCase{name: filepath.Base(folder), folder: folder, body: body})
	}
	return cases
}

// runGolden compares what the protocol makes of each case with its golden files, or rewrites these.
func runGolden(t *testing.T, p protocols.Protocol, cases []goldenCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !p.Recognizes(c.body) {
				t.Errorf("Recognizes gives false for the body of case %s", c.name)
			}
			up, err := p.Decode(bytes.Clone(c.body))
			wantJSON, wantErr := "", ""
			if err == nil {
				wantJSON = readable(&up)
			} else {
				wantErr = readableError(&up, err)
			}
			compareGolden(t, filepath.Join(c.folder, "want.json"), wantJSON)
			compareGolden(t, filepath.Join(c.folder, "want.err"), wantErr)
			compareGolden(t, filepath.Join(c.folder, "reply.txt"), readableReply(p.Reply(&up, protocols.Stored)))
		})
	}
}

// compareGolden holds got against a golden file; an empty got wants no file. With -update it writes or removes the file.
func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := writeGolden(path, got); err != nil {
			t.Fatalf("protocoltest: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("protocoltest: %v", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func writeGolden(path, got string) error {
	if got != "" {
		return os.WriteFile(path, []byte(got), 0o644)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a golden file: %w", err)
	}
	return nil
}

// readableError gives the text of want.err.
func readableError(up *halley.Upload, err error) string {
	de, ok := errors.AsType[*protocols.DecodeError](err)
	if !ok {
		return fmt.Sprintf("not a *protocols.DecodeError: %v\n", err)
	}
	return fmt.Sprintf("error: %s\nat: %d\nserial: %s\n", de.Error(), de.At, up.Serial)
}

// readableReply gives the text of reply.txt.
func readableReply(r protocols.Reply) string {
	return fmt.Sprintf("%d\n%s\n\n%s", r.Status, r.ContentType, r.Body)
}
