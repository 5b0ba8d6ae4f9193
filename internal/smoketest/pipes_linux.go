package smoketest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"unsafe"
)

// The sabotages of the scenarios about pipes that somebody else holds, or nobody
// reads.
const (
	notHeld     = "not_held"      // the descendant has another standard output
	closeOnExec = "close_on_exec" // the sibling has not inherited the channel
	drained     = "drained"       // somebody reads the pipe
)

// heldStdio looks at the standard output of a process that has ended and left
// a child behind.
func heldStdio(ctx context.Context, s *stage) (string, error) {
	v, err := s.start(nil, "leaver", s.sabotage)
	if err != nil {
		return "", err
	}
	descendant, err := v.startedPid(ctx)
	if err != nil {
		return "", err
	}
	if _, err := s.follow(descendant); err != nil {
		return "", err
	}
	status, err := v.wait(ctx)
	if err != nil {
		return "", err
	}
	if err := stillOpen(v.out); err != nil {
		return "", err
	}
	v.in.Close() // which the descendant waits for
	if err := awaitEOF(ctx, v.out); err != nil {
		return "", err
	}
	return fmt.Sprintf("the process had ended with %s, and was waited for: its output was still open, until its child ended as well", statusText(status)), nil
}

// leaver starts a child that has its standard output, and ends.
func leaver(args []string) int {
	cmd := command("pauser")
	cmd.Stdin = os.Stdin
	if args[0] != notHeld {
		cmd.Stdout = os.Stdout
	}
	if err := cmd.Start(); err != nil {
		say("error %v", err)
		return 1
	}
	say("started %d", cmd.Process.Pid)
	return 3
}

// inheritedChannel waits for the end of a child by the end of its channel, which
// another child has inherited.
func inheritedChannel(ctx context.Context, s *stage) (string, error) {
	ours, theirs, err := s.pipe()
	if err != nil {
		return "", err
	}
	with := func(c *exec.Cmd) { c.ExtraFiles = []*os.File{theirs} }
	child, err := s.start(with, "echoer")
	if err != nil {
		return "", err
	}
	if s.sabotaged(closeOnExec) {
		with = nil
	}
	sibling, err := s.start(with, "echoer")
	if err != nil {
		return "", err
	}
	theirs.Close()
	for _, v := range []*victim{child, sibling} {
		if _, err := v.expect(ctx, "up"); err != nil {
			return "", err
		}
	}
	child.in.Close()
	if _, err := child.wait(ctx); err != nil {
		return "", err
	}
	if err := stillOpen(ours); err != nil {
		return "", err
	}
	sibling.in.Close()
	if err := awaitEOF(ctx, ours); err != nil {
		return "", err
	}
	return "the child had ended, and was waited for: its channel did not end before a sibling did, which had inherited the other end", nil
}

// stillOpen returns an error unless somebody holds the other end of a pipe whose
// owner has ended: then the kernel says that there is nothing to read yet.
func stillOpen(r *os.File) error {
	var b [4096]byte
	for {
		n, err := control(r, func(fd uintptr) (uintptr, syscall.Errno) {
			n, err := syscall.Read(int(fd), b[:]) // which does not block
			errno, _ := err.(syscall.Errno)
			return uintptr(max(n, 0)), errno
		})
		switch {
		case err == syscall.EAGAIN:
			return nil
		case err != nil && err != syscall.EINTR:
			return err
		case err == nil && n == 0:
			return errors.New("it was closed when its owner had ended")
		}
	}
}

// awaitEOF reads a pipe to its end.
func awaitEOF(ctx context.Context, r *os.File) error {
	at, _ := ctx.Deadline()
	r.SetReadDeadline(at)
	_, err := io.Copy(io.Discard, r)
	return err
}

// fullPipe has a process write one byte more than a pipe takes, and waits for it
// before it reads.
func fullPipe(ctx context.Context, s *stage) (string, error) {
	r, w, err := s.pipe()
	if err != nil {
		return "", err
	}
	size, err := pipeSize(r)
	if err != nil {
		return "", unable("the size of a pipe: %w", err)
	}
	v, err := s.start(func(c *exec.Cmd) { c.ExtraFiles = []*os.File{w} }, "filler", strconv.Itoa(size+1))
	w.Close()
	if err != nil {
		return "", err
	}
	if s.sabotaged(drained) {
		if err := awaitEOF(ctx, r); err != nil {
			return "", err
		}
		<-v.ended
	}
	full := func() bool {
		select {
		case <-v.ended:
			return true
		default:
			return unread(r) == size && writes(v.pid())
		}
	}
	if err := poll(ctx, full, "the process neither ended nor filled the pipe of %d bytes", size); err != nil {
		return "", err
	}
	select {
	case <-v.ended:
		return "", fmt.Errorf("the process has written %d bytes into a pipe and ended", size+1)
	default:
	}
	if err := awaitEOF(ctx, r); err != nil {
		return "", err
	}
	status, err := v.wait(ctx)
	if err == nil && status != 0 {
		err = fmt.Errorf("it ended with %s", statusText(status))
	}
	return fmt.Sprintf("with %d bytes in the pipe the process waited in write(2), and ended when they had been read", size), err
}

// filler writes so many bytes to its descriptor reportFD.
func filler(args []string) int {
	n, _ := strconv.Atoi(args[0])
	for b := make([]byte, n); len(b) > 0; {
		n, err := syscall.Write(reportFD, b)
		if err != nil && err != syscall.EINTR {
			return 1
		}
		b = b[max(n, 0):]
	}
	return 0
}

// writes reports whether a thread of a process is in write(2). It is true where
// nobody may look.
func writes(pid int) bool {
	looked := false
	for _, tid := range threads(pid) {
		w := waitingOf(pid, tid)
		if w.call == strconv.Itoa(syscall.SYS_WRITE) {
			return true
		}
		looked = looked || w.call != ""
	}
	return !looked
}

// pipeSize returns how many bytes a pipe takes.
func pipeSize(f *os.File) (size int, err error) {
	const getPipeSize = 1032 // F_GETPIPE_SZ
	return control(f, func(fd uintptr) (uintptr, syscall.Errno) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, getPipeSize, 0)
		return n, errno
	})
}

// unread returns how many bytes are in a pipe.
func unread(f *os.File) int {
	const unreadBytes = 0x541b // FIONREAD
	n, _ := control(f, func(fd uintptr) (uintptr, syscall.Errno) {
		var n int32
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, unreadBytes, uintptr(unsafe.Pointer(&n)))
		return uintptr(n), errno
	})
	return n
}

func control(f *os.File, call func(fd uintptr) (uintptr, syscall.Errno)) (n int, err error) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var r uintptr
	var errno syscall.Errno
	if err := c.Control(func(fd uintptr) { r, errno = call(fd) }); err != nil {
		return 0, err
	}
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}
