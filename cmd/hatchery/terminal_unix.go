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
	if !sharesGroup(pid) {
		return false
	}
	// Without a controlling terminal this is ENXIO.
	tty, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(tty)
	group, err := foregroundOf(uintptr(tty))
	return err == nil && group == syscall.Getpgrp()
}

// foregroundOf returns the group in the foreground of a terminal. It is ENOTTY
// when that is not the one of this process's session, and EIO after a hangup.
func foregroundOf(tty uintptr) (int, error) {
	var group int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, tty, syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	if errno != 0 {
		return 0, errno
	}
	return int(group), nil
}

// sharesGroup reports whether the process is a local one, in our group.
func sharesGroup(pid int) bool {
	group, err := syscall.Getpgid(pid)
	return pid > 0 && err == nil && group == syscall.Getpgrp()
}
