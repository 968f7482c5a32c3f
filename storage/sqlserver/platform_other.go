//go:build !windows

package sqlserver

import (
	"errors"
	"syscall"

	// Kerberos, which the parameter authenticator=krb5 chooses, registers itself.
	_ "github.com/microsoft/go-mssqldb/integratedauth/krb5"
)

// isRefused says whether a host answered that nothing listens there.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
