package backendtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// parents returns the parent of every process there is.
func parents() map[int]int {
	all := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		rest := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // behind the name: state, parent
		if len(rest) < 2 || rest[0] == "Z" {
			continue
		}
		all[pid], _ = strconv.Atoi(rest[1])
	}
	return all
}

// below returns the descendants of a process.
func below(root int) []int {
	parent := parents()
	var all []int
	for pid := range parent {
		for p := parent[pid]; p > 0; p = parent[p] {
			if p == root {
				all = append(all, pid)
				break
			}
		}
	}
	return all
}

// pluginMark is what every plugin finds in its environment, in whatever
// language it is written: docs/protocol.md.
const pluginMark = "HATCHERY_PLUGIN_COOKIE="

// pluginsBelow returns the plugins of the method among the descendants of a
// process. A host says nothing of its plugin's process, but the environment that
// it was executed with does, and its arguments: the path of the binary, or a name
// and the key, or the descriptor of a script. What a plugin has passed on to
// others is theirs, too: it is the plugin that has no such parent.
func pluginsBelow(root int, e *Env) []int {
	parent := parents()
	var all []int
	for _, pid := range below(root) {
		if e.serves(pid) && !e.serves(parent[pid]) {
			all = append(all, pid)
		}
	}
	return all
}

func (e *Env) serves(pid int) bool {
	if !slices.ContainsFunc(words(pid, "environ"), func(v string) bool { return strings.HasPrefix(v, pluginMark) }) {
		return false
	}
	args := words(pid, "cmdline")
	if path := e.subject.entry.Path; path != "" {
		return slices.Contains(args, path) || slices.Contains(args, scriptPath)
	}
	return len(args) == 2 && args[1] == e.Key()
}

// scriptPath is what an interpreter is given to read a plugin from.
const scriptPath = "/dev/fd/5"

// words returns the parts of a file of /proc that has an end behind each.
func words(pid int, file string) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// stop stops a process that is no child of this one, and returns when all of
// its threads have stopped, of which nothing tells.
func stop(t T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("stopping process %d: %v", pid, err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); running(pid); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}

// running reports whether a thread of a process has not been stopped.
func running(pid int) bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err == nil && !bytes.HasPrefix(b[bytes.LastIndexByte(b, ')')+1:], []byte(" T")) {
			return true
		}
	}
	return false
}

// ended holds that a process, which is no child of this one, is soon gone.
func ended(t T, pid int, what string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if _, there := parents()[pid]; !there {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s: process %d is still there after %v", what, pid, patience)
			return
		}
	}
}

// holdings returns how many descriptors a process has open, and how many
// descendants it has.
func holdings(pid int) (descriptors, descendants int) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return -1, -1
	}
	return len(entries), len(below(pid))
}

// holders describes the descendants of this process that have the other end of
// a pipe open.
func holders(pipe *os.File) string {
	st, err := pipe.Stat()
	if err != nil {
		return err.Error()
	}
	target := pipeName(st)
	var all []string
	for _, pid := range below(os.Getpid()) {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, link := range links {
			if to, err := os.Readlink(link); err == nil && to == target {
				args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				all = append(all, fmt.Sprintf("%d %q", pid, args))
				break
			}
		}
	}
	return strings.Join(all, ", ")
}
