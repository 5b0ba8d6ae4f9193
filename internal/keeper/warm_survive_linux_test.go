package keeper

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// awaitReady waits until as many are ready of the only template, which there is nobody
// else of but the one that makes them.
func awaitReady(t *testing.T, c *Client, n int) {
	t.Helper()
	ready := func() bool {
		list, err := c.Templates(t.Context())
		if err != nil || len(list) != 1 || list[0].Ready != n || list[0].Booting != 0 {
			return false
		}
		all := n
		if list[0].Kind == spawn.ForkTemplate {
			all++
		}
		return len(children(c.Pid())) == all
	}
	if !within(10*time.Second, ready) {
		list, err := c.Templates(t.Context())
		t.Fatalf("%+v, %v: want %d ready", list, err, n)
	}
}

// A process that is ready and is killed is replaced, and nobody notices.
func TestKilledWhileReady(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		conf.Min, conf.Max = 1, 1
		launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
		for i := range 10 {
			n := 1
			if conf.Kind == spawn.ForkTemplate {
				n++ // the one that makes them
			}
			awaitReady(t, c, 1)
			syscall.Kill(children(c.Pid())[i%n], syscall.SIGKILL)
			launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
		}
	})
}

// All that is ready may be killed at a time.
func TestAllKilledWhileReady(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		conf.Min, conf.Max, conf.Required = 3, 3, true
		for range 5 {
			launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
			awaitReady(t, c, conf.Min)
			syscall.Kill(c.Pid(), syscall.SIGSTOP) // it does not see them end one after the other
			all := children(c.Pid())
			for _, pid := range all {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			// A channel is closed when the last thread has ended, not the first.
			over := func(pid int) bool {
				tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
				return !alive(pid) && len(tasks) <= 1
			}
			if !within(10*time.Second, func() bool { return !slices.ContainsFunc(all, func(pid int) bool { return !over(pid) }) }) {
				t.Fatal("they do not end")
			}
			syscall.Kill(c.Pid(), syscall.SIGCONT)
		}
	})
}

// A process that is ready and is stopped is of no use: another one is taken, and
// nobody notices.
func TestStoppedWhileReady(t *testing.T) {
	bothKinds(t, func(t *testing.T, conf spawn.Template) {
		c := newClient(t)
		conf.Min, conf.Max = 1, 1
		launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
		n := 1
		if conf.Kind == spawn.ForkTemplate {
			n++ // the one that makes them
		}
		for i := range n {
			awaitReady(t, c, 1)
			stopped := children(c.Pid())[i]
			syscall.Kill(stopped, syscall.SIGSTOP)
			for range 2 {
				launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 20*time.Second)
			}
			if !within(10*time.Second, func() bool { return !alive(stopped) }) {
				t.Errorf("process %d is still there", stopped)
			}
		}
	})
}

// What was handed over does not depend on where it came from.
func TestChildrenOutliveTheirZygote(t *testing.T) {
	c := newClient(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []started
	pids := map[int]bool{}
	for range 50 {
		l := warmLaunch(t, forks("fork"), spawn.Spec{}, "wait")
		l.Files, l.FDs = []int{0}, []int{int(r.Fd())}
		s := launchIt(t, c, l)
		all = append(all, s)
		pids[s.Pid] = true
	}
	for _, pid := range children(c.Pid()) {
		if !pids[pid] {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	w.Close()
	for _, s := range all {
		if st := s.wait(t, 10*time.Second); st.Code != 7 {
			t.Errorf("%+v", st)
		}
	}
}
