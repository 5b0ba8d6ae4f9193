package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/spf13/cobra"
)

// A benchRequest is what the flags of bench say.
type benchRequest struct {
	keys        []string
	backendDirs []string
	programs    []string
	callers     []int
	time        limit
	rounds      int
	asJSON      bool
}

// benchTime is what bench takes by default. With what is left to be waited for
// it is below a minute.
const benchTime = 40 * time.Second

// benchDescriptors is how many descriptors a host has that has many.
const benchDescriptors = 10000

func (a *app) benchCommand() *cobra.Command {
	r := new(benchRequest)
	cmd := &cobra.Command{
		Use:   "bench [--spawn-backend KEY,...] [--json]",
		Short: "measure each method side by side with os/exec",
		Long: `
Start programs by each method, by Go's package os/exec and, where it is
installed, by bubblewrap (bwrap), in turns on the same machine, and show the
time from the request until the end is known, how many children there are in a
second, and the ratio to os/exec (of method isolate, to bwrap). A ratio is that
of the medians, or of the throughputs, of all rounds; beside it stands between
what the ratios of eight in ten rounds are. Without --spawn-backend it is every
method. What is blocked or does not work here is named with the reason.

The programs are "tiny", a static one of some hundred bytes that exits at once,
"go", which is hatchery itself exiting at the top of main, or any that is
installed. With the first one, and one caller, it is measured as well what it
costs that the host has 10000 open descriptors; and, with more callers, how it
is when 256 children are started by one request, beside 8 callers of os/exec.
Sandboxes are measured in a second pass, beside os/exec again: the kernel takes
them apart when the next ones are being measured already. At the end come the
start of hatchery run, beside that of bwrap, and the parts of it.

With method forkserver it is measured as well how long it takes until a program's
own code runs: of a Go worker, which is hatchery itself at the top of main, beside
os/exec; and of a Python program that imports nine modules, beside python3 started
by os/exec and beside multiprocessing's forkserver, which has loaded the same.

Ctrl-C ends it with what was measured so far; the exit code is 130 then, as a
second Ctrl-C ends it at once. When none of the methods that were asked for
works here, the exit code is that of the first: 120 if it is blocked, 121 if it
is unavailable. It is 125 when a program does not succeed.

With --json: {"machine", "rounds", "seconds", "complete", "programs": [{"name",
"what"}], "rows": [{"scenario", "program", "callers", "method", "children",
"median_us", "p99_us", "per_second", "host_cpu_us", "keeper_cpu_us", "against",
"median_ratio": {"value", "low", "high"}, "throughput_ratio", "skipped"}],
"starts": [{"what", "runs", "median_us", "p99_us", "against", "ratio"}], "ready":
[{"program", "method", "runs", "median_us", "p99_us", "memory_bytes", "ratios":
[{"against", "value", "low", "high"}], "skipped"}],
"skipped": [{"method", "reason"}]}. The scenario is plain, descriptors or batch,
where "batch" is how many children are in a request.`,
		Example: `
  hatchery bench
  hatchery bench --spawn-backend forkexec --program tiny --callers 1 --time 5s
  hatchery bench --program /usr/bin/true --json > bench.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bench(cmd, r) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&r.keys, registry.FlagName, nil, "measure the methods `KEY,...` and no others")
	f.StringSliceVar(&r.programs, "program", []string{bench.Tiny, bench.Go}, "start `PROGRAM`: tiny, go or a path; may be repeated")
	f.IntSliceVar(&r.callers, "callers", []int{1, 2, 8, 32}, "have `N,...` callers at once")
	f.Var(&r.time, "time", "take about `TIME`, like 10s (default "+benchTime.String()+")")
	f.IntVar(&r.rounds, "rounds", 16, "cut the time into `N` rounds")
	f.BoolVar(&r.asJSON, "json", false, "print JSON")
	f.StringArrayVar(&r.backendDirs, backendDirFlag, nil, "look for plugin binaries in `DIR` first; may be repeated")
	completeBench(cmd, r)
	return cmd
}

// check refuses numbers that mean nothing, and forgets what is said twice.
func (r *benchRequest) check(cmd *cobra.Command) error {
	switch {
	case r.time.given && r.time.value == 0:
		return usage(cmd, "--time 0s: want a time to measure for")
	case r.rounds < 1 || r.rounds > 1000:
		return usage(cmd, "--rounds %d: want 1 to 1000", r.rounds)
	case cmd.Flags().Changed(registry.FlagName) && len(r.keys) == 0:
		return usage(cmd, "--%s is empty: want keys, like forkexec,isolate", registry.FlagName)
	case len(r.programs) == 0:
		return usage(cmd, "--program is empty: want tiny, go or a path")
	case len(r.callers) == 0:
		return usage(cmd, "--callers is empty: want numbers, like 1,8")
	}
	for _, n := range r.callers {
		if n < 1 || n > 1000 {
			return usage(cmd, "--callers %d: want 1 to 1000", n)
		}
	}
	r.programs, r.callers = distinct(r.programs), distinct(r.callers)
	return nil
}

// distinct returns list with each value once, where it first is.
func distinct[T comparable](list []T) (out []T) {
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (a *app) bench(cmd *cobra.Command, r *benchRequest) error {
	if err := r.check(cmd); err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	m, err := findMethods(r.backendDirs)
	if err != nil {
		return err
	}
	keys, err := r.methods(m)
	if err != nil {
		return err
	}
	cfg := bench.Config{Methods: keys, Callers: r.callers, Time: benchTime, Rounds: r.rounds, Descriptors: benchDescriptors}
	if r.time.given {
		cfg.Time = r.time.value
	}
	defer func() {
		for _, p := range cfg.Programs {
			p.Close()
		}
	}()
	if cfg.Programs, err = findPrograms(ctx, r.programs); err != nil {
		return err
	}
	cfg.Hatchery, _ = os.Executable()
	if cfg.Host, err = host.Open(host.Config{Registry: m.registry}); err != nil {
		return err
	}
	result, err := a.runBench(ctx, cfg, len(r.keys) > 0)
	if cerr := cfg.Host.Close(); cerr != nil {
		a.say("warning: %v", cerr)
	}
	if err != nil {
		return err
	}
	return a.show(ctx, result, r.asJSON)
}

// findPrograms finds programs and runs each of them once: what does not succeed
// by os/exec need not be measured. The caller closes what is returned, also with
// an error.
func findPrograms(ctx context.Context, names []string) (found []bench.Program, err error) {
	for _, name := range names {
		p, err := bench.FindProgram(name)
		if err != nil {
			return found, &failure{codeOfExec(err), fmt.Errorf("--program %s: %w", plain(name), err), "want tiny, go or the path of a program"}
		}
		found = append(found, p)
		if err := p.Try(ctx); err != nil && ctx.Err() == nil {
			return found, refusal(name, err)
		}
	}
	return found, nil
}

// refusal is the failure of a program that does not succeed.
func refusal(name string, err error) error {
	f := &failure{codeFailed, fmt.Errorf("--program %s: %w", plain(name), err), "want a program that succeeds"}
	if !errors.As(err, new(*exec.ExitError)) {
		f.code, f.hint = codeOfExec(err), "want tiny, go or the path of a program"
		if name == bench.Tiny {
			f.hint = "want a $TMPDIR where programs may be executed"
		}
	}
	return f
}

// runBench measures until it is done or ctx ends, by a signal. When methods were
// asked for, one of them must work.
func (a *app) runBench(ctx context.Context, cfg bench.Config, asked bool) (*bench.Result, error) {
	p := newProgress(a.stderr)
	cfg.Progress = p.show
	defer p.clear()
	if asked {
		if err := anyWorks(ctx, cfg.Host, cfg.Methods); err != nil && ctx.Err() == nil {
			return nil, err
		}
	}
	return bench.Run(ctx, cfg), nil
}

// anyWorks returns nil when one of the methods works, and else what the first
// one says.
func anyWorks(ctx context.Context, h *host.Host, methods []string) (first error) {
	for _, key := range methods {
		err := h.Probe(ctx, key)
		if err == nil {
			return nil
		}
		first = cmp.Or(first, err)
	}
	return first
}

// methods returns the keys of the methods to measure: those that were asked for,
// or all.
func (r *benchRequest) methods(m *methods) (keys []string, err error) {
	for _, key := range distinct(r.keys) {
		e, err := m.lookup(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, string(e.Key))
	}
	if len(r.keys) == 0 {
		for _, key := range m.registry.Keys() {
			keys = append(keys, string(key))
		}
	}
	return keys, nil
}

// show prints a result, and says with the exit code whether a signal has ended
// it early.
func (a *app) show(ctx context.Context, r *bench.Result, asJSON bool) error {
	var err error
	if asJSON {
		err = a.writeJSON(r)
	} else {
		err = r.Print(a.stdout)
	}
	if by, ok := errors.AsType[endedBy](context.Cause(ctx)); err == nil && ok {
		err = &failure{shellCode(by.Signal), nil, ""}
	}
	if err == nil && !slices.ContainsFunc(r.Rows, func(row bench.Row) bool { return row.Children > 0 }) {
		err = &failure{codeFailed, errors.New("nothing was measured"), "give it more --time, or less to measure"}
	}
	return err
}
