//go:build unix && !linux

package linux

import "syscall"

// maxScan is how far descriptors are looked for where the system cannot list
// them.
const maxScan = 4096

// CloseInherited sets close-on-exec: what the Go runtime has opened cannot be
// told from the rest here.
func CloseInherited(first int) error { return CloseOnExecFrom(first) }

// CloseOnExecFrom sets the close-on-exec flag of every descriptor from first
// to 4095.
func CloseOnExecFrom(first int) error {
	for fd := first; fd < maxScan; fd++ {
		syscall.CloseOnExec(fd)
	}
	return nil
}

// DupAbove copies a descriptor. The copy is close-on-exec and the caller's.
// On this system its number is the lowest free one, whatever min says.
func DupAbove(fd, min int) (int, error) {
	n, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(n)
	}
	return n, err
}
