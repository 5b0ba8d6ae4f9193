package cgroup

import (
	"strconv"
	"strings"
)

// Parse reads the text of /proc/self/mountinfo and /proc/self/cgroup. What is not in
// them it asks readFile, and writable, whose error is why a folder or a file may not
// be written to.
func Parse(mountinfo, cgroup string, readFile func(string) (string, error), writable func(string) error) *Machine {
	m := &Machine{groups: map[string]string{}, readFile: readFile, writable: writable}
	for line := range strings.Lines(mountinfo) {
		// 36 35 98:0 /root /point rw,noatime master:1 - type source options
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 {
			continue
		}
		mt := mount{root: unescape(f[3]), point: unescape(f[4])}
		switch g[0] {
		case "cgroup":
			mt.version, mt.controllers = 1, strings.Split(g[2], ",")
		case "cgroup2":
			mt.version = 2
		default:
			continue
		}
		m.mounts = append(m.mounts, mt)
	}
	for line := range strings.Lines(cgroup) {
		// 4:cpu,cpuacct:/group
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) < 3 {
			continue
		}
		for controller := range strings.SplitSeq(f[1], ",") {
			m.groups[controller] = f[2]
		}
	}
	return m
}

// unescape undoes how the kernel writes a space in a path: \040.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
