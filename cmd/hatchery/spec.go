package main

import (
	"os"
	"strings"

	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
	"github.com/spf13/cobra"
)

// A request is what the flags of run and plan say.
type request struct {
	backend     string
	opts        []string
	env         []string
	clearEnv    bool
	dir         string
	tty         bool
	timeout     limit
	grace       limit
	report      string
	backendDirs []string
	logLevel    string
	logFile     string
}

// flags defines the flags of run and plan. They end at the first argument that
// is none: what follows is the program's.
func (r *request) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.SetInterspersed(false)
	// What stands in back quotes is the name of the value.
	f.StringVar(&r.backend, registry.FlagName, "", "start the child by the method `KEY`: see hatchery backends")
	f.StringArrayVar(&r.opts, "opt", nil, "give the method the setting `KEY=VALUE`; may be repeated")
	f.StringArrayVar(&r.env, "env", nil, "set the variable `KEY=VALUE` for the child; may be repeated")
	f.BoolVar(&r.clearEnv, "clear-env", false, "give the child the variables of --env and no others")
	f.StringVar(&r.dir, "dir", "", "start the child in the folder `DIR`")
	f.BoolVar(&r.tty, "tty", false, "run the child on a terminal of its own")
	f.Var(&r.timeout, "timeout", "end the child after `TIME`, like 30s, and exit with 124; 0 is never")
	f.Var(&r.grace, "grace", "leave the child `TIME` between asking it to end and SIGKILL (default 5s)")
	f.StringVar(&r.report, "report", "", "write how it went to `FILE`, as JSON")
	f.StringArrayVar(&r.backendDirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	f.StringVar(&r.logLevel, "log", "", "log at `LEVEL` ("+join(logLevels(), "or")+") to --log-file")
	f.StringVar(&r.logFile, "log-file", "", "log to the end of `FILE` (default $"+logFileVariable+")")
}

// spec returns what to start: args, with this process's own descriptors.
func (a *app) spec(cmd *cobra.Command, r *request, args []string) (spawn.Spec, error) {
	if len(args) == 0 || args[0] == "" {
		return spawn.Spec{}, usage(cmd, "no program given: want hatchery %s [flags] -- PROG [ARG...]", cmd.Name())
	}
	s := spawn.Spec{Path: args[0], Args: args, Dir: r.dir, Files: []*os.File{a.stdin, a.stdout, a.stderr}}
	if r.dir == "" && cmd.Flags().Changed("dir") {
		return s, usage(cmd, "--dir is empty: want a folder")
	}
	if r.report == "" && cmd.Flags().Changed("report") {
		return s, usage(cmd, "--report is empty: want a file")
	}
	for _, o := range r.opts {
		option, err := spawn.ParseOption(o)
		if err != nil {
			return s, usage(cmd, "--opt: %w", err)
		}
		s.Options = append(s.Options, option)
	}
	for _, kv := range r.env {
		if i := strings.IndexByte(kv, '='); i <= 0 {
			return s, usage(cmd, "--env %q: want KEY=VALUE", kv)
		}
	}
	if r.clearEnv {
		s.Env = environment(nil, r.env)
	}
	s.Ignore = ignoredForChild()
	return s, nil
}

// environment returns own with set in it. A variable that is set has its first
// place and no other.
func environment(own, set []string) []string {
	env := append([]string{}, own...)
	for _, kv := range set {
		env = setVariable(env, kv)
	}
	return env
}

func setVariable(env []string, kv string) []string {
	prefix := kv[:strings.IndexByte(kv, '=')+1]
	out, done := env[:0], false
	for _, old := range env {
		switch {
		case !strings.HasPrefix(old, prefix):
			out = append(out, old)
		case !done:
			out, done = append(out, kv), true
		}
	}
	if !done {
		out = append(out, kv)
	}
	return out
}
