//go:build linux && (amd64 || arm64)

package launch

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// ahead is a jailed child whose plan brings up its loopback interface first of all,
// and so has namespaces that can be made ahead.
func ahead(script string, steps ...spawn.Step) *Request {
	r := jailed(script, steps...)
	at := confinedSteps
	r.Plan.Steps = append(r.Plan.Steps[:at:at], append([]spawn.Step{spawn.LinkUp("lo")}, r.Plan.Steps[at:]...)...)
	return r
}

// prepare makes namespaces for r.
func (f *fixture) prepare(t *testing.T, r *Request) Namespaces {
	t.Helper()
	r.Null = int(f.null.Fd())
	ns, err := f.Prepare(r)
	reap(t, f.Helper())
	f.Done()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	return ns
}

// inode returns what a namespace is called.
func inode(t *testing.T, kind string, fd int) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s:[%d]", kind, st.Ino)
}

// run launches r, which has a process 1, and returns what it wrote.
func (f *fixture) run(t *testing.T, r *Request) (string, error) {
	t.Helper()
	a := f.attempt(t, r)
	<-a.done
	return string(a.out), a.err
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestPrepare: a child is in the namespaces that were made for it, with its ids and
// its loopback interface, and is process 2 of a pid namespace as otherwise.
func TestPrepare(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	const script = `echo $$ $(cat /proc/1/comm); for n in user net ipc uts; do readlink /proc/self/ns/$n; done; cat /proc/self/uid_map | tr -s ' '; wc -l < /proc/net/if_inet6`
	if _, err := f.run(t, ahead("exit 0")); err != nil { // the first one makes the program of process 1
		t.Fatal(err)
	}
	before := openFiles(t)
	for range 3 {
		r := ahead(script)
		ns := f.prepare(t, r)
		r.Namespaces = ns
		out, err := f.run(t, r)
		lines := strings.Split(out, "\n")
		if err != nil || len(lines) != 8 {
			t.Fatalf("%v: the child says %q", err, out)
		}
		own, err := os.Readlink("/proc/self/ns/uts")
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"2 init", inode(t, "user", ns.user), inode(t, "net", ns.net), inode(t, "ipc", ns.ipc), lines[4], fmt.Sprintf(" 0 %d 1", os.Geteuid()), "1"}
		if got := lines[:7]; strings.Join(got, "\n") != strings.Join(want, "\n") || lines[4] == own {
			t.Errorf("the child says\n%q, want\n%q; the host's own is %s", got, want, own)
		}
		ns.Close()
		if n := openFiles(t); n != before {
			t.Errorf("%d descriptors are open, before it were %d", n, before)
		}
	}
}

// TestPrepareIsNoMust: a child whose namespaces cannot be entered has its own, and
// a step that fails is named.
func TestPrepareIsNoMust(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	r := ahead("echo runs")
	r.Namespaces = Namespaces{user: int(f.null.Fd()), net: int(f.null.Fd())}
	if out, err := f.run(t, r); out != "runs\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	r = ahead("echo must not run", spawn.Chdir(spawn.Str("/nonexistent/place")))
	r.Namespaces = f.prepare(t, r)
	f.attempt(t, r).failed(t, spawn.OpChdir)
	r = ahead("echo must not run")
	r.Plan.InsertBefore(spawn.OpInit, spawn.Chdir(spawn.Str("/nonexistent/place")))
	r.Namespaces = f.prepare(t, r)
	f.attempt(t, r).failed(t, spawn.OpChdir)
}

// TestPrepareFails: a step that fails is named, and what was opened is closed.
func TestPrepareFails(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	r := ahead("")
	r.Plan.Steps[5] = spawn.Write(spawn.Result(4), spawn.Str("nonsense"))
	before := openFiles(t)
	_, err := f.Prepare(r)
	reap(t, f.Helper())
	f.Done()
	if e := spawn.AsError(err); err == nil || e.Op != string(spawn.OpWrite) || e.Errno != syscall.EINVAL {
		t.Errorf("%v, want %v at the step write", err, syscall.EINVAL)
	}
	if n := openFiles(t); n != before {
		t.Errorf("%d descriptors are open, before it were %d", n, before)
	}
}

// TestPreparedKilledAnywhere kills whatever there is of a launch at any moment.
func TestPreparedKilledAnywhere(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	failed, helpers := 0, 0
	for i := range 100 {
		r := ahead("exit 0")
		r.Namespaces = f.prepare(t, r)
		a := f.attempt(t, r)
		if first := a.begun(); first > 0 {
			for until := time.Now().Add(time.Duration(i) * 15 * time.Microsecond); time.Now().Before(until); {
				runtime.Gosched()
			}
			if p := f.Pid(); p > 0 {
				syscall.Kill(p, syscall.SIGKILL)
				if p == f.Helper() {
					helpers++
				}
			}
		}
		<-a.done
		if a.err != nil {
			failed++
		}
		r.Namespaces.Close()
	}
	t.Logf("%d of 100 failed, %d times the helper was killed", failed, helpers)
}

func TestAhead(t *testing.T) {
	if n, key := Ahead(ahead("").Plan); n != confinedSteps+1 || !strings.Contains(key, "link_up") {
		t.Errorf("%d steps: %s", n, key)
	}
	hostNet := ahead("")
	hostNet.Plan.Steps[0] = spawn.Clone(unix.CLONE_NEWUSER | unix.CLONE_NEWPID)
	opened := ahead("", spawn.Fchdir(spawn.Result(1)))
	for _, p := range []*spawn.Plan{hostNet.Plan, opened.Plan, plan()} {
		if n, _ := Ahead(p); n != 0 {
			t.Errorf("%d steps of %v", n, p.Steps)
		}
	}
	other := ahead("", spawn.Umask(1))
	if n, _ := Ahead(other.Plan); n != confinedSteps+1 {
		t.Errorf("%d steps", n)
	}
}
