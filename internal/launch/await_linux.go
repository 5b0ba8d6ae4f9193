//go:build linux && (amd64 || arm64)

package launch

import (
	"math"
	"strconv"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Some of what a child needs can only come from a process that has rights outside
// of the child's namespaces. For that it stops at a step, an errand, which another
// thread of this process does meanwhile: the thread that launches is suspended
// until the child has become its program.
//
// The two meet in the memory that they share. Whoever of them is killed leaves
// nobody waiting for long: the thread that launches goes on when the child is
// gone, and calls the other one back; and the child is tied to this process, and
// gives up after a time besides.

// An errand is what a child waits for.
type errand struct {
	file string // of the child's folder in /proc
	text string
}

// awaitCall is no system call: the child asks for the errand whose number, from
// 1 on, is the first argument, and waits until it has been done.
const awaitCall = ^uintptr(1)

// The errand that is asked for when there will be no other.
const noErrand = math.MaxUint32

// errandTime bounds a child's wait, in seconds. It is longer than a launch may
// take by default.
const errandTime = 30

// await emits the wait for an errand.
func (b *builder) await(i int, file, text string) {
	b.errands = append(b.errands, errand{file, text})
	limit := b.bytes(int(unsafe.Sizeof(unix.Timespec{})))
	*(*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(limit))) = unix.Timespec{Sec: errandTime}
	b.call(i, awaitCall, uintptr(len(b.errands)), pointer(limit))
}

// ask is the child's part of an errand. It returns how that went.
//
//go:nosplit
//go:norace
//go:nocheckptr
func (s *state) ask(number, limit uintptr) syscall.Errno {
	s.asked = uint32(number)
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.asked)), futexWake, 1, 0, 0, 0)
	for {
		done := s.done
		if done>>errnoBits == uint32(number) {
			return syscall.Errno(done & (1<<errnoBits - 1))
		}
		if *s.abort != 0 {
			return unix.ECANCELED
		}
		// Its failures are a change meanwhile, and the end of the time.
		_, _, e := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.done)), futexWait, uintptr(done), limit, 0, 0)
		if e == unix.ETIMEDOUT {
			return e
		}
	}
}

// errnoBits are those of state.done that tell how the errand went.
const errnoBits = 12

// Both are FUTEX_PRIVATE_FLAG as well: the waiting and the waking process have
// the same memory.
const (
	futexWait = 128
	futexWake = 129
)

// attend starts who does the errands of the child that is to be cloned, and waits
// for him to be there: a child that had to wait for a thread would not be told
// so. The caller calls dismiss when the child needs nothing more.
func (t *Thread) attend() (dismiss func()) {
	s, errands := t.state, t.build.errands
	if len(errands) == 0 {
		return func() {}
	}
	s.asked, s.done = 0, 0
	there, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		close(there)
		for i, e := range errands {
			number := uint32(i + 1)
			if !s.awaitAsked(number) {
				return
			}
			errno := e.do(t.Pid())
			atomic.StoreUint32(&s.done, number<<errnoBits|uint32(errno))
			syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.done)), futexWake, 1, 0, 0, 0)
		}
	}()
	<-there
	return func() {
		atomic.StoreUint32(&s.asked, noErrand)
		syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.asked)), futexWake, 1, 0, 0, 0)
		<-gone
	}
}

// awaitAsked waits until an errand is asked for. It reports false when it will
// not be.
func (s *state) awaitAsked(number uint32) bool {
	for {
		switch asked := atomic.LoadUint32(&s.asked); asked {
		case number:
			return true
		case noErrand:
			return false
		default:
			syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.asked)), futexWait, uintptr(asked), 0, 0, 0)
		}
	}
}

// do does an errand for the child with a pid, which has not been reaped.
func (e errand) do(pid int) syscall.Errno {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+e.file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, []byte(e.text))
		unix.Close(fd)
	}
	errno, _ := err.(syscall.Errno)
	return errno
}
