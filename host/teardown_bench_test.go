//go:build linux

package host_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// teardownChildren is how many children BenchmarkTeardown ends at once.
const teardownChildren = 1000

// BenchmarkTeardown ends a thousand children by the end of their nursery, by
// the host's Close, which ends plugin and keeper too, and by a plain loop that
// kills every child and then waits for every child, in turn, and prints the
// ratios of the medians.
func BenchmarkTeardown(b *testing.B) {
	path := filepath.Join(b.TempDir(), "pause")
	if err := tinyelf.Write(path, tinyelf.Pause()); err != nil {
		b.Fatal(err)
	}
	var nursery, closed, plain []time.Duration
	for b.Loop() {
		nursery = append(nursery, teardownByNursery(b, path))
		plain = append(plain, teardownByHand(b, path))
		closed = append(closed, teardownByClose(b, path))
		plain = append(plain, teardownByHand(b, path))
	}
	n, c, p := median(nursery), median(closed), median(plain)
	b.ReportMetric(float64(n.Microseconds())/teardownChildren, "us/child/nursery")
	b.ReportMetric(float64(c.Microseconds())/teardownChildren, "us/child/close")
	b.ReportMetric(float64(p.Microseconds())/teardownChildren, "us/child/plain")
	b.ReportMetric(float64(n)/float64(p), "ratio/nursery")
	b.ReportMetric(float64(c)/float64(p), "ratio/close")
}

func teardownByNursery(b *testing.B, path string) time.Duration {
	h := open(b, host.Config{})
	var begin time.Time
	err := h.Nursery(context.Background(), host.NurseryConfig{StopAtEnd: true}, func(ctx context.Context, n *host.Nursery) error {
		for range teardownChildren {
			if _, err := n.Start(ctx, host.ChildConfig{Spec: spawn.Spec{Path: path, Env: []string{}}}); err != nil {
				return err
			}
		}
		begin = time.Now()
		return nil
	})
	took := time.Since(begin)
	must(b, err, h.Close())
	return took
}

func teardownByClose(b *testing.B, path string) time.Duration {
	h := open(b, host.Config{})
	for range teardownChildren {
		start(b, h, spawn.Spec{Path: path, Env: []string{}})
	}
	begin := time.Now()
	must(b, h.Close())
	return time.Since(begin)
}

func teardownByHand(b *testing.B, path string) time.Duration {
	pids := make([]int, teardownChildren)
	for i := range pids {
		pid, err := syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{})
		if err != nil {
			b.Fatal(err)
		}
		pids[i] = pid
	}
	begin := time.Now()
	for _, pid := range pids {
		must(b, syscall.Kill(pid, syscall.SIGKILL))
	}
	for _, pid := range pids {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begin)
}
