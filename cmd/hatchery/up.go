package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

func (a *app) upCommand() *cobra.Command {
	r := new(request)
	cmd := &cobra.Command{
		Use:   "up [flags] FILE",
		Short: "run the services of a table, and restart those that fail",
		Long: `
Run all services of the table in FILE until they have ended: commands, and actors,
which find each other by name. Their output is written to standard output, each
line with the name of its service; what becomes of them to standard error, and on a
terminal to a line at the bottom.

  [service.db]
  command = ["postgres", "-D", "data"]
  restart = "on-failure"

  [service.store]
  actor = "store"              # the entry point, in
  program = ["./services"]     # this program
  after = ["db"]               # a command: it has started; an actor: is registered

docs/up.md has all fields. A table in which anything is wrong is not run at all.

A service that succeeds has ended. One that fails is started again as its policy
says, or else all others are stopped, and hatchery ends.

Ctrl-C, SIGTERM: all services are stopped, each after those that come after it; a
second one ends all at once. SIGHUP: the table is read again; what is new or has
changed in it is started, and what is not in it any more is stopped.

Exit code: 0 when all have succeeded, 128+N after signal N; that of the service
that failed; 2 called wrongly; 124 a service was not up in time; 125 hatchery
failed, or a line of FILE is wrong; 120, 121, 126 and 127 as of hatchery run.`,
		Example: `
  hatchery up services.toml
  hatchery up services.toml >log 2>&1 &
  kill -HUP $!`,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error { return a.up(cmd, r, args[0]) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&r.backend, registry.FlagName, "", "start services by the method `KEY` unless the table names one: see hatchery backends")
	f.StringArrayVar(&r.backendDirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	a.completeUp(cmd, r)
	return cmd
}

// completeUp sets what the flags of up are completed with.
func (a *app) completeUp(cmd *cobra.Command, r *request) {
	cmd.RegisterFlagCompletionFunc(registry.FlagName, func(_ *cobra.Command, _ []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return keys(r.backendDirs, prefix), cobra.ShellCompDirectiveNoFileComp
	})
	cmd.MarkFlagDirname(backendDirFlag)
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"toml"}, cobra.ShellCompDirectiveFilterFileExt)
}

// up runs the services of a table.
func (a *app) up(cmd *cobra.Command, r *request, path string) error {
	signals := catchUpSignals()
	m, err := findMethods(r.backendDirs)
	if err != nil {
		return err
	}
	entry, err := a.choose(cmd, m, r.backend)
	if err != nil {
		return err
	}
	err = up.Run(cmd.Context(), up.Options{
		Path:        path,
		CheckMethod: func(key string) error { _, err := m.registry.Lookup(key); return err },
		Host:        host.Config{Registry: m.registry, Method: entry.Key},
		Stdout:      a.stdout, Stderr: a.stderr, Signals: signals,
	})
	return a.upFailure(err)
}

// upFailure says what is not said yet, and turns it into an exit code.
func (a *app) upFailure(err error) error {
	var bad *table.Error
	var stopped *up.Stopped
	var failed *up.Failure
	var exit *spawn.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		for _, line := range bad.Lines() {
			a.say("%s", line)
		}
		return &failure{codeFailed, nil, ""}
	case errors.As(err, &stopped):
		return &failure{128 + signalNumber(stopped.Signal), nil, ""}
	case errors.As(err, &failed) && failed.Late:
		return &failure{codeTimedOut, nil, ""}
	case errors.As(err, &failed) && errors.As(err, &exit) && exit.ShellCode() != 0:
		return &failure{exit.ShellCode(), nil, ""}
	case errors.As(err, &failed):
		f := *failureOf(err)
		f.err = nil // it stands there
		return &f
	}
	return err
}

func signalNumber(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}

// catchUpSignals begins to catch what stops all services, and what has the table
// read again, for as long as this process lives. What is ignored stays so.
// SIGPIPE is caught so that a standard output that nobody reads is an error.
func catchUpSignals() <-chan os.Signal {
	c := make(chan os.Signal, 16)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE} {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	return c
}
