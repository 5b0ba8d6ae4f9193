package leakcheck

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDescriptorsAreSeen(t *testing.T) {
	before := Take()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, before,
		fmt.Sprintf("descriptor %d: /dev/null", f.Fd()),
		fmt.Sprintf("descriptor %d: pipe:[", r.Fd()), fmt.Sprintf("descriptor %d: pipe:[", w.Fd()),
		fmt.Sprintf("descriptor %d: socket:[", fds[0]), fmt.Sprintf("descriptor %d: socket:[", fds[1]))
	for _, c := range []*os.File{f, r, w} {
		c.Close()
	}
	syscall.Close(fds[0])
	syscall.Close(fds[1])
	clean(t, before)
}

func TestDescriptorThatBecameAnotherIsSeen(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := os.Open(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	before := Take()
	if err := syscall.Dup3(int(g.Fd()), int(f.Fd()), syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	expect(t, before, fmt.Sprintf("descriptor %d: %s", f.Fd(), os.TempDir()))
}

func TestPollerOfTheRuntimeIsNoLeakButAnotherIs(t *testing.T) {
	before := Take()
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, before, fmt.Sprintf("descriptor %d: anon_inode:[eventpoll]", fd))
	syscall.Close(fd)
	clean(t, before)
}

func TestChildIsSeen(t *testing.T) {
	before := Take()
	cmd, release := hold(t, "until_eof")
	left := strings.Join(before.Left(0), "\n")
	for _, want := range []string{
		fmt.Sprintf("process %d (", cmd.Process.Pid),
		fmt.Sprintf("child of %d, state ", os.Getpid()),
		`"helperproc:until_eof"`,
	} {
		if !strings.Contains(left, want) {
			t.Errorf("does not say %q:\n%s", want, left)
		}
	}
	release()
	clean(t, before)
}

func TestGrandchildIsSeen(t *testing.T) {
	before := Take()
	cmd, release := hold(t, "parent")
	left := strings.Join(before.Left(0), "\n")
	for _, want := range []string{
		fmt.Sprintf("process %d (", cmd.Process.Pid),
		fmt.Sprintf("child of %d, state ", cmd.Process.Pid),
		`"helperproc:parent"`,
		`"helperproc:until_eof"`,
	} {
		if !strings.Contains(left, want) {
			t.Errorf("does not say %q:\n%s", want, left)
		}
	}
	release()
	clean(t, before)
}

func TestZombieIsSeen(t *testing.T) {
	before := Take()
	cmd, _ := hold(t, "until_eof")
	cmd.Stdin, cmd.Stdout = nil, nil
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// It becomes a zombie when the kernel gets to it, which waitid(WNOWAIT)
	// would tell; its state is what is tested here, so ask for that.
	tick := time.NewTicker(interval)
	defer tick.Stop()
	want := fmt.Sprintf("process %d (", cmd.Process.Pid)
	for deadline := time.Now().Add(Patience); ; <-tick.C {
		left := strings.Join(before.Left(0), "\n")
		if strings.Contains(left, want) && strings.Contains(left, "state Z (zombie: ended and not waited for)") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no zombie:\n%s", left)
		}
	}
	cmd.Wait()
	clean(t, before)
}
