//go:build unix && !linux

package linux

import (
	"os"
	"syscall"
)

// A Waiter learns of the ends of this process's children. The zero value is
// ready; one goroutine at a time may use it.
//
// On this system Peek reaps: between Peek and Reap the pid may be given away.
type Waiter struct {
	pid    int
	status syscall.WaitStatus
	usage  syscall.Rusage
}

// Peek waits until a child of this process has ended and returns its pid.
// With nohang it does not wait and returns 0 when there is none. The error
// matches ECHILD when there is no child at all.
func (w *Waiter) Peek(nohang bool) (pid int, err error) {
	options := 0
	if nohang {
		options = syscall.WNOHANG
	}
	for {
		pid, err = syscall.Wait4(-1, &w.status, options, &w.usage)
		if err != syscall.EINTR {
			w.pid = pid
			return pid, os.NewSyscallError("wait4", err)
		}
	}
}

// Reap returns the status of the child that Peek found.
func (w *Waiter) Reap(pid int) (syscall.WaitStatus, syscall.Rusage, error) {
	if pid != w.pid {
		return 0, syscall.Rusage{}, os.NewSyscallError("wait4", syscall.ECHILD)
	}
	return w.status, w.usage, nil
}
