package backendtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func pluginCases() []Case {
	return []Case{{
		Name: "plugin-killed",
		Doc: "Children do not notice that the plugin is killed: they go on running, and the exit of each of 50 is reported with its own " +
			"code. The method is there again at once, for who tries a second time.",
		Needs: []Ability{Plugin, Programs, Local},
		Run:   pluginKilled,
	}, {
		Name: "plugin-killed-planning",
		Doc: "When the plugin is killed with a Spec before it, the caller has an answer within a second: an error that is ErrPluginGone and " +
			"can be retried, and then no child; or the child, if the plugin had not begun and another was asked. A retry succeeds.",
		Needs: []Ability{Plugin, Programs, Plans},
		Run:   pluginKilledPlanning,
	}}
}

// plugin returns the pid of the plugin that serves this host, which it starts.
func (e *Env) plugin(t T) int {
	t.Helper()
	before := pluginsBelow(os.Getpid(), e)
	if err := e.Host.Probe(t.Context(), e.Key()); err != nil {
		t.Fatalf("starting the plugin: %v", err)
	}
	after := slices.DeleteFunc(pluginsBelow(os.Getpid(), e), func(pid int) bool { return slices.Contains(before, pid) })
	if len(after) != 1 {
		t.Fatalf("looking for the plugin: there are the processes %v more than before, want one", after)
	}
	return after[0]
}

func pluginKilled(t T, e *Env) {
	const children = 50
	plugin := e.plugin(t)
	hold, release, err := os.Pipe()
	if err != nil {
		t.Fatalf("a pipe: %v", err)
	}
	defer release.Close()
	all := make([]*host.Process, children)
	for i := range all {
		spec := sh(fmt.Sprintf("read x; exit %d", i+100))
		spec.Files = []*os.File{hold}
		all[i] = e.mustStart(t, "a child that waits", spec)
	}
	hold.Close()
	if err := syscall.Kill(plugin, syscall.SIGKILL); err != nil {
		t.Fatalf("killing the plugin: %v", err)
	}
	err = e.Host.Probe(t.Context(), e.Key())
	if err != nil && spawn.AsError(err).Retryable() { // it met the old plugin in the moment of its death
		err = e.Host.Probe(t.Context(), e.Key())
	}
	if err != nil {
		t.Errorf("the method after its plugin was killed: %v", err)
	}
	if s := e.run(t, "a child after the plugin was killed", sh("exit 5")); s.Code != 5 {
		t.Errorf("a child after the plugin was killed: %v, want exit status 5", s)
	}
	for i, p := range all {
		select {
		case <-p.Done():
			s, err := p.Wait()
			t.Errorf("child %d has ended with the plugin: %v, %v", i, s, err)
		default:
		}
	}
	release.Close()
	for i, p := range all {
		if s := await(t, p, "a child whose plugin was killed"); s.Code != i+100 {
			t.Errorf("child %d: %v, want exit status %d", i, s, i+100)
		}
	}
}

// asleep is how long a stopped plugin is left with a request: long enough for
// its death not to be taken for one that had begun before.
const asleep = 150 * time.Millisecond

func pluginKilledPlanning(t T, e *Env) {
	err := e.killPlanning(t)
	if err != nil && (!errors.Is(err, spawn.ErrPluginGone) || !spawn.AsError(err).Retryable()) {
		t.Errorf("want a child, or an error of kind ErrPluginGone that can be retried, got: %v", err)
	}
	if s := e.run(t, "the retry", sh("exit 9")); s.Code != 9 {
		t.Errorf("the retry: %v, want exit status 9", s)
	}
}

// killPlanning kills the plugin while a request waits in front of it, and
// returns what the caller got. Whether the plugin has begun to read it is left
// to chance.
func (e *Env) killPlanning(t T) error {
	t.Helper()
	plugin := e.plugin(t)
	stop(t, plugin) // then it works on the request for ever, whatever the backend is
	l := newLeash(t)
	spec := sh("sleep 60")
	spec.Files = place(nil, 1, l.theirs)
	type outcome struct {
		p   *host.Process
		err error
	}
	ended := make(chan outcome, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { // waited for below
		p, err := e.Start(ctx, spec)
		ended <- outcome{p, err}
	}()
	timer := time.NewTimer(asleep)
	defer timer.Stop()
	select {
	case o := <-ended:
		t.Errorf("with a plugin that is stopped Start returned %v", o.err)
		ended <- o
	case <-timer.C:
	}
	begin := time.Now()
	if err := syscall.Kill(plugin, syscall.SIGKILL); err != nil {
		t.Fatalf("killing the plugin: %v", err)
	}
	o := <-ended
	if took := time.Since(begin); took > soon {
		t.Errorf("the caller learned of the plugin's death after %v, want within a second", took)
	}
	if o.err == nil {
		o.p.Kill()
		await(t, o.p, "a child of another plugin's plan")
	}
	l.gone(t, "a child whose plan nobody made")
	return o.err
}
