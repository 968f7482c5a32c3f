package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
)

// errLocked says that another process holds the lock.
var errLocked = errors.New("another process holds the lock")

// tryLock locks the open file for this process, without waiting. The byte that is locked lies far behind the file's end, so
// that others can read who holds it.
func tryLock(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return errLocked
	case err != nil:
		return fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return nil
}

// broad are the groups that hold people who have nothing to do with Halley, as SDDL writes them: everyone, users,
// authenticated and interactive ones, guests, those of the domain, whoever comes over the network, all packaged programs.
var broad = []string{"WD", "BU", "AU", "IU", "BG", "LG", "DU", "DG", "DC", "AN", "NU", "AC"}

// allowed finds the accounts that an SDDL text lets do something.
var allowed = regexp.MustCompile(`\(A;[^;)]*;[^;)]*;[^;)]*;[^;)]*;([^;)]+)\)`)

// isOpenToOthers says whether people who have nothing to do with Halley have rights on the folder.
func isOpenToOthers(path string, _ fs.FileInfo) (bool, error) {
	_, others, err := accounts(path)
	return others, err
}

// accounts gives the accounts that have rights on a folder, without the broad groups, and whether those have some too.
func accounts(path string) (named []string, others bool, err error) {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil, false, fmt.Errorf("looking at the rights on %s: %w", path, err)
	}
	named, others = split(descriptor.String())
	return named, others, nil
}

func split(sddl string) (named []string, others bool) {
	entries := allowed.FindAllStringSubmatch(sddl, -1)
	if len(entries) == 0 && !strings.Contains(sddl, "D:P") {
		return nil, true // no list at all: everyone may do everything
	}
	for _, entry := range entries {
		switch account := entry[1]; {
		case slices.Contains(broad, account):
			others = true
		case account != "CO" && account != "CG" && !slices.Contains(named, account): // placeholders for what is made later
			named = append(named, account)
		}
	}
	return named, others
}

// restrict gives a new or empty folder to SYSTEM, Administrators and the account of this process, for all that will lie in it,
// and cuts it off from the rights of the folders above.
func restrict(path string) error {
	user, err := currentUser()
	if err != nil {
		return err
	}
	return setRights(path, "OICI", user)
}

// tighten takes the rights of the broad groups from one of Halley's own folders. The accounts that are named keep theirs: the
// service may be among them, while this is an administrator's command.
func tighten(path string) error {
	user, err := currentUser()
	if err != nil {
		return err
	}
	named, _, err := accounts(path)
	if err != nil {
		return err
	}
	return setRights(path, "OICI", append(named, user)...)
}

// keepPrivate gives a file to SYSTEM, Administrators, the account of this process, and the owner of the data folder with the
// accounts it names: the service is among them, while this may be an administrator's command.
func keepPrivate(f *os.File, folder string) error {
	user, err := currentUser()
	if err != nil {
		return err
	}
	descriptor, err := windows.GetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("looking at the folder's owner: %w", err)
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return fmt.Errorf("looking at the folder's owner: %w", err)
	}
	named, _, err := accounts(folder)
	if err != nil {
		return err
	}
	return setRights(f.Name(), "", append(named, user, owner.String())...)
}

// giveToOwner has nothing to do: what lies in the folder inherits its rights.
func giveToOwner(*os.File, string) error { return nil }

// currentUser gives the identifier of the account of this process.
func currentUser() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", fmt.Errorf("finding the account of this process: %w", err)
	}
	return user.User.Sid.String(), nil
}

// setRights lets SYSTEM, Administrators and the given accounts do everything, and nobody else anything. Inherit is "OICI" for
// what lies in a folder too.
func setRights(path, inherit string, accounts ...string) error {
	var b strings.Builder
	b.WriteString("D:P") // protected: nothing comes from above
	all := append([]string{"SY", "BA"}, accounts...)
	slices.Sort(all)
	for _, account := range slices.Compact(all) {
		b.WriteString("(A;" + inherit + ";FA;;;" + account + ")")
	}
	descriptor, err := windows.SecurityDescriptorFromString(b.String())
	if err != nil {
		return fmt.Errorf("describing the rights on %s: %w", path, err)
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return fmt.Errorf("describing the rights on %s: %w", path, err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	if err != nil {
		return fmt.Errorf("setting the rights on %s: %w", path, err)
	}
	return nil
}

// shareKind names the network share that path lies on; "" where it lies on a disk of this machine.
func shareKind(path string) (string, error) {
	slashed := filepath.ToSlash(path)
	local := strings.HasPrefix(slashed, "//?/") || strings.HasPrefix(slashed, "//./")
	if strings.HasPrefix(slashed, "//") && !local || strings.HasPrefix(strings.ToUpper(slashed), "//?/UNC/") {
		return "UNC path", nil
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return "", fmt.Errorf("finding the disk of %s: %w", path, err)
	}
	volume := make([]uint16, windows.MAX_PATH+1)
	if err := windows.GetVolumePathName(name, &volume[0], uint32(len(volume))); err != nil {
		return "", fmt.Errorf("finding the disk of %s: %w", path, err)
	}
	if windows.GetDriveType(&volume[0]) == windows.DRIVE_REMOTE {
		return "network drive " + windows.UTF16ToString(volume), nil
	}
	return "", nil
}

// freeBytes gives what is left for this account, within its quota.
func freeBytes(path string) (int64, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, fmt.Errorf("finding the disk of %s: %w", path, err)
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("measuring the disk of %s: %w", path, err)
	}
	return int64(min(free, 1<<62)), nil
}
