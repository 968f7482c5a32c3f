package datadir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// shares are the file systems that lie on another machine, by the numbers of statfs(2).
var shares = map[int64]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.CIFS_SUPER_MAGIC: "CIFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.SMB2_SUPER_MAGIC: "SMB",
	unix.V9FS_MAGIC:       "9p",
	unix.CEPH_SUPER_MAGIC: "Ceph",
	unix.AFS_SUPER_MAGIC:  "AFS",
	unix.AFS_FS_MAGIC:     "AFS",
	unix.CODA_SUPER_MAGIC: "Coda",
	unix.NCP_SUPER_MAGIC:  "NCP",
}

// fuseShares are those among the FUSE file systems, by their subtype in /proc/self/mountinfo. All FUSE file systems have one
// number, and some lie on a disk of this machine.
var fuseShares = map[string]string{
	"fuse.sshfs":       "sshfs",
	"fuse.rclone":      "rclone",
	"fuse.s3fs":        "S3",
	"fuse.goofys":      "S3",
	"fuse.glusterfs":   "GlusterFS",
	"fuse.ceph-fuse":   "Ceph",
	"fuse.curlftpfs":   "FTP",
	"fuse.davfs2":      "WebDAV",
	"fuse.juicefs":     "JuiceFS",
	"fuse.seaweedfs":   "SeaweedFS",
	"fuse.gvfsd-fuse":  "GVfs",
	"fuse.smbnetfs":    "SMB",
	"fuse.vmhgfs-fuse": "a virtual machine's shared folder",
	"fuse.gcsfuse":     "Google Cloud Storage",
	"fuse.blobfuse2":   "Azure Blob Storage",
}

// shareKind names the network file system that path lies on; "" where it lies on this machine, or that cannot be told.
func shareKind(path string) (string, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return "", fmt.Errorf("statfs %s: %w", path, err)
	}
	// Some of the numbers have their highest bit set, which the type of s.Type extends on some machines.
	number := int64(uint32(s.Type))
	if number != unix.FUSE_SUPER_MAGIC {
		return shares[number], nil
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", fmt.Errorf("stat %s: %w", path, err)
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", nil // without the list of mounts it cannot be told
	}
	defer mounts.Close()
	return fuseShares[mountType(mounts, fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))], nil
}

// mountType gives the file system type of a device, "major:minor", from the text of /proc/self/mountinfo (proc(5)); "" where it
// is not there.
func mountType(mounts io.Reader, device string) string {
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		// 36 35 98:0 /root /mountpoint options optional... - type source options
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if ok && len(fields) > 2 && len(rest) > 0 && fields[2] == device {
			return rest[0]
		}
	}
	return ""
}
