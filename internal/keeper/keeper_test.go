//go:build linux

package keeper

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func newClient(t testing.TB) *Client {
	t.Helper()
	c, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(0, 5*time.Second) })
	return c
}

func encode(t testing.TB, p *spawn.Plan) []byte {
	t.Helper()
	b, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shell is the launch of a shell script with the given files as 0, 1, 2.
func shell(t testing.TB, script string, files ...*os.File) *Launch {
	l := &Launch{Plan: encode(t, spawn.Standard(&spawn.Spec{})), Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
	for i, f := range files {
		l.Files = append(l.Files, i)
		l.FDs = append(l.FDs, int(f.Fd()))
	}
	return l
}

// started is a child of a test with a channel for its exit.
type started struct {
	Started
	exit chan Exit
}

func launchIt(t testing.TB, c *Client, l *Launch) started {
	t.Helper()
	exit := make(chan Exit, 1)
	s, err := c.Launch(t.Context(), l, func(e Exit) { exit <- e })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(s.Pidfd) })
	return started{s, exit}
}

func (s started) wait(t testing.TB, limit time.Duration) spawn.ExitStatus {
	t.Helper()
	select {
	case e := <-s.exit:
		return e.Status
	case <-time.After(limit):
		t.Fatalf("child %d did not end within %v", s.Pid, limit)
		panic("unreachable")
	}
}

// alive reports whether a process that is not a zombie has this pid.
func alive(pid int) bool {
	s, err := linux.ReadStat(pid)
	return err == nil && s.State != 'Z' && s.State != 'X'
}

// gone waits until the pids are gone.
func gone(t testing.TB, limit time.Duration, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if !within(limit, func() bool { return !alive(pid) }) {
			t.Fatalf("process %d is still there after %v", pid, limit)
		}
	}
}

// within waits for what strangers do, which is no event here.
func within(limit time.Duration, done func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !done(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func TestExitCodes(t *testing.T) {
	c := newClient(t)
	for code := range 256 {
		s := launchIt(t, c, shell(t, "exit "+strconv.Itoa(code)))
		if st := s.wait(t, 5*time.Second); st.Code != code || st.Source != spawn.FromKernel {
			t.Fatalf("exit %d: got %+v", code, st)
		}
	}
}

func TestSignals(t *testing.T) {
	c := newClient(t)
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGUSR1, 40} {
		s := launchIt(t, c, shell(t, "kill -"+strconv.Itoa(int(sig))+" $$; exit 1"))
		if st := s.wait(t, 5*time.Second); st.Signal != sig || st.Code != -1 {
			t.Errorf("signal %d: got %+v", sig, st)
		}
	}
}

// TestShortChildren starts children that are gone before the answer arrives.
func TestShortChildren(t *testing.T) {
	c := newClient(t)
	const n, callers = 1000, 8
	done := make(chan error, callers)
	for k := range callers {
		go func() {
			for i := range n / callers {
				code := (k*31 + i) % 256
				exit := make(chan Exit, 2)
				l := shell(t, "")
				l.Args[2] = "exit " + strconv.Itoa(code)
				s, err := c.Launch(t.Context(), l, func(e Exit) { exit <- e })
				if err != nil {
					done <- err
					return
				}
				syscall.Close(s.Pidfd)
				if e := <-exit; e.Status.Code != code || e.Pid != s.Pid {
					done <- errors.New("a wrong exit: " + e.Status.String())
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestSetupErrorNamesStep(t *testing.T) {
	c := newClient(t)
	l := shell(t, "true")
	l.Plan = encode(t, spawn.Standard(&spawn.Spec{Dir: "x"}))
	l.Dir = "/nonexistent"
	_, err := c.Launch(t.Context(), l, func(Exit) { t.Error("an exit of a child that never was") })
	var e *spawn.Error
	if !errors.As(err, &e) || e.Op != "chdir" || e.Path != "/nonexistent" || e.Errno != syscall.ENOENT {
		t.Errorf("got %v", err)
	}
	// The next one is not disturbed.
	if st := launchIt(t, c, shell(t, "exit 3")).wait(t, 5*time.Second); st.Code != 3 {
		t.Errorf("then: %v", st)
	}
}

func TestBadPlans(t *testing.T) {
	c := newClient(t)
	for name, plan := range map[string][]byte{
		"garbage": {0xff, 0xff, 0xff}, "empty": {},
		"no exec":    encode(t, &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Setsid()}}),
		"unknown":    encode(t, &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), {Op: "rm -rf"}, spawn.Exec(spawn.HolePath.Arg())}}),
		"descriptor": encode(t, &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Fchdir(spawn.FD(9)), spawn.Exec(spawn.HolePath.Arg())}}),
	} {
		l := shell(t, "true")
		l.Plan = plan
		if _, err := c.Launch(t.Context(), l, func(Exit) {}); !errors.Is(err, spawn.ErrBadPlan) {
			t.Errorf("%s: %v, want a bad plan", name, err)
		}
	}
	if st := launchIt(t, c, shell(t, "exit 3")).wait(t, 5*time.Second); st.Code != 3 {
		t.Errorf("then: %v", st)
	}
}

func TestKillTakesTheTree(t *testing.T) {
	c := newClient(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// A child, a grandchild in a session of its own, and its child.
	s := launchIt(t, c, shell(t, `trap "" TERM; setsid sh -c 'trap "" TERM; sleep 100 & echo $$ $!; wait' & wait`, os.Stdin, w))
	w.Close()
	line := make([]byte, 64)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range strings.Fields(string(line[:n])) {
		pid, _ := strconv.Atoi(f)
		pids = append(pids, pid)
	}
	if len(pids) != 2 || !alive(pids[0]) || !alive(pids[1]) {
		t.Fatalf("descendants %v are not running", pids)
	}
	if err := c.Kill(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if st := s.wait(t, time.Second); st.Signal != syscall.SIGKILL {
		t.Errorf("status %v", st)
	}
	gone(t, time.Second, pids...)
}

func TestCloseEndsDaemons(t *testing.T) {
	c := newClient(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := launchIt(t, c, shell(t, `(setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 100; done' &) ; exit 0`, os.Stdin, w))
	w.Close()
	line := make([]byte, 64)
	n, _ := r.Read(line)
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	if err != nil || !alive(pid) {
		t.Fatalf("daemon: %q, %v", line[:n], err)
	}
	s.wait(t, time.Second)
	if err := c.Close(100*time.Millisecond, 5*time.Second); err != nil {
		t.Error(err)
	}
	gone(t, time.Second, pid)
}

func TestKeeperKilled(t *testing.T) {
	c := newClient(t)
	s := launchIt(t, c, shell(t, "sleep 100"))
	if err := syscall.Kill(c.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if st := s.wait(t, time.Second); st.Source != spawn.Lost {
		t.Errorf("status %v, want lost", st)
	}
	gone(t, time.Second, s.Pid)
	_, err := c.Launch(t.Context(), shell(t, "true"), func(Exit) {})
	if !errors.Is(err, spawn.ErrKeeperGone) {
		t.Errorf("then: %v", err)
	}
}

// TestStuckChild freezes a cgroup, launches into it, and looks for the step in
// the error, and at whether others are delayed.
func TestStuckChild(t *testing.T) {
	group, err := os.MkdirTemp("/sys/fs/cgroup/unified", "hatchery-test-*")
	if err != nil {
		if group, err = os.MkdirTemp("/sys/fs/cgroup", "hatchery-test-*"); err != nil {
			t.Skip("needs a cgroup v2 folder to write: ", err)
		}
	}
	t.Cleanup(func() { os.Remove(group) })
	if err := os.WriteFile(group+"/cgroup.freeze", []byte("1"), 0); err != nil {
		t.Skip("needs cgroup v2: ", err)
	}
	dir, err := os.Open(group)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	c := newClient(t)
	const stuck = 12 // more than there are launchers at first
	errs := make(chan error, stuck)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range stuck {
		l := shell(t, "true")
		p := spawn.Standard(&spawn.Spec{})
		p.Steps[0] = spawn.CloneInto(0, spawn.FD(0))
		l.Plan, l.FDs = encode(t, p), []int{int(dir.Fd())}
		go func() {
			_, err := c.Launch(ctx, l, func(Exit) {})
			errs <- err
		}()
	}
	begin := time.Now()
	if st := launchIt(t, c, shell(t, "exit 3")).wait(t, 5*time.Second); st.Code != 3 {
		t.Errorf("another child: %v", st)
	}
	if d := time.Since(begin); d > 700*time.Millisecond {
		t.Errorf("another child took %v", d)
	}
	for range stuck {
		err := <-errs
		var e *spawn.Error
		if !errors.As(err, &e) || e.Kind != spawn.ErrTimeout || e.Phase != spawn.PhaseSetup || e.Op == "" {
			t.Errorf("stuck child: %v", err)
		}
	}
}

// TestEveryLauncherStuck fills the window with children that do not get to
// their exec: opening a FIFO waits for a writer. Requests about them are still
// heard, and the end is bounded.
func TestEveryLauncherStuck(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	plan := spawn.Standard(&spawn.Spec{})
	plan.Insert(spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0))
	encoded := encode(t, plan)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	errs := make(chan error, window)
	for range window {
		l := shell(t, "true")
		l.Plan = encoded
		go func() {
			_, err := c.Launch(ctx, l, func(Exit) {})
			errs <- err
		}()
	}
	for range window {
		var e *spawn.Error
		if err := <-errs; !errors.As(err, &e) || e.Kind != spawn.ErrTimeout || e.Op != "open" {
			t.Errorf("stuck child: %v, want a timeout at the step open", err)
		}
	}
	if st := launchIt(t, c, shell(t, "exit 3")).wait(t, 5*time.Second); st.Code != 3 {
		t.Errorf("the next child: %v", st)
	}
	begin := time.Now()
	if err := c.Close(0, time.Second); err != nil || time.Since(begin) > 2*time.Second {
		t.Errorf("Close: %v after %v", err, time.Since(begin))
	}
}

// TestAbortAtAnyMoment gives launches up a few microseconds after they were
// asked for: before the keeper has read the request, before the clone, after
// it. None of the children, which would wait for ever, is left.
func TestAbortAtAnyMoment(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newClient(t)
	plan := spawn.Standard(&spawn.Spec{})
	plan.Insert(spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0))
	l := shell(t, "true")
	l.Plan = encode(t, plan)
	for i := range 400 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Microsecond)
		if _, err := c.Launch(ctx, l, func(Exit) {}); !errors.Is(err, spawn.ErrTimeout) && !errors.Is(err, spawn.ErrCanceled) {
			t.Errorf("after %d us: %v", i, err)
		}
		cancel()
	}
	for _, pid := range linux.Children(c.Pid()) {
		gone(t, 2*time.Second, pid)
	}
}

// TestSIGTERMComesFirst: what a killed host had gets time to end by itself.
func TestSIGTERMComesFirst(t *testing.T) {
	host := helper(t, "host")
	host.line(t)
	mark := host.folder + "-term"
	host.cmd.Kill()
	host.cmd.Wait()
	asked := func() bool {
		b, err := os.ReadFile(mark)
		return err == nil && string(b) == "TERM\n"
	}
	if !within(2*time.Second, asked) {
		t.Fatal("the child was not asked to end")
	}
}

// TestCanceledBeforeTheStart never runs the program, however often it is tried.
func TestCanceledBeforeTheStart(t *testing.T) {
	c := newClient(t)
	mark := t.TempDir() + "/ran"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := c.Launch(ctx, shell(t, "echo >"+mark), func(Exit) {}); !errors.Is(err, spawn.ErrCanceled) {
			t.Fatalf("got %v", err)
		}
	}
	launchIt(t, c, shell(t, "true")).wait(t, time.Second)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the program ran")
	}
}

// TestHostWithoutDescriptors has no room for a child's pidfd: the child does
// not run on unowned, and the next one works when there is room again.
func TestHostWithoutDescriptors(t *testing.T) {
	host := helper(t, "full")
	if got := host.line(t); got != "receive: too many open files\n" {
		t.Errorf("a host without room says %q", got)
	}
	if got := host.line(t); got != "then 3\n" {
		t.Errorf("then it says %q", got)
	}
}

// TestHostKilled kills a host with children of every kind and looks for them.
func TestHostKilled(t *testing.T) {
	host := helper(t, "host")
	var pids []int
	for _, f := range strings.Fields(host.line(t)) {
		pid, err := strconv.Atoi(f)
		if err != nil || !alive(pid) {
			t.Fatalf("the host said %q", f)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 5 {
		t.Fatalf("pids %v", pids)
	}
	host.cmd.Kill()
	host.cmd.Wait()
	gone(t, 2*time.Second, pids...)
	if _, err := os.Stat(host.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestStdioIsTheHosts(t *testing.T) {
	c := newClient(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := launchIt(t, c, shell(t, "echo out; readlink /proc/$$/fd/0; ls /proc/$$/fd", nil2(t), w, w))
	w.Close()
	out, _ := io.ReadAll(r)
	if string(out) != "out\n/dev/null\n0\n1\n2\n" {
		t.Errorf("the child wrote %q", out)
	}
	s.wait(t, time.Second)
}

func nil2(t *testing.T) *os.File {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
