package smoketest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forkedOnly reports whether the kernel says of a process that it has been forked
// and has not executed a program since.
func forkedOnly(pid int) (bool, error) {
	const pfForkNoExec = 0x40 // PF_FORKNOEXEC, include/linux/sched.h
	fields, err := statOf(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false, err
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return flags&pfForkNoExec != 0, err
}

// sameProgram reports whether two processes have the same executable. It is true
// where nobody may look.
func sameProgram(a, b int) bool {
	first, err := os.Stat(fmt.Sprintf("/proc/%d/exe", a))
	if err != nil {
		return true
	}
	second, err := os.Stat(fmt.Sprintf("/proc/%d/exe", b))
	return err != nil || os.SameFile(first, second)
}

// statOf returns the fields of a stat file of proc(5) from the state on, which is
// the third there and fields[0] here.
func statOf(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("%s has %d fields", path, len(fields))
	}
	return fields, nil
}

// threads returns the thread ids of a process.
func threads(pid int) []int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	var tids []int
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids
}

// A waiting is what a thread does at a moment: the system call that it is in
// with its arguments, or none; its state; and how often it has given up the processor of
// its own accord.
type waiting struct {
	call, arg string // of arg the fourth: the timeout of futex(2)
	state     string // by its letter in proc(5)
	times     uint64
}

// sleeps reports whether a thread sleeps.
func (w waiting) sleeps() bool { return w.state == "S" }

// forGood reports whether a thread waits on a futex, without a timeout.
func (w waiting) forGood() bool {
	return w.call == strconv.Itoa(syscall.SYS_FUTEX) && w.arg == "0x0"
}

// waitingOf returns what a thread waits for; nothing where nobody may look.
func waitingOf(pid, tid int) (w waiting) {
	dir := fmt.Sprintf("/proc/%d/task/%d/", pid, tid)
	call, _ := os.ReadFile(dir + "syscall")
	if f := strings.Fields(string(call)); len(f) == 9 {
		w.call, w.arg = f[0], f[4]
	}
	if stat, err := statOf(dir + "stat"); err == nil {
		w.state = stat[0]
	}
	w.times, _ = strconv.ParseUint(statusLine(dir, "voluntary_ctxt_switches"), 10, 64)
	return w
}

// statusLine returns a line of a status file of proc(5), without its name.
func statusLine(dir, name string) string {
	text, _ := os.ReadFile(dir + "status")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
