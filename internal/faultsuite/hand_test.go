//go:build linux && failpoints

package faultsuite

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// handPoint reports whether only children come to a step that are handed over by
// processes which are ready.
func handPoint(p failpoint.Point) bool { return strings.HasPrefix(string(p), "keeper.hand.") }

// handCases are failures at steps of a hand-off.
func handCases(short bool) (all []faultCase) {
	points := []failpoint.Point{
		failpoint.KeeperHandBegin, failpoint.KeeperHandSent, failpoint.HostLaunchSent, failpoint.HostCloseKeepers,
		failpoint.KeeperExitReaped, failpoint.KeeperKill, failpoint.KeeperEndBegin, failpoint.PluginSpec, failpoint.PluginAnswered,
	}
	for i, p := range points {
		all = append(all, faultCase{Rule: failpoint.Rule{Point: p, Action: failpoint.Kill, Nth: 1}, Method: forkserver.Key})
		if i < 2 || !short {
			all = append(all, faultCase{Rule: failpoint.Rule{Point: p, Action: failpoint.Stop, Nth: 1}, Method: forkserver.Key})
		}
	}
	return append(all, faultCase{Method: forkserver.Key}) // in which nobody fails but those who are ready
}

// TestHandFaults has hosts, keepers and plugins fail whose children are handed over.
func TestHandFaults(t *testing.T) {
	helperproc.Argv("warm") // it is used in another process
	runCases(t, handCases(testing.Short()))
}

// warmHelper is the program of a child that was handed over. Its arguments are what
// it is to exit with, which it does at the end of its standard input.
func warmHelper(args []string) int {
	io.Copy(io.Discard, os.Stdin)
	return len(args)
}

// liveWithTemplates is a life whose children are handed over.
func (l *life) liveWithTemplates() {
	self, err := os.Executable()
	if err != nil {
		l.complain("%v", err)
		return
	}
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return
	}
	warm := func(what string, in *os.File, code int, want func(spawn.ExitStatus) bool) *child {
		return l.start(what, spawn.Spec{
			Path: self, Args: helperproc.Argv("warm", make([]string, code)...), Files: []*os.File{in},
			Options: forkserver.Options{Kind: spawn.PoolTemplate, Min: 2}.List(),
		}, want)
	}
	exits := func(code int) func(spawn.ExitStatus) bool {
		return func(s spawn.ExitStatus) bool { return s.Code == code }
	}
	waits := warm("a child that waits", r, 7, exits(7))
	killed := warm("a child to be killed", r, 3, func(s spawn.ExitStatus) bool { return s.Signal == syscall.SIGKILL })
	r.Close()
	for code := range 3 {
		l.await(warm("a short child", nil, code, exits(code)))
	}
	l.kill(killed)
	w.Close()
	l.await(waits)
}
