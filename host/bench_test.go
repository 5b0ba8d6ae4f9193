//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// tiny writes a program that does nothing but exit.
func tiny(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny")
	if err := tinyelf.Write(path, tinyelf.Exit(0)); err != nil {
		t.Fatal(err)
	}
	return path
}

func startWait(h *host.Host, path string) error {
	p, err := h.Start(context.Background(), spawn.Spec{Path: path, Env: []string{}})
	if err != nil {
		return err
	}
	_, err = p.Wait()
	return err
}

func execRun(path string) error {
	cmd := exec.Command(path)
	cmd.Env = []string{}
	return cmd.Run()
}

// A rival is one of two ways to do the same.
type rival struct {
	name string
	run  func() error
	all  func() error // instead of run: all spawns of a round

	took              []time.Duration // by each spawn, or each round
	spawns, cpu, ctxt float64         // of the whole machine, in all rounds
}

// against lets two ways run in turn, A B A B, in rounds of n spawns by so many
// callers at once. It prints for each what a spawn takes, what it costs the
// machine in processor time and in switches from thread to thread, and the
// ratio of the times. The time is the median of all spawns when there is one
// caller, and else that of a round divided by n: the reciprocal of the throughput.
func against(b *testing.B, callers, n int, a, o rival) {
	rivals := []*rival{&a, &o}
	for b.Loop() {
		for _, r := range rivals {
			busy, switches := machine(b)
			took, err := r.round(callers, n)
			if err != nil {
				b.Fatal(r.name, ": ", err)
			}
			nowBusy, nowSwitches := machine(b)
			r.took = append(r.took, took...)
			r.cpu += nowBusy - busy
			r.ctxt += nowSwitches - switches
			r.spawns += float64(n)
		}
	}
	for _, r := range rivals {
		b.ReportMetric(micros(median(r.took)), "us/"+r.name)
		b.ReportMetric(micros(r.took[len(r.took)*99/100]), "p99us/"+r.name)
		b.ReportMetric(r.cpu*1e6/r.spawns, "cpu-us/"+r.name)
		b.ReportMetric(r.ctxt/r.spawns, "switches/"+r.name)
	}
	b.ReportMetric(micros(median(a.took))/micros(median(o.took)), "ratio")
	b.ReportMetric(0, "ns/op")
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// round has n spawns made, by so many callers or at once.
func (r *rival) round(callers, n int) (took []time.Duration, err error) {
	begin := time.Now()
	if r.all != nil {
		err := r.all()
		return []time.Duration{time.Since(begin) / time.Duration(n)}, err
	}
	run := r.run
	if callers == 1 {
		for range n {
			begin := time.Now()
			err = errors.Join(err, run())
			took = append(took, time.Since(begin))
		}
		return took, err
	}
	var left atomic.Int64
	left.Store(int64(n))
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := run(); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return []time.Duration{time.Since(begin) / time.Duration(n)}, nil
}

// machine returns the seconds that all processors together have worked, and how
// often they have switched from one thread to another.
func machine(b *testing.B) (busy, switches float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		number := func(i int) float64 { v, _ := strconv.ParseFloat(f[i], 64); return v }
		switch f[0] {
		case "cpu":
			busy = (number(1) + number(2) + number(3) + number(6) + number(7)) / 100 // USER_HZ
		case "ctxt":
			switches = number(1)
		}
	}
	return busy, switches
}

func rivals(b *testing.B) (ours, theirs rival) {
	h := open(b, host.Config{})
	path := tiny(b)
	return rival{name: "hatchery", run: func() error { return startWait(h, path) }},
		rival{name: "osexec", run: func() error { return execRun(path) }}
}

// BenchmarkAgainstOSExec starts a tiny static program by forkexec and by
// os/exec, one at a time.
func BenchmarkAgainstOSExec(b *testing.B) {
	ours, theirs := rivals(b)
	against(b, 1, 32, ours, theirs)
}

// BenchmarkCallers does so with several callers at once.
func BenchmarkCallers(b *testing.B) {
	for _, callers := range []int{8, 32} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			ours, theirs := rivals(b)
			against(b, callers, 256, ours, theirs)
		})
	}
}

// BenchmarkManyDescriptors does so in a host with so many open descriptors.
func BenchmarkManyDescriptors(b *testing.B) {
	for _, n := range []int{10_000, 18_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ours, theirs := rivals(b)
			null, err := os.Open(os.DevNull)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			for range n {
				fd, err := syscall.Dup(int(null.Fd()))
				if err != nil {
					b.Skipf("no room for %d descriptors: %v", n, err)
				}
				syscall.CloseOnExec(fd)
				defer syscall.Close(fd)
			}
			against(b, 1, 32, ours, theirs)
		})
	}
}

// BenchmarkLargeHeap does so in a host with 2 GB of memory in use.
func BenchmarkLargeHeap(b *testing.B) {
	ours, theirs := rivals(b)
	size := int64(2) << 30
	if strconv.IntSize < 64 {
		b.Skip("needs 2 GB of addresses")
	}
	heap := make([]byte, size)
	for i := 0; i < len(heap); i += os.Getpagesize() {
		heap[i] = 1
	}
	against(b, 1, 32, ours, theirs)
	runtime.KeepAlive(heap)
}

// BenchmarkStartWait shows what a spawn allocates in the host.
func BenchmarkStartWait(b *testing.B) {
	ours, _ := rivals(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := ours.run(); err != nil {
			b.Fatal(err)
		}
	}
}
