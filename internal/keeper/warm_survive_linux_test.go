package keeper

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

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
			if !within(10*time.Second, func() bool { return len(children(c.Pid())) == n }) {
				t.Fatalf("processes %v are ready, want %d", children(c.Pid()), n)
			}
			syscall.Kill(children(c.Pid())[i%n], syscall.SIGKILL)
			launchIt(t, c, warmLaunch(t, conf, spawn.Spec{}, "exit", "0")).wait(t, 5*time.Second)
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
			if !within(10*time.Second, func() bool { return len(children(c.Pid())) == n }) {
				t.Fatalf("processes %v are ready, want %d", children(c.Pid()), n)
			}
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
