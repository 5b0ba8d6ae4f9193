//go:build linux && (amd64 || arm64)

package host_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A look is everything that can be seen from outside of what a process was
// started with, by name. The process must have done nothing since its exec.
type look map[string]string

// lookAt looks at a process that waits, or is about to.
func lookAt(pid int) look {
	settled(pid)
	l := look{}
	dir := fmt.Sprintf("/proc/%d/", pid)
	l.status(dir, pid)
	l.limits(dir)
	l.stat(dir, pid)
	l.descriptors(dir)
	l.auxv(dir)
	for _, name := range []string{
		"environ", "cmdline", "comm", "cgroup", "oom_score_adj", "timerslack_ns", "personality", "coredump_filter",
		"loginuid", "sessionid", "uid_map", "gid_map", "attr/current", "mountinfo", "autogroup",
	} {
		l[name] = contents(dir + name)
	}
	for _, name := range []string{"cwd", "root", "exe"} {
		l[name] = link(dir + name)
	}
	spaces, _ := filepath.Glob(dir + "ns/*")
	for _, ns := range spaces {
		l["ns."+filepath.Base(ns)] = link(ns)
	}
	if l["stat.session"] == "its own" { // and so is its autogroup
		_, l["autogroup"], _ = strings.Cut(l["autogroup"], " ")
	}
	l["scheduling"] = fmt.Sprintf("%+v", linux.SchedulingOf(pid))
	l["nice"] = strconv.Itoa(linux.Nice(pid))
	l["affinity"] = fmt.Sprint(linux.Affinity(pid))
	l["capabilities"] = fmt.Sprint(linux.CapabilitiesOf(pid))
	if st, err := os.Stat(dir + "stat"); err == nil { // root's when the process is not dumpable
		l["dumpable"] = fmt.Sprint(st.Sys().(*syscall.Stat_t).Uid)
	}
	return l
}

func contents(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "error: " + errnoText(err)
	}
	return string(b)
}

func link(path string) string {
	target, err := os.Readlink(path)
	if err != nil {
		return "error: " + errnoText(err)
	}
	return target
}

func errnoText(err error) string {
	text := err.Error() // "open /proc/123/x: permission denied"
	return text[strings.LastIndex(text, ":")+1:]
}

// counted are the lines of status that count, or say who a process is.
var counted = []string{
	"State", "Tgid", "Ngid", "Pid", "NStgid", "NSpid", "NSpgid", "NSsid", "FDSize", "SigQ",
	"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches",
}

func (l look) status(dir string, pid int) {
	for line := range strings.Lines(contents(dir + "status")) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if slices.Contains(counted, name) || strings.HasPrefix(name, "Vm") || strings.HasPrefix(name, "Rss") || name == "HugetlbPages" {
			continue
		}
		l["status."+name] = strings.TrimSpace(value)
	}
}

func (l look) limits(dir string) {
	for line := range strings.Lines(contents(dir + "limits")) {
		if len(line) > 26 {
			l["limits."+strings.TrimSpace(line[:26])] = strings.Join(strings.Fields(line[26:]), " ")
		}
	}
}

// stat takes the fields of stat that are inherited; proc(5) numbers them.
func (l look) stat(dir string, pid int) {
	text := contents(dir + "stat")
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	self := func(s string) string {
		if s == strconv.Itoa(pid) {
			return "its own"
		}
		return s
	}
	for name, n := range map[string]int{
		"pgrp": 5, "session": 6, "tty_nr": 7, "tpgid": 8, "flags": 9, "priority": 18, "nice": 19, "num_threads": 20,
		"exit_signal": 38, "rt_priority": 40, "policy": 41,
	} {
		if n-3 < len(f) {
			l["stat."+name] = self(f[n-3])
		}
	}
	// PF_SUPERPRIV says for acct(5) that the process has used a privilege.
	flags, _ := strconv.ParseUint(l["stat.flags"], 10, 64)
	l["stat.flags"] = fmt.Sprintf("%#x", flags&^0x100)
}

func (l look) descriptors(dir string) {
	open, err := os.ReadDir(dir + "fd")
	if err != nil {
		l["fd"] = "error: " + errnoText(err)
		return
	}
	var numbers []string
	for _, e := range open {
		numbers = append(numbers, e.Name())
		l["fd."+e.Name()] = link(dir + "fd/" + e.Name())
		l["fdinfo."+e.Name()], l["mount."+e.Name()] = mountApart(contents(dir + "fdinfo/" + e.Name()))
	}
	slices.Sort(numbers)
	l["fd"] = strings.Join(numbers, " ")
}

// mountApart takes the number of the mount out of what the kernel says of a descriptor.
func mountApart(info string) (rest, mount string) {
	for line := range strings.Lines(info) {
		if strings.HasPrefix(line, "mnt_id:") {
			mount += line
		} else {
			rest += line
		}
	}
	return rest, mount
}

// auxv takes what the kernel tells a new program of its rights.
func (l look) auxv(dir string) {
	b := []byte(contents(dir + "auxv"))
	for ; len(b) >= 16; b = b[16:] {
		key, value := binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])
		if name, ok := map[uint64]string{11: "uid", 12: "euid", 13: "gid", 14: "egid", 23: "secure"}[key]; ok {
			l["auxv."+name] = strconv.FormatUint(value, 10)
		}
	}
}
