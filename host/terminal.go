package host

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Terminal is the host's end of a pseudoterminal, pts(4), whose other end is
// a child's terminal. What is written to it the child reads as if it had been
// typed, what the child writes is read from it. Its methods may be called
// concurrently. There are no pseudoterminals by this package but on Linux.
type Terminal struct {
	file *os.File // Close closes it

	mu     sync.Mutex
	ending bool // Drain was called
	rest   int  // how much was read after its time was up
}

// A TerminalSize is the size of a terminal: in characters, and in pixels where
// that is known, else 0.
type TerminalSize struct {
	Rows, Columns uint16
	Width, Height uint16
}

// OpenTerminal opens a new pseudoterminal of the given size; zero is 24 rows of
// 80 columns. Both ends are the caller's to close, and neither is or becomes
// the host's own controlling terminal. child is for the Files of a Spec with
// Session and Terminal. Close it once Start has returned: Read sees the end
// only when nobody has it open.
//
// The error says what to do when there is no /dev/ptmx, or when all
// pseudoterminals of the machine are in use (ENOSPC). Elsewhere than on Linux
// it is errors.ErrUnsupported.
func OpenTerminal(size TerminalSize) (t *Terminal, child *os.File, err error) {
	master, slave, name, err := linux.OpenPTY()
	if err != nil {
		return nil, nil, terminalError(err)
	}
	if size.Rows == 0 && size.Columns == 0 {
		size.Rows, size.Columns = 24, 80
	}
	// It does not block, so that the runtime's poller has it: a read can have a
	// deadline and be ended by Close.
	t = &Terminal{file: os.NewFile(uintptr(master), "/dev/ptmx")}
	child = os.NewFile(uintptr(slave), name)
	if err := t.Resize(size); err != nil {
		t.Close()
		child.Close()
		return nil, nil, terminalError(err)
	}
	return t, child, nil
}

// terminalError says what to do about a pseudoterminal that cannot be had.
func terminalError(err error) error {
	e := &spawn.Error{Phase: spawn.PhaseSetup, Op: "open a pseudoterminal", Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		e.Msg = "all are in use: end some of their programs, or raise /proc/sys/kernel/pty/max"
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV):
		e.Msg = "mount devpts on /dev/pts, and make /dev/ptmx a link to pts/ptmx"
	case errors.Is(err, errors.ErrUnsupported):
		e.Msg = "there are none by this package on this system"
	}
	return e
}

// Read reads what the child writes. The end is io.EOF: it comes when nobody has
// the child's end open any more, or when Drain says so.
func (t *Terminal) Read(b []byte) (int, error) {
	n, err := t.file.Read(b)
	if errors.Is(err, syscall.EIO) {
		// Linux looks for data first and for the end then: both may have come
		// in between. Once it has said that it is the end, nothing more comes,
		// and what has come is there.
		n, err = t.file.Read(b)
	}
	switch {
	case err == nil || n > 0:
		return n, nil
	case errors.Is(err, syscall.EIO): // what Linux says at the end
		return 0, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded) && t.isEnding():
		return t.readRest(b)
	}
	return 0, err
}

// readRest reads what is there, without waiting for more. What was there when
// the time for more was up is not cut off; what comes later may be.
func (t *Terminal) readRest(b []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rest > maxRest {
		return 0, io.EOF
	}
	read := func(fd int) error { n, err = syscall.Read(rawFD(uintptr(fd)), b); return err }
	if err := t.control(read); err != nil || n <= 0 {
		return 0, io.EOF
	}
	t.rest += n
	return n, nil
}

// Write types b. A child that does not read makes it wait.
func (t *Terminal) Write(b []byte) (int, error) { return t.file.Write(b) }

// SetReadDeadline sets when a Read that waits fails with
// os.ErrDeadlineExceeded; the zero time is never. After Drain it does nothing.
func (t *Terminal) SetReadDeadline(d time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ending {
		return nil
	}
	return t.file.SetReadDeadline(d)
}

// SetWriteDeadline is SetReadDeadline for Write.
func (t *Terminal) SetWriteDeadline(d time.Time) error { return t.file.SetWriteDeadline(d) }

// Drain says that the child has ended: reading goes on for the time of limit,
// for descendants that still hold the terminal, then Read returns what is
// there, and io.EOF. Everything the child itself wrote is read, then as ever.
func (t *Terminal) Drain(limit time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
	t.file.SetReadDeadline(time.Now().Add(limit))
}

func (t *Terminal) isEnding() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ending
}

// Close closes the host's end, which also ends a Read or Write under way. If
// the terminal still is in use it is hung up: the leader of its session and the
// group in its foreground get SIGHUP, and whoever reads sees the end.
func (t *Terminal) Close() error { return t.file.Close() }

// Size returns the size.
func (t *Terminal) Size() (TerminalSize, error) { return sizeOf(t.file) }

// Resize sets the size. When it is another than before, the group in the
// foreground gets SIGWINCH.
func (t *Terminal) Resize(size TerminalSize) error {
	return t.control(func(fd int) error { return linux.SetWindowSize(fd, linux.WindowSize(size)) })
}

// TerminalSizeOf returns the size of the terminal that f is, such as
// os.Stdin. The error is ENOTTY when it is none.
func TerminalSizeOf(f *os.File) (TerminalSize, error) { return sizeOf(f) }

func sizeOf(f *os.File) (TerminalSize, error) {
	var s linux.WindowSize
	err := control(f, func(fd int) (err error) { s, err = linux.GetWindowSize(fd); return err })
	return TerminalSize(s), err
}

// Pauses of EndInput: it has no event to wait for.
const (
	endInputMin = 10 * time.Millisecond
	endInputMax = 500 * time.Millisecond
)

// EndInput lets the child see the end of its input, as a closed pipe would, and
// returns when ctx ends or the terminal is closed. A terminal has no end but a
// character, usually Ctrl-D, that means it while lines are edited by the
// system; so EndInput types that whenever everything typed before has been
// read: again and again, as a pipe at its end says so at every read, but once
// only to a program that edits lines itself.
func (t *Terminal) EndInput(ctx context.Context) error {
	told := false // a program that edits lines itself
	for pause := endInputMin; ; {
		var eof byte
		var canonical, pending bool
		err := t.control(func(fd int) (err error) {
			if eof, canonical, err = linux.InputMode(fd); err == nil {
				pending, err = linux.InputPending(fd)
			}
			return err
		})
		told = told && !canonical
		if err == nil && !pending && !told && eof != 0 {
			_, err = t.Write([]byte{eof})
			told = !canonical
			pause = min(2*pause, endInputMax)
		}
		if errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EIO) {
			return nil // there is nobody to tell any more
		}
		if err != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

func (t *Terminal) control(f func(fd int) error) error { return control(t.file, f) }

// control calls f with the descriptor of a file, which it leaves as it is: the
// method Fd would make it one that blocks.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}
