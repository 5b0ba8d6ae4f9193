//go:build linux && (amd64 || arm64)

package seccomp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/internal/tinyelf"
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

// TestNeeded starts a program that does nothing but end, with every call of the
// list allowed and with one of them missing.
func TestNeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exit")
	if err := tinyelf.Write(path, tinyelf.Exit(5)); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Dir(path), 0o755)
	// Needed when there are descriptors to move, a signal to forward, a child
	// that lives long enough to be waited for.
	sometimes := []string{"fcntl", "close", "rt_sigaction", "rt_sigtimedwait", "kill"}
	for _, without := range append([]string{""}, Needed()...) {
		names := slices.DeleteFunc(append(Needed(), "exit"), func(name string) bool { return name == without })
		f := Filter{Default: KillProcess, Rules: []Rule{{Names: names, Action: Allow}}}
		program, err := Assemble(f, here)
		if err != nil {
			t.Fatal(err)
		}
		_, status, err := tryCell(t, program, path, "exit")
		if ok := err == nil && status == 5<<8; ok != (without == "") && !slices.Contains(sometimes, without) {
			t.Errorf("without %q: status %#x, %v", without, status, err)
		}
		if refused := f.Refused(Needed(), here); without != "" && !slices.Equal(refused, []string{without}) || without == "" && refused != nil {
			t.Errorf("without %q: refused are %q", without, refused)
		}
	}
}

// inCell runs a script below a process 1, with a filter before it.
func inCell(t *testing.T, filter, script string) (string, syscall.WaitStatus) {
	t.Helper()
	out, status, err := tryCell(t, filter, "/bin/sh", "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return out, status
}

// tryCell starts a program below a process 1 and returns what it wrote and the
// status that process 1 told.
func tryCell(t *testing.T, filter, path string, argv ...string) (string, syscall.WaitStatus, error) {
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
		Path: path, Args: argv, Env: []string{"PATH=/usr/bin:/bin"}, Null: int(null.Fd()),
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
		return "", 0, err
	}
	unix.Close(child.Pidfd)
	record := os.NewFile(uintptr(child.Record), "record")
	defer record.Close()
	var out, told bytes.Buffer
	io.Copy(&out, pr)
	io.Copy(&told, record)
	if told.Len() < pid1.RecordSize {
		return out.String(), 0, errors.New("process 1 told nothing")
	}
	r, err := pid1.Decode(told.Bytes()[told.Len()-pid1.RecordSize:])
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), r.Status, nil
}
