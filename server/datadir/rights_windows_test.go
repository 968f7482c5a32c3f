package datadir

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRightsTellWhoElseMayRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		sddl   string
		named  []string
		others bool
	}{
		"a folder below ProgramData": {
			"D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)", []string{"SY", "BA"}, true,
		},
		"a service's own": {
			"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-80-1-2-3-4-5)", []string{"SY", "BA", "S-1-5-80-1-2-3-4-5"}, false,
		},
		"no list":        {"D:NO_ACCESS_CONTROL", nil, true},
		"an empty list":  {"D:P", nil, false},
		"only a refusal": {"D:P(D;;FA;;;WD)(A;;FA;;;SY)", []string{"SY"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			named, others := split(c.sddl)
			if diff := cmp.Diff(c.named, named); diff != "" || others != c.others {
				t.Errorf("others %v, want %v; named (-want +got):\n%s", others, c.others, diff)
			}
		})
	}
}

func TestPrivateFileCanBeReadByTheAccountsOfTheFolder(t *testing.T) {
	t.Parallel()
	const service = "S-1-5-80-1-2-3-4-5" // what Windows makes of NT SERVICE\ and a name
	folder := t.TempDir()
	if err := setRights(folder, "OICI", service); err != nil {
		t.Fatal(err)
	}
	d := &Dir{path: folder}
	if err := d.WriteFilePrivate("secret.txt", []byte("x")); err != nil {
		t.Fatal(err)
	}
	named, others, err := accounts(d.Join("secret.txt"))
	if err != nil || others || !slices.Contains(named, service) {
		t.Errorf("the file is for %v, others %v, %v; want the service and nobody else", named, others, err)
	}
}

func TestFolderIsClosedToOthers(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	if err := restrict(path); err != nil {
		t.Fatal(err)
	}
	if open, err := isOpenToOthers(path, nil); err != nil || open {
		t.Errorf("after restrict others may still use it: %v, %v", open, err)
	}
}
