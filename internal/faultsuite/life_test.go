//go:build linux && failpoints

package faultsuite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// descendants is the file that every child with descendants has open as descriptor 4,
// and all of these, and family what the name of one begins with that is descriptor 3 of
// those that are to end with the child. What was forked shares its command line
// and its environment with what it came from; what it has open it was given.
const (
	descendants = "descendants"
	family      = "family"
)

// How long things may take. What fails at worst takes all of it.
const (
	grace = 200 * time.Millisecond
	slack = 3 * time.Second // of a busy machine
)

func (l *life) limits() host.Timeouts {
	t := host.Timeouts{Start: 20 * time.Second, Spawn: 20 * time.Second, Call: time.Second, Grace: grace, Close: 6 * time.Second}
	if l.Zygote.mute() {
		t.Spawn = patience
		if raceEnabled {
			t.Spawn *= 3
		}
	}
	if l.stopped() || l.Mode != "" { // of these a few reach their bound
		t.Start, t.Spawn = 3*time.Second, 3*time.Second
		if raceEnabled {
			t.Start, t.Spawn = 6*time.Second, 6*time.Second
		}
	}
	return t
}

// lookTime is what a host grants its keeper for a look at what is below a child
// that is to be asked to end.
const lookTime = 500 * time.Millisecond

// maxVain is how many starts are tried in vain while somebody stands still, who is in the
// way of all.
const maxVain = 1

// A life is that of a host. What is not as it should be is said on standard
// output.
type life struct {
	faultCase
	h     *host.Host
	procs []*child
	vain  int // starts that failed for good
	marks int // families
}

// A child is one of the host's.
type child struct {
	*host.Process
	what string
	mark string // the name of the file that its descendants have open; may be empty
	want func(spawn.ExitStatus) bool
}

// hostHelper is the process.
func hostHelper(args []string) int {
	l := &life{}
	if err := json.Unmarshal([]byte(args[0]), &l.faultCase); err != nil {
		fmt.Println(err)
		return 1
	}
	before := leakcheck.Take()
	l.open()
	if l.h != nil {
		switch {
		case l.Mode != "":
			l.liveWithBrokenPlugin()
		case l.Zygote != "":
			l.liveWithZygotes()
		case l.Method == forkserver.Key:
			l.liveWithTemplates()
		case l.Method != "":
			l.liveWithSandboxes()
		default:
			l.live()
		}
		l.end()
	}
	for _, left := range before.Left(leakcheck.Patience) {
		if l.mayBeLeft(left) {
			continue
		}
		l.complain("left in the host: %s", strings.ReplaceAll(left, "\n", "; "))
	}
	if n := threads(); n > maxThreads {
		l.complain("%d threads", n)
	}
	return 0
}

// maxThreads is how many threads a host may have come to have.
const maxThreads = 40

func threads() int {
	names, _ := os.ReadDir("/proc/self/task")
	return len(names)
}

// mayBeLeft reports whether what leakcheck has found is no leak.
func (l *life) mayBeLeft(string) bool { return false }

func (l *life) complain(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// call makes a call that has a bound, and judges its error.
func (l *life) call(what string, bound time.Duration, f func() error) error {
	begin := time.Now()
	err := f()
	if l.process() == "host" {
		bound += l.Wake + l.Rule.Delay
	}
	if d := time.Since(begin); d > bound+slack {
		l.complain("%s took %v, want %v at most: %v", what, d, bound, err)
	}
	var e *spawn.Error
	var several *host.NurseryError
	if err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.As(err, &several) && (!errors.As(err, &e) || e.Phase == "" || e.Kind == nil && e.Errno == 0 && e.Err == nil) {
		l.complain("%s: the error says too little: %v: %#v", what, err, e)
	}
	return err
}

// lateVariable, if it is set, keeps plugins from serving early.
const lateVariable = "HATCHERY_FAULTSUITE_LATE"

// methods returns the built-in methods, or nil for those of Init, which are the
// same.
func methods() *registry.Registry {
	if os.Getenv(lateVariable) == "" {
		return nil
	}
	entries := backends.Builtin()
	for i := range entries {
		entries[i].Early = false
	}
	r, err := registry.New(entries...)
	if err != nil {
		panic(err)
	}
	return r
}

func (l *life) open() {
	open := func() (err error) {
		l.h, err = host.Open(host.Config{Timeouts: l.limits(), Registry: methods()})
		return err
	}
	if err := l.call("Open", 0, open); err != nil {
		if !errors.Is(err, syscall.EIO) {
			l.complain("Open: %v", err)
		}
		if err := l.call("Open again", 0, open); err != nil {
			l.complain("Open again: %v", err)
		}
	}
}

// live is everything between Open and Close.
func (l *life) live() {
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
	leaver := l.family("a child to leave somebody behind", false)
	killed := l.family("a family to be killed", true)
	w.Close() // the obedient child's cue
	l.await(obedient)
	l.stop(plain, grace+l.limits().Close)
	l.stop(stopped, 2*grace+2*l.limits().Close)
	l.stop(leaver, 3*grace+2*l.limits().Close)
	l.kill(killed)
	l.nursery()
	l.detach()
	l.giveUp()
	if err := syscall.Setpgid(0, 0); err != nil {
		l.complain("setpgid: %v", err)
	}
	l.start("a child of the successor", spawn.Spec{Path: "sleep", Args: []string{"sleep", "3600.1"}},
		func(s spawn.ExitStatus) bool { return s.Signal == syscall.SIGTERM })
	l.await(l.start("a short child", spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "exit 5"}},
		func(s spawn.ExitStatus) bool { return s.Code == 5 }))
}

// await waits for a child that ends by itself. Of its end nobody may hear while
// somebody stands still.
func (l *life) await(p *child) {
	if p == nil {
		return
	}
	limit := slack
	if l.stopped() {
		limit = wakeTime
	}
	select {
	case <-p.Done():
	case <-time.After(limit):
		if !l.stopped() {
			l.complain("child %d has not ended, or nobody has said so", p.Pid())
		}
	}
}

// liveWithBrokenPlugin asks a broken plugin for a child, and a good one before and
// after.
func (l *life) liveWithBrokenPlugin() {
	five := func() {
		l.await(l.start("a short child", spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "exit 5"}}, func(s spawn.ExitStatus) bool { return s.Code == 5 }))
	}
	five()
	l.call("Start by a broken plugin", l.limits().Start+l.limits().Spawn, func() error {
		p, err := l.h.StartMethod(context.Background(), l.Mode, spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "exit 3"}, Env: []string{}})
		if err == nil {
			select {
			case <-p.Done():
			case <-time.After(slack):
				l.complain("the child of a broken plugin has not ended, or nobody has said so")
			}
		}
		return err
	})
	five()
}

// stop stops a child. What was below it is gone then as well.
func (l *life) stop(c *child, bound time.Duration) {
	if c == nil {
		return
	}
	begin := time.Now()
	err := l.call("Stop of "+c.what, bound, func() error { _, err := c.Stop(context.Background()); return err })
	if err != nil && !l.hurts() {
		l.complain("Stop of %s: %v", c.what, err)
	}
	if time.Since(begin) < grace+lookTime { // else the keeper may have been too slow to look what is below the child
		l.alone(c, err)
	}
}

// kill kills a child.
func (l *life) kill(c *child) {
	if c == nil {
		return
	}
	err := l.call("Kill", l.limits().Call, c.Kill)
	if err != nil && !l.hurts() {
		l.complain("Kill: %v", err)
	}
	if err == nil {
		l.await(c)
	}
	l.alone(c, err)
}

// alone complains of what is left of a child's descendants when all went well.
func (l *life) alone(c *child, err error) {
	if err != nil || c.mark == "" || l.hurts() {
		return
	}
	of := func(s survivor) bool { return s.has(c.mark) }
	left := below(os.Getpid())
	for range slack / look { // they may be about to end
		if !slices.ContainsFunc(left, of) {
			return
		}
		<-time.After(look)
		left = below(os.Getpid())
	}
	for _, s := range left {
		if of(s) {
			l.complain("%s is over, and process %d of it is there: %q in state %c", c.what, s.pid, s.words, s.state)
		}
	}
}

// nursery has a nursery fail by one of three children.
func (l *life) nursery() {
	if l.vain > 0 && l.stopped() {
		return
	}
	began := 0
	err := l.call("Nursery", 3*l.limits().Spawn+grace+2*l.limits().Close, func() error {
		return l.h.Nursery(context.Background(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
			for _, script := range []string{"exec sleep 3600.1", "exit 7", "exec sleep 3600.1"} {
				spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}}
				if _, err := n.Start(ctx, host.ChildConfig{Name: script, Spec: spec}); err != nil {
					return err
				}
				began++
			}
			return nil
		})
	})
	var exit *spawn.ExitError
	if failed := errors.As(err, &exit) && exit.Code == 7; !failed && !l.mayFail(err) && !(l.keeperHurt() && errors.Is(err, spawn.ErrLost)) {
		l.complain("Nursery, with %d children: %v", began, err)
	}
}

// end closes the host and judges how the children have ended.
func (l *life) end() {
	err := l.call("Close", grace+l.limits().Close, l.h.Close)
	if err != nil && !l.hurts() {
		l.complain("Close: %v", err)
	}
	for _, c := range l.procs {
		l.judge(c)
	}
	if _, err := l.h.Start(context.Background(), spawn.Spec{Path: "true"}); !errors.Is(err, spawn.ErrClosed) {
		l.complain("Start after Close: %v", err)
	}
	l.call("a second Close", 0, l.h.Close)
	fmt.Printf("%s%d children, Close: %v\n", notes, len(l.procs), err)
}

// hurts reports whether keeper or plugin are to fail for good, or for too long to
// be waited for.
func (l *life) hurts() bool {
	if l.Mode != "" {
		return true
	}
	return l.process() != "host" && (l.dies() || l.Rule.Action == failpoint.Stop)
}

// keeperHurt reports whether statuses may be lost.
func (l *life) keeperHurt() bool {
	return l.process() == "keeper" && (l.dies() || l.Rule.Action == failpoint.Stop)
}

// judge judges how a child has ended.
func (l *life) judge(c *child) {
	select {
	case <-c.Done():
	case <-time.After(slack):
		l.complain("%s (%d) is not known to have ended", c.what, c.Pid())
		return
	}
	switch s, err := c.Wait(); {
	case s.Source == spawn.Lost && s.Reason != "" && errors.Is(err, spawn.ErrLost) && l.keeperHurt():
	case s.Source == spawn.FromKernel && err == nil && (c.want(s) || c.Forced() && s.Signal == syscall.SIGKILL):
	case s.Source == spawn.FromKernel && err == nil && l.keeperHurt() && (s.Signal == syscall.SIGTERM || s.Signal == syscall.SIGKILL):
	default:
		l.complain("%s: %+v, %v", c.what, s, err)
	}
}

// tries is how often a child is tried to be started. One that stays stopped is in
// the way of all.
func (l *life) tries() int {
	if l.stopped() {
		return 1
	}
	return 3
}

// start starts a child, as often as need be.
func (l *life) start(what string, spec spawn.Spec, want func(spawn.ExitStatus) bool) *child {
	if l.vain == maxVain && l.stopped() {
		return nil
	}
	spec.Env = []string{"PATH=" + os.Getenv("PATH")}
	var err error
	for range l.tries() {
		var p *host.Process
		err = l.call("Start of "+what, l.limits().Spawn+time.Second, func() (err error) {
			p, err = l.begin(spec)
			return err
		})
		if err == nil {
			c := &child{p, what, "", want}
			l.procs = append(l.procs, c)
			fmt.Printf("%s%d\n", childNote, p.Pid())
			return c
		}
		if !l.mayFail(err) {
			l.complain("Start of %s: %v", what, err)
		}
	}
	if l.vain++; !l.stopped() && !(l.Mode != "" && errors.Is(err, spawn.ErrTimeout)) {
		l.complain("Start of %s failed each time: %v", what, err)
	}
	return nil
}

// begin starts a child by the method of the case.
func (l *life) begin(spec spawn.Spec) (*host.Process, error) {
	if l.Method == "" {
		return l.h.Start(context.Background(), spec)
	}
	spec.Dir = "/" // where the test is, is not in the sandbox
	return l.h.StartMethod(context.Background(), l.Method, spec)
}

// mayFail reports whether a start may fail that way.
func (l *life) mayFail(err error) bool {
	if l.Rule.Action == failpoint.Error {
		return errors.Is(err, syscall.EIO)
	}
	if l.Zygote.mute() {
		return errors.Is(err, spawn.ErrTimeout)
	}
	return l.hurts() && (errors.Is(err, spawn.ErrTimeout) || errors.Is(err, spawn.ErrPluginGone) || errors.Is(err, spawn.ErrKeeperGone))
}

// family starts a child with descendants: a process in a session of its own, with
// a child of its own, and one more. A deaf family ignores requests to end, and its
// session is that of a daemon: it has lost its parent before anybody looks, so that
// it ends with the host.
func (l *life) family(what string, deaf bool) *child {
	script := `setsid sh -c 'sleep $0 & echo; exec sleep $0' $0 & while :; do sleep $0; done`
	if deaf {
		script = `trap "" TERM HUP; (setsid sh -c 'trap "" TERM HUP; (exec sleep $0 &); echo; exec sleep $0' $0 3>&- &); while :; do sleep $0; done`
	}
	return l.parent(what, spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script, "3600.2"}}, func(s spawn.ExitStatus) bool {
		return s.Signal == syscall.SIGKILL || !deaf && s.Signal == syscall.SIGTERM
	})
}

// parent starts a child that has descendants, says so by a byte on its standard output,
// and stays.
func (l *life) parent(what string, spec spawn.Spec, want func(spawn.ExitStatus) bool) *child {
	l.marks++
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return nil
	}
	defer r.Close()
	spec.Files = []*os.File{nil, w, nil}
	mark := fmt.Sprint(family, l.marks)
	for _, name := range []string{mark, descendants} {
		f, err := os.Create(filepath.Join(os.TempDir(), name))
		if err != nil {
			l.complain("%v", err)
			return nil
		}
		defer f.Close()
		spec.Files = append(spec.Files, f)
	}
	p := l.start(what, spec, want)
	w.Close()
	if p == nil {
		return nil
	}
	r.SetReadDeadline(time.Now().Add(l.limits().Start))
	if _, err := r.Read(make([]byte, 1)); err != nil {
		if !l.keeperHurt() && l.Zygote != startedKill {
			l.complain("%s does not come up: %v", what, err)
		}
		return p
	}
	p.mark = mark
	if !slices.ContainsFunc(below(os.Getpid()), func(s survivor) bool { return s.has(mark) }) && !l.keeperHurt() {
		l.complain("%s is up, and nobody below this process has %s open", what, mark)
	}
	return p
}

// giveUp gives up a child that waits for ever before its exec.
func (l *life) giveUp() {
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return
	}
	defer r.Close()
	defer w.Close()
	if err := fill(w); err != nil {
		l.complain("%v", err)
		return
	}
	spec := spawn.Spec{Path: "true", Env: []string{}}
	plan := spawn.Standard(&spec)
	plan.Reusable, plan.Files = true, []*os.File{w}
	plan.Insert(spawn.Write(spawn.FD(0), spawn.Str("x")))
	for limit := 50 * time.Millisecond; limit < slack; limit *= 4 {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		err := l.call("a start that is given up", limit+time.Second, func() error {
			_, err := l.h.StartPlan(ctx, plan, spec)
			return err
		})
		cancel()
		if !errors.Is(err, spawn.ErrTimeout) && !l.mayFail(err) {
			l.complain("a start that is given up: %v", err)
		}
		var e *spawn.Error
		if !errors.As(err, &e) || e.Kind != spawn.ErrTimeout || e.Op == "write" {
			return
		} // else the child was not there yet, on a machine that is busy
	}
}

// fill writes to a pipe until it is full.
func fill(w *os.File) error {
	conn, err := w.SyscallConn()
	if err != nil {
		return err
	}
	page := make([]byte, 4096)
	if cerr := conn.Control(func(fd uintptr) { // it does not block: the runtime's poller has it
		for err == nil {
			_, err = syscall.Write(int(fd), page)
		}
	}); cerr != nil {
		return cerr
	}
	if errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	return err
}
