//go:build linux && failpoints

package faultsuite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// descendant is an argument of everything that a child of the host starts.
const descendant = "3600.2"

// How long things may take. What fails at worst takes all of it.
const (
	grace = 200 * time.Millisecond
	slack = 2 * time.Second // of a busy machine
)

func limits() host.Timeouts {
	t := host.Timeouts{Start: 2 * time.Second, Spawn: 2 * time.Second, Call: time.Second, Grace: grace, Close: 2 * time.Second}
	if raceEnabled {
		t.Start, t.Spawn = 6*time.Second, 6*time.Second
	}
	return t
}

// A life is that of a host. What is not as it should be is said on standard
// output.
type life struct {
	faultCase
	h     *host.Host
	procs []*child
}

// A child is one of the host's.
type child struct {
	*host.Process
	what string
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
		l.live()
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
	if err != nil && !errors.Is(err, os.ErrProcessDone) && (!errors.As(err, &e) || e.Phase == "" || e.Kind == nil && e.Errno == 0 && e.Err == nil) {
		l.complain("%s: the error says too little: %#v", what, err)
	}
	return err
}

func (l *life) open() {
	open := func() (err error) {
		l.h, err = host.Open(host.Config{Timeouts: limits()})
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
	l.family("a family to be closed", deaf)
	stopped := l.family("a family to be stopped", deaf)
	leaver := l.family("a child to leave somebody behind", "")
	killed := l.family("a family to be killed", deaf)
	w.Close() // the obedient child's cue
	l.await(obedient)
	if plain != nil {
		l.call("Stop", grace+limits().Close, func() error { _, err := plain.Stop(context.Background()); return l.lost(err) })
	}
	if stopped != nil {
		l.call("Stop of a family", 2*grace+2*limits().Close, func() error { _, err := stopped.Stop(context.Background()); return l.lost(err) })
	}
	if leaver != nil {
		l.call("Stop of a child that leaves somebody behind", 3*grace+2*limits().Close, func() error { _, err := leaver.Stop(context.Background()); return l.lost(err) })
	}
	if killed != nil {
		l.call("Kill", limits().Call, func() error { return killed.Kill() })
	}
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
func (l *life) await(p *host.Process) {
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

// end closes the host and judges how the children have ended.
func (l *life) end() {
	err := l.call("Close", grace+limits().Close, l.h.Close)
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
	return l.process() != "host" && (l.dies() || l.Rule.Action == failpoint.Stop)
}

// lost is err, but for statuses that may be lost.
func (l *life) lost(err error) error {
	if l.keeperHurt() && errors.Is(err, spawn.ErrLost) {
		return nil
	}
	return err
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
func (l *life) start(what string, spec spawn.Spec, want func(spawn.ExitStatus) bool) *host.Process {
	spec.Env = []string{"PATH=" + os.Getenv("PATH")}
	var err error
	for range l.tries() {
		var p *host.Process
		err = l.call("Start of "+what, limits().Spawn+time.Second, func() (err error) {
			p, err = l.h.Start(context.Background(), spec)
			return err
		})
		if err == nil {
			l.procs = append(l.procs, &child{p, what, want})
			return p
		}
		if !l.mayFail(err) {
			l.complain("Start of %s: %v", what, err)
		}
	}
	if !l.stopped() {
		l.complain("Start of %s failed each time: %v", what, err)
	}
	return nil
}

// mayFail reports whether a start may fail that way.
func (l *life) mayFail(err error) bool {
	if l.Rule.Action == failpoint.Error {
		return errors.Is(err, syscall.EIO)
	}
	return l.hurts() && (errors.Is(err, spawn.ErrTimeout) || errors.Is(err, spawn.ErrPluginGone) || errors.Is(err, spawn.ErrKeeperGone))
}

// deaf is what a shell does that ignores requests to end.
const deaf = `trap "" TERM HUP; `

// family starts a child with descendants: one in a session of its own that has
// lost its parent, with a child of its own. They begin with a line of shell.
func (l *life) family(what, first string) *host.Process {
	script := first + `(setsid sh -c '` + first + `(exec sleep $0 &); echo; exec sleep $0' $0 &); while :; do sleep $0; done`
	r, w, err := os.Pipe()
	if err != nil {
		l.complain("%v", err)
		return nil
	}
	defer r.Close()
	p := l.start(what, spawn.Spec{Path: "sh", Args: []string{"sh", "-c", script, descendant}, Files: []*os.File{nil, w}},
		func(s spawn.ExitStatus) bool {
			return s.Signal == syscall.SIGKILL || first == "" && s.Signal == syscall.SIGTERM
		})
	w.Close()
	if p != nil {
		r.SetReadDeadline(time.Now().Add(limits().Start))
		if _, err := r.Read(make([]byte, 1)); err != nil && !l.keeperHurt() {
			l.complain("%s does not come up: %v", what, err)
		}
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
	w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	for page := make([]byte, 4096); err == nil; {
		_, err = w.Write(page)
	}
	spec := spawn.Spec{Path: "true", Env: []string{}}
	plan := spawn.Standard(&spec)
	plan.Reusable, plan.Files = true, []*os.File{w}
	plan.Insert(spawn.Write(spawn.FD(0), spawn.Str("x")))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = l.call("a start that is given up", time.Second, func() error {
		_, err := l.h.StartPlan(ctx, plan, spec)
		return err
	})
	if !errors.Is(err, spawn.ErrTimeout) && !l.mayFail(err) {
		l.complain("a start that is given up: %v", err)
	}
}
