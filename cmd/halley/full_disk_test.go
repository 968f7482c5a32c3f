//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideNamespace is set in a process of this test binary that may mount because it runs in namespaces of its own.
const insideNamespace = "HALLEY_TEST_INSIDE_NAMESPACE"

// onSmallDisk does a test with a file system of so many megabytes. Where this account may not mount one, the test runs again in a
// process with a user and a mount namespace of its own. A limit on the size of files (RLIMIT_FSIZE) would not do instead: it
// shows as a failed write, not as a full disk.
func onSmallDisk(t *testing.T, megabytes string, do func(disk string)) {
	t.Helper()
	disk := t.TempDir()
	err := unix.Mount("tmpfs", disk, "tmpfs", 0, "mode=0700,size="+megabytes+"m")
	switch {
	case err == nil:
		// The server is killed before, for it was launched later.
		t.Cleanup(func() {
			if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
				t.Errorf("unmounting the small disk: %v", err)
			}
		})
		do(disk)
	case os.Getenv(insideNamespace) == "":
		againInNamespace(t)
	default:
		t.Skipf("NOT TESTED, what happens on a full disk: a small file system cannot be mounted, not in a user namespace either: %v", err)
	}
}

// againInNamespace runs this test in another process, which may mount.
func againInNamespace(t *testing.T) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), insideNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	_, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case err != nil && !ended:
		t.Skipf("NOT TESTED, what happens on a full disk: this account may neither mount a small file system nor make a user namespace: %v", err)
	case err != nil:
		t.Errorf("in a user namespace: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skip(string(out))
	default:
		t.Logf("in a user namespace:\n%s", out)
	}
}

// fill writes a file until the disk is full, and then gives so many bytes back.
func fill(t *testing.T, disk string, room int64) (ballast string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for chunk := make([]byte, 64<<10); len(chunk) >= 4<<10; {
		n, err := f.Write(chunk)
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) {
			chunk = chunk[:len(chunk)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(max(size-room, 0)); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TestFullDisk fills the disk under the running server: devices are told "not stored", nothing is harmed, and all goes on when
// there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	onSmallDisk(t, "24", func(disk string) {
		ctx, cancel := context.WithTimeout(t.Context(), failsafe)
		defer cancel()
		data := filepath.Join(disk, "data")
		token := administrator(t, data)
		p := serving(t, data, "--config", configured(t, "[recorder]\nevery = \"100ms\"\n"))
		a := newAPI(t, p, token)
		senders := newSenders(8, newBoard(p.devices))
		crowd := atWork(ctx, senders)
		until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 50 })

		ballast := fill(t, disk, 512<<10)
		full := until(ctx, t, a, "the full disk", func(s standing) bool { return s.Journal.State == "full" })
		// All devices go on for a while and are refused.
		until(ctx, t, a, "more refusals and a status that says so", func(s standing) bool {
			return s.requests() > full.requests()+1000 && s.State == "failing" && s.says("journal-full", "failing")
		})
		if !p.lives() {
			t.Fatalf("the server ended and said\n%s", p.said.String())
		}

		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		again := until(ctx, t, a, "room", func(s standing) bool { return s.State == "ok" })
		until(ctx, t, a, "new messages", func(s standing) bool { return s.Journal.Last > again.Journal.Last+100 })
		crowd.rest(t)
		a.flush(ctx, t)
		if s := a.status(ctx, t); s.State != "ok" || s.Journal.Recorded != s.Journal.Last {
			t.Errorf("when all is recorded the status is %+v", s)
		}
		p.stop(t)
		o := account(t, data, senders)
		soundDatabases(t, data)
		if o.refused == 0 {
			t.Error("no device was refused")
		}
		t.Logf("%v refused=%d", o, o.refused)
	})
}

// TestFullDiskOfTheStoreAlone fills the disk of the store, which lies on another one than the journal: devices notice nothing.
func TestFullDiskOfTheStoreAlone(t *testing.T) {
	t.Parallel()
	onSmallDisk(t, "24", func(disk string) {
		ctx, cancel := context.WithTimeout(t.Context(), failsafe)
		defer cancel()
		data := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(disk, "halley.db"), filepath.Join(data, "halley.db")); err != nil {
			t.Fatal(err)
		}
		token := administrator(t, data)
		p := serving(t, data, "--config", configured(t, "[recorder]\nevery = \"100ms\"\n"))
		a := newAPI(t, p, token)
		senders := newSenders(8, newBoard(p.devices))
		crowd := atWork(ctx, senders)
		until(ctx, t, a, "a first batch", func(s standing) bool { return s.Journal.Recorded > 50 })

		ballast := fill(t, disk, 0)
		full := until(ctx, t, a, "the full disk", func(s standing) bool { return s.Store.State != "ok" })
		if full.State != "degraded" || full.Store.State != "full" || !full.says("store-full", "degraded") || full.Journal.State != "ok" {
			t.Errorf("on a full disk of the store the status is %+v", full)
		}
		until(ctx, t, a, "further messages", func(s standing) bool { return s.Journal.Last > full.Journal.Last+500 })

		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		crowd.rest(t)
		a.flush(ctx, t)
		if s := a.status(ctx, t); s.State != "ok" || s.Store.State != "ok" {
			t.Errorf("when there is room again the status is %+v", s)
		}
		p.stop(t)
		o := account(t, data, senders)
		soundDatabases(t, data)
		if o.refused != 0 {
			t.Errorf("%d messages were refused because of the store", o.refused)
		}
		t.Logf("%v", o)
	})
}
