package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

func (a *app) planCommand() *cobra.Command {
	r, asJSON := new(request), false
	cmd := &cobra.Command{
		Use:   "plan [flags] [--json] [--] PROG [ARG...]",
		Short: "print what run would do, step by step, without doing it",
		Long: `
Print the steps by which the same flags and arguments would make a child, each
a system call with the values it would have. PROG is looked up; nothing of the
plan is executed. --timeout, --grace and --report change nothing here.

With --json: {"method", "source", "program", "steps": [{"op", "args"}], "notes"}, where an
argument is a number, a string, or an object: {"file": N} is a descriptor
that the backend attached, {"result": N} what step N (from 1) returned,
{"env": N} the environment, of N variables.`,
		Example: `
  hatchery plan -- ls -l
  hatchery plan --json --dir /tmp -- ls`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.plan(cmd, r, args, asJSON) },
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	a.completeRequest(cmd, r)
	return cmd
}

func (a *app) plan(cmd *cobra.Command, r *request, args []string, asJSON bool) error {
	j, err := a.open(cmd, r, args)
	if err != nil {
		return err
	}
	p, err := j.plan(cmd.Context())
	if left := j.close(); left != nil {
		a.say("warning: %v", left)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(p)
	}
	return p.print(a.stdout)
}

// plan asks the method for its plan and fills it.
func (j *job) plan(ctx context.Context) (*printedPlan, error) {
	key := string(j.entry.Key)
	if err := j.ready(ctx, false); err != nil {
		return nil, err
	}
	plan, err := j.host.Plan(ctx, key, j.spec)
	if err != nil {
		return nil, err
	}
	if !plan.Reusable {
		defer plan.CloseFiles()
	}
	p, err := fill(j.entry, plan, j.spec)
	if err == nil && j.keep > 0 {
		p.Notes = append(p.Notes, j.keepNote(ctx))
	}
	return p, err
}

// fill puts the values of spec into the holes of the plan.
func fill(e registry.Entry, plan *spawn.Plan, spec spawn.Spec) (*printedPlan, error) {
	program, err := lookUp(e.Key, spec)
	if err != nil {
		return nil, startFailure(err, spec)
	}
	if spec.Env == nil {
		spec.Env = plan.Environ(os.Environ())
	}
	f := filler{program: program, spec: &spec}
	p := &printedPlan{Method: string(e.Key), Source: e.Source(), Program: text(program), Notes: plan.Notes}
	for _, s := range plan.Steps {
		p.Steps = append(p.Steps, f.step(s))
	}
	return p, nil
}

// lookUp returns the program as run would execute it: a name without a slash
// is found in $PATH.
func lookUp(key registry.SpawnMethodKey, spec spawn.Spec) (string, error) {
	if filepath.Base(spec.Path) != spec.Path {
		return spec.Path, nil
	}
	path, err := exec.LookPath(spec.Path)
	var ee *exec.Error
	switch {
	case errors.As(err, &ee):
		return "", &spawn.Error{Key: string(key), Phase: spawn.PhaseResolve, Path: spec.Path, Err: ee.Err}
	case err != nil:
		return "", &spawn.Error{Key: string(key), Phase: spawn.PhaseResolve, Path: spec.Path, Err: err}
	}
	return path, nil
}
