package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// socket is one of a process, as /proc/PID/net shows it (proc_net_tcp(5)).
type socket struct {
	protocol      string
	local, remote string
	port          uint16
	listens       bool
}

// sockets gives the internet sockets that a process holds now, by inode.
func sockets(pid int) (map[string]socket, error) {
	// The table is read before the descriptors: a socket that is in both was open all the time between. One that came later
	// is seen at the next look; one whose entry is gone is no longer connected.
	known := map[string]socket{}
	for _, protocol := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		if err := socketTable(pid, protocol, known); err != nil {
			return nil, err
		}
	}
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	held := map[string]socket{}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(folder, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			return nil, err
		}
		inode, ok := strings.CutPrefix(to, "socket:[")
		if s, internet := known[strings.TrimSuffix(inode, "]")]; ok && internet {
			held[inode] = s
		}
	}
	return held, nil
}

func socketTable(pid int, protocol string, into map[string]socket) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, protocol))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a machine without IPv6
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[0] == "sl" {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		number, err := strconv.ParseUint(port, 16, 16)
		if err != nil {
			return fmt.Errorf("/proc/%d/net/%s: %q", pid, protocol, lines.Text())
		}
		const listening = "0A"
		into[fields[9]] = socket{
			protocol: protocol, local: plainAddress(address), remote: fields[2], port: uint16(number),
			listens: strings.HasPrefix(protocol, "tcp") && fields[3] == listening,
		}
	}
	return lines.Err()
}

// peer gives HOST:PORT of the other end; "" where there is none.
func (s socket) peer() string {
	address, port, _ := strings.Cut(s.remote, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil || number == 0 {
		return ""
	}
	return net.JoinHostPort(plainAddress(address), strconv.FormatUint(number, 10))
}

// plainAddress turns an address around, which the kernel prints as words of the machine.
func plainAddress(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%4 != 0 {
		return text
	}
	for word := range slices.Chunk(b, 4) {
		slices.Reverse(word)
	}
	return net.IP(b).String()
}

// onlyAccepts looks at a server's sockets again and again.
type onlyAccepts struct {
	ports map[uint16]bool
	// to is the only address that it may connect to; "" for none.
	to                      string
	looks, accepted, opened int
}

// look fails where the server holds a socket that is neither one of its listeners nor a connection that such a one accepted:
// that has the listener's port, which a connection that the server opened cannot have.
func (o *onlyAccepts) look(t *testing.T, p *program) {
	t.Helper()
	held, err := sockets(p.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	o.looks++
	for _, s := range held {
		switch {
		case !strings.HasPrefix(s.protocol, "tcp"):
			t.Errorf("the server holds a socket of %s: %+v", s.protocol, s)
		case s.listens && len(o.ports) < 3:
			o.ports[s.port] = true
		case o.to != "" && s.peer() == o.to:
			o.opened++
		case !o.ports[s.port]:
			t.Errorf("the server has a connection that none of its listeners accepted: %+v", s)
		case !s.listens:
			o.accepted++
		}
	}
}

func TestPlainAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0100007F":                         "127.0.0.1",
		"00000000":                         "0.0.0.0",
		"00000000000000000000000001000000": "::1",
		"odd":                              "odd",
	} {
		if got := plainAddress(text); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// TestSocketsAreFound makes sure that the look would see what must not be there.
func TestSocketsAreFound(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("sockets are looked at under /proc, which only Linux has")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	held, err := sockets(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, s := range held {
		found[fmt.Sprintf("%s:%d %v", s.protocol, s.port, s.listens)] = true
		found["to "+s.peer()] = true
	}
	for _, want := range []string{
		fmt.Sprintf("tcp:%d true", l.Addr().(*net.TCPAddr).Port),
		fmt.Sprintf("tcp:%d false", dialled.LocalAddr().(*net.TCPAddr).Port),
		fmt.Sprintf("udp:%d false", packets.LocalAddr().(*net.UDPAddr).Port),
		"to " + l.Addr().String(),
	} {
		if !found[want] {
			t.Errorf("%s is not among the sockets found: %v", want, slices.Sorted(maps.Keys(found)))
		}
	}
}

// TestNothingGoesOut looks at the server's sockets from its start to its end while devices send, with and without TLS, and a
// viewer asks: it opens no connection and no other socket.
func TestNothingGoesOut(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("sockets are looked at under /proc, which only Linux has")
	}
	data := filepath.Join(t.TempDir(), "data")
	token := administrator(t, data)
	// Off loopback, and here by the setting, the viewer speaks TLS.
	file := configured(t, "[viewer]\nplain-on-loopback = false\n[recorder]\nevery = \"100ms\"\n")
	p := launch(t, data, "--devices", "https://127.0.0.1:0", "--config", file)
	o := onlyAccepts{ports: map[uint16]bool{}}
	ready := make(chan error, 1)
	go func() { ready <- p.awaitReady() }()
	for waiting := true; waiting; {
		select {
		case err := <-ready:
			if err != nil {
				t.Fatal(err)
			}
			waiting = false
		default:
			o.look(t, p)
		}
	}
	o.look(t, p)
	if want := portsOf(t, p.devices, p.secured, p.viewer); !cmp.Equal(want, o.ports) {
		t.Fatalf("the listeners' ports are %v, want %v", o.ports, want)
	}

	ctx, cancel := context.WithTimeout(t.Context(), failsafe)
	defer cancel()
	crowd := atWork(ctx, unhurried(newSenders(8, newBoard(p.devices))))
	secured := words(t, "simulate", "--to", "https://"+p.secured, "--insecure", "--family", "wifi", "--devices", "3",
		"--interval", "0", "--messages", "1", "--cached", "100")
	if err := secured.Start(); err != nil {
		t.Fatal(err)
	}
	a := trustingAPI(t, p, token)
	for range 20 {
		for _, path := range []string{"/status", "/devices", "/latest"} {
			if err := a.ask(ctx, http.MethodGet, path, nil); err != nil {
				t.Fatal(err)
			}
			o.look(t, p)
		}
	}
	if err := secured.Wait(); err != nil {
		t.Errorf("the devices that speak TLS: %v", err)
	}
	crowd.rest(t)
	a.flush(ctx, t)
	o.look(t, p)
	p.stop(t)
	if o.accepted == 0 {
		t.Error("no accepted connection was seen")
	}
	t.Logf("%d looks, %d times an accepted connection, nothing else", o.looks, o.accepted)
}

func portsOf(t *testing.T, addresses ...string) map[uint16]bool {
	t.Helper()
	ports := map[uint16]bool{}
	for _, address := range addresses {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports[uint16(n)] = true
	}
	return ports
}
