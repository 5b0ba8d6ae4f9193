//go:build linux && failpoints

package faultsuite

import (
	_ "embed" // the zygote
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// zygote is the program of the zygotes, and of the children they make.
//
//go:embed testdata/zygote.py
var zygote []byte

// A zygoteFault is how a zygote fails, or a process that it has made: step, action, and
// once or always, with colons between them. See testdata/zygote.py.
type zygoteFault string

// healthy is a zygote that does not fail.
const healthy zygoteFault = "no:fault:once"

func (f zygoteFault) parts() (step, action, often string) {
	p := append(strings.Split(string(f), ":"), "", "", "")
	return p[0], p[1], p[2]
}

// mute reports whether somebody says nothing for so long that whoever waits gives up.
func (f zygoteFault) mute() bool {
	_, action, _ := f.parts()
	return action == "silent" || action == "mute" || action == "close"
}

// useless reports whether a template is of no use, so that children are started cold.
func (f zygoteFault) useless() bool {
	step, action, often := f.parts()
	return often == "always" || step == "boot" && action != "kill" && action != "stop" && action != "slow"
}

// zygoteCases are failures at each step of a zygote's life, and of hosts and keepers
// whose children are made by one.
func zygoteCases(short bool) (all []faultCase) {
	add := func(action string, often string, steps ...string) {
		for _, step := range steps {
			all = append(all, faultCase{Method: forkserver.Key, Zygote: zygoteFault(step + ":" + action + ":" + often)})
		}
	}
	steps := []string{"boot", "ready", "asked", "forked", "born", "child", "waits", "told", "begun", "started"}
	add("kill", "once", steps...)
	add("stop", "once", "boot", "asked", "forked", "child", "told", "begun")
	add("dead", "once", "forked")
	add("mute", "once", "forked")
	add("refuse", "always", "asked")
	add("parent", "once", "forked")
	add("garbage", "once", "forked", "told")
	add("half", "once", "forked")
	if !short {
		add("stop", "once", "ready", "born", "waits")
		add("slow", "once", steps...)
		add("exit", "once", "boot", "asked", "forked", "child", "told", "begun")
		add("kill", "always", "boot", "asked", "forked", "child", "told", "begun")
		add("dead", "always", "forked")
		add("refuse", "once", "asked")
		for _, lie := range []string{"self", "first", "number", "other", "twice"} {
			add(lie, "once", "forked")
		}
		add("parent", "always", "forked")
		add("kind", "once", "boot")
		add("version", "always", "boot")
		add("garbage", "once", "boot")
		add("words", "once", "told")
		add("close", "once", "told")
		add("silent", "once", "asked", "child", "told", "begun")
	}
	for i, p := range []failpoint.Point{
		failpoint.KeeperHandBegin, failpoint.KeeperHandSent, failpoint.KeeperKill, failpoint.KeeperEndBegin, failpoint.HostLaunchSent,
		failpoint.KeeperExitReaped, failpoint.HostCloseKeepers,
	} {
		for _, action := range []failpoint.Action{failpoint.Kill, failpoint.Stop} {
			if !short || action == failpoint.Kill || i == 1 {
				all = append(all, faultCase{Rule: failpoint.Rule{Point: p, Action: action, Nth: 1}, Method: forkserver.Key, Zygote: healthy})
			}
		}
	}
	return append(all, faultCase{Method: forkserver.Key, Zygote: healthy})
}

// TestZygoteFaults has zygotes fail, and hosts and keepers whose children they make.
func TestZygoteFaults(t *testing.T) {
	out, err := exec.Command("python3", "-IS", "-c", "import ctypes, sys; print(sys.executable, end='')").Output()
	if err != nil {
		t.Skip("needs python3 with ctypes: ", err)
	}
	all := zygoteCases(testing.Short())
	for i := range all {
		all[i].Python = string(out)
	}
	runCases(t, all)
}

// liveWithZygotes is a life whose children are made by a zygote, which fails, or is
// killed in the end.
func (l *life) liveWithZygotes() {
	script := filepath.Join(os.TempDir(), "zygote.py")
	if err := os.WriteFile(script, zygote, 0o644); err != nil {
		l.complain("%v", err)
		return
	}
	spec := func(args ...string) spawn.Spec {
		return spawn.Spec{
			Path: l.Python, Args: append([]string{l.Python, "-IS", script}, args...),
			Options: forkserver.Options{Kind: spawn.ForkTemplate, Args: []string{"-IS", script, string(l.Zygote), os.TempDir()}, Max: 2}.List(),
		}
	}
	exits := func(what string, code int, in *os.File) *child {
		s := spec("exit", strconv.Itoa(code))
		s.Files = []*os.File{in}
		return l.start(what, s, func(s spawn.ExitStatus) bool { return s.Code == code || l.diesByItself(s) })
	}
	parent := func(what string) *child {
		return l.parent(what, spec("family"), func(s spawn.ExitStatus) bool { return s.Signal == syscall.SIGKILL })
	}
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return
	}
	waits := exits("a child that waits", 7, r)
	r.Close()
	parent("a family to be closed")
	killed := parent("a family to be killed")
	for code := range 4 {
		l.await(exits("a short child", code, nil))
	}
	l.kill(killed)
	l.hitZygotes()
	after := exits("a child after all that", 5, nil)
	l.await(after)
	w.Close()
	l.await(waits)
	if after != nil && !l.hurts() && after.Warm() == l.Zygote.useless() {
		l.complain("the last child was warm: %v: %q", after.Warm(), after.Notes())
	}
}

// diesByItself reports whether a child has ended as the case has it end by itself: one
// of them does, whichever gets there first.
func (l *life) diesByItself(s spawn.ExitStatus) bool {
	return l.Zygote == startedKill && s.Signal == syscall.SIGKILL
}

const startedKill zygoteFault = "started:kill:once"

// hitZygotes kills what there is below the keeper that is not known as a child: it is
// ready, or makes what is. It returns when they have ended.
func (l *life) hitZygotes() {
	if l.hurts() || l.Zygote.useless() {
		return
	}
	known := map[int]bool{}
	for _, c := range l.procs {
		known[c.Pid()] = true
	}
	hit := map[int]bool{}
	for _, s := range below(os.Getpid()) {
		if slices.Contains(s.words, string(l.Zygote)) && !known[s.pid] && !s.has(descendants) {
			hit[s.pid] = true
			syscall.Kill(s.pid, syscall.SIGKILL)
		}
	}
	for range 500 { // a process that ends loses its command line first, and its channel later
		if !slices.ContainsFunc(below(os.Getpid()), func(s survivor) bool { return hit[s.pid] }) {
			return
		}
		<-time.After(look)
	}
	l.complain("what was ready and was killed does not end")
}

// patience is what a host grants a start where somebody is mute.
const patience = 4 * time.Second
