package linux

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// OpenPTY opens a new pseudoterminal, pts(4). Both ends are close-on-exec and
// the caller's; the master does not block. Neither becomes the controlling
// terminal of this process. The slave is opened by TIOCGPTPEER, Linux 4.13:
// that needs no path, which may lead to a stranger's terminal in another mount
// namespace; before that by its path.
func OpenPTY() (master, slave int, name string, err error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	master, err = retry(func() (int, error) { return unix.Open("/dev/ptmx", flags|unix.O_NONBLOCK, 0) })
	if err != nil {
		return -1, -1, "", &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	slave, name, err = openSlave(master, flags)
	if err != nil {
		unix.Close(master)
		return -1, -1, "", err
	}
	return master, slave, name, nil
}

func openSlave(master, flags int) (slave int, name string, err error) {
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		return -1, "", os.NewSyscallError("ioctl", err)
	}
	name = "/dev/pts/" + strconv.Itoa(n)
	slave, err = retry(func() (int, error) {
		fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, uintptr(flags))
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTTY) {
		slave, err = retry(func() (int, error) { return unix.Open(name, flags, 0) })
	}
	if err != nil {
		return -1, "", &os.PathError{Op: "open", Path: name, Err: err}
	}
	return slave, name, nil
}

// retry calls f until no signal interrupts it.
func retry(f func() (int, error)) (int, error) {
	for {
		if fd, err := f(); err != unix.EINTR {
			return fd, err
		}
	}
}

// A WindowSize is the size of a terminal in characters, and in pixels where
// that is known.
type WindowSize struct{ Rows, Columns, Width, Height uint16 }

// GetWindowSize returns the size of a terminal: TIOCGWINSZ in ioctl_tty(2).
func GetWindowSize(fd int) (WindowSize, error) {
	w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return WindowSize{}, os.NewSyscallError("ioctl", err)
	}
	return WindowSize{w.Row, w.Col, w.Xpixel, w.Ypixel}, nil
}

// SetWindowSize sets the size of a terminal, which its foreground group hears
// of by SIGWINCH when it is another: TIOCSWINSZ in ioctl_tty(2).
func SetWindowSize(fd int, s WindowSize) error {
	w := unix.Winsize{Row: s.Rows, Col: s.Columns, Xpixel: s.Width, Ypixel: s.Height}
	return os.NewSyscallError("ioctl", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &w))
}

// Foreground returns the process group in the foreground of a terminal:
// TIOCGPGRP in ioctl_tty(2). It is ENOTTY when that is not the controlling
// terminal of this process.
func Foreground(fd int) (int, error) {
	var group int32
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	if errno != 0 {
		return 0, os.NewSyscallError("ioctl", errno)
	}
	return int(group), nil
}

// SetForeground makes a group of this session the foreground group of its
// terminal: TIOCSPGRP in ioctl_tty(2). A process in the background may do so as
// well, and is not stopped: SIGTTOU is blocked meanwhile.
func SetForeground(fd, group int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ttou, old unix.Sigset_t
	ttou.Val[0] = 1 << (syscall.SIGTTOU - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &ttou, &old); err != nil {
		return os.NewSyscallError("rt_sigprocmask", err)
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return os.NewSyscallError("ioctl", unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, group))
}

// InputMode returns the character that ends the input of a terminal (VEOF in
// termios(3), 0 when there is none) and whether it does: in canonical mode.
func InputMode(fd int) (eof byte, canonical bool, err error) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return 0, false, os.NewSyscallError("ioctl", err)
	}
	return t.Cc[unix.VEOF], t.Lflag&unix.ICANON != 0, nil
}

// InputPending reports whether something that was typed on the terminal with
// the given master has not been read yet. An end of input counts, as it does
// for poll(2) and not for FIONREAD.
func InputPending(master int) (bool, error) {
	fd, _, err := openSlave(master, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := retry(func() (int, error) { return unix.Poll(p, 0) })
	return n > 0, os.NewSyscallError("poll", err)
}

// SetTerminal makes a terminal the controlling one of this process, which leads a
// session that has none: TIOCSCTTY in ioctl_tty(2).
func SetTerminal(fd int) error {
	return os.NewSyscallError("ioctl", unix.IoctlSetInt(fd, unix.TIOCSCTTY, 0))
}
