package main

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// catchStop catches SIGTSTP too. This process does not stop before its child
// has: a shell that sees it stopped takes the terminal back at once, which the
// child may still be putting in order.
func catchStop(c chan<- os.Signal) {
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(c, syscall.SIGTSTP)
	}
}

// isStopped reports whether a child is stopped, as proc_pid_stat(5) has it. In a
// sandbox the child is process 1 there, which nothing stops, and the program is the
// first of its children.
func isStopped(pid int) bool {
	if isolated(pid) {
		n := strconv.Itoa(pid)
		children, _ := os.ReadFile("/proc/" + n + "/task/" + n + "/children")
		first, _, _ := strings.Cut(string(children), " ")
		if program, err := strconv.Atoi(first); err == nil {
			pid = program
		}
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	at := bytes.LastIndexByte(stat, ')') + 2
	return err == nil && at < len(stat) && stat[at] == 'T'
}

// isolated reports whether a process is process 1 of a pid namespace that is not
// this one's.
func isolated(pid int) bool {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			all := strings.Fields(ids)
			return len(all) > 1 && all[len(all)-1] == "1"
		}
	}
	return false
}

// sigaction is the kernel's structure.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// stopSelf stops this process as SIGTSTP does, and returns when it is
// continued; at once, when it is in an orphaned group, which nobody could
// continue: there the kernel ignores SIGTSTP. (The runtime has no way back from
// signal.Notify to a signal that stops.)
func stopSelf() {
	var none, old sigaction
	action := func(set, get *sigaction) {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGTSTP), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), unsafe.Sizeof(none.mask), 0, 0)
	}
	action(&none, &old)
	defer action(&old, nil)
	// To this thread: it does not get beyond the call before it is stopped.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGTSTP))
}
