package sqlserver

import (
	"fmt"
	"io/fs"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tooOpen says why a file may not hold a password, or "". Who may read it is a matter of the folder's access list, which an
// administrator sets.
func tooOpen(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return "is not a file"
	}
	return ""
}

// protection is for the machine and not for the user, because the service has an account of its own.
const protection = windows.CRYPTPROTECT_LOCAL_MACHINE | windows.CRYPTPROTECT_UI_FORBIDDEN

// protect encrypts for this machine alone.
func protect(plain []byte) ([]byte, error) {
	var sealed windows.DataBlob
	if err := windows.CryptProtectData(blob(plain), nil, nil, 0, nil, protection, &sealed); err != nil {
		return nil, fmt.Errorf("CryptProtectData: %w", err)
	}
	return take(sealed)
}

// unprotect decrypts what protect gave.
func unprotect(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, windows.ERROR_INVALID_DATA
	}
	var plain windows.DataBlob
	if err := windows.CryptUnprotectData(blob(sealed), nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, &plain); err != nil {
		return nil, fmt.Errorf("CryptUnprotectData: %w", err)
	}
	return take(plain)
}

func blob(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
}

// take copies what Windows allocated, and frees it.
func take(b windows.DataBlob) ([]byte, error) {
	own := make([]byte, b.Size)
	copy(own, unsafe.Slice(b.Data, b.Size)) //nolint:gosec // Windows says how long it is
	if _, err := windows.LocalFree(windows.Handle(unsafe.Pointer(b.Data))); err != nil {
		return nil, fmt.Errorf("freeing what Windows allocated: %w", err)
	}
	return own, nil
}
