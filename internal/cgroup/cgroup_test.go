package cgroup

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// A machine of systemd's, as a user and as root sees it, and one of version 1.
const (
	unified = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	hybrid  = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n" +
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"33 31 0:30 /docker/a /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n" +
		"34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	hybridGroups = "4:cpu,cpuacct:/\n3:memory:/docker/a/b\n1:name=systemd:/x\n0::/x\n"
)

func machine(mounts, groups string, files map[string]string, writable ...string) *Machine {
	return Parse(mounts, groups, func(path string) (string, error) {
		if s, ok := files[path]; ok {
			return s, nil
		}
		return "", fs.ErrNotExist
	}, func(path string) error {
		for _, w := range writable {
			if path == w || strings.HasPrefix(path, w+"/") {
				return nil
			}
		}
		return errors.New("permission denied")
	})
}

func TestPlace(t *testing.T) {
	const user = "/user.slice/user-1000.slice/user@1000.service"
	files := map[string]string{
		"/sys/fs/cgroup/cgroup.controllers":                               "cpuset cpu io memory pids\n",
		"/sys/fs/cgroup/cgroup.subtree_control":                           "cpu memory pids\n",
		"/sys/fs/cgroup/user.slice/cgroup.subtree_control":                "cpu memory pids\n",
		"/sys/fs/cgroup" + user + "/app.slice/cgroup.subtree_control":     "memory pids\n",
		"/sys/fs/cgroup" + user + "/cgroup.subtree_control":               "cpu memory pids\n",
		"/sys/fs/cgroup/unified/cgroup.controllers":                       "\n",
		"/sys/fs/cgroup" + user + "/app.slice/memory.swap.max":            "max\n",
		"/sys/fs/cgroup" + user + "/app.slice/x.scope/cgroup.controllers": "memory pids\n",
	}
	inScope := "0::" + user + "/app.slice/x.scope\n"
	own := "/sys/fs/cgroup" + user
	for _, tt := range []struct {
		name       string
		m          *Machine
		controller string
		want       Place
		why        string
	}{
		{"a user's scope", machine(unified, inScope, files, own), "memory", Place{own + "/app.slice", 2}, ""},
		{"handed down further up", machine(unified, inScope, files, own), "cpu", Place{own, 2}, ""},
		{"no controller is needed", machine(unified, inScope, files, own), Unified, Place{own + "/app.slice/x.scope", 2}, ""},
		{"handed down by nobody", machine(unified, inScope, files, own), "io", Place{}, "hands down the controller io"},
		{"no such controller", machine(unified, inScope, files, own), "rdma", Place{}, "has the controller rdma"},
		{"a session's scope", machine(unified, "0::/user.slice/user-1000.slice/session-1.scope\n", files), "memory", Place{}, "systemd-run --user"},
		{"out of sight", machine(unified, "0::/../x\n", files, "/"), "memory", Place{}, "not in sight"},
		{"none at all", machine("", "", nil), "memory", Place{}, "has the controller memory"},
		{"none at all, for time", machine("", "", nil), Unified, Place{}, "version 2"},
		{"version 1", machine(hybrid, hybridGroups, files, "/sys"), "cpu", Place{"/sys/fs/cgroup/cpu,cpuacct", 1}, ""},
		{"version 1, together with another", machine(hybrid, hybridGroups, files, "/sys"), "cpuacct", Place{"/sys/fs/cgroup/cpu,cpuacct", 1}, ""},
		{"version 1 in a container", machine(hybrid, hybridGroups, files, "/sys"), "memory", Place{"/sys/fs/cgroup/my memory/b", 1}, ""},
		{"version 1 of somebody else", machine(hybrid, hybridGroups, files), "cpu", Place{}, "permission denied"},
		{"version 2 beside it", machine(hybrid, hybridGroups, files, "/sys"), "pids", Place{}, "has the controller pids"},
		{"version 2 beside it, for time", machine(hybrid, hybridGroups, files, "/sys"), Unified, Place{"/sys/fs/cgroup/unified/x", 2}, ""},
		{"version 1, out of sight", machine(hybrid, "3:memory:/docker/ab\n", files, "/sys"), "memory", Place{}, "not in sight"},
	} {
		p, err := tt.m.Place(tt.controller)
		if p != tt.want || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %+v, %v; want %+v, %q", tt.name, p, err, tt.want, tt.why)
		}
	}
	m := machine(unified, inScope, files, own)
	if p, err := m.Place(Unified, "memory", "cpu"); err != nil || p.Path != own {
		t.Errorf("together: %+v, %v", p, err)
	}
	if _, err := m.Place("memory", "io"); err == nil || !strings.Contains(err.Error(), "memory and io") {
		t.Errorf("together, with one that is not to be had: %v", err)
	}
	if p := (Place{own + "/app.slice", 2}); !m.HasFile(p, "memory.swap.max") || m.HasFile(p, "memory.memsw") {
		t.Error("the files of a group")
	}
}

// TestRead: whatever is here, it can be asked.
func TestRead(t *testing.T) {
	for _, c := range []string{Unified, "memory", "pids", "cpu"} {
		p, err := Read().Place(c)
		t.Logf("%q: %+v, %v", c, p, err)
		if (p.Version == 0) != (err != nil) {
			t.Errorf("%q: %+v, %v", c, p, err)
		}
	}
}
