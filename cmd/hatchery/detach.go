package main

import (
	"fmt"
	"os"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/spf13/cobra"
)

// detaching is what the flags of run say that go with --detach.
type detaching struct {
	detach bool
	name   string
	output string
}

func (d *detaching) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&d.detach, "detach", false, "start the child to outlive hatchery, and print its reference for hatchery adopt")
	f.StringVar(&d.name, "name", "", "with --detach: call the child `NAME` in lists")
	f.StringVar(&d.output, "output", "", "with --detach: add what the child writes to `FILE`")
}

// check refuses flags that do not go together.
func (d *detaching) check(cmd *cobra.Command) error {
	if !d.detach {
		for _, name := range []string{"name", "output"} {
			if cmd.Flags().Changed(name) {
				return usage(cmd, "--%s goes with --detach alone", name)
			}
		}
		return nil
	}
	for _, name := range []string{"tty", "timeout", "grace", "report"} {
		if cmd.Flags().Changed(name) {
			return usage(cmd, "--%s and --detach: nobody would be there for it", name)
		}
	}
	return nil
}

// runDetached starts the child and prints its reference.
func (a *app) runDetached(cmd *cobra.Command, r *request, d *detaching, args []string) error {
	j, err := a.open(cmd, r, args)
	if err != nil {
		return err
	}
	j.spec.Files = nil
	if d.output != "" {
		f, err := os.OpenFile(d.output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			j.close()
			return &failure{codeFailed, err, ""}
		}
		defer f.Close()
		j.spec.Files = []*os.File{nil, f, f}
	}
	err = j.ready(cmd.Context(), false)
	var child *host.Detached
	if err == nil {
		child, err = j.host.StartDetached(cmd.Context(), j.spec, host.DetachOptions{Name: d.name, Method: string(j.entry.Key)})
	}
	left := j.close()
	if err != nil {
		return startFailure(err, j.spec)
	}
	if left != nil {
		a.say("warning: %v", left)
	}
	_, err = fmt.Fprintln(a.stdout, child.Ref())
	return err
}
