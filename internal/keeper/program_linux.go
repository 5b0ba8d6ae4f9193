package keeper

import (
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/pid1"
)

// programEnd returns how the program of a child with a process 1 ended, whose
// own end was ws and usage: the last that process 1 told. One that was killed, and
// took the program with it, has told nothing, and its own end is the answer. It
// closes record.
func programEnd(record int, ws syscall.WaitStatus, usage syscall.Rusage) (syscall.WaitStatus, syscall.Rusage) {
	defer syscall.Close(record)
	b := make([]byte, pid1.RecordSize)
	for {
		n, err := syscall.Read(record, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return ws, usage
		}
		if r, err := pid1.Decode(b[:n]); err == nil && (r.Status.Exited() || r.Status.Signaled()) {
			return r.Status, r.Rusage
		}
	}
}
