//go:build linux && (amd64 || arm64)

package launch

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func TestMain(m *testing.M) {
	// What the test was started with is none of the children's business.
	if err := linux.CloseOnExecFrom(3); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fixture is a locked thread with descriptors for the child's stdio.
type fixture struct {
	*Thread
	null *os.File
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	th, err := NewThread()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { th.Close(); null.Close() })
	return &fixture{th, null}
}

// reap waits for a child and returns its status.
func reap(t testing.TB, pid int) syscall.WaitStatus {
	t.Helper()
	var ws syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != syscall.EINTR {
			if err != nil {
				t.Fatalf("wait4 %d: %v", pid, err)
			}
			return ws
		}
	}
}

// output launches r with a pipe as the child's 1 and 2 and returns what it
// wrote and its status.
func (f *fixture) output(t testing.TB, r *Request) (string, syscall.WaitStatus, error) {
	t.Helper()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	r.Null = int(f.null.Fd())
	r.Files = append([]File{{1, int(pw.Fd())}, {2, int(pw.Fd())}}, r.Files...)
	child, err := f.Launch(r)
	pw.Close()
	f.Done()
	if err != nil {
		if child.Pid != 0 {
			reap(t, child.Pid)
		}
		return "", 0, err
	}
	defer unix.Close(child.Pidfd)
	out, rerr := io.ReadAll(pr)
	if rerr != nil {
		t.Fatal(rerr)
	}
	return string(out), reap(t, child.Pid), nil
}

func plan(steps ...spawn.Step) *spawn.Plan {
	p := &spawn.Plan{Steps: []spawn.Step{spawn.Clone(0), spawn.Files(), spawn.Exec(spawn.HolePath.Arg())}}
	p.InsertBefore(spawn.OpFiles, steps...)
	return p
}

func shell(script string, steps ...spawn.Step) *Request {
	return &Request{Plan: plan(steps...), Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
}

func TestLaunchRunsTheProgram(t *testing.T) {
	f := newFixture(t)
	for range 50 {
		out, ws, err := f.output(t, shell("echo $0 $1 $HOME; exit 7"))
		if err != nil || ws.ExitStatus() != 7 || out != "sh\n" {
			t.Fatalf("got %q, %v, %v", out, ws, err)
		}
	}
}

// TestEveryStep runs each step and looks at what it did to the child, as the
// child sees it.
func TestEveryStep(t *testing.T) {
	root := os.Geteuid() == 0
	dir := t.TempDir()
	os.Chmod(dir, 0o755)
	self, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	written := dir + "/written"
	tests := []struct {
		op     spawn.Op
		root   bool // only root may
		steps  []spawn.Step
		fds    []int
		script string
		want   string
	}{
		{op: spawn.OpSetsid, steps: []spawn.Step{spawn.Setsid()}, script: `set -- $(cat /proc/$$/stat); [ $1 = $6 ] && echo leads`, want: "leads\n"},
		{op: spawn.OpSetpgid, steps: []spawn.Step{spawn.Setpgid(0)}, script: `set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 != $6 ] && echo own group`, want: "own group\n"},
		{op: spawn.OpUmask, steps: []spawn.Step{spawn.Umask(0o027)}, script: `umask`, want: "0027\n"},
		{op: spawn.OpPriority, steps: []spawn.Step{spawn.Priority(7)}, script: `set -- $(cat /proc/$$/stat); echo ${19}`, want: "7\n"},
		{op: spawn.OpAffinity, steps: []spawn.Step{spawn.Affinity("\x01\x00\x00\x00\x00\x00\x00\x00")}, script: `grep Cpus_allowed_list /proc/$$/status`, want: "Cpus_allowed_list:\t0\n"},
		{op: spawn.OpLimit, steps: []spawn.Step{spawn.SetLimit(spawn.Limit{Resource: unix.RLIMIT_NOFILE, Soft: 55, Hard: 66})}, script: `ulimit -Sn; ulimit -Hn`, want: "55\n66\n"},
		{op: spawn.OpSetgroups, root: true, steps: []spawn.Step{spawn.Setgroups(12, 13)}, script: `grep Groups /proc/$$/status`, want: "Groups:\t12 13 \n"},
		{op: spawn.OpSetresgid, root: true, steps: []spawn.Step{spawn.Setresgid(65534)}, script: `grep Gid /proc/$$/status`, want: "Gid:\t65534\t65534\t65534\t65534\n"},
		{op: spawn.OpSetresuid, root: true, steps: []spawn.Step{spawn.Setresuid(65534)}, script: `grep Uid /proc/$$/status`, want: "Uid:\t65534\t65534\t65534\t65534\n"},
		{op: spawn.OpNoNewPrivs, steps: []spawn.Step{spawn.NoNewPrivs()}, script: `grep NoNewPrivs /proc/$$/status`, want: "NoNewPrivs:\t1\n"},
		{op: spawn.OpIgnore, steps: []spawn.Step{spawn.IgnoreSignal(syscall.SIGHUP), spawn.IgnoreSignal(syscall.SIGPIPE)}, script: `grep SigIgn /proc/$$/status`, want: "SigIgn:\t0000000000001001\n"},
		{op: spawn.OpChdir, steps: []spawn.Step{spawn.Chdir(spawn.Str(dir))}, script: `pwd -P`, want: dir + "\n"},
		{op: spawn.OpFchdir, steps: []spawn.Step{spawn.Fchdir(spawn.FD(0))}, fds: []int{int(self.Fd())}, script: `pwd -P`, want: dir + "\n"},
		{op: spawn.OpChroot, root: true, steps: []spawn.Step{spawn.Chroot(spawn.Str("/"))}, script: `echo here`, want: "here\n"},
		{op: spawn.OpOpen, steps: []spawn.Step{spawn.Open(spawn.Str(written), os.O_CREATE|os.O_WRONLY, 0o600), spawn.Write(spawn.Result(1), spawn.Str("by a step")), spawn.Close(spawn.Result(1))}, script: `cat ` + written + `; ls /proc/$$/fd`, want: "by a step0\n1\n2\n"},
		{op: spawn.OpDup, steps: []spawn.Step{spawn.Dup(spawn.FD(0), 9)}, fds: []int{int(self.Fd())}, script: `readlink /proc/$$/fd/9`, want: dir + "\n"},
	}
	f := newFixture(t)
	for _, tt := range tests {
		t.Run(string(tt.op), func(t *testing.T) {
			if tt.root && !root {
				t.Skip("needs root")
			}
			r := shell(tt.script, tt.steps...)
			r.FDs = tt.fds
			out, ws, err := f.output(t, r)
			if err != nil || out != tt.want || ws != 0 {
				t.Errorf("child says %q, status %v, error %v; want %q", out, ws, err, tt.want)
			}
		})
	}
}

// TestEveryStepFails makes each step that can fail do so and looks for its
// name in the error.
func TestEveryStepFails(t *testing.T) {
	const nowhere = "/nonexistent/place"
	bad := spawn.FD(0)
	tests := []struct {
		name  string
		steps []spawn.Step
		errno syscall.Errno
	}{
		{"setsid", []spawn.Step{spawn.Setsid(), spawn.Setsid()}, syscall.EPERM},
		{"setpgid", []spawn.Step{spawn.Setpgid(1)}, syscall.EPERM},
		{"tiocsctty", []spawn.Step{spawn.Terminal(77)}, syscall.EBADF},
		{"tiocspgrp", []spawn.Step{spawn.Setpgid(0), spawn.Foreground(77, 0)}, syscall.EBADF},
		{"setaffinity", []spawn.Step{spawn.Affinity("\x00\x00\x00\x00\x00\x00\x00\x00")}, syscall.EINVAL},
		{"prlimit", []spawn.Step{spawn.SetLimit(spawn.Limit{Resource: unix.RLIMIT_NOFILE, Soft: 9, Hard: 8})}, syscall.EINVAL},
		{"ignore", []spawn.Step{spawn.IgnoreSignal(syscall.SIGKILL)}, syscall.EINVAL},
		{"chdir", []spawn.Step{spawn.Chdir(spawn.Str(nowhere))}, syscall.ENOENT},
		{"fchdir", []spawn.Step{spawn.Fchdir(bad)}, syscall.ENOTDIR},
		{"chroot", []spawn.Step{spawn.Chroot(spawn.Str(nowhere))}, syscall.ENOENT},
		{"open", []spawn.Step{spawn.Open(spawn.Str(nowhere), 0, 0)}, syscall.ENOENT},
		{"write", []spawn.Step{spawn.Open(spawn.Str("/dev/full"), os.O_WRONLY, 0), spawn.Write(spawn.Result(1), spawn.Str("x"))}, syscall.ENOSPC},
		{"close", []spawn.Step{spawn.Close(bad), spawn.Close(bad)}, syscall.EBADF},
		{"dup", []spawn.Step{spawn.Close(bad), spawn.Dup(bad, 5)}, syscall.EBADF},
	}
	f := newFixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := shell("echo must not run", tt.steps...)
			r.FDs = []int{int(f.null.Fd())}
			_, _, err := f.output(t, r)
			var e *spawn.Error
			if !errors.As(err, &e) || e.Op != tt.name || e.Errno != tt.errno || e.Phase != spawn.PhaseSetup {
				t.Errorf("error = %#v (%v); want step %s, %v", e, err, tt.name, tt.errno)
			}
		})
	}
}

// TestEveryStepFailsAsUser covers the steps that only an ordinary user can
// see fail.
func TestEveryStepFailsAsUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give the identity up")
	}
	f := newFixture(t)
	drop := []spawn.Step{spawn.Setgroups(), spawn.Setresgid(65534), spawn.Setresuid(65534)}
	for name, step := range map[string]spawn.Step{
		"setgroups": spawn.Setgroups(1), "setresgid": spawn.Setresgid(1),
		"setresuid": spawn.Setresuid(1), "setpriority": spawn.Priority(-5),
	} {
		_, _, err := f.output(t, shell("echo must not run", append(drop[:3:3], step)...))
		var e *spawn.Error
		if !errors.As(err, &e) || e.Op != name || (e.Errno != syscall.EPERM && e.Errno != syscall.EACCES) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

func TestExecFails(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	file := dir + "/file"
	if err := os.WriteFile(file, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		"/nonexistent": fs.ErrNotExist, dir: fs.ErrPermission, file: syscall.ENOEXEC, "": fs.ErrNotExist,
	} {
		r := shell("")
		r.Path = path
		_, _, err := f.output(t, r)
		var e *spawn.Error
		if !errors.Is(err, want) || !errors.As(err, &e) || e.Phase != spawn.PhaseExec {
			t.Errorf("exec %q: %v, want %v", path, err, want)
		}
	}
}

func TestExecOpenDescriptor(t *testing.T) {
	f := newFixture(t)
	prog, err := os.Open("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	r := shell("echo by descriptor")
	r.Plan.Steps[len(r.Plan.Steps)-1] = spawn.ExecFD(spawn.FD(0))
	r.FDs = []int{int(prog.Fd())}
	out, _, err := f.output(t, r)
	if err != nil || out != "by descriptor\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

// TestFilesNeverOverwriteEachOther permutes descriptors so that each is the
// target of another.
func TestFilesNeverOverwriteEachOther(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	names := map[int]string{}
	var fds []int
	for i := range 6 {
		w, err := os.Create(dir + "/" + string(rune('a'+i)))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		fds = append(fds, int(w.Fd()))
		names[int(w.Fd())] = w.Name()
	}
	r := shell("")
	var want strings.Builder
	script := ""
	for i, fd := range fds {
		to := fds[(i+1)%len(fds)]
		r.Files = append(r.Files, File{to, fd})
	}
	for i := range fds {
		to := fds[(i+1)%len(fds)]
		script += "readlink /proc/$$/fd/" + itoa(to) + ";"
		want.WriteString(names[fds[i]] + "\n")
	}
	r.Args[2] = script
	out, _, err := f.output(t, r)
	if err != nil || out != want.String() {
		t.Errorf("child has %q, want %q (%v)", out, want.String(), err)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// TestClassicClone runs the path for kernels and filters without clone3.
func TestClassicClone(t *testing.T) {
	f := newFixture(t)
	r := shell("")
	r.Null = int(f.null.Fd())
	r.Args[2] = "exit 9"
	child, err := f.launch(r, false)
	f.Done()
	if err != nil || child.Pidfd < 0 {
		t.Fatal(child, err)
	}
	unix.Close(child.Pidfd)
	if ws := reap(t, child.Pid); ws.ExitStatus() != 9 {
		t.Errorf("status %v, want exit 9", ws)
	}
}

func TestTooBigForExec(t *testing.T) {
	f := newFixture(t)
	r := shell("exit 0", spawn.Umask(0))
	r.Args = append(r.Args, strings.Repeat("x", 131072))
	if _, _, err := f.output(t, r); !errors.Is(err, syscall.E2BIG) {
		t.Errorf("an argument of 131072 bytes: %v, want E2BIG", err)
	}
	r = shell("echo ${#1}")
	r.Args = append(r.Args, "sh", strings.Repeat("x", 131071))
	if out, _, err := f.output(t, r); err != nil || out != "131071\n" {
		t.Errorf("an argument of 131071 bytes: %q, %v", out, err)
	}
}

// BenchmarkLaunch starts a tiny static program and waits for its end: what a
// keeper cannot be faster than.
func BenchmarkLaunch(b *testing.B) {
	f := newFixture(b)
	tiny := b.TempDir() + "/tiny"
	if err := tinyelf.Write(tiny, tinyelf.Exit(0)); err != nil {
		b.Fatal(err)
	}
	r := &Request{Plan: plan(), Path: tiny, Args: []string{"tiny"}, Null: int(f.null.Fd())}
	b.ReportAllocs()
	for b.Loop() {
		child, err := f.Launch(r)
		f.Done()
		if err != nil {
			b.Fatal(err)
		}
		unix.Close(child.Pidfd)
		reap(b, child.Pid)
	}
}

// TestResultIsLifted opens a file in a step while the child's own descriptors
// have low numbers: neither is taken for the other.
func TestResultIsLifted(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	own, err := os.Create(dir + "/own")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	files := make([]File, 0, 20)
	for n := 3; n < 23; n++ {
		files = append(files, File{n, int(own.Fd())})
	}
	r := shell("cat /dev/fd/30") // dash knows descriptors of one digit only
	r.Files = files
	r.Plan = &spawn.Plan{Steps: []spawn.Step{
		spawn.Clone(0), spawn.Open(spawn.Str(dir+"/step"), os.O_CREATE|os.O_RDWR, 0o600), spawn.Files(),
		spawn.Write(spawn.Result(1), spawn.Str("by the step")), spawn.Open(spawn.Str(dir+"/step"), os.O_RDONLY, 0),
		spawn.Dup(spawn.Result(4), 30), spawn.Exec(spawn.HolePath.Arg()),
	}}
	out, _, err := f.output(t, r)
	if err != nil || out != "by the step" {
		t.Errorf("the child reads %q, %v", out, err)
	}
	if b, err := os.ReadFile(dir + "/own"); err != nil || len(b) != 0 {
		t.Errorf("the child's own file has %q, %v", b, err)
	}
}
