package backendtest

import (
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
)

func stopCases() []Case {
	return []Case{{
		Name: "stop-asked",
		Doc: "A child that ends on SIGTERM is given the time to: Stop returns its own exit code as soon as it has ended, and nothing was " +
			"forced.",
		Needs: []Ability{Programs},
		Run:   stopAsked,
	}, {
		Name: "stop-stubborn",
		Doc: "A child that ignores SIGTERM is killed when its grace is over, neither earlier nor much later, with everything below it, and " +
			"that is reported as forced.",
		Needs: []Ability{Programs},
		Run:   stopStubborn,
	}, {
		Name:  "stop-stopped",
		Doc:   "A child that is stopped (SIGSTOP, Ctrl-Z) is woken so that it can end on SIGTERM.",
		Needs: []Ability{Programs},
		Run:   stopStopped,
	}, {
		Name:  "stop-tree",
		Doc:   "Killing a child takes everything below it along, three generations and those in groups and sessions of their own.",
		Needs: []Ability{Programs, Local},
		Run:   stopTree,
	}, {
		Name: "stop-host",
		Doc: "Closing the host ends its children and what they left behind as daemons, forked twice and without a parent, which hold " +
			"their output still.",
		Needs: []Ability{Programs, Local},
		Run:   stopHost,
	}}
}

// ready starts a child that writes a line when it is.
func (e *Env) ready(t T, script string) (*host.Process, *leash) {
	t.Helper()
	l := newLeash(t)
	spec := sh(script)
	spec.Files = place(nil, 1, l.theirs)
	p := e.mustStart(t, "a child to be stopped", spec)
	l.line(t)
	return p, l
}

// unhurried is how a child is stopped that ends on SIGTERM: on a busy machine
// it may take longer to do so than the kit's grace.
func unhurried() host.StopOptions { return host.StopOptions{Grace: soon} }

func stopAsked(t T, e *Env) {
	p, l := e.ready(t, `trap 'exit 7' TERM; sleep 60 >/dev/null & echo up; wait`)
	p.SetStop(unhurried())
	begin := time.Now()
	s, err := p.Stop(t.Context())
	if err != nil || s.Code != 7 || p.Forced() {
		t.Errorf("a child that ends on SIGTERM with 7: %v, %v, forced %v", s, err, p.Forced())
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("it took %v", took)
	}
	l.gone(t, "a child that ended")
}

func stopStubborn(t T, e *Env) {
	p, l := e.ready(t, `trap '' TERM; echo up; while :; do sleep 60; done`)
	begin := time.Now()
	s, err := p.Stop(t.Context())
	took := time.Since(begin)
	if err != nil || s.Signal != syscall.SIGKILL || !p.Forced() {
		t.Errorf("a child that ignores SIGTERM: %v, %v, forced %v; want signal: killed, forced", s, err, p.Forced())
	}
	if took < grace || took > grace+soon {
		t.Errorf("it was killed after %v, and had a grace of %v", took, grace)
	}
	l.gone(t, "what was below a child that was killed")
}

func stopStopped(t T, e *Env) {
	p, l := e.ready(t, "echo up; exec sleep 60")
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatalf("SIGSTOP: %v", err)
	}
	p.SetStop(unhurried())
	s, err := p.Stop(t.Context())
	if err != nil || s.Signal != syscall.SIGTERM || p.Forced() {
		t.Errorf("a stopped child: %v, %v, forced %v; want signal: terminated, not forced", s, err, p.Forced())
	}
	l.gone(t, "a stopped child")
}

func stopTree(t T, e *Env) {
	p, l := e.ready(t, `sh -c 'sleep 60 & sleep 60' & sh -c 'sh -c "sleep 60; :" & wait' & set -m; sleep 60 & echo up; wait`)
	if err := p.Kill(); err != nil {
		t.Errorf("killing it: %v", err)
	}
	if s := await(t, p, "a child that was killed"); s.Signal != syscall.SIGKILL {
		t.Errorf("it was killed and is reported as %v", s)
	}
	l.gone(t, "what was below a child that was killed")
}

func stopHost(t T, e *Env) {
	another := e.Another(t)
	running, first := another.ready(t, `echo up; sleep 60; :`)
	parent, daemon := another.ready(t, `(sleep 60 & sleep 61 &) & echo up; exit 0`)
	await(t, parent, "the parent of a daemon")
	if err := another.Host.Close(); err != nil {
		t.Errorf("closing the host: %v", err)
	}
	if s, ok := awaitFor(t, running, soon); !ok {
		t.Errorf("a running child has not ended with its host: %v", s)
	}
	first.gone(t, "a child of a closed host")
	daemon.gone(t, "a daemon of a closed host")
}
