package main

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/term"
)

// A userTerminal is the terminal that the command was started on. As long as it
// is in the foreground there, each key goes to the child as it is: the terminal
// is in raw mode. Its methods are for a nil one as well, that of a command
// without a terminal.
//
// One that is shared stays as it is: the output goes elsewhere, to a pager
// perhaps, which has the terminal for itself. Then lines are read, and only as
// long as nobody has taken the terminal out of the mode in which it has lines.
type userTerminal struct {
	file   *os.File
	shared bool
	front  chan struct{} // capacity 1: it has come to the foreground

	mu     sync.Mutex
	home   *term.State // its mode before; nil when it has that
	raw    bool
	closed bool
}

// A place is where this process is on a terminal.
type place int

const (
	foreground place = iota // or there is no job control
	background
	hungUp
)

func (u *userTerminal) place() place {
	group, err := foregroundOf(u.file.Fd())
	switch {
	case errors.Is(err, syscall.ENOTTY): // it controls another session, or none
		return foreground
	case err != nil:
		return hungUp
	case group != syscall.Getpgrp():
		return background
	}
	return foreground
}

// lendMode gives another terminal the mode of this one: what key erases, say.
func (u *userTerminal) lendMode(to *os.File) {
	if u.shared || u.place() != foreground || !u.hasLines() {
		return // it is somebody else's
	}
	if mode, err := term.GetState(int(u.file.Fd())); err == nil {
		term.Restore(int(to.Fd()), mode)
	}
}

// enter puts the terminal into raw mode, if it is ours at the moment.
func (u *userTerminal) enter() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.raw = !u.shared && !u.closed && u.place() == foreground; !u.raw {
		return
	}
	mode, err := term.MakeRaw(int(u.file.Fd()))
	if err != nil {
		return // it is hung up
	}
	if u.home == nil {
		u.home = mode
	}
	select {
	case u.front <- struct{}{}:
	default:
	}
}

// leave gives the terminal back as it was. What another has it for now is left
// alone: a shell has set a mode of its own.
func (u *userTerminal) leave() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.raw && u.place() == foreground {
		term.Restore(int(u.file.Fd()), u.home)
		u.home = nil
	}
	u.raw = false
}

// close is leave for good.
func (u *userTerminal) close() {
	if u == nil {
		return
	}
	u.leave()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
}

// isAway reports whether the terminal is not ours at the moment.
func (u *userTerminal) isAway() bool {
	if u == nil || u.shared {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.raw
}

// hasLines reports whether the terminal is in canonical mode, termios(3).
func (u *userTerminal) hasLines() bool {
	var mode syscall.Termios
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, u.file.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&mode)))
	return errno == 0 && mode.Lflag&syscall.ICANON != 0
}

// awaitTurn waits until it is this process's turn to read. It reports false
// when the child has ended before.
func (u *userTerminal) awaitTurn(ended <-chan struct{}) bool {
	for {
		select {
		case <-ended:
			return false
		default:
		}
		if u == nil || !u.shared {
			return true
		}
		if !u.hasInput() {
			continue
		}
		if at := u.place(); at == hungUp || at == foreground && u.hasLines() {
			return true
		}
		select {
		case <-ended:
		case <-time.After(lookAgain):
		}
	}
}

// hasInput waits for something to read, for the time of lookAgain: poll(2).
func (u *userTerminal) hasInput() bool {
	p := struct {
		fd              int32
		events, revents int16
	}{int32(u.file.Fd()), 1, 0} // POLLIN
	limit := syscall.NsecToTimespec(int64(lookAgain))
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	return errno == 0 && n > 0
}

// await waits until one who could not read may try again. It reports false when
// the terminal is hung up, or all is over.
func (u *userTerminal) await(over <-chan struct{}) bool {
	var again <-chan time.Time
	switch u.place() {
	case hungUp:
		return false
	case foreground: // since just now, or the hangup is under way
		again = time.After(lookAgain)
	}
	select {
	case <-u.front:
	case <-again:
	case <-over:
		return false
	}
	return true
}
