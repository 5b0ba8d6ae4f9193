package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/host/inspect"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

func (a *app) adoptCommand() *cobra.Command {
	var stop, forget, asJSON bool
	cmd := &cobra.Command{
		Use:   "adopt [REF [--stop] [--forget]] [--json]",
		Short: "wait for a child of run --detach, stop it, or list them",
		Long: `
Wait for the end of the detached child REF, and exit as it did. REF is what
hatchery run --detach has printed. Whoever waits, and how often, the child's
status stays to be read until it is forgotten: --forget does that once the child
has ended. --stop ends the child first: SIGTERM, after 5 s SIGKILL to it and
everything below it. To end hatchery adopt, by Ctrl-C for instance, does nothing to
the child.

Without REF, list your detached children: state, process, name, and reference.
With --json: [{"ref", "name", "program", "method", "since", "pid", "keeper",
"state", "reason", "folder"}].

A child that is lost, because its keeper was killed or the system was started
anew, has no status: that is said, and the exit code is 125.

Exit code: the child's own, or 128+N when signal N ended it; 2 called wrongly;
125 it is lost, was forgotten, or its keeper does not answer.`,
		Example: `
  ref=$(hatchery run --detach --output log -- make -j8)
  hatchery adopt
  hatchery adopt "$ref" --forget`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage(cmd, "want one reference, got %d arguments", len(args))
			case len(args) == 0 && (stop || forget):
				return usage(cmd, "which child? want a reference: hatchery adopt lists them")
			case len(args) == 1 && asJSON:
				return usage(cmd, "--json is for the list")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1:
				return a.adopt(cmd, args[0], stop, forget)
			case asJSON:
				return a.writeJSON(inspect.ListDetached())
			}
			return printDetached(a.stdout, inspect.ListDetached())
		},
	}
	cmd.Flags().BoolVar(&stop, "stop", false, "end the child")
	cmd.Flags().BoolVar(&forget, "forget", false, "forget the child once it has ended")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return cmd
}

func (a *app) adopt(cmd *cobra.Command, ref string, stop, forget bool) error {
	h, err := host.Open(host.Config{})
	if err != nil {
		return err
	}
	defer h.Close()
	ctx := cmd.Context()
	d, err := h.Adopt(ctx, ref)
	if errors.Is(err, syscall.EINVAL) {
		return usage(cmd, "%v", err)
	}
	if err != nil {
		return err
	}
	var status spawn.ExitStatus
	if stop {
		status, err = d.Stop(ctx)
	} else {
		status, err = d.Wait(ctx)
	}
	if err != nil && !errors.Is(err, spawn.ErrLost) {
		return err
	}
	if forget {
		err = errors.Join(err, d.Forget(ctx))
	}
	if code := status.ShellCode(); code != 0 || err != nil {
		switch {
		case err != nil:
			code = codeFailed
		case status.Exceeded != 0:
			err = intoLimit(status)
		}
		return &failure{code, err, ""}
	}
	return nil
}

// printDetached prints a line or two for each child.
func printDetached(out io.Writer, list []inspect.Detached) error {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s %d (%s)", d.State, d.Pid, plain(d.Name))
		if d.Reason != "" {
			fmt.Fprintf(&b, ": %s", d.Reason)
		}
		fmt.Fprintf(&b, "\n  %s\n", d.Ref)
	}
	if len(list) == 0 {
		b.WriteString("no detached children\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
