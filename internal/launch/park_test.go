//go:build linux && (amd64 || arm64)

package launch

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// parkable is a jailed child whose plan has a step park, with steps before and behind.
func parkable(script string, before, behind []spawn.Step) *Request {
	r := jailed(script, append(append(before, spawn.Park()), behind...)...)
	return r
}

// park has a child wait for what it is to be.
func (f *fixture) park(t *testing.T, r *Request) int {
	t.Helper()
	r.Null = int(f.null.Fd())
	c, err := f.Park(r)
	if err != nil {
		if c.Pid != 0 {
			reap(t, c.Pid)
		}
		f.Done()
		t.Fatal(err)
	}
	return c.Pid
}

// discard ends a parked child.
func (f *fixture) discard(t *testing.T) {
	t.Helper()
	pid := f.Pid()
	syscall.Kill(pid, syscall.SIGKILL)
	reap(t, pid)
	f.Unpark()
	f.Done()
}

// become hands the parked child over to r, and returns what it wrote and told.
func (f *fixture) become(t *testing.T, r *Request) (out string, told []pid1.Record, there bool, err error) {
	t.Helper()
	pid := f.Pid()
	pr, pw, perr := os.Pipe()
	if perr != nil {
		t.Fatal(perr)
	}
	defer pr.Close()
	r.Null, r.Files = int(f.null.Fd()), append(r.Files, File{1, int(pw.Fd())}, File{2, int(pw.Fd())})
	c, there, err := f.Become(r, func() bool { return true })
	defer f.Unpark()
	pw.Close()
	b, rerr := io.ReadAll(pr)
	if rerr != nil {
		t.Fatal(rerr)
	}
	if c.Pidfd >= 0 {
		unix.Close(c.Pidfd)
	}
	if there && c.Pid != pid {
		t.Errorf("it is process %d, not %d", c.Pid, pid)
	}
	reap(t, pid)
	if err == nil && there && len(c.Held) == 0 {
		t.Error("none of its namespaces is held")
	}
	for _, fd := range c.Held {
		unix.Close(fd)
	}
	if c.Record > 0 {
		cell := &cell{rec: os.NewFile(uintptr(c.Record), "record")}
		defer cell.rec.Close()
		for {
			r, err := cell.record(t)
			if err != nil {
				break
			}
			told = append(told, r)
		}
	}
	f.Done()
	return string(b), told, there, err
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestPark: what a parked child becomes is what was asked for when it was handed over,
// and nothing else: arguments, environment, descriptors, directory and umask; and its
// end is told.
func TestPark(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	before := []spawn.Step{spawn.Sethostname("parked")}
	f.park(t, parkable("", before, nil)) // the first one makes the program of process 1
	f.discard(t)
	open := openFiles(t)
	for i := range 5 {
		f.park(t, parkable("", before, nil))
		file, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		r := parkable(`echo $$ $X $1 $(cat /proc/1/comm) $(cat /proc/sys/kernel/hostname) $(umask) $(pwd); ls /proc/self/fd | tr '\n' ' '; echo said >&7; exit 5`, before,
			[]spawn.Step{spawn.Chdir(spawn.HoleDir.Arg())})
		r.Args, r.Env, r.Dir, r.Umask = append(r.Args, "sh", "arg"), append(r.Env, fmt.Sprint("X=", i)), dir, 0o31
		r.Files = []File{{7, int(file.Fd())}}
		out, told, there, err := f.become(t, r)
		want := fmt.Sprintf("2 %d arg init parked 0031 %s\n0 1 2 3 7 ", i, dir)
		if out != want || !there || err != nil || len(told) != 1 || told[0].Status.ExitStatus() != 5 {
			t.Errorf("%v, %v: the child says\n%q, want\n%q; told is %v", there, err, out, want, told)
		}
		if b, err := os.ReadFile(file.Name()); string(b) != "said\n" || err != nil {
			t.Errorf("its descriptor 7 has %q, %v", b, err)
		}
		file.Close()
		if n := openFiles(t); n != open {
			t.Errorf("%d descriptors are open, before it were %d", n, open)
		}
	}
}

// TestParkManyFiles: descriptors come whatever their numbers are, here and there.
func TestParkManyFiles(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	for _, n := range []int{0, 1, 3, 40, 200} {
		f.park(t, parkable("", nil, nil))
		r := parkable(`for n in $(ls /proc/$$/fd); do case $n in 0|1|2|10) ;; *) readlink /proc/$$/fd/$n;; esac; done`, nil, nil)
		r.Path, r.Args[0] = "/bin/bash", "bash"
		want := 0
		for i := range n {
			file, err := os.Open("/dev/zero")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if number := 3 + (i*7)%n; number != 10 {
				r.Files = append(r.Files, File{number, int(file.Fd())})
				want++
			}
		}
		out, _, there, err := f.become(t, r)
		if !there || err != nil || strings.Count(out, "/dev/zero\n") != want || strings.Count(out, "\n") != want {
			t.Errorf("%d: %v, %v: %q", n, there, err, out)
		}
	}
}

// TestParkHoldsNothing: a parked child has no descriptor of this process.
func TestParkHoldsNothing(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	pid := f.park(t, parkable("", nil, nil))
	pw.Close()
	if b, err := io.ReadAll(pr); len(b) > 0 || err != nil { // it would not end
		t.Errorf("%q, %v", b, err)
	}
	below := linux.Children(pid)
	if len(below) != 1 {
		t.Fatalf("process 1 has children %v", below)
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", below[0]))
	if err != nil || len(files) != 1 {
		t.Errorf("it has descriptors %v, %v", files, err)
	}
	f.discard(t)
}

// TestParkForgetsSignals: what was sent while nobody was there for it does not reach
// the program, nor stops it.
func TestParkForgetsSignals(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	pid := f.park(t, parkable("", nil, nil))
	below := linux.Children(pid)
	if len(below) != 1 {
		t.Fatalf("process 1 has children %v", below)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGTSTP, syscall.SIGHUP, syscall.SIGUSR1, 40, 40} {
		if err := syscall.Kill(below[0], sig); err != nil {
			t.Fatal(err)
		}
	}
	out, told, there, err := f.become(t, parkable("echo runs", nil, nil))
	if out != "runs\n" || !there || err != nil || len(told) != 1 || told[0].Status != 0 {
		t.Errorf("%v, %v: the child says %q, told is %v", there, err, out, told)
	}
}

// TestParkFails: a step that fails is named, before the step park and behind it.
func TestParkFails(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	nowhere := spawn.Chdir(spawn.Str("/nonexistent/place"))
	open := openFiles(t)
	inInit := parkable("", nil, nil)
	inInit.Plan.InsertBefore(spawn.OpInit, nowhere)
	for _, r := range []*Request{parkable("", []spawn.Step{nowhere}, nil), inInit} {
		c, err := f.Park(r)
		if c.Pid != 0 {
			reap(t, c.Pid)
		}
		f.Done()
		if e := spawn.AsError(err); err == nil || e.Op != string(spawn.OpChdir) || e.Errno != syscall.ENOENT {
			t.Errorf("%v, want %v at the step chdir", err, syscall.ENOENT)
		}
	}
	f.park(t, parkable("", nil, nil))
	out, told, there, err := f.become(t, parkable("echo must not run", nil, []spawn.Step{nowhere}))
	if e := spawn.AsError(err); !there || err == nil || e.Op != string(spawn.OpChdir) || out != "" || told != nil {
		t.Errorf("%v, %v: the child says %q, told is %v", there, err, out, told)
	}
	f.park(t, parkable("", nil, nil))
	r := parkable("", nil, nil)
	r.Path = "/nonexistent/program"
	_, _, there, err = f.become(t, r)
	if e := spawn.AsError(err); !there || err == nil || e.Phase != spawn.PhaseExec || e.Errno != syscall.ENOENT {
		t.Errorf("%v, %v, want %v at the exec", there, err, syscall.ENOENT)
	}
	if n := openFiles(t); n > open+1 { // the program of process 1
		t.Errorf("%d descriptors are open, before it were %d", n, open)
	}
}

// TestParkGone: one that has ended meanwhile, or has no room for what it is to have, is
// not there, and the thread launches another one.
func TestParkGone(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	for name, break_ := range map[string]func(pid int, r *Request){
		"killed": func(pid int, _ *Request) {
			syscall.Kill(pid, syscall.SIGKILL)
			for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
			}
		},
		"its program's to be is killed": func(pid int, _ *Request) {
			for _, c := range linux.Children(pid) {
				syscall.Kill(c, syscall.SIGKILL)
			}
		},
		"too much": func(_ int, r *Request) {
			for n := range maxParcel {
				r.Files = append(r.Files, File{10 + n, int(f.null.Fd())})
			}
		},
		"too many steps": func(_ int, r *Request) {
			for range 4 * parkRoom {
				r.Plan.InsertBefore(spawn.OpExec, spawn.Umask(0))
			}
		},
		"given up": func(int, *Request) { f.Abort() },
	} {
		pid := f.park(t, parkable("", nil, nil))
		r := parkable("echo must not run", nil, nil)
		break_(pid, r)
		out, told, there, err := f.become(t, r)
		if there || err != nil || out != "" || told != nil {
			t.Errorf("%s: %v, %v: the child says %q, told is %v", name, there, err, out, told)
		}
		f.Rearm()
		if c := f.jail(t, parkable("echo runs", nil, nil)); c.line(t) != "runs" {
			t.Errorf("%s: the next one does not run", name)
		} else {
			reap(t, c.Pid)
		}
	}
}

// TestParkKilledAnywhere kills process 1 at any moment of a handing over: the program
// has run, or the launch has failed, or it was not there; and nobody waits for ever.
func TestParkKilledAnywhere(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	failed, gone := 0, 0
	for range 100 {
		pid := f.park(t, parkable("", nil, nil))
		killed := make(chan struct{})
		go func() {
			defer close(killed)
			for until := time.Now().Add(rand.N(1200 * time.Microsecond)); time.Now().Before(until); {
			}
			syscall.Kill(pid, syscall.SIGKILL) // it has not been reaped before all is read
		}()
		c, there, err := f.Become(parkable("exit 0", nil, nil), func() bool { return true })
		f.Unpark()
		<-killed
		reap(t, pid)
		f.Done()
		for _, fd := range append(c.Held, c.Pidfd, c.Record) {
			if fd > 0 {
				unix.Close(fd)
			}
		}
		switch {
		case !there:
			gone++
		case err != nil:
			failed++
		}
	}
	t.Logf("of 100 %d were gone, %d failed", gone, failed)
}

// TestCheckPark: what makes no sense before or behind a step park is refused.
func TestCheckPark(t *testing.T) {
	for name, r := range map[string]*Request{
		"no init":        {Plan: plan(spawn.Park())},
		"twice":          parkable("", []spawn.Step{spawn.Park()}, nil),
		"a hole":         parkable("", []spawn.Step{spawn.Chdir(spawn.HoleDir.Arg())}, nil),
		"a descriptor":   parkable("", []spawn.Step{spawn.Fchdir(spawn.FD(0))}, nil),
		"files":          parkable("", []spawn.Step{spawn.Files()}, nil),
		"its own result": parkable("", nil, []spawn.Step{spawn.Close(spawn.Result(1))}),
	} {
		if err := Check(r.Plan, 1); err == nil || !strings.Contains(err.Error(), "park") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Check(parkable("", nil, nil).Plan, 0); err != nil {
		t.Error(err)
	}
}

// TestParkingKilledAnywhere kills process 1 at any moment of its way to where it is
// parked: either it is, or that has failed at a step.
func TestParkingKilledAnywhere(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	failed := 0
	for range 100 {
		over, killed := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(killed)
			for f.Pid() <= 0 {
				select {
				case <-over:
					return
				default:
					runtime.Gosched()
				}
			}
			for until := time.Now().Add(rand.N(2 * time.Millisecond)); time.Now().Before(until); {
			}
			if pid := f.Pid(); pid > 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}()
		r := parkable("", nil, nil)
		r.Null = int(f.null.Fd())
		c, err := f.Park(r)
		close(over)
		<-killed
		if err != nil {
			failed++
		}
		if c.Pid != 0 {
			syscall.Kill(c.Pid, syscall.SIGKILL)
			reap(t, c.Pid)
		}
		f.Unpark()
		f.Done()
	}
	t.Logf("%d of 100 failed", failed)
}
