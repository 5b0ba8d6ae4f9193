//go:build linux && (amd64 || arm64)

package host_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// before changes this process in ways that are not followed later: they are to
// be made before a host is opened. And it blocks a signal on this thread, which
// the caller stays on.
func (m *maker) before() {
	os.WriteFile("/proc/self/coredump_filter", fmt.Appendf(nil, "%#x", m.IntN(0x80)), 0)
	slack := strconv.Itoa(1000 + m.IntN(100_000))
	eachThread(func(tid int) { os.WriteFile(fmt.Sprintf("/proc/%d/timerslack_ns", tid), []byte(slack), 0) })
	runtime.LockOSThread()
	mask := uint64(m.IntN(2)) << (syscall.SIGUSR2 - 1)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, 0, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}

// change changes this process in one of the ways that a child inherits. What an
// ordinary user may not do is left undone.
func (m *maker) change() (what string) {
	switch m.IntN(13) {
	case 0:
		os.Chdir(pick(m, m.dir+"/real", m.dir+"/link", "/", m.dir))
		return "chdir"
	case 1:
		syscall.Umask(m.IntN(0o100)) // not the owner's: the plugin's socket could not be opened
		return "umask"
	case 2:
		m.limit(syscall.RLIMIT_NOFILE, uint64(400+m.IntN(600)))
		return "limit of files"
	case 3:
		m.limit(pick(m, syscall.RLIMIT_CORE, syscall.RLIMIT_STACK, 8, 11, 12, 13, 14, 15), uint64(1+m.IntN(3))<<20)
		return "limit"
	case 4:
		nice := m.IntN(5) // more would starve on a busy machine
		if m.modest {
			nice = max(nice, linux.Nice(os.Getpid()))
		}
		eachThread(func(tid int) { syscall.Setpriority(syscall.PRIO_PROCESS, tid, nice) })
		return "nice"
	case 5:
		mask := [1]uint64{uint64(1 + m.IntN(3))}
		eachThread(func(tid int) {
			syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), 8, uintptr(unsafe.Pointer(&mask)))
		})
		return "affinity"
	case 6:
		policy, none := pick(m, uintptr(0), 3), [1]int32{} // other, batch
		eachThread(func(tid int) {
			syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, uintptr(tid), policy, uintptr(unsafe.Pointer(&none)))
		})
		return "scheduling"
	case 7:
		value := uintptr(2<<13 | m.IntN(8)) // best effort
		eachThread(func(tid int) { syscall.RawSyscall(syscall.SYS_IOPRIO_SET, 1, uintptr(tid), value) })
		return "ioprio"
	case 8:
		os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(m.IntN(1000))), 0)
		return "oom score"
	case 9:
		sig := pick(m, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGUSR1)
		if m.chance(50) {
			signal.Ignore(sig)
		} else {
			signal.Reset(sig)
		}
		return "ignored " + sig.String()
	case 10:
		syscall.Setpgid(0, 0)
		return "setpgid"
	case 11:
		syscall.Setsid() // not when it leads a group
		return "setsid"
	default:
		return m.cgroup()
	}
}

func (m *maker) limit(resource int, soft uint64) {
	var l syscall.Rlimit
	syscall.Getrlimit(resource, &l)
	l.Cur = min(soft, l.Max)
	syscall.Setrlimit(resource, &l)
}

// cgroup moves this process into another control group, of one hierarchy.
func (m *maker) cgroup() string {
	of := pick(m, cgroupHierarchies()...)
	group := filepath.Join(of, testGroup(), strconv.Itoa(m.IntN(2)))
	if _, err := os.Stat(filepath.Join(of, "cgroup.procs")); err != nil || os.MkdirAll(group, 0o755) != nil {
		return "nothing: no control group can be made in " + of
	}
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte("0"), 0); err != nil {
		return fmt.Sprint("nothing: ", err)
	}
	return "control group in " + of
}

// cgroupHierarchies returns where control groups can be made, as far as they
// are mounted in the usual places; never none.
func cgroupHierarchies() []string {
	return []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}
}

// testGroup is the control group of the helpers of this test process.
func testGroup() string {
	if s := os.Getenv("DIFFERENTIAL_GROUP"); s != "" {
		return s
	}
	return fmt.Sprintf("hatchery-test-%d", os.Getpid())
}

// removeTestGroup removes what the helpers made. They have ended.
func removeTestGroup() {
	for _, h := range cgroupHierarchies() {
		group := filepath.Join(h, testGroup())
		for _, name := range []string{"0", "1", "."} {
			syscall.Rmdir(filepath.Join(group, name))
		}
	}
}

// eachThread calls f for each thread of this process.
func eachThread(f func(tid int)) {
	done := map[string]bool{}
	for again := true; again; { // a thread has what the one had that began it, and that may be late
		again = false
		tasks, _ := filepath.Glob("/proc/self/task/*")
		for _, task := range tasks {
			if tid, err := strconv.Atoi(filepath.Base(task)); err == nil && !done[task] {
				done[task], again = true, true
				f(tid)
			}
		}
	}
}
