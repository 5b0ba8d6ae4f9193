//go:build amd64 || arm64

package linux

import "syscall"

// DeafTo has this process do nothing at sig, behind the back of the Go runtime.
// Unlike one that is ignored, the signal has its default action again in what
// the process executes. signal.Notify does the same at the price of two
// switches of threads for each signal, which is most of a short program's start
// when there are many.
func DeafTo(sig syscall.Signal) error {
	const (
		onStack  = 0x08000000 // a goroutine's own is too small
		restart  = 0x10000000
		restorer = 0x04000000
	)
	act := sigaction{flags: onStack | restart}
	act.handler, act.restorer = deafHandler()
	if act.restorer != 0 {
		act.flags |= restorer
	}
	return setAction(sig, &act)
}

// deafHandler returns a signal handler that does nothing, and what returns from
// it to the interrupted code.
func deafHandler() (handler, restorer uintptr)
