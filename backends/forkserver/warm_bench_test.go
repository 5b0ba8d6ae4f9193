//go:build linux

package forkserver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// benchReady is how many workers are ready before the clock starts.
const benchReady = 20

// BenchmarkReady shows how long it takes from the call until a Go worker runs its own
// code: of one that is ready, and of one that is started by exec (in turns, so that
// both have the same machine), and what one that is ready takes of memory.
func BenchmarkReady(b *testing.B) {
	worker := filepath.Join(b.TempDir(), "worker")
	if out, err := exec.Command("go", "build", "-o", worker, "./testdata/worker").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	h := open(b)
	s := spawn.Spec{Path: worker, Env: []string{}}
	s.Options = forkserver.Options{Kind: spawn.PoolTemplate, Max: benchReady}.List()
	if err := h.Warm(b.Context(), forkserver.Key, s, benchReady); err != nil {
		b.Fatal(err)
	}
	list, err := h.Templates(b.Context())
	if err != nil || len(list) != 1 {
		b.Fatal(list, err)
	}
	var warm, cold []time.Duration
	for b.Loop() {
		if err := h.Warm(b.Context(), forkserver.Key, s, benchReady); err != nil {
			b.Fatal(err)
		}
		warm = append(warm, untilReady(b, func(in, out *os.File) func() {
			with := s
			with.Files = []*os.File{in, out}
			p, err := h.StartMethod(b.Context(), forkserver.Key, with)
			if err != nil || !p.Warm() {
				b.Fatal(err)
			}
			return func() { wait(b, p) }
		}))
		cold = append(cold, untilReady(b, func(in, out *os.File) func() {
			c := &exec.Cmd{Path: worker, Args: []string{worker}, Env: []string{}, Stdin: in, Stdout: out}
			if err := c.Start(); err != nil {
				b.Fatal(err)
			}
			return func() { c.Wait() }
		}))
	}
	b.ReportMetric(float64(list[0].Memory)/float64(list[0].Ready)/1e6, "PSS-MB")
	w, c := median(warm), median(cold)
	b.ReportMetric(float64(w.Microseconds()), "warm-us")
	b.ReportMetric(float64(c.Microseconds()), "exec-us")
	b.ReportMetric(float64(w)/float64(c), "ratio")
}

// untilReady returns how long it takes until what is started has begun.
func untilReady(b *testing.B, start func(in, out *os.File) (wait func())) time.Duration {
	in, end, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	r, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	wait := start(in, out)
	if _, err := r.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	for _, f := range []*os.File{in, end, out, r} {
		f.Close()
	}
	wait()
	return took
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}
