//go:build linux && failpoints

package faultsuite

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/faultplugin"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
)

var share = flag.String("share", "", "k/n: only the k-th of n equal parts of the cases")

// A faultCase is one failure of one process.
type faultCase struct {
	Rule failpoint.Rule
	Also []failpoint.Rule // for others, when that one has failed
	Mode string           // the method of internal/faultplugin that fails, instead of all that
	// Method, when not empty, is that of the host's children, which then are those of
	// liveWithSandboxes or liveWithTemplates.
	Method string
	// Zygote, when not empty, has them made by testdata/zygote.py, and is how that
	// fails: see zygoteFault.
	Zygote zygoteFault
	Python string // the interpreter of these
	// Wake is when a process that has stopped itself is continued, or, if it
	// is the host, killed when Wake is 0.
	Wake time.Duration
}

// wakeTime is when a stopped process is continued that is to be, killTime when a
// stopped host is killed that is not.
const (
	wakeTime  = 300 * time.Millisecond
	killTime  = 300 * time.Millisecond
	delayTime = 150 * time.Millisecond
	caseLimit = 2 * time.Minute
)

// name says what fails and how.
func (c faultCase) name() string {
	s := string(c.Rule.Point) + " " + string(c.Rule.Action)
	if c.Wake > 0 {
		s = string(c.Rule.Point) + " pause"
	}
	if c.Zygote != "" {
		s = "zygote " + string(c.Zygote) + " " + s
	}
	if c.Method != "" {
		s = c.Method + " " + s
	}
	if c.Rule.Nth > 1 {
		s += fmt.Sprint(" ", c.Rule.Nth)
	}
	for _, r := range c.Also {
		s += fmt.Sprintf(", %s %s", r.Point, r.Action)
	}
	return s
}

// rules returns what is to fail; nothing where nobody does.
func (c faultCase) rules() []failpoint.Rule {
	if c.Rule.Point == "" {
		return c.Also
	}
	return append([]failpoint.Rule{c.Rule}, c.Also...)
}

// process is the kind of process that fails: host, keeper, detached (the keeper
// of a child that is) or plugin.
func (c faultCase) process() string {
	process, _, _ := strings.Cut(string(c.Rule.Point), ".")
	return process
}

// dies reports whether the process that fails ends by that.
func (c faultCase) dies() bool {
	return c.Rule.Action == failpoint.Kill || c.Rule.Action == failpoint.Exit
}

// stopped reports whether the process that fails stays stopped.
func (c faultCase) stopped() bool { return c.Rule.Action == failpoint.Stop && c.Wake == 0 }

// cases returns every step with every way to fail.
func cases(short bool) (all []faultCase) {
	for _, info := range failpoint.Points() {
		if info.After != "" || handPoint(info.Point) {
			continue // see together, and handCases
		}
		detached := strings.HasPrefix(string(info.Point), "detached.")
		for _, nth := range times(info.Point) {
			add := func(action failpoint.Action, wake time.Duration) {
				c := faultCase{Rule: failpoint.Rule{Point: info.Point, Action: action, Nth: nth}, Wake: wake}
				if action == failpoint.Delay {
					c.Rule.Delay = delayTime
				}
				all = append(all, c)
			}
			add(failpoint.Kill, 0)
			switch { // of a detached keeper that stands still nobody is in need
			case detached && short:
				add(failpoint.Stop, wakeTime)
			case !detached && (nth == 1 || !short):
				add(failpoint.Stop, 0)
			}
			if info.Fails {
				add(failpoint.Error, 0)
			}
			if short {
				continue
			}
			add(failpoint.Stop, wakeTime)
			add(failpoint.Delay, 0)
			if !strings.HasPrefix(string(info.Point), "host.") {
				add(failpoint.Exit, 0)
			}
		}
	}
	return append(all, together()...)
}

// together returns cases in which host and keeper fail: the keeper while it ends
// what a host that was killed has left, and while it makes its record; and the host
// while it ends what a keeper that was killed has left.
func together() (all []faultCase) {
	kill := func(p failpoint.Point) failpoint.Rule { return failpoint.Rule{Point: p, Action: failpoint.Kill} }
	slow := func(p failpoint.Point) failpoint.Rule {
		return failpoint.Rule{Point: p, Action: failpoint.Delay, Delay: delayTime}
	}
	for _, info := range failpoint.Points() {
		if info.After != "" {
			all = append(all, faultCase{Rule: kill(info.After), Also: []failpoint.Rule{kill(info.Point)}}, faultCase{Rule: kill(info.After), Also: []failpoint.Rule{slow(info.Point)}})
		}
	}
	for _, at := range []failpoint.Point{failpoint.HostLaunchSend, failpoint.HostStopAsk, failpoint.HostClosePlugins} {
		all = append(all, faultCase{Rule: kill(at), Also: []failpoint.Rule{slow(failpoint.KeeperRecord)}})
		for _, then := range []failpoint.Point{failpoint.KeeperEndBegin, failpoint.KeeperEndFolder, failpoint.KeeperEndRemoved} {
			all = append(all, faultCase{Rule: kill(at), Also: []failpoint.Rule{kill(then)}}, faultCase{Rule: kill(at), Also: []failpoint.Rule{slow(then)}})
		}
	}
	for _, then := range []failpoint.Point{failpoint.KeeperEndAsked, failpoint.KeeperEndKill, failpoint.KeeperTreeStill} {
		all = append(all, faultCase{Rule: kill(failpoint.HostStopAsk), Also: []failpoint.Rule{kill(then)}}, faultCase{Rule: kill(failpoint.HostStopAsk), Also: []failpoint.Rule{slow(then)}})
	}
	return all
}

// times returns when a step is to fail: steps that are part of every launch the
// first time, when it is the plugin's, and for a child.
func times(p failpoint.Point) []int {
	switch p {
	case failpoint.HostLaunchSend, failpoint.HostLaunchSent, failpoint.HostLaunchAnswered, failpoint.KeeperReceived,
		failpoint.KeeperLaunchBegin, failpoint.KeeperLaunchCloned, failpoint.KeeperLaunchEntered, failpoint.KeeperLaunchAnswered:
		return []int{1, 2, 4}
	case failpoint.HostExit, failpoint.KeeperExitPeeked, failpoint.KeeperExitReaped, failpoint.KeeperExitSent:
		return []int{1, 3}
	case failpoint.HostPlanSent, failpoint.PluginSpec, failpoint.PluginAnswer, failpoint.EarlySpec, failpoint.EarlyAnswer:
		return []int{1, 2}
	}
	return []int{1}
}

// TestFaults is the suite.
func TestFaults(t *testing.T) {
	k, n := 1, 1
	if *share != "" {
		if _, err := fmt.Sscanf(*share, "%d/%d", &k, &n); err != nil || k < 1 || k > n {
			t.Fatalf("-share %s: want k/n", *share)
		}
	}
	var mine []faultCase
	for i, c := range cases(testing.Short()) {
		if i%n == k-1 {
			mine = append(mine, c)
		}
	}
	runCases(t, mine)
}

// runCases runs cases, several at a time, each of which has to come to where it is
// to fail.
func runCases(t *testing.T, all []faultCase) {
	t.Helper()
	programs := newPrograms(t)
	for _, c := range all {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			program := <-programs
			defer func() { programs <- program }()
			rules := c.rules()
			if err := failpoint.Arm(program, rules...); err != nil {
				t.Fatal(err)
			}
			runCase(t, c, program)
			for i, r := range rules {
				// Whoever is to be slow may have had no time to get there.
				if failpoint.Fired(program, i) == 0 && (i == 0 || r.Action != failpoint.Delay) {
					t.Errorf("%s was not reached", r.Point)
				}
			}
		})
	}
}

// TestEveryStepIsTried: none of the table is left out, also by -short. That each is
// reached TestFaults sees.
func TestEveryStepIsTried(t *testing.T) {
	for _, short := range []bool{false, true} {
		tried := map[failpoint.Point]bool{}
		for _, c := range append(cases(short), handCases(short)...) {
			tried[c.Rule.Point] = true
			for _, r := range c.Also {
				tried[r.Point] = true
			}
		}
		for _, info := range failpoint.Points() {
			if !tried[info.Point] {
				t.Errorf("short %v: nobody fails at %s", short, info.Point)
			}
		}
	}
}

// TestNoFault is a life in which nothing fails.
func TestNoFault(t *testing.T) {
	program := <-newPrograms(t)
	if err := failpoint.Arm(program); err != nil {
		t.Fatal(err)
	}
	runCase(t, faultCase{}, program)
}

// TestEveryMode has each of the broken plugins of internal/faultplugin asked for a
// child. What is to come of it package host tests; here it is what is left.
func TestEveryMode(t *testing.T) {
	programs := newPrograms(t)
	for i, m := range faultplugin.Modes() {
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			program := <-programs
			defer func() { programs <- program }()
			if err := failpoint.Arm(program); err != nil {
				t.Fatal(err)
			}
			runCase(t, faultCase{Mode: string(m.Key())}, program)
		})
	}
}

// runCase runs the watch for a case and reports what it complains of.
func runCase(t *testing.T, c faultCase, program string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "hf-*") // short: there are sockets below it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cmd := &exec.Cmd{Path: program, Args: helperproc.Argv("watch", dir, program, string(text))}
	// In a group of its own, as by a shell: who is stopped in a group that loses
	// its last tie to the rest of the session is sent SIGHUP with all of the group,
	// and where the tests run without a shell the cases would do that to each other.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.process() == "plugin" && !strings.HasPrefix(string(c.Rule.Point), "plugin.early.") {
		cmd.Env = append(os.Environ(), lateVariable+"=1")
	}
	timer := time.AfterFunc(caseLimit, func() { cmd.Process.Kill() })
	out, err := cmd.CombinedOutput()
	timer.Stop()
	if err != nil || len(out) > 0 && !strings.HasPrefix(string(out), notes) {
		t.Errorf("after %v: %v\n%s", time.Since(begin).Round(time.Millisecond), err, out)
	} else {
		t.Logf("%v\n%s", time.Since(begin).Round(time.Millisecond), out)
	}
	helperproc.Argv("host") // the watch starts it
}

// notes is what output begins with that has no complaints.
const notes = "fine: "

// newPrograms returns copies of this program, each of which has one case at a
// time: the rules belong to a program. There are as many as there can be cases at
// a time, and they are made before anything is started, which would hold a copy
// open for a moment.
func newPrograms(t *testing.T) chan string {
	t.Helper()
	n, err := strconv.Atoi(flag.Lookup("test.parallel").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	dir, all := t.TempDir(), make(chan string, n)
	for i := range n {
		program := filepath.Join(dir, fmt.Sprint("program", i))
		if err := link(helperproc.Path(), program); err != nil {
			t.Fatal(err)
		}
		all <- program
	}
	return all
}

// link makes a second name of a program, or a copy where that is not allowed.
func link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
