package backendtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func faultCases() []Case {
	return []Case{{
		Name: "plugin-stopped",
		Doc: "A plugin that is there and does nothing (SIGSTOP, a busy machine, an endless loop) holds nobody up: the caller has an error at its " +
			"own deadline, and no child. A plugin that goes on afterwards serves the next request, and what it still says to the " +
			"one that was given up makes no child either.",
		Needs: []Ability{Plugin, Programs},
		Run:   pluginStopped,
	}, {
		Name: "plugin-stopped-close",
		Doc: "A host whose plugin is stopped is closed within its bounds all the same, with a request in front of the plugin that nobody " +
			"answers: its caller gets an error, and the plugin is gone.",
		Needs: []Ability{Plugin, Programs},
		Run:   pluginStoppedClose,
	}, {
		Name: "plugin-restarted",
		Doc: "A plugin that is killed while it has nothing to do is started again for the next request, three times in a row, and serves as " +
			"the first did: it needs nothing that an earlier one had.",
		Needs: []Ability{Plugin, Programs},
		Run:   pluginRestarted,
	}, {
		Name: "request-huge",
		Doc: "A request of 1.5 MB, which goes to the plugin in shared memory and not in a message, is served like any other, twice, and so is " +
			"the small one behind it.",
		Needs: []Ability{Programs, Local},
		Run:   requestHuge,
	}}
}

// stopped is how long a caller waits for a plugin that is stopped.
const stopped = 300 * time.Millisecond

func pluginStopped(t T, e *Env) {
	plugin := e.plugin(t)
	stop(t, plugin)
	l := newLeash(t)
	spec := sh("sleep 60")
	spec.Files = place(nil, 1, l.theirs)
	ctx, cancel := context.WithTimeout(t.Context(), stopped)
	defer cancel()
	begin := time.Now()
	p, err := e.Start(ctx, spec)
	if took := time.Since(begin); took > stopped+soon {
		t.Errorf("the caller's deadline was after %v, and it got its answer after %v", stopped, took)
	}
	switch {
	case err == nil:
		p.Kill()
		t.Errorf("with a plugin that is stopped a child was started")
	case !errors.Is(err, spawn.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded):
		t.Errorf("want an error that is ErrTimeout, got: %v", err)
	}
	if err := syscall.Kill(plugin, syscall.SIGCONT); err != nil {
		t.Fatalf("waking the plugin: %v", err)
	}
	if s := e.run(t, "a child after the plugin was woken", sh("exit 6")); s.Code != 6 {
		t.Errorf("a child after the plugin was woken: %v, want exit status 6", s)
	}
	l.gone(t, "a child that nobody waited for")
}

func pluginStoppedClose(t T, e *Env) {
	another := e.Another(t)
	plugin := another.plugin(t)
	stop(t, plugin)
	l := newLeash(t)
	spec := sh("sleep 60")
	spec.Files = place(nil, 1, l.theirs)
	answered := make(chan error, 1)
	go func() { // waited for below
		p, err := another.Start(t.Context(), spec)
		if err == nil {
			p.Kill()
		}
		answered <- err
	}()
	begin := time.Now()
	if err := another.Host.Close(); err != nil {
		t.Errorf("closing the host: %v", err)
	}
	if took := time.Since(begin); took > patience {
		t.Errorf("closing the host took %v, want its grace and 2 s at most", took)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-answered:
		if err == nil {
			t.Errorf("with a plugin that is stopped a child was started")
		}
	case <-timer.C:
		t.Fatalf("the caller of a host that was closed has no answer after %v", patience)
	}
	ended(t, plugin, "a stopped plugin whose host was closed")
	l.gone(t, "a child of a closed host")
}

func pluginRestarted(t T, e *Env) {
	before := pluginsBelow(os.Getpid(), e)
	for n := range 3 {
		if err := e.again(func() error { return e.Host.Probe(t.Context(), e.Key()) }); err != nil {
			t.Fatalf("the method after %d plugins were killed: %v", n, err)
		}
		now := slices.DeleteFunc(pluginsBelow(os.Getpid(), e), func(pid int) bool { return slices.Contains(before, pid) })
		if len(now) != 1 {
			t.Fatalf("looking for the plugin: there are the processes %v, want one", now)
		}
		if err := syscall.Kill(now[0], syscall.SIGKILL); err != nil {
			t.Fatalf("killing the plugin: %v", err)
		}
		ended(t, now[0], "a plugin that was killed")
		var p *host.Process
		err := e.again(func() (err error) { p, err = e.Start(t.Context(), sh("exit 4")); return err })
		if err != nil {
			t.Fatalf("a child after %d plugins were killed: %v", n+1, err)
		}
		if s := await(t, p, "a child of the next plugin"); s.Code != 4 {
			t.Errorf("a child after %d plugins were killed: %v, want exit status 4", n+1, s)
		}
		if err := e.Host.Reset(e.Key()); err != nil { // the fifth failure within a minute would be the last
			t.Errorf("resetting the method: %v", err)
		}
	}
}

// again does something once more when it met a plugin in the moment of its death,
// which the error then says.
func (e *Env) again(f func() error) error {
	err := f()
	if err != nil && spawn.AsError(err).Retryable() {
		return f()
	}
	return err
}

func requestHuge(t T, e *Env) {
	// What each variable says is checked by its length, which the shell knows.
	spec := sh("echo ${#V0} ${#V14} $#", hundredKB(3)...)
	spec.Env = []string{"PATH=/usr/bin:/bin"}
	for n, value := range hundredKB(15) {
		spec.Env = append(spec.Env, "V"+strconv.Itoa(n)+"="+value[:len(value)-n])
	}
	const want = "102400 102386 3"
	for range 2 {
		if got := strings.TrimSpace(e.output(t, "a request of 1.8 MB", spec)); got != want {
			t.Errorf("the lengths of what the child has are %q, want %q", got, want)
		}
		if s := e.run(t, "a small request behind it", sh("exit 2")); s.Code != 2 {
			t.Errorf("a small request behind it: %v, want exit status 2", s)
		}
	}
}
