package main

import (
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSystemdIsTold(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no systemd")
	}
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := notifySystemd(t.Context(), []string{"A=b", "NOTIFY_SOCKET=" + socket}, "READY=1"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	n, err := conn.Read(b)
	if got := string(b[:n]); err != nil || got != "READY=1" {
		t.Errorf("systemd heard %q (%v), want READY=1", got, err)
	}
}

func TestWithoutSystemdNothingIsTold(t *testing.T) {
	t.Parallel()
	if err := notifySystemd(t.Context(), []string{"PATH=/bin"}, "READY=1"); err != nil {
		t.Error(err)
	}
	err := notifySystemd(t.Context(), []string{"NOTIFY_SOCKET=" + filepath.Join(t.TempDir(), "none")}, "READY=1")
	if err == nil || !strings.HasPrefix(err.Error(), "telling systemd READY=1: ") {
		t.Errorf("a socket that is not there: %v", err)
	}
}
