package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// wildDeadline is what a wild plan has. Many of them block: on a FIFO, on a
// pipe that is full.
const wildDeadline = 150 * time.Millisecond

// FuzzHostilePlan has a real keeper execute plans that were made at random from
// a seed. Each ends in a child that ends, or in a typed error by its deadline,
// and leaves keeper and host as they were. A run without -fuzz tries the first
// few hundred seeds.
func FuzzHostilePlan(f *testing.F) {
	seeds := 1000
	if testing.Short() || raceEnabled {
		seeds = 100
	}
	for seed := range seeds {
		f.Add(uint64(seed))
	}
	w := newWild(f)
	c := newClient(f)
	good(f, c)
	before := stateOf(f, c)
	broken := false
	f.Fuzz(func(t *testing.T, seed uint64) {
		if broken {
			t.Skip("the keeper has been damaged by an earlier plan")
		}
		defer func() { broken = t.Failed() }()
		tryWild(t, c, w.launch(t, seed))
		if seed%8 == 0 {
			good(t, c)
			before.compare(t, c)
		}
	})
}

func tryWild(t *testing.T, c *Client, l *Launch) {
	t.Helper()
	exit := make(chan Exit, 2)
	ctx, cancel := context.WithTimeout(t.Context(), wildDeadline)
	defer cancel()
	begin := time.Now()
	s, err := c.Launch(ctx, l, func(e Exit) { exit <- e })
	if d := time.Since(begin); d > wildDeadline+abortWait+2*time.Second {
		t.Errorf("the launch took %v: %v", d, err)
	}
	if err != nil {
		var e *spawn.Error
		if !errors.As(err, &e) || e.Phase == "" || e.Kind == nil && e.Errno == 0 {
			t.Errorf("an error without a type: %#v", err)
		}
		if e.Kind == spawn.ErrKeeperGone {
			t.Fatal(err)
		}
		return
	}
	syscall.Close(s.Pidfd)
	timer := time.NewTimer(10 * time.Second)
	defer timer.Stop()
	select {
	case e := <-exit:
		if e.Pid != s.Pid || e.Status.Source != spawn.FromKernel {
			t.Errorf("child %d: exit of %d: %v", s.Pid, e.Pid, e.Status)
		}
	case <-timer.C:
		t.Errorf("child %d does not end: %v", s.Pid, c.Kill(t.Context(), s.ID))
	}
}

// good starts a child that says what it was given.
func good(t testing.TB, c *Client) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	exit := make(chan Exit, 1)
	s, err := c.Launch(context.Background(), shell(t, "pwd -P; ulimit -c; ls /proc/$$/fd; :", null, w, null), func(e Exit) { exit <- e })
	w.Close()
	if err != nil {
		t.Fatal("a good child: ", err)
	}
	syscall.Close(s.Pidfd)
	r.SetReadDeadline(time.Now().Add(10 * time.Second))
	out, _ := io.ReadAll(r)
	dir, _ := os.Getwd()
	dir, _ = filepath.EvalSymlinks(dir)
	var core syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
	want := dir + "\n" + coreText(core) + "\n0\n1\n2\n"
	if e := <-exit; e.Status.Code != 0 || string(out) != want {
		t.Fatalf("a good child: %v, %q; want %q", e.Status, out, want)
	}
}

// TestPlanWithoutFiles: what the keeper writes to is not its child's, even if
// the plan says nothing of descriptors.
func TestPlanWithoutFiles(t *testing.T) {
	c := newClient(t)
	out := t.TempDir() + "/out"
	l := shell(t, "ls -l /proc/$$/fd >"+out+"; :")
	l.Plan = encode(t, &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Exec(spawn.HolePath.Arg())}})
	if st := launchIt(t, c, l).wait(t, 5*time.Second); st.Code != 0 {
		t.Fatal(st)
	}
	b, err := os.ReadFile(out)
	if err != nil || strings.Contains(string(b), Name) || !strings.Contains(string(b), os.DevNull) {
		t.Errorf("its descriptors, %v:\n%s", err, b)
	}
}

func coreText(l syscall.Rlimit) string {
	if l.Cur == ^uint64(0) {
		return "unlimited"
	}
	return strconv.FormatUint(l.Cur/512, 10)
}

// state is what a plan must not change of keeper and host.
type state map[string]string

func stateOf(t testing.TB, c *Client) state {
	t.Helper()
	s := state{}
	s.addProcess(t, "keeper", c.Pid())
	s.addProcess(t, "host", os.Getpid())
	delete(s, "host descriptors") // the test's own come and go
	return s
}

func (s state) addProcess(t testing.TB, who string, pid int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", pid)
	for _, link := range []string{"cwd", "root", "exe", "ns/mnt", "ns/user", "ns/pid", "ns/net", "ns/uts", "ns/ipc", "ns/cgroup", "ns/time"} {
		if to, err := os.Readlink(proc + link); err == nil {
			s[who+" "+link] = to
		}
	}
	for _, file := range []string{"limits", "oom_score_adj", "cgroup"} {
		b, err := os.ReadFile(proc + file)
		if err != nil {
			t.Fatal(err)
		}
		s[who+" "+file] = string(b)
	}
	s[who+" descriptors"] = descriptors(proc)
	tasks, err := filepath.Glob(proc + "task/*")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("%v: no tasks: %v", proc, err)
	}
	for _, task := range tasks {
		s.addTask(who, task)
	}
}

// addTask adds what differs from thread to thread, which must be alike in all.
func (s state) addTask(who, task string) {
	b, err := os.ReadFile(task + "/status")
	if err != nil {
		return // it has ended
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "Umask", "Uid", "Gid", "Groups", "SigIgn", "SigCgt", "NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapBnd", "Cpus_allowed", "NSpid", "NSsid", "NSpgid":
			if key == "NSpid" {
				value = strconv.Itoa(len(strings.Fields(value)))
			}
			s.once(who+" "+key, strings.TrimSpace(value))
		}
	}
	tid, _ := strconv.Atoi(filepath.Base(task))
	s.once(who+" nice", strconv.Itoa(linux.Nice(tid)))
}

// once enters a value that must be the same each time.
func (s state) once(key, value string) {
	if old, ok := s[key]; ok && old != value {
		value = old + " and " + value
	}
	s[key] = value
}

// descriptors lists what a process has open. The kernel's own numbers of pipes
// and files tell them apart.
func descriptors(proc string) string {
	var b strings.Builder
	names, _ := filepath.Glob(proc + "fd/*")
	for _, name := range names {
		if to, err := os.Readlink(name); err == nil {
			fmt.Fprintln(&b, filepath.Base(name), to)
		}
	}
	return b.String()
}

// compare fails the test when something has changed, has been left over, or the
// keeper has grown. What is on its way out has a moment.
func (s state) compare(t testing.TB, c *Client) {
	t.Helper()
	memory := func() int { return statusNumber(t, c.Pid(), "VmRSS") }
	settled := func() bool {
		return len(linux.Children(c.Pid())) == 0 && maps.Equal(s, stateOf(t, c)) && memory() < maxKeeper
	}
	if !within(5*time.Second, settled) {
		t.Errorf("children left: %v; memory %d KiB; state (-before +after)\n%s",
			linux.Children(c.Pid()), memory(), cmp.Diff(s, stateOf(t, c)))
	}
}

// maxKeeper is more memory, in KiB, than a keeper has reason to use; the race
// detector uses a multiple.
const maxKeeper = (80 << 10) * (1 + 7*raceFactor)

func statusNumber(t testing.TB, pid int, key string) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if k, v, _ := strings.Cut(line, ":"); k == key {
			n, _ := strconv.Atoi(strings.Fields(v)[0])
			return n
		}
	}
	t.Fatalf("no %s of process %d", key, pid)
	return 0
}
