package datadir

import (
	"strings"
	"testing"
)

const mountinfo = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
95 22 0:52 / /mnt/share rw,nosuid shared:300 - fuse.sshfs user@host:/data rw,user_id=0
96 22 8:33 / /mnt/my\040disk rw shared:301 master:2 - fuseblk /dev/sdc1 rw
97 22 0:53 / /odd rw
98 22 0:54 / /none rw -
`

func TestFileSystemOfAMountIsFound(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ device, want, share string }{
		"a disk":                     {"254:1", "ext4", ""},
		"another machine by ssh":     {"0:52", "fuse.sshfs", "sshfs"},
		"a disk of another format":   {"8:33", "fuseblk", ""},
		"a line without a separator": {"0:53", "", ""},
		"a line that ends early":     {"0:54", "", ""},
		"a device that is not there": {"0:99", "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mountType(strings.NewReader(mountinfo), c.device)
			if got != c.want || fuseShares[got] != c.share {
				t.Errorf("the type is %q, a share of kind %q; want %q, %q", got, fuseShares[got], c.want, c.share)
			}
		})
	}
}

func TestLocalFolderIsNoShare(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir(), "/proc", "/dev"} {
		if kind, err := shareKind(path); err != nil || kind != "" {
			t.Errorf("%s is said to lie on %q, %v", path, kind, err)
		}
	}
	if _, err := shareKind("/not/there"); err == nil {
		t.Error("a folder that is not there gave no error")
	}
}
