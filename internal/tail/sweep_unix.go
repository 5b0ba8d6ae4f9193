//go:build unix

package tail

import (
	"syscall"
	"time"
)

// sweep reads what is in the pipe when the deadline has passed: on a busy machine that
// may be all that the process has written, since a read fails then without a look.
func (t *Tail) sweep(buf []byte) {
	raw, err := t.file.SyscallConn()
	if err != nil || t.file.SetReadDeadline(time.Time{}) != nil {
		return // it has been closed
	}
	for swept := 0; swept < maxSwept; {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), buf) // it does not wait
			return true
		})
		if n <= 0 || err != nil {
			return
		}
		t.take(buf[:n])
		swept += n
	}
}
