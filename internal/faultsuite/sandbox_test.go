//go:build linux && failpoints

package faultsuite

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// sandboxCases are failures at each step of a sandbox's life. Of a sandbox nothing
// is left, whoever fails: what a killed keeper has started ends with process 1, and its
// tree is never stopped, as one signal to process 1 ends it.
func sandboxCases(short bool) (all []faultCase) {
	points := []failpoint.Point{
		failpoint.HostPlanSent, failpoint.HostLaunchSent, failpoint.HostLaunchAnswered, failpoint.HostExit, failpoint.HostStopAsk, failpoint.HostStopKill,
		failpoint.HostCloseBegin, failpoint.HostCloseKeepers,
		failpoint.KeeperLaunchBegin, failpoint.KeeperLaunchCloned, failpoint.KeeperLaunchEntered, failpoint.KeeperLaunchAnswered, failpoint.KeeperAsk,
		failpoint.KeeperKill, failpoint.KeeperExitPeeked, failpoint.KeeperExitReaped, failpoint.KeeperExitSent, failpoint.KeeperEndBegin,
		failpoint.PluginSpec, failpoint.PluginAnswer, failpoint.PluginAnswered,
	}
	for i, p := range points {
		nth := slices.Max(times(p))
		all = append(all, faultCase{Rule: failpoint.Rule{Point: p, Action: failpoint.Kill, Nth: nth}, Method: isolate.Key})
		if !short || i%3 == 0 {
			all = append(all, faultCase{Rule: failpoint.Rule{Point: p, Action: failpoint.Stop, Nth: nth}, Method: isolate.Key})
		}
	}
	return append(all, faultCase{Method: isolate.Key}) // in which nobody fails but the children
}

// TestSandboxFaults has hosts, keepers and plugins fail that make sandboxes.
func TestSandboxFaults(t *testing.T) {
	if err := isolate.New().Probe(t.Context()); err != nil {
		t.Skip(err)
	}
	runCases(t, sandboxCases(testing.Short()))
}

// liveWithSandboxes is a life whose children are in sandboxes, in some of which
// process 1 or the program is killed or stopped from outside.
func (l *life) liveWithSandboxes() {
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return
	}
	obedient := l.start("an obedient child", spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "read line; exit 7"}, Files: []*os.File{r}},
		func(s spawn.ExitStatus) bool { return s.Code == 7 })
	r.Close()
	plain := l.start("a plain child", spawn.Spec{Path: "sleep", Args: []string{"sleep", "3600.1"}, Session: true},
		func(s spawn.ExitStatus) bool { return s.Signal == syscall.SIGTERM })
	l.family("a family to be closed", true)
	stopped := l.family("a family to be stopped", true)
	killed := l.family("a family to be killed", true)
	l.hit(l.family("a family whose process 1 is killed", true), syscall.SIGKILL, false)
	l.hit(l.family("a family whose program is killed", true), syscall.SIGKILL, true)
	l.hit(l.family("a family whose process 1 is stopped", true), syscall.SIGSTOP, false)
	l.hit(l.family("a family whose program is stopped", true), syscall.SIGSTOP, true)
	w.Close() // the obedient child's cue
	l.await(obedient)
	l.stop(plain, grace+l.limits().Close)
	l.stop(stopped, 2*grace+2*l.limits().Close)
	l.kill(killed)
	l.await(l.start("a short child", spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "exit 5"}}, func(s spawn.ExitStatus) bool { return s.Code == 5 }))
}

// hit sends a signal to process 1 of a sandbox, or to its program.
func (l *life) hit(c *child, sig syscall.Signal, program bool) {
	if c == nil {
		return
	}
	pid := c.Pid()
	if program {
		children := linux.Children(pid)
		if len(children) == 0 {
			if !l.hurts() {
				l.complain("%s has no program", c.what)
			}
			return
		}
		pid = children[0] // the others came to process 1 later
	}
	syscall.Kill(pid, sig)
	if sig == syscall.SIGKILL {
		l.await(c)
		l.alone(c, nil)
	}
}
