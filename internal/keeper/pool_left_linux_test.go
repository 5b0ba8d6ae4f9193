package keeper

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// namespacesOf returns what tells the namespaces of processes.
func namespacesOf(pids ...int) (names []string) {
	for _, pid := range pids {
		for _, kind := range []string{"mnt", "net", "pid", "user"} {
			if name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind)); err == nil {
				names = append(names, name)
			}
		}
	}
	return names
}

// inUse returns which namespaces one of some processes is in, or has a descriptor of. A
// process that was born later may be in another namespace that has got the same number.
func inUse(processes, names []string) (used []string) {
	for _, dir := range processes {
		ns, _ := filepath.Glob(dir + "/ns/*")
		fds, _ := filepath.Glob(dir + "/fd/*")
		for _, path := range append(ns, fds...) {
			if name, err := os.Readlink(path); err == nil && slices.Contains(names, name) {
				used = append(used, path+" "+name)
			}
		}
	}
	return used
}

// TestPoolLeavesNothing: of a parked child that becomes nobody nothing is left, neither
// process nor namespace, and so no mount: one that is dismissed, one that is killed, one
// that nobody wants any more while it is being made, and one whose launch is given up.
func TestPoolLeavesNothing(t *testing.T) {
	const flags = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS
	needsPidNamespaces(t, newClient(t))
	one := func(w *os.File) *Launch { return parkable(t, "echo", flags, nil, w, w) }
	other := func(w *os.File) *Launch { return parkable(t, "echo", syscall.CLONE_NEWNS, nil, w, w) }
	for name, end := range map[string]func(c *Client){
		"dismissed": func(c *Client) {
			if err := c.Dismiss(t.Context()); err != nil {
				t.Error(err)
			}
			<-c.Ended()
		},
		"killed": func(c *Client) {
			for _, pid := range linux.Children(c.Pid()) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		},
		"not wanted": func(c *Client) {
			for range 5 {
				for range 3 { // behind the third one there may be one under way
					output(t, c, one)
				}
				output(t, c, other)
			}
		},
		"given up": func(c *Client) {
			w, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			for i := range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
				if s, err := c.Launch(ctx, one(w), func(Exit) {}); err == nil {
					syscall.Close(s.Pidfd)
				}
				cancel()
			}
		},
	} {
		c := newClient(t)
		fill(t, c, one)
		below := linux.Children(c.Pid())
		own := namespacesOf(os.Getpid())
		names := slices.DeleteFunc(namespacesOf(below...), func(n string) bool { return slices.Contains(own, n) })
		if len(names) == 0 && os.Geteuid() == 0 {
			t.Fatalf("%s: the children %v have no namespaces", name, below)
		}
		processes, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			t.Fatal(err)
		}
		end(c)
		gone(t, 20*time.Second, below...)
		if !within(20*time.Second, func() bool { return len(linux.Children(c.Pid())) == 0 }) {
			t.Errorf("%s: the keeper has children %v", name, linux.Children(c.Pid()))
		}
		if !within(20*time.Second, func() bool { return len(namespaces(c)) == 0 && len(inUse(processes, names)) == 0 }) {
			t.Errorf("%s: there are still %v, %v", name, namespaces(c), inUse(processes, names))
		}
	}
}
