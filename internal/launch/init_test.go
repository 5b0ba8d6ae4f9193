//go:build linux && (amd64 || arm64)

package launch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// jailed is a confined child with a process 1 and a /proc of its own namespace.
func jailed(script string, steps ...spawn.Step) *Request {
	all := []spawn.Step{
		spawn.Mount(spawn.Str("none"), spawn.Str("/"), "", unix.MS_REC|unix.MS_PRIVATE, ""),
		spawn.Mount(spawn.Str("proc"), spawn.Str("/proc"), "proc", 0, ""),
	}
	r := confined(script, append(append(all, spawn.Setpgid(0), spawn.Init(), spawn.Setpgid(0)), steps...)...)
	r.Plan.Steps[0] = spawn.Clone(ownSurroundings | unix.CLONE_NEWPID)
	return r
}

// cell is a jailed child that runs.
type cell struct {
	Child
	out *bufio.Reader
	rec *os.File
}

func (f *fixture) jail(t *testing.T, r *Request) *cell {
	t.Helper()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pr.Close() })
	r.Null, r.Files = int(f.null.Fd()), []File{{1, int(pw.Fd())}, {2, int(pw.Fd())}}
	c, err := f.Launch(r)
	pw.Close()
	f.Done()
	if err != nil {
		if c.Pid != 0 {
			reap(t, c.Pid)
		}
		t.Fatal(err)
	}
	unix.Close(c.Pidfd)
	rec := os.NewFile(uintptr(c.Record), "record")
	t.Cleanup(func() { rec.Close() })
	return &cell{c, bufio.NewReader(pr), rec}
}

// record returns the next record, or io.EOF.
func (c *cell) record(t *testing.T) (pid1.Record, error) {
	t.Helper()
	b := make([]byte, pid1.RecordSize)
	if _, err := io.ReadFull(c.rec, b); err != nil {
		return pid1.Record{}, err
	}
	r, err := pid1.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return r, nil
}

func (c *cell) line(t *testing.T) string {
	t.Helper()
	s, err := c.out.ReadString('\n')
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return strings.TrimSuffix(s, "\n")
}

func needsPidNamespaces(t *testing.T, f *fixture) {
	t.Helper()
	needsUserNamespaces(t, f)
}

// TestInitTellsTheTruth: the record has the status that wait4 would have given.
func TestInitTellsTheTruth(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	for _, tt := range []struct {
		script string
		want   syscall.WaitStatus
		code   int // of process 1
	}{
		{"exit 0", 0, 0},
		{"exit 7", 7 << 8, 7},
		{"exit 255", 255 << 8, 255},
		{"kill -TERM $$", 15, 128 + 15},
		{"kill -KILL $$", 9, 128 + 9},
		{"sleep 100 & exit 3", 3 << 8, 3},
		{"(sleep 0.01; exit 9) & wait; exit 4", 4 << 8, 4},
	} {
		c := f.jail(t, jailed(tt.script))
		r, err := c.record(t)
		if err != nil || r.Status&^0x80 != tt.want { // whether there is a core depends
			t.Errorf("%s: status %#x, %v; want %#x", tt.script, r.Status, err, tt.want)
		}
		if ws := reap(t, c.Pid); ws.ExitStatus() != tt.code {
			t.Errorf("%s: process 1 ended with %v, want %d", tt.script, ws, tt.code)
		}
		if _, err := c.record(t); err != io.EOF {
			t.Errorf("%s: after the end: %v", tt.script, err)
		}
	}
}

// TestInitSurroundings looks at process 1 from the program.
func TestInitSurroundings(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	c := f.jail(t, jailed(`echo $$; cat /proc/1/comm; ls /proc/1/fd 2>&1 | tr '\n' ' '; echo; ls /proc/self/fd | tr '\n' ' '; echo; grep Threads /proc/1/status; kill -0 1 && echo seen`))
	for _, want := range []string{"2", "init", "0 ", "0 1 2 3 ", "Threads:\t1", "seen"} {
		if got := c.line(t); got != want && !strings.Contains(got, "ermission denied") {
			t.Errorf("the program says %q, want %q", got, want)
		}
	}
	reap(t, c.Pid)
}

// TestInitPassesSignalsOn: SIGTERM ends a program without a handler, a handler
// is run once for each signal, and SIGKILL ends everything.
func TestInitPassesSignalsOn(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	c := f.jail(t, jailed(`echo ready; exec sleep 100`))
	c.line(t)
	syscall.Kill(c.Pid, syscall.SIGTERM)
	if r, err := c.record(t); err != nil || r.Status != 15 {
		t.Errorf("SIGTERM: %#x, %v", r.Status, err)
	}
	reap(t, c.Pid)

	c = f.jail(t, jailed(`trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done`))
	c.line(t)
	for range 3 {
		syscall.Kill(c.Pid, syscall.SIGUSR1)
		if got := c.line(t); got != "usr1" {
			t.Errorf("the handler says %q", got)
		}
	}
	syscall.Kill(c.Pid, syscall.SIGKILL)
	if ws := reap(t, c.Pid); ws.Signal() != syscall.SIGKILL {
		t.Errorf("SIGKILL: process 1 ended with %v", ws)
	}
	if _, err := c.record(t); err != io.EOF {
		t.Errorf("SIGKILL: %v, want no record", err)
	}
	if rest, err := io.ReadAll(c.out); err != nil || len(rest) > 0 {
		t.Errorf("after its end the program says %q, %v", rest, err)
	}
}

// TestInitTellsOfStops: a stop and its end are told.
func TestInitTellsOfStops(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	c := f.jail(t, jailed(`trap 'exit 5' USR1; kill -STOP $$; while :; do sleep 0.05; done`))
	if r, err := c.record(t); err != nil || !r.Status.Stopped() || r.Status.StopSignal() != syscall.SIGSTOP {
		t.Errorf("%#x, %v; want stopped by SIGSTOP", r.Status, err)
	}
	syscall.Kill(c.Pid, syscall.SIGCONT)
	if r, err := c.record(t); err != nil || !r.Status.Continued() {
		t.Errorf("%#x, %v; want continued", r.Status, err)
	}
	syscall.Kill(c.Pid, syscall.SIGUSR1)
	if r, err := c.record(t); err != nil || r.Status != 5<<8 {
		t.Errorf("%#x, %v; want exit 5", r.Status, err)
	}
	reap(t, c.Pid)
}

// TestInitTellsTheEnd: a program that stops more often than its pipe takes records, which
// nobody reads, is told of when it has ended, and the others of the stops.
func TestInitTellsTheEnd(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	c := f.jail(t, jailed(`p=$$; (while :; do kill -CONT $p; done) & i=0; while [ $i -lt 2000 ]; do kill -STOP $$; i=$((i+1)); done; exit 7`))
	if ws := reap(t, c.Pid); ws.ExitStatus() != 7 {
		t.Errorf("process 1 ended with %v, want 7", ws)
	}
	var last pid1.Record
	stops := 0
	for {
		r, err := c.record(t)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = r
		stops++
	}
	if last.Status.ExitStatus() != 7 || stops < 2 {
		t.Errorf("%d records, the last has status %#x, want exit 7", stops, last.Status)
	}
}

// TestInitLeavesNothing: what the program started ends with it, daemons too.
func TestInitLeavesNothing(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	c := f.jail(t, jailed(`(setsid sh -c 'sleep 100 & echo started; wait' &) ; sleep 0.1; exit 0`))
	if got := c.line(t); got != "started" {
		t.Fatalf("the program says %q", got)
	}
	if rest, err := io.ReadAll(c.out); err != nil || len(rest) > 0 { // the end of file comes when all have ended
		t.Errorf("%q, %v", rest, err)
	}
	reap(t, c.Pid)
}

// TestInitFailures: a step of either process that fails is named, and nothing
// runs.
func TestInitFailures(t *testing.T) {
	f := newFixture(t)
	needsPidNamespaces(t, f)
	step := func(r *Request, op spawn.Op) error {
		_, _, err := f.output(t, r)
		var e *spawn.Error
		if !errors.As(err, &e) || e.Op != string(op) {
			return fmt.Errorf("error %v, want one of the step %s", err, op)
		}
		return nil
	}
	after := jailed("exit 0", spawn.Chdir(spawn.Str("/nonexistent/place")))
	if err := step(after, spawn.OpChdir); err != nil {
		t.Error("behind init: ", err)
	}
	program := jailed("exit 0")
	program.Path = "/nonexistent/program"
	if err := step(program, "exec"); err != nil {
		t.Error("the program: ", err)
	}
	// No descriptor can be had: by the program, or by both processes.
	none := spawn.SetLimit(spawn.Limit{Resource: unix.RLIMIT_NOFILE, Soft: 0, Hard: 0})
	if err := step(jailed("exit 0", none), spawn.OpFiles); err != nil {
		t.Error("no descriptors for the program: ", err)
	}
	both := jailed("exit 0")
	both.Plan.InsertBefore(spawn.OpInit, none)
	if _, _, err := f.output(t, both); !errors.Is(err, syscall.EBADF) {
		t.Error("no descriptors: ", err)
	}
	for _, p := range []*spawn.Plan{
		{Steps: []spawn.Step{spawn.Clone(0), spawn.Init(), spawn.Exec(spawn.HolePath.Arg())}},
		{Steps: []spawn.Step{spawn.Clone(unix.CLONE_NEWPID), spawn.Init(), spawn.Init(), spawn.Exec(spawn.HolePath.Arg())}},
	} {
		if err := Check(p, 0); !errors.Is(err, spawn.ErrBadPlan) {
			t.Errorf("%v: %v", p.Steps, err)
		}
	}
}
