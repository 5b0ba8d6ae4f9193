//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package main

import (
	"syscall"
	"unsafe"
)

// hearsTerminal reports whether a key like Ctrl-C reaches the process by
// itself: it is in our process group, and that is the one in the foreground
// of our terminal.
func hearsTerminal(pid int) bool {
	own := syscall.Getpgrp()
	if pid <= 0 {
		return false // not a local process
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != own {
		return false
	}
	// Without a controlling terminal this is ENXIO.
	tty, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(tty)
	var foreground int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(tty), syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&foreground)))
	return errno == 0 && int(foreground) == own
}
