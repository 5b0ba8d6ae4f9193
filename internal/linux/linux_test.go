//go:build linux

package linux

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sleeper starts a process that waits to be killed.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func TestPidfd(t *testing.T) {
	cmd := sleeper(t)
	fd, err := PidfdOpen(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if Exited(fd) {
		t.Error("Exited before the end")
	}
	if err := PidfdSignal(fd, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	exited, hangup, err := PollExit(fd, int(r.Fd()))
	if !exited || hangup || err != nil {
		t.Errorf("PollExit = %v, %v, %v; want the exit", exited, hangup, err)
	}
	if !Exited(fd) {
		t.Error("not Exited after the end")
	}
	cmd.Wait()
	if err := PidfdSignal(fd, syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("signal to a reaped process: %v, want ESRCH", err)
	}
}

func TestPollExitSeesHangup(t *testing.T) {
	cmd := sleeper(t)
	fd, err := PidfdOpen(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	if exited, hangup, err := PollExit(fd, int(r.Fd())); exited || !hangup || err != nil {
		t.Errorf("PollExit = %v, %v, %v; want the hang-up", exited, hangup, err)
	}
}

func TestChildrenAndStat(t *testing.T) {
	cmd := sleeper(t)
	if c := Children(os.Getpid()); !slices.Contains(c, cmd.Process.Pid) {
		t.Errorf("Children = %v, want %d among them", c, cmd.Process.Pid)
	}
	s, err := ReadStat(cmd.Process.Pid)
	if err != nil || s.Parent != os.Getpid() || s.Group != syscall.Getpgrp() || s.StartTime == 0 {
		t.Errorf("ReadStat = %+v, %v", s, err)
	}
	if _, err := ReadStat(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadStat of nobody: %v", err)
	}
}

// TestStatOfOddName: a name may hold what separates the fields.
func TestStatOfOddName(t *testing.T) {
	exe := t.TempDir() + "/a) R (b"
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sleep, exe); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	s, err := ReadStat(cmd.Process.Pid)
	if err != nil || s.Comm != "a) R (b" || s.Parent != os.Getpid() {
		t.Errorf("ReadStat = %+v, %v", s, err)
	}
}

func TestWaiter(t *testing.T) {
	// In a process of its own: Peek would see the children of other tests.
	if os.Getenv("LINUX_TEST_WAITER") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWaiter$", "-test.v")
		cmd.Env = append(os.Environ(), "LINUX_TEST_WAITER=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	var w Waiter
	if _, err := w.Peek(false); !errors.Is(err, syscall.ECHILD) {
		t.Fatalf("Peek without children: %v, want ECHILD", err)
	}
	proc, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exit 6"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking takes nothing away
		if pid, err := w.Peek(false); pid != proc.Pid || err != nil {
			t.Fatalf("Peek = %d, %v; want %d", pid, err, proc.Pid)
		}
	}
	ws, _, err := w.Reap(proc.Pid)
	if err != nil || ws.ExitStatus() != 6 {
		t.Errorf("Reap = %v, %v; want exit 6", ws, err)
	}
	if pid, err := w.Peek(true); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("Peek after all = %d, %v", pid, err)
	}
}

func TestCloseOnExecFrom(t *testing.T) {
	fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := CloseOnExecFrom(fd); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ls", "/proc/self/fd").Output()
	if err != nil || strings.Contains(string(out), " "+itoa(fd)+"\n") {
		t.Errorf("child sees %q, %v", out, err)
	}
	flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	if flags&syscall.FD_CLOEXEC == 0 {
		t.Error("the flag is not set")
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestNice(t *testing.T) {
	if n := Nice(os.Getpid()); n < -20 || n > 19 {
		t.Errorf("Nice(os.Getpid()) = %d", n)
	}
	out, err := exec.Command("nice").Output()
	if err != nil || strings.TrimSpace(string(out)) != strings.TrimSpace(fmtInt(Nice(os.Getpid()))) {
		t.Errorf("Nice(os.Getpid()) = %d, nice(1) says %q, %v", Nice(os.Getpid()), out, err)
	}
}

func fmtInt(n int) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	return itoa(n)
}

func TestMemfd(t *testing.T) {
	fd, err := Memfd("test")
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "test")
	defer f.Close()
	if _, err := f.WriteString("words"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if n, _ := f.ReadAt(b, 0); string(b[:n]) != "words" {
		t.Errorf("read %q", b[:n])
	}
}

// TestThreadTime: it goes on while the thread works, and stands still while it waits.
func TestThreadTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begin, before := time.Now(), ThreadTime()
	for ThreadTime()-before < 5*time.Millisecond {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%v of 10 s of work", ThreadTime()-before)
		}
	}
	before = ThreadTime()
	<-time.After(200 * time.Millisecond)
	if took := ThreadTime() - before; took > 100*time.Millisecond {
		t.Errorf("%v of a wait of 200 ms", took)
	}
}
