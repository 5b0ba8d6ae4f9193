//go:build linux

package host_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
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

// BenchmarkAgainstOSExec starts a tiny static program by forkexec and by
// os/exec in turn, A B A B, and prints the ratio of the medians.
func BenchmarkAgainstOSExec(b *testing.B) {
	h := open(b, host.Config{})
	path := tiny(b)
	var ours, theirs []time.Duration
	measure := func(into *[]time.Duration, f func() error) {
		begin := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*into = append(*into, time.Since(begin))
	}
	for b.Loop() {
		measure(&ours, func() error { return startWait(h, path) })
		measure(&theirs, func() error { return execRun(path) })
	}
	o, t := median(ours), median(theirs)
	b.ReportMetric(float64(o.Microseconds()), "us/hatchery")
	b.ReportMetric(float64(t.Microseconds()), "us/osexec")
	b.ReportMetric(float64(o)/float64(t), "ratio")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func BenchmarkStartWait(b *testing.B) {
	h := open(b, host.Config{})
	path := tiny(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := startWait(h, path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStartWaitParallel(b *testing.B) {
	h := open(b, host.Config{})
	path := tiny(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := startWait(h, path); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkOSExecParallel(b *testing.B) {
	path := tiny(b)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := execRun(path); err != nil {
				b.Error(err)
			}
		}
	})
}
