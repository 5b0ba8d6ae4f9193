package backendtest

import (
	"context"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// shell runs the scripts of children: see Options.Shell.
const shell = "/bin/sh"

// sh returns the Spec of a shell script with arguments.
func sh(script string, args ...string) spawn.Spec {
	return spawn.Spec{Path: shell, Args: append([]string{"sh", "-c", script, "sh"}, args...)}
}

// mustStart starts a child that has to start, and that is gone when the case is
// over.
func (e *Env) mustStart(t T, what string, spec spawn.Spec) *host.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := e.Start(ctx, spec)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

// await waits for the end of a child, but not for ever.
func await(t T, p *host.Process, what string) spawn.ExitStatus {
	t.Helper()
	s, ok := awaitFor(t, p, patience)
	if !ok {
		t.Fatalf("%s: it has not ended after %v", what, patience)
	}
	return s
}

// awaitFor waits for the end of a child for a limited time, and kills it then.
func awaitFor(t T, p *host.Process, limit time.Duration) (s spawn.ExitStatus, ok bool) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-timer.C:
		p.Kill()
		return s, false
	}
	s, err := p.Wait()
	if err != nil {
		t.Errorf("waiting: %v", err)
	}
	return s, true
}

// run runs a child to its end.
func (e *Env) run(t T, what string, spec spawn.Spec) spawn.ExitStatus {
	t.Helper()
	return await(t, e.mustStart(t, what, spec), what)
}

// output runs a child to its end, which has to be a success, and returns what
// it wrote to its descriptor 1.
func (e *Env) output(t T, what string, spec spawn.Spec) string {
	t.Helper()
	l := newLeash(t)
	spec.Files = place(spec.Files, 1, l.theirs)
	p := e.mustStart(t, what, spec)
	out := l.gone(t, what)
	if s := await(t, p, what); !s.Success() {
		t.Errorf("%s: %v, want exit status 0", what, s)
	}
	return out
}
