//go:build linux && (amd64 || arm64)

package seccomp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestAPlanLivesWithIt: behind the filter that kills, a plan still makes a
// process 1, which reaps, forwards a signal and tells the end, and the program
// is under the filter.
func TestAPlanLivesWithIt(t *testing.T) {
	program, err := Assemble(Default(KillProcess), here)
	if err != nil {
		t.Fatal(err)
	}
	for script, want := range map[string]syscall.WaitStatus{
		"(sleep 0.01 &) ; echo runs; exit 3":                  3 << 8,
		"echo runs; kill -TERM 1; sleep 100":                  syscall.WaitStatus(syscall.SIGTERM), // forwarded to the shell
		"echo runs; exec unshare --user true":                 syscall.WaitStatus(syscall.SIGSYS),
		"grep -q 'Seccomp:.2' /proc/self/status && echo runs": 0,
	} {
		out, status := inCell(t, program, script)
		if out != "runs\n" || status&0x7f != want&0x7f || status>>8 != want>>8 {
			t.Errorf("%s: says %q, status %#x; want %#x", script, out, status, want)
		}
	}
}

// inCell runs a script below a process 1, with a filter before it, and returns
// what it wrote and the status that process 1 told.
func inCell(t *testing.T, filter, script string) (string, syscall.WaitStatus) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	th, err := launch.NewThread()
	if err != nil {
		t.Fatal(err)
	}
	defer th.Close()
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	child, err := th.Launch(&launch.Request{
		Plan: &spawn.Plan{Steps: []spawn.Step{
			spawn.Clone(unix.CLONE_NEWUSER | unix.CLONE_NEWPID), spawn.NoNewPrivs(), spawn.Seccomp(0, filter),
			spawn.Setpgid(0), spawn.Init(), spawn.Setpgid(0), spawn.Files(), spawn.Exec(spawn.HolePath.Arg()),
		}},
		Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Null: int(null.Fd()),
		Files: []launch.File{{Number: 1, FD: int(pw.Fd())}, {Number: 2, FD: int(pw.Fd())}},
	})
	th.Done()
	pw.Close()
	if child.Pid != 0 {
		defer syscall.Wait4(child.Pid, nil, 0, nil)
	}
	if failed := new(spawn.Error); errors.As(err, &failed) && failed.Op == string(spawn.OpClone) {
		t.Skip("needs user namespaces: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	unix.Close(child.Pidfd)
	record := os.NewFile(uintptr(child.Record), "record")
	defer record.Close()
	var out, told bytes.Buffer
	io.Copy(&out, pr)
	io.Copy(&told, record)
	if told.Len() < pid1.RecordSize {
		return fmt.Sprintf("%s and process 1 told nothing", &out), 0
	}
	r, err := pid1.Decode(told.Bytes()[told.Len()-pid1.RecordSize:])
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), r.Status
}
