package leakcheck

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A process is one line of /proc/PID/stat, see proc_pid_stat(5).
type process struct {
	pid, parent int
	name        string
	state       string
	start       string // in clock ticks since the machine came up
}

// addProcesses adds the descendants of this process. The time a process
// started is part of its identity, because pids are used again.
//
// All of /proc is read, rather than /proc/PID/task/TID/children from parent to
// child: the kernel may be built without those, and they may skip a child when
// its sibling exits meanwhile.
func (inv inventory) addProcesses() {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return
	}
	children := make(map[int][]process)
	for _, file := range stats {
		// A process that ended in the meantime is none.
		if p, ok := readStat(file); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	for parents := []int{os.Getpid()}; len(parents) > 0; parents = parents[1:] {
		for _, p := range children[parents[0]] {
			inv[fmt.Sprintf("process %d of %s", p.pid, p.start)] = p.describe()
			parents = append(parents, p.pid)
		}
	}
}

func readStat(file string) (p process, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return p, false
	}
	// The name stands in parentheses and may itself contain any byte.
	head, tail := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if head < 0 || tail < head {
		return p, false
	}
	fields := strings.Fields(string(data[tail+1:]))
	if len(fields) < 20 {
		return p, false
	}
	p.name = string(data[head+1 : tail])
	p.state, p.start = fields[0], fields[19]
	if p.pid, err = strconv.Atoi(strings.TrimSpace(string(data[:head]))); err != nil {
		return p, false
	}
	p.parent, err = strconv.Atoi(fields[1])
	return p, err == nil
}

// describe names the process, with its command line if it has one: a zombie
// has none.
func (p process) describe() string {
	s := fmt.Sprintf("process %d (%s), child of %d, state %s", p.pid, p.name, p.parent, p.state)
	if p.state == "Z" {
		return s + " (zombie: ended and not waited for)"
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	if err != nil || len(cmdline) == 0 {
		return s
	}
	args := strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	return fmt.Sprintf("%s: %q", s, args)
}
