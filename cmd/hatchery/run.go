package main

import (
	"fmt"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

func (a *app) runCommand() *cobra.Command {
	r, d := new(request), new(detaching)
	cmd := &cobra.Command{
		Use:   "run [flags] [--] PROG [ARG...]",
		Short: "start a program, see it through to its end, clean up behind it",
		Long: `
Start PROG as a child, with hatchery's own standard input, output and error,
wait for it, and exit as it did. Whatever it leaves running is ended.

PROG without a slash is looked up in hatchery's own $PATH; with one it is
relative to --dir. The method is that of --spawn-backend, or else of
$HATCHERY_SPAWN_BACKEND, or else of "spawn_backend" in
$XDG_CONFIG_HOME/hatchery/config.toml, or else forkexec.

SIGTERM and SIGHUP are passed on to the child, and so are SIGINT and SIGQUIT
unless it has them from the terminal itself. It then has the time of --grace;
after that, or at the second such signal, it is killed with everything below it.
SIGUSR1 and SIGUSR2 are passed on. At SIGTSTP, which Ctrl-Z makes, hatchery stops
when the child has stopped.

With --tty the child leads a session on a terminal of its own, which has the size
of hatchery's. Keys go there as they are: Ctrl-C is the child's affair, and so is
Ctrl-Z, which has an effect in a shell below. What the child writes, error output
too, is written to standard output. hatchery's terminal is in raw mode meanwhile
and gets its mode back however the run ends; only if hatchery itself is killed by
SIGKILL it keeps that: stty sane helps. In the background it is left alone; when
it is hung up, or nobody reads the output any more, the child's is hung up. If
standard input is no terminal it is typed, and its end is the end of input that
Ctrl-D makes. If standard output is none, keys are read as lines, and only as long
as no pager has taken the terminal.

--report writes {"backend", "pid", "start", "exit": {"code", "signal", "core", "source",
"exceeded"}, "rusage", "timings_us": {"host", "keeper", "plugin_start", "spawn", "run",
"teardown"}, "notes", "leftovers"} once the child has ended; when it could not be started
nothing is written. The start is warm of a child that was handed over by a process
that was ready, and else cold. The times are those of hatchery's own beginning, from there
until the keeper was up and had made the plugin's process, from there until the
plugin could be asked (the method is probed for it), from there to the exec, from
there until the exit was known, and from there until all else had ended; notes are
what the method says of the way it took, leftovers what could not be ended.

With --detach hatchery prints a reference to the child and exits; the child goes
on, in a session of its own, with /dev/null for standard input, output and error
(but see --output). hatchery adopt waits for it, stops it, and lists such children.

Exit code: the child's own, or 128+N when signal N ended it; 2 called wrongly;
120 the method is known not to work (hatchery explain KEY says why); 121 it does
not work on this machine; 124 timed out; 125 hatchery or the backend failed, or
--dir is missing; 126 the program cannot be executed; 127 it was not found.`,
		Example: `
  hatchery run -- make -j8
  hatchery run --timeout 1m --grace 2s -- ./server --port 8080
  hatchery run --clear-env --env PATH=/usr/bin --dir /tmp -- env
  hatchery run --report run.json -- sh -c 'exit 3'
  hatchery run --detach --output log -- ./nightly-build
  hatchery run --tty -- make menuconfig
  hatchery run --tty -- ls --color=auto | less -R
  hatchery run --spawn-backend forkserver --opt keep=5m -- python3 job.py`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch err := d.check(cmd); {
			case err != nil:
				return err
			case d.detach:
				return a.runDetached(cmd, r, d, args)
			}
			return a.run(cmd, r, args)
		},
	}
	r.flags(cmd)
	d.flags(cmd)
	a.completeRequest(cmd, r)
	return cmd
}

// run is the whole of the command: choose, start, see through, clean up,
// report.
func (a *app) run(cmd *cobra.Command, r *request, args []string) error {
	signals := catchSignals()
	j, err := a.open(cmd, r, args)
	if err != nil {
		return err
	}
	c := &child{job: j, tty: j.tty, signals: signals, timeout: r.timeout.value, grace: r.grace}
	defer j.tty.close() // whatever happens: it gives the user's terminal back
	status, runErr := c.run(cmd.Context(), r.report != "")
	closing := time.Now()
	left := j.close()
	c.times.Teardown = time.Since(closing).Microseconds()
	if err := j.tty.failed(); err != nil {
		a.say("warning: the child's terminal was hung up, as its output could not be written: %v", err)
	}
	if left != nil {
		a.say("warning: %v", left)
	}
	if c.process != nil && r.report != "" {
		err := newReport(c, status, left).write(r.report)
		switch {
		case err != nil && runErr == nil && status.Success() && !c.timedOut:
			return &failure{codeFailed, err, ""}
		case err != nil:
			a.say("warning: %v", err)
		}
	}
	return c.outcome(status, runErr)
}

// intoLimit says that a child has not ended by itself alone.
func intoLimit(status spawn.ExitStatus) error {
	return fmt.Errorf("the child ran into a limit: %v", status)
}

// outcome turns how it went into the exit code, and what is to be said.
func (c *child) outcome(status spawn.ExitStatus, err error) error {
	switch {
	case c.timedOut:
		return &failure{codeTimedOut, fmt.Errorf("the child was ended after %v (--timeout): %v", c.timeout, status), ""}
	case c.process == nil && err != nil:
		return startFailure(err, c.job.spec)
	case err != nil:
		return &failure{codeFailed, err, ""}
	case status.ShellCode() != 0 && status.Exceeded != 0:
		return &failure{status.ShellCode(), intoLimit(status), ""}
	case status.ShellCode() != 0:
		return &failure{status.ShellCode(), nil, ""}
	}
	return nil
}
