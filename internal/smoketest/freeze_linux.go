package smoketest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// givesUp is the sabotage by which the thread that waits for its child gives its
// processor up first.
const givesUp = "gives_up_processor"

// The descriptor of a pipe for whose end a child waits before it goes on.
const gateFD = 3

// vforkFreeze has a Go process vfork a child that does not come to its exec.
func vforkFreeze(ctx context.Context, s *stage) (string, error) {
	gate, hold, err := s.pipe()
	if err != nil {
		return "", err
	}
	v, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{gate} }, "freezer", s.sabotage)
	gate.Close()
	if err != nil {
		return "", err
	}
	text, err := v.expect(ctx, "thread")
	if err != nil {
		return "", err
	}
	tid, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	dir := fmt.Sprintf("/proc/%d/task/%d/", v.pid(), tid)
	answered := v.asked(ctx)
	// The runtime's monitor sends the signal by which it stops a thread that has
	// had its processor for too long. This one does not come to see it.
	frozen := func() bool { return len(answered) > 0 || pendingSignal(dir, syscall.SIGURG) }
	if err := poll(ctx, frozen, "the process neither answered nor froze"); err != nil {
		return "", err
	}
	if len(answered) > 0 {
		return "", fmt.Errorf("the process answered while its child was held up")
	}
	hold.Close()
	if err := <-answered; err != nil {
		return "", err
	}
	return fmt.Sprintf("while the child was held up the process did not answer: its thread %d kept the only processor, with SIGURG pending; it answered when the child had ended", tid), nil
}

// asked asks an echoer in another goroutine, which ends with ctx.
func (v *victim) asked(ctx context.Context) <-chan error {
	answered := make(chan error, 1)
	go func() { answered <- v.answers(ctx) }()
	return answered
}

// freezer answers, on the only processor that there is, and has a thread that vforks
// a child.
func freezer(args []string) int {
	runtime.GOMAXPROCS(1)
	frozen := make(chan error)
	go func() {
		runtime.LockOSThread()
		say("thread %d", syscall.Gettid())
		frozen <- vforkAtGate(args[0] == givesUp)
	}()
	code := answer()
	if err := <-frozen; err != nil {
		return 1
	}
	return code
}

// vforkAtGate has a child that waits for the end of the gate.
func vforkAtGate(giveUp bool) error {
	pid, errno := vfork(giveUp)
	if errno != 0 {
		return errno
	}
	_, err := syscall.Wait4(pid, nil, 0, nil)
	return err
}

// vfork makes a child that waits for the end of the gate and exits. It has memory
// of its own, so no assembly is needed to keep its parent's stack safe; that its
// parent's thread waits for it is no different.
//
//go:nosplit
//go:norace
func vfork(giveUp bool) (pid int, errno syscall.Errno) {
	var b [1]byte
	if giveUp {
		entersyscall()
	}
	r, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, syscall.CLONE_VFORK|uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 && r == 0 {
		syscall.RawSyscall(syscall.SYS_READ, gateFD, uintptr(unsafe.Pointer(&b)), 1)
		for {
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	if giveUp {
		exitsyscall()
	}
	return int(r), errno
}

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
