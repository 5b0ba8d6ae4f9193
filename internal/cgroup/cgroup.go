package cgroup

import (
	"os"
	"path"
	"slices"
	"strings"
)

// A Place is a group in which groups can be made.
type Place struct {
	Path    string // the folder, absolute
	Version int    // 1 or 2
}

// A Machine is what is known of the control groups here.
type Machine struct {
	mounts []mount
	groups map[string]string // this process's, by controller; "" is version 2

	readFile func(path string) (string, error)
	writable func(path string) error // nil for a folder or a file that may be written to
}

// A mount is a mounted hierarchy.
type mount struct {
	root, point string
	version     int
	controllers []string // of version 1
}

// Read looks at this machine.
func Read() *Machine {
	read := func(path string) (string, error) {
		b, err := os.ReadFile(path)
		return string(b), err
	}
	mounts, _ := read("/proc/self/mountinfo")
	groups, _ := read("/proc/self/cgroup")
	return Parse(mounts, groups, read, writable)
}

// Unified stands for no controller at all: a place in the hierarchy of version 2,
// where every group counts its time on the processors.
const Unified = ""

// Place returns where a group can be made that has a controller. In version 2, where
// a process is in one group alone, it has those others as well that are named. The
// error says in words why there is none.
func (m *Machine) Place(controller string, others ...string) (Place, error) {
	for _, mt := range m.mounts {
		if mt.version == 1 && controller != Unified && slices.Contains(mt.controllers, controller) {
			return m.own(mt, controller)
		}
	}
	for _, mt := range m.mounts {
		if mt.version == 2 {
			return m.above(mt, controller, others)
		}
	}
	return Place{}, without(controller)
}

// noPlace is why there is no place.
type noPlace string

func (e noPlace) Error() string { return string(e) }

// NoPlace tells such an error from one of a system call.
func (noPlace) NoPlace() {}

func without(controller string) error {
	if controller == Unified {
		return noPlace("no hierarchy of control groups of version 2 is mounted")
	}
	return noPlace("no mounted hierarchy of control groups has the controller " + controller)
}

// own is the process's own group of version 1.
func (m *Machine) own(mt mount, controller string) (Place, error) {
	dir, inside := mt.folder(m.groups[controller])
	if !inside {
		return Place{}, noPlace("this process's control group for " + controller + " is not in sight")
	}
	if err := m.writable(dir); err != nil {
		return Place{}, noPlace("no control group can be made in " + dir + ": " + err.Error())
	}
	return Place{dir, 1}, nil
}

// above is the nearest group of version 2 that hands the controller down. To put a
// process of this group below it takes the right to write to its cgroup.procs.
func (m *Machine) above(mt mount, controller string, others []string) (Place, error) {
	dir, inside := mt.folder(m.groups[""])
	if !inside {
		return Place{}, noPlace("this process's control group is not in sight")
	}
	if there, err := m.readFile(path.Join(mt.point, "cgroup.controllers")); controller != Unified && (err != nil || !has(there, controller)) {
		return Place{}, without(controller)
	}
	all := append([]string{controller}, others...)
	for {
		down, _ := m.readFile(path.Join(dir, "cgroup.subtree_control"))
		if !slices.ContainsFunc(all, func(c string) bool { return c != Unified && !has(down, c) }) {
			break
		}
		if len(dir) <= len(mt.point) {
			return Place{}, noPlace("no control group above this process hands down the controller " + strings.Join(all, " and ") + " (cgroup.subtree_control)")
		}
		dir = path.Dir(dir)
	}
	for _, file := range []string{dir, path.Join(dir, "cgroup.procs")} {
		if err := m.writable(file); err != nil {
			return Place{}, noPlace("no control group is delegated to this user: " + file + ": " + err.Error() +
				"; below systemd-run --user --scope, or in a service with Delegate=yes, one is")
		}
	}
	return Place{dir, 2}, nil
}

// folder returns where a group is.
func (mt mount) folder(group string) (dir string, inside bool) {
	rest, ok := group, true
	if mt.root != "/" {
		rest, ok = strings.CutPrefix(group, mt.root)
	}
	if !ok || group == "" || strings.HasPrefix(group, "/..") || rest != "" && rest[0] != '/' {
		return "", false
	}
	return path.Join(mt.point, rest), true
}

func has(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// HasFile reports whether a group that is made in a place will have a file, as far
// as the place itself shows it, or the groups that are in it already.
func (m *Machine) HasFile(p Place, name string) bool {
	if _, err := m.readFile(path.Join(p.Path, name)); err == nil {
		return true
	}
	entries, _ := os.ReadDir(p.Path)
	for _, e := range entries {
		if e.IsDir() {
			_, err := m.readFile(path.Join(p.Path, e.Name(), name))
			return err == nil
		}
	}
	return false
}
