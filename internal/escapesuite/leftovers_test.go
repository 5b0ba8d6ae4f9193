//go:build linux

package escapesuite

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A surrounding is what there is of a host on the machine: so many of each.
type surrounding map[string]int

// look lists the processes of this test and what they have, whoever has the mark in
// his environment, and the folders.
func look(t *testing.T, mark string, dirs ...string) surrounding {
	all := surrounding{}
	self := os.Getpid()
	for _, pid := range append(descendants(self), self) {
		name := "the test"
		if pid != self {
			stat, err := linux.ReadStat(pid)
			if err != nil || stat.State == 'Z' {
				continue
			}
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			name = fmt.Sprintf("%s (%d)", strings.TrimSpace(string(b)), pid)
			all["process "+name]++
		}
		all.descriptors(name, pid)
		mounts, _ := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
		for line := range strings.Lines(string(mounts)) {
			all[name+" sees the mount "+strings.TrimSpace(line)]++
		}
		for _, kind := range []string{"user", "pid", "mnt", "net", "ipc", "uts", "cgroup", "time"} {
			ns, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
			all[name+" is in "+ns]++
		}
	}
	all.marked(mark)
	for _, dir := range dirs {
		filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			all["there is "+path]++
			return nil
		})
	}
	ours := regexp.MustCompile(fmt.Sprintf(`hatchery.*\b%d\b`, self))
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && ours.MatchString(path) {
			all["there is the control group "+path]++
		}
		return nil
	})
	return all
}

// descriptors counts what a process has open, by what it is.
func (all surrounding) descriptors(name string, pid int) {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		target, err := os.Readlink(dir + e.Name())
		// A launching thread, which comes when there is much to do, has the program
		// of process 1.
		if err == nil && !strings.Contains(target, "/proc/") && !strings.HasPrefix(target, "/memfd:init") {
			kind, _, _ := strings.Cut(target, "[")
			all[name+" has "+kind]++
		}
	}
}

// marked counts processes that have the mark, whoever their parents are.
func (all surrounding) marked(mark string) {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, e := range entries {
		if b, err := os.ReadFile(e); err == nil && strings.Contains(string(b), mark) {
			all["a process of a sandbox: "+e]++
		}
	}
}

func descendants(pid int) (all []int) {
	for _, c := range linux.Children(pid) {
		all = append(append(all, c), descendants(c)...)
	}
	return all
}

// more returns what there is more of than before.
func (all surrounding) more(before surrounding) (what []string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] > before[name] {
			what = append(what, fmt.Sprintf("%s: %d, before %d", name, all[name], before[name]))
		}
	}
	return what
}

// await waits until there is no more of anything than there was.
func (all surrounding) await(t *testing.T, when, mark string, dirs ...string) {
	begin := time.Now()
	left := look(t, mark, dirs...).more(all)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(left) > 0 && time.Since(begin) < 10*time.Second { // ends are told before all is gone
		<-tick.C
		left = look(t, mark, dirs...).more(all)
	}
	for _, what := range left {
		t.Errorf("%s: %s", when, what)
	}
}

// madeAhead runs children of one kind, one after the other, until several have been
// in sandboxes that were there before them.
func madeAhead(t *testing.T, h *host.Host) (what string) {
	ahead, n := 0, 0
	for ; ahead < 10 && n < 1000; n++ {
		there := descendants(os.Getpid())
		c := h.Command("/bin/true")
		c.Dir = "/"
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(there, c.Process.Pid()) {
			ahead++
		}
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if ahead == 0 {
		t.Errorf("of %d sandboxes none was made ahead", n)
	}
	return fmt.Sprintf("after %d sandboxes, %d of which were made ahead", n, ahead)
}

// TestNothingIsLeft runs sandboxes of all sorts, with all sorts of ends, and compares
// what there is afterwards with what there was before.
func TestNothingIsLeft(t *testing.T) {
	times, workers := 50, 4
	if *heavy {
		times = 1000
	}
	run, tmp := t.TempDir(), t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	t.Setenv("TMPDIR", tmp)
	h := openHost(t)
	s := &scene{TB: t}
	dir := s.folder()
	box := overlay(t)
	mark := "ESCAPE_MARK=" + filepath.Base(dir)
	all := func(times int) {
		var wait sync.WaitGroup
		for w := range workers {
			wait.Go(func() {
				for i := w; i < times; i += workers {
					visit(t, h, i, mark, dir, box)
				}
			})
		}
		wait.Wait()
	}
	all(8 * workers) // what is kept for the next is there then
	before := look(t, mark, run, tmp, dir)
	all(times)
	before.await(t, fmt.Sprintf("after %d sandboxes", times), mark, run, tmp, dir)
	before.await(t, madeAhead(t, h), mark, run, tmp, dir)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(run + "/hatchery/*"); len(left) > 0 {
		t.Errorf("after Close: %q", left)
	}
	if left := descendants(os.Getpid()); len(left) > 0 {
		t.Errorf("after Close: processes %v", left)
	}
}

// visit makes the i-th sandbox and sees it to its end, or sees that there is none.
func visit(t *testing.T, h *host.Host, i int, mark, dir string, box sandbox) {
	kinds := []struct {
		script string
		opts   []string
		want   func(c *host.Cmd) bool
	}{
		{"exit 3", nil, func(c *host.Cmd) bool { return c.ProcessState.Code == 3 }},
		{"setsid sleep 60 & (trap '' TERM HUP; exec sleep 60) & exit 4", nil, func(c *host.Cmd) bool { return c.ProcessState.Code == 4 }},
		{"kill -SEGV $$", []string{"bind=" + dir, "tmpfs=/tmp/x:1m"}, func(c *host.Cmd) bool { return c.ProcessState.Signal == syscall.SIGSEGV }},
		{"echo x >/tmp/f && echo y >/f", box.opts, func(c *host.Cmd) bool { return c.ProcessState.Code == 0 }},
		{"exec sleep 60", []string{"net=host"}, nil},
		{"", nil, nil},
		{"true", []string{"bind=" + dir + ":/tmp/a/b:rw", "hostname=cell"}, func(c *host.Cmd) bool { return c.ProcessState.Success() }},
		{"kill -TERM $$", append([]string{"profile=empty"}, system()...), func(c *host.Cmd) bool { return c.ProcessState.Signal == syscall.SIGTERM }},
	}
	kind := kinds[i%len(kinds)]
	c := h.Command("/bin/sh", "-c", kind.script)
	c.Dir, c.Env, c.Spec.Options = "/", []string{"PATH=/usr/bin:/bin", mark}, options(kind.opts)
	if kind.script == "" { // there is no such program
		c.Path = "/nonexistent"
	}
	if err := c.Start(); err != nil {
		if kind.script != "" {
			t.Errorf("sandbox %d: %v", i, err)
		}
		return
	}
	if kind.want == nil {
		c.Process.Kill()
	}
	c.Wait()
	if kind.want != nil && !kind.want(c) {
		t.Errorf("sandbox %d (%s) ended with %+v", i, kind.script, c.ProcessState)
	}
}
