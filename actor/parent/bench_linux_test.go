package parent_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// worker builds testdata/worker: an actor program that links nothing else.
func worker(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "worker")
	cmd := exec.Command("go", "build", "-o", path, "./testdata/worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return path
}

// BenchmarkStart is the time from the call until an actor is ready, beside that
// until the same program has come to main when it is started by the host, and by
// os/exec: medians of the three, taken in turns.
func BenchmarkStart(b *testing.B) {
	path := worker(b)
	h := open(b, host.Config{})
	var actors, mains, execs []time.Duration
	err := nursery(b, h, func(ctx context.Context, n *host.Nursery) error {
		for range 20 { // warm up
			startActor(b, n, path)
		}
		for b.Loop() {
			actors = append(actors, startActor(b, n, path))
			mains = append(mains, startMain(b, func(w *os.File) func() {
				p, err := h.Start(ctx, spawn.Spec{Path: path, Args: []string{path, "main"}, Files: []*os.File{nil, nil, nil, w}})
				if err != nil {
					b.Fatal(err)
				}
				return func() { p.Wait() }
			}))
			execs = append(execs, startMain(b, func(w *os.File) func() {
				cmd := exec.Command(path, "main")
				cmd.ExtraFiles = []*os.File{w}
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				return func() { cmd.Wait() }
			}))
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	us := func(d []time.Duration) float64 { return float64(medianOf(d).Microseconds()) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(us(actors), "actor-us")
	b.ReportMetric(us(mains), "main-us")
	b.ReportMetric(us(execs), "os/exec-us")
	b.ReportMetric(us(actors)/us(mains), "actor/main")
	b.ReportMetric(us(actors)/us(execs), "actor/os/exec")
}

func startActor(b *testing.B, n *host.Nursery, path string) time.Duration {
	begin := time.Now()
	a, err := parent.Start(context.Background(), n, parent.Spec{Name: "a", Entry: "return", Program: spawn.Spec{Path: path}})
	took := time.Since(begin)
	if err == nil {
		err = a.Wait()
	}
	if err != nil {
		b.Fatal(err)
	}
	return took
}

// startMain starts the program and waits until it has come to main.
func startMain(b *testing.B, start func(*os.File) (wait func())) time.Duration {
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	begin := time.Now()
	wait := start(w)
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	wait()
	return took
}

func medianOf(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

// BenchmarkParked is the memory of a worker that has said hello and waits to be
// told what to be: the proportional set size of each of 50, beside that of the
// same program doing nothing but reading a descriptor.
func BenchmarkParked(b *testing.B) {
	path := worker(b)
	for b.Loop() {
	}
	const count = 50
	var plain, parked []*exec.Cmd
	var ends []*os.File
	b.Cleanup(func() {
		for _, cmd := range append(plain, parked...) {
			cmd.Process.Kill()
			cmd.Wait()
		}
		for _, f := range ends {
			f.Close()
		}
	})
	launch := func(args []string, env []string) *exec.Cmd {
		fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
		defer theirs.Close()
		ends = append(ends, ours)
		cmd := &exec.Cmd{Path: path, Args: append([]string{path}, args...), Env: env, ExtraFiles: []*os.File{theirs}}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if _, err := ours.Read(make([]byte, 64)); err != nil { // the byte, or hello
			b.Fatal(err)
		}
		return cmd
	}
	for range count {
		plain = append(plain, launch([]string{"wait"}, []string{}))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(pss(b, plain), "plain-KB")
	for _, cmd := range plain {
		cmd.Process.Kill()
		cmd.Wait()
	}
	plain = nil
	for range count {
		parked = append(parked, launch(nil, []string{channel.Variable + "=3"}))
	}
	b.ReportMetric(pss(b, parked), "parked-KB")
}

// pss returns the mean proportional set size of processes, in KB.
func pss(b *testing.B, all []*exec.Cmd) float64 {
	sum := 0
	for _, cmd := range all {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
		if err != nil {
			b.Fatal(err)
		}
		for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
			if fields := strings.Fields(in.Text()); fields[0] == "Pss:" {
				n, err := strconv.Atoi(fields[1])
				if err != nil {
					b.Fatal(err)
				}
				sum += n
			}
		}
	}
	return float64(sum) / float64(len(all))
}
