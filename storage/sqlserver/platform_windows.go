package sqlserver

import (
	"errors"

	"golang.org/x/sys/windows"

	// Named pipes and shared memory, which the parameter protocol chooses, register themselves.
	_ "github.com/microsoft/go-mssqldb/namedpipe"
	_ "github.com/microsoft/go-mssqldb/sharedmemory"
)

// isRefused says whether a host answered that nothing listens there.
func isRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }
