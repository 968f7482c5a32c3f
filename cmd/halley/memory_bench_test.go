package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fleets are the simulated devices of BenchmarkMemory: 10,000 of two families, for one run of the simulator has at most 9,999.
var fleets = []struct {
	family  string
	devices int
}{{"websensor", 5000}, {"wifi", 5000}}

// BenchmarkMemory reports the most memory that the program takes while 10,000 devices that it has never heard of appear and report
// each minute. HALLEY_BENCH_MEMORY says for how long; a fleet takes its first minute to appear.
func BenchmarkMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("only Linux tells the most memory that a process took")
	}
	lasting := os.Getenv("HALLEY_BENCH_MEMORY")
	if lasting == "" {
		lasting = "130s"
	}
	for range b.N {
		data := filepath.Join(b.TempDir(), "data")
		token := administrator(b, data)
		p := serving(b, data)
		var wg sync.WaitGroup
		for _, f := range fleets {
			wg.Go(func() {
				out, err := words(b, "simulate", "--to", "http://"+p.devices, "--family", f.family, "--devices", strconv.Itoa(f.devices),
					"--interval", "1m", "--for", lasting).CombinedOutput()
				if err != nil {
					b.Errorf("simulating the %s fleet: %v: %s", f.family, err, out)
				}
			})
		}
		wg.Wait()
		a := newAPI(b, p, token)
		a.flush(b.Context(), b)
		entries := a.status(b.Context(), b).Journal.Recorded
		peak := statusOf(b, p.cmd.Process.Pid, "VmHWM")
		var devices int
		if err := database(b, filepath.Join(data, "halley.db")).QueryRowContext(b.Context(), "SELECT count(*) FROM device").Scan(&devices); err != nil {
			b.Fatal(err)
		}
		p.stop(b)
		b.ReportMetric(float64(peak)/1000, "MB-peak")
		b.ReportMetric(float64(devices), "devices")
		b.ReportMetric(float64(entries), "messages")
		b.ReportMetric(0, "ns/op")
	}
}

// statusOf reads a figure of a process in kB (1,024 bytes, as the kernel counts) and gives it in thousands of bytes.
func statusOf(tb testing.TB, pid int, name string) int64 {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				tb.Fatalf("%s of process %d: %v", name, pid, err)
			}
			return n * 1024 / 1000
		}
	}
	tb.Fatalf("process %d tells no %s", pid, name)
	return 0
}
