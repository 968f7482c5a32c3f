package journal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"halley"
	"halley/server/journal"
)

// soapBody is about what a Web Sensor of the T-line sends.
func soapBody(r *rand.Rand) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" `+
		`xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
<soap:Body><InsertTx5xxSample xmlns="http://cometsystem.cz/schemas/soapTx5xx_v2.xsd">
<passKey>%08d</passKey>
<device>4145</device>
<temp>%.1f</temp>
<relHum>%.1f</relHum>
<compQuant>%.1f</compQuant>
<pressure>-9999</pressure>
<alarms>no,no,no,no</alarms>
<compType>Dew point</compType>
<tempU>C</tempU>
<pressureU>n/a</pressureU>
<timer>60</timer>
</InsertTx5xxSample></soap:Body>
</soap:Envelope>
%s`, r.IntN(10000), r.NormFloat64()*5+20, r.Float64()*100, r.NormFloat64()*5+10, padding)
}

// padding brings a body to the 900 bytes of a real one.
const padding = `<!-- ------------------------------------------------------------------------------------------------------------------------
------------------------------------------------------------------------------------------------------------------------ -->`

func soapEntry(r *rand.Rand) journal.Entry {
	return journal.Entry{
		Kind: journal.Upload, Family: halley.WebSensor, Serial: fmt.Sprintf("%08d", r.IntN(10000)), Body: soapBody(r),
	}
}

// appenders is how many upload at one time.
const appenders = 64

// BenchmarkAppend compares 64 callers of Append with as many callers that have their bodies appended to a plain file and share
// one sync: "ratio" is how fast the journal is against that.
func BenchmarkAppend(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	dictionary := soapBody(r)
	entries := make([]journal.Entry, 1024)
	for i := range entries {
		entries[i] = soapEntry(r)
	}
	j, err := journal.Open(b.Context(), journal.Options{Dir: b.TempDir(), Dictionary: dictionary})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close(b.Context()) })
	plain := newPlainFile(b)

	const rounds = 10
	var journaled, bare time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for i := range 2 * rounds {
		n := max(b.N/(2*rounds), 1)
		if i%2 == 0 {
			journaled += together(n, func(k int) error {
				_, err := j.Append(b.Context(), entries[k%len(entries)])
				return err
			}, b)
		} else {
			bare += together(n, func(k int) error { return plain.append(entries[k%len(entries)].Body) }, b)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(bare)/float64(journaled), "ratio")
	b.ReportMetric(float64(rounds*max(b.N/(2*rounds), 1))/journaled.Seconds(), "entries/s")
}

// together has n calls made by 64 callers and gives how long that took.
func together(n int, do func(k int) error, b *testing.B) time.Duration {
	b.Helper()
	start := time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range appenders {
		wg.Go(func() {
			for k := int(next.Add(1)); k <= n; k = int(next.Add(1)) {
				if err := do(k); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// plainFile is the least that keeps a body: it is appended to a file, and all who wait share a sync.
type plainFile struct {
	mu      sync.Mutex
	file    *os.File
	buffer  []byte
	waiting *flushed
	work    chan struct{}
}

type flushed struct {
	done chan struct{}
	err  error
}

func newPlainFile(b *testing.B) *plainFile {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "bodies"))
	if err != nil {
		b.Fatal(err)
	}
	p := &plainFile{file: f, waiting: &flushed{done: make(chan struct{})}, work: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.run()
	}()
	b.Cleanup(func() {
		close(p.work)
		<-ended
		_ = f.Close()
	})
	return p
}

func (p *plainFile) append(body []byte) error {
	p.mu.Lock()
	p.buffer = append(p.buffer, body...)
	w := p.waiting
	p.mu.Unlock()
	select {
	case p.work <- struct{}{}:
	default:
	}
	<-w.done
	return w.err
}

func (p *plainFile) run() {
	var spare []byte
	for range p.work {
		p.mu.Lock()
		buffer, w := p.buffer, p.waiting
		p.buffer, p.waiting = spare[:0], &flushed{done: make(chan struct{})}
		p.mu.Unlock()
		_, w.err = p.file.Write(buffer)
		if err := p.file.Sync(); w.err == nil {
			w.err = err
		}
		close(w.done)
		spare = buffer
	}
}

// BenchmarkSize reports what an upload takes on disk.
func BenchmarkSize(b *testing.B) {
	for _, size := range []int{1, appenders} {
		for _, with := range []bool{false, true} {
			b.Run(fmt.Sprintf("group=%d/dictionary=%t", size, with), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				options := journal.Options{Dir: b.TempDir()}
				if with {
					options.Dictionary = soapBody(r)
				}
				j, err := journal.Open(b.Context(), options)
				if err != nil {
					b.Fatal(err)
				}
				const flushes = 4000
				written := bytesWritten(b)
				for range flushes {
					group := make([]journal.Entry, size)
					for i := range group {
						group[i] = soapEntry(r)
					}
					if err := journal.AppendTogether(b.Context(), j, group); err != nil {
						b.Fatal(err)
					}
				}
				if err := j.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(j.Usage().Bytes)/float64(size*flushes), "bytes/entry")
				b.ReportMetric(float64(bytesWritten(b)-written)/float64(size*flushes), "written/entry")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// bytesWritten gives what this process has given to write calls so far, files and all else; 0 where the system does not tell.
func bytesWritten(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "wchar: "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	return 0
}
