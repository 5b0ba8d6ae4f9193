package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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
	f.StringVar(&r.backend, registry.FlagName, "", "how children are started: see hatchery backends")
	f.StringArrayVar(&r.opts, "opt", nil, "a setting of the method; may be repeated")
	f.StringArrayVar(&r.env, "env", nil, "set a variable of the child; may be repeated")
	f.BoolVar(&r.clearEnv, "clear-env", false, "give the child nothing but what --env sets")
	f.StringVar(&r.dir, "dir", "", "the child's working directory")
	f.Var(&r.timeout, "timeout", "end the child after this time and exit with 124, like 30s; 0 is never")
	f.Var(&r.grace, "grace", "what the child has between being asked to end and SIGKILL (default 5s)")
	f.StringVar(&r.report, "report", "", "write how it went to this file, as JSON")
	f.StringArrayVar(&r.backendDirs, backendDirFlag, nil, "look for plugin binaries here first; may be repeated")
	f.StringVar(&r.logLevel, "log", "", "log to --log-file: "+join(logLevels(), "or"))
	f.StringVar(&r.logFile, "log-file", "", "where to log; the terminal is the child's (default $"+logFileVariable+")")
	for name, value := range map[string]string{
		"opt": "KEY=VALUE", "env": "KEY=VALUE", "dir": "DIR", "report": "FILE",
		backendDirFlag: "DIR", "log": "LEVEL", "log-file": "FILE", registry.FlagName: "KEY",
	} {
		// What stands in back quotes is shown as the name of the value.
		flag := f.Lookup(name)
		flag.Value = named{flag.Value, value}
	}
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
	s.Env = environment(os.Environ(), r.env, r.clearEnv)
	// An ignored SIGHUP is passed on, for nohup. Everything else that is
	// ignored here is not the child's affair.
	if signal.Ignored(syscall.SIGHUP) {
		s.Ignore = []syscall.Signal{syscall.SIGHUP}
	}
	return s, nil
}

// environment returns own with set in it, or set alone. A variable that is set
// has its first place and no other.
func environment(own, set []string, clear bool) []string {
	env := []string{}
	if !clear {
		env = append(env, own...)
	}
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

// duration returns a limit for package host, where zero means the default.
func (l *limit) duration() time.Duration {
	if l.given && l.value == 0 {
		return 1
	}
	return l.value
}
