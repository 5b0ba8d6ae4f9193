package main

import (
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/hatchery-spawn/hatchery/host/inspect"
	"github.com/spf13/cobra"
)

func (a *app) dumpCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "dump PID [--out FILE]",
		Short: "show what a host waits for, and everything below it",
		Long: `
Ask the host in process PID, a hatchery run for instance, what it is doing, and
print its report: what it waits for, since when and for how long still; its
children, plugins and keepers; its processes, their states and what each thread
waits in; the stacks of all goroutines, its plugins' included. The host goes on.

A host that does not answer within 4 s, because it is stopped or stuck, and a
process that is no host, is looked at from outside: the report says so, and has
the tree of processes alone.

The process must be your own, or you root. A report may hold what the programs
have on their command lines. With --out it goes to a new file that only you can
read.

Exit code: 0 when there is a report, 125 when there is no such process.`,
		Example: `
  hatchery dump 4711
  hatchery dump 4711 --out hang.txt`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "want one process id, got %d arguments", len(args))
			}
			if pid, err := strconv.Atoi(args[0]); err != nil || pid <= 0 {
				return usage(cmd, "want a process id, got %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.dump(cmd, args[0], out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write the report to a new `FILE`")
	return cmd
}

func (a *app) dump(cmd *cobra.Command, arg, out string) error {
	pid, _ := strconv.Atoi(arg) // checked
	if out == "" {
		return inspect.Dump(cmd.Context(), pid, a.stdout)
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = inspect.Dump(cmd.Context(), pid, io.Writer(f))
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(out)
	}
	return err
}
