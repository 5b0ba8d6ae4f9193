//go:build linux

package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"
)

// change changes this process, or the thread that the caller goes on in.
func change(what string) error {
	switch what {
	case "oom":
		return os.WriteFile("/proc/self/oom_score_adj", []byte("333"), 0)
	case "nnp":
		const setNoNewPrivs = 38
		runtime.LockOSThread() // the rest of the helper runs here
		if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
			return errno
		}
		return nil
	case "groups":
		return syscall.Setgroups([]int{12, 34})
	case "capabilities":
		const capVersion3, sysNice = 0x20080522, 1 << 23
		header := [2]uint32{capVersion3, 0}
		var sets [6]uint32 // effective, permitted, inheritable of the first 32, and of the rest
		if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
			return errno
		}
		sets[2] |= sysNice // inheritable: what root loses otherwise it gets back by an exec
		if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
			return errno
		}
		return nil
	case "identity":
		if err := syscall.Setgroups([]int{65534, 12}); err != nil {
			return err
		}
		if err := syscall.Setgid(65534); err != nil {
			return err
		}
		return syscall.Setuid(65534)
	}
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(filepath.Base(task), &tid); err != nil {
			return err
		}
		var errno syscall.Errno
		switch what {
		case "nice":
			if err := syscall.Setpriority(syscall.PRIO_PROCESS, tid, 7); err != nil {
				return err
			}
		case "affinity":
			mask := [1]uint64{1}
			_, _, errno = syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), 8, uintptr(unsafe.Pointer(&mask)))
		}
		if errno != 0 {
			return errno
		}
	}
	return nil
}
