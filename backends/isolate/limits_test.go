package isolate_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/backends/isolate/plan"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// groupsOf returns the control groups in which a child is, by the notes of its
// plan: the folders of its keeper that have its process 1.
func groupsOf(t *testing.T, p *host.Process) (dirs []string) {
	t.Helper()
	for _, note := range p.Notes() {
		_, place, ok := strings.Cut(note, " in /")
		if !ok || !strings.Contains(note, "a control group") || strings.Contains(note, ": permission denied") {
			continue
		}
		found, err := filepath.Glob("/" + place + "/hatchery-*")
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range found {
			b, _ := os.ReadFile(dir + "/cgroup.procs")
			if slices.Contains(strings.Fields(string(b)), strconv.Itoa(p.Pid())) && !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// A bomb is a child that waits for a word before it does what its limit is there
// for.
type bomb struct {
	*host.Process
	in  io.WriteCloser
	out *bufio.Reader
}

// newBomb starts a script, behind which nothing begins before go. What the script
// says first is its resource limits.
func newBomb(t *testing.T, h *host.Host, script string, opts ...string) *bomb {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	spec := shell(h, `ulimit -d; read word || exit 99; `+script, opts...).Spec
	spec.Path, spec.Args, spec.Dir = "/bin/sh", []string{"sh", "-c", `ulimit -d; read word || exit 99; ` + script}, "/"
	spec.Env, spec.Files = []string{"PATH=/usr/bin:/bin"}, []*os.File{inR, outW, outW}
	p, err := h.Start(t.Context(), spec)
	inR.Close()
	outW.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inW.Close(); outR.Close() })
	return &bomb{p, inW, bufio.NewReader(outR)}
}

// verify reads what the limit is, wherever it is kept, and fails the test if it is
// not as it should be: then there must be no bomb.
func (b *bomb) verify(t *testing.T, file, want, data string) (grouped bool) {
	t.Helper()
	limit, err := b.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range groupsOf(t, b.Process) {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			if strings.TrimSpace(string(got)) != want {
				t.Fatalf("%s/%s is %q, want %q", dir, file, got, want)
			}
			return true
		}
	}
	if data != "" && strings.TrimSpace(limit) != data {
		t.Fatalf("RLIMIT_DATA is %q, want %q; %q", limit, data, b.Notes())
	}
	return false
}

// explode lets it begin, and returns what becomes of it.
func (b *bomb) explode(t *testing.T) (spawn.ExitStatus, string) {
	t.Helper()
	return b.explodeAt(t, "go")
}

// explodeAt is explode with a word for the script.
func (b *bomb) explodeAt(t *testing.T, word string) (spawn.ExitStatus, string) {
	t.Helper()
	io.WriteString(b.in, word+"\n")
	said, err := io.ReadAll(b.out)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return s, string(said)
}

// TestMemoryLimit: the bomb itself takes 200 MB at most, should all fail.
func TestMemoryLimit(t *testing.T) {
	h := openHost(t)
	const script = `head -c 200000000 /dev/zero | tail -c 200000000 | wc -c; echo then`
	b := newBomb(t, h, script, "memory=32m")
	grouped := b.verifyUnified(t, "memory.max", "33554432") || b.verify(t, "memory.limit_in_bytes", "33554432", "32768")
	s, said := b.explode(t)
	if strings.Contains(said, "200000000") || !strings.HasSuffix(said, "then\n") || s.Code != 0 {
		t.Errorf("%v, %q: the limit did not hold, or more than the bomb was ended", s, said)
	}
	if grouped != (s.Exceeded == spawn.ExceededMemory) {
		t.Errorf("%v, in a control group: %v", s, grouped)
	}
	if !grouped {
		return
	}
	b = newBomb(t, h, `head -c 200000000 /dev/zero >/tmp/x; wc -c </tmp/x`, "memory=32m")
	if s, said := b.explode(t); s.Exceeded != spawn.ExceededMemory || strings.Contains(said, "200000000\n") {
		t.Errorf("files in memory: %v, %q", s, said)
	}
}

// verifyUnified is for the files of version 2, and comes first: verify takes it for a
// mistake when there is neither a file of version 1 nor a resource limit.
func (b *bomb) verifyUnified(t *testing.T, file, want string) bool {
	for _, dir := range groupsOf(t, b.Process) {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err == nil && strings.TrimSpace(string(got)) == want {
			return true
		}
	}
	return false
}

// TestPidsLimit: the bomb makes 60 processes at most, should all fail.
func TestPidsLimit(t *testing.T) {
	h := openHost(t)
	const script = `i=0; while [ $i -lt 60 ]; do sleep 1000 & i=$((i+1)); done; echo all`
	b := newBomb(t, h, script, "pids=20")
	grouped := b.verify(t, "pids.max", "21", "")
	s, said := b.explode(t)
	if strings.Contains(said, "all") || s.Code == 0 {
		t.Errorf("%v, %q: the limit did not hold", s, said)
	}
	if grouped != (s.Exceeded == spawn.ExceededPids) {
		t.Errorf("%v, in a control group: %v", s, grouped)
	}
	b = newBomb(t, h, `i=0; while [ $i -lt 19 ]; do sleep 0.01 & i=$((i+1)); done; wait; echo all`, "pids=20")
	if s, said := b.explode(t); s.Code != 0 || s.Exceeded != 0 || !strings.HasSuffix(said, "all\n") {
		t.Errorf("as many as are allowed: %v, %q", s, said)
	}
}

// TestCPULimit gives a child the tenth part of a processor.
func TestCPULimit(t *testing.T) {
	h := openHost(t)
	if _, err := h.Plan(t.Context(), string(isolate.Key), spawn.Spec{Path: "/", Options: []spawn.Option{{Key: "cpus", Value: "0.1"}}}); errors.Is(err, spawn.ErrUnavailable) {
		if !strings.Contains(err.Error(), "best_effort=cgroup") {
			t.Error(err)
		}
		c := shell(h, "exit 0", "cpus=0.1", "best_effort=cgroup")
		if err := c.Run(); err != nil || !slices.ContainsFunc(c.Process.Notes(), func(n string) bool { return strings.Contains(n, "cpus: missing: ") }) {
			t.Errorf("%v, %q", err, c.Process.Notes())
		}
		return
	}
	b := newBomb(t, h, `i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; grep nr_throttled $word/cpu.stat`, "cpus=0.1")
	if !b.verify(t, "cpu.cfs_quota_us", "10000", "") && !b.verifyUnified(t, "cpu.max", "10000 100000") {
		t.Fatal("no limit")
	}
	dir := groupsOf(t, b.Process)[0]
	if s, said := b.explodeAt(t, dir); s.Code != 0 || said == "nr_throttled 0\n" {
		t.Errorf("%v, %q: it was never held up", s, said)
	}
}

// TestTimeLimits: two that burn, and one that waits.
func TestTimeLimits(t *testing.T) {
	h := openHost(t)
	for _, tt := range []struct {
		script, opt string
		signal      syscall.Signal
		exceeded    spawn.Exceeded
	}{
		{`while :; do :; done & while :; do :; done`, "cpu_time=200ms", syscall.SIGXCPU, spawn.ExceededCPU},
		{`sleep 1000 & sleep 1000`, "wall=100ms", syscall.SIGKILL, spawn.ExceededWall},
		{`trap "" TERM HUP INT XCPU; sleep 1000; sleep 1000`, "wall=100ms", syscall.SIGKILL, spawn.ExceededWall},
	} {
		b := newBomb(t, h, tt.script, tt.opt)
		if s, said := b.explode(t); s.Signal != tt.signal || s.Exceeded != tt.exceeded {
			t.Errorf("%s, %s: %v, %q", tt.opt, tt.script, s, said)
		}
	}
	c := shell(h, "exit 3", "wall=1h", "cpu_time=1h")
	var e *spawn.ExitError
	if err := c.Run(); !errors.As(err, &e) || e.Code != 3 || e.Exceeded != 0 {
		t.Errorf("one that is in time: %v", err)
	}
}

// TestLimitsTyped: what a program that embeds the host writes.
func TestLimitsTyped(t *testing.T) {
	h := openHost(t)
	c := shell(h, "sleep 1000")
	c.Spec.Options = isolate.Options{Memory: 64 << 20, Pids: 50, Wall: 100 * time.Millisecond, CPUTime: time.Minute, BestEffort: []plan.Layer{plan.LayerCgroup}}.List()
	err := c.Run()
	var e *spawn.ExitError
	if !errors.As(err, &e) || e.Exceeded != spawn.ExceededWall || err.Error() != "signal: killed (exceeded: wall)" {
		t.Errorf("%v", err)
	}
}
