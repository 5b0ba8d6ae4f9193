package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/keep"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// cutKeep takes the option keep out of those of the method, if it is the built-in
// forkserver: to any other it is an option like all others.
func (j *job) cutKeep(cmd *cobra.Command, r *request) (err error) {
	if j.entry.Key != forkserver.Key || !j.entry.Builtin() {
		return nil
	}
	j.grace = r.grace
	if j.keep, j.spec.Options, err = keep.Cut(j.spec.Options); err != nil {
		return usage(cmd, "--opt %w", err)
	}
	if j.keep == 0 || cmd.Name() != "run" {
		return nil
	}
	if cmd.Flags().Changed("detach") {
		return usage(cmd, "--opt keep and --detach: the server ends a child whose caller is gone")
	}
	if !r.tty && term.IsTerminal(int(j.app.stdin.Fd())) {
		return &failure{codeUsage, errors.New("--opt keep: the child would be in another session, where it could not read from this terminal"),
			"give it a terminal of its own with --tty, or other input: </dev/null"}
	}
	return nil
}

// startKept has the server start the child. Both results are nil when that cannot be:
// then it is started as if there were no server, and the plan says why.
func (j *job) startKept(ctx context.Context, t *times) (process, error) {
	call, ok := j.call()
	if !ok {
		return nil, nil
	}
	t.Host = j.began.Sub(j.app.began).Microseconds()
	link, err := keep.Dial(ctx)
	if err != nil {
		return nil, j.keyed(ctx, err)
	}
	dialed := time.Now()
	t.Keeper = dialed.Sub(j.began).Microseconds()
	p, err := link.Start(ctx, call)
	t.Spawn = time.Since(dialed).Microseconds()
	switch {
	case errors.Is(err, keep.ErrCold):
		j.began = time.Now()
		return nil, nil
	case err != nil:
		return nil, j.keyed(ctx, err)
	}
	j.kept = p
	return p, nil
}

// keyed returns an error as one of the method's.
func (j *job) keyed(ctx context.Context, err error) error {
	e := *spawn.AsError(err)
	e.Key = string(j.entry.Key)
	if ctx.Err() != nil {
		e.Kind = spawn.ErrCanceled
	}
	return &e
}

// call returns what the server is asked for. A program that is not found is nothing to
// bother it with.
func (j *job) call() (keep.Call, bool) {
	s := j.spec
	if filepath.Base(s.Path) == s.Path {
		path, err := exec.LookPath(s.Path)
		if err != nil {
			return keep.Call{}, false
		}
		s.Path = path
	}
	if !filepath.IsAbs(s.Path) {
		cwd, err := os.Getwd()
		if err != nil {
			return keep.Call{}, false
		}
		dir := s.Dir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(cwd, dir)
		}
		s.Path = filepath.Join(dir, s.Path)
		// An interpreter finds itself by it, in the directory of the template.
		s.Args = append([]string{s.Path}, s.Args[1:]...)
	}
	if s.Env == nil {
		s.Env = environment(os.Environ(), j.set)
	}
	grace := defaultGrace
	if j.grace.given {
		grace = j.grace.orDefault()
	}
	return keep.Call{Spec: s, Keep: j.keep, Grace: grace}, true
}

// keepNote says, for a plan, what would become of the child.
func (j *job) keepNote(ctx context.Context) string {
	pid, err := keep.Running(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("keep=%v: no server can be had: %v", j.keep, err)
	case pid == 0:
		return fmt.Sprintf("keep=%v: a server would be started, and the child, unless it is started cold, be handed over there", j.keep)
	}
	return fmt.Sprintf("keep=%v: the child, unless it is started cold, would be handed over in server %d", j.keep, pid)
}
