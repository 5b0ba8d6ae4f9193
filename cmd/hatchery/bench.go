package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
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
costs that the host has 10000 open descriptors. At the end come the start of
hatchery run, beside that of bwrap, and the parts of it.

Ctrl-C ends it with what was measured so far; the exit code is 130 then. It is
120 or 121 when the one method that was asked for is blocked, or does not work
here.

With --json: {"machine", "rounds", "seconds", "complete", "programs": [{"name",
"what"}], "rows": [{"scenario", "program", "callers", "method", "children",
"median_us", "p99_us", "per_second", "host_cpu_us", "keeper_cpu_us", "against",
"median_ratio": {"value", "low", "high"}, "throughput_ratio", "skipped"}],
"starts": [{"what", "runs", "median_us", "p99_us", "against", "ratio"}],
"skipped": [{"method", "reason"}]}. The scenario is plain or descriptors.`,
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

// check refuses numbers that mean nothing.
func (r *benchRequest) check(cmd *cobra.Command) error {
	switch {
	case r.time.given && r.time.value == 0:
		return usage(cmd, "--time 0s: want a time to measure for")
	case r.rounds < 1 || r.rounds > 1000:
		return usage(cmd, "--rounds %d: want 1 to 1000", r.rounds)
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
	return nil
}

func (a *app) bench(cmd *cobra.Command, r *benchRequest) error {
	if err := r.check(cmd); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
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
	for _, name := range r.programs {
		p, err := bench.FindProgram(name)
		if err != nil {
			return &failure{codeOfExec(err), fmt.Errorf("--program %s: %w", plain(name), err), "want tiny, go or the path of a program"}
		}
		defer p.Close()
		cfg.Programs = append(cfg.Programs, p)
	}
	cfg.Hatchery, _ = os.Executable()
	if cfg.Host, err = host.Open(host.Config{Registry: m.registry}); err != nil {
		return err
	}
	result, err := a.runBench(ctx, cfg, len(r.keys) == 1)
	if cerr := cfg.Host.Close(); cerr != nil {
		a.say("warning: %v", cerr)
	}
	if err != nil {
		return err
	}
	return a.show(result, r.asJSON)
}

// runBench measures until it is done or ctx ends, by a signal. With one set,
// there is one method, which must work.
func (a *app) runBench(ctx context.Context, cfg bench.Config, one bool) (*bench.Result, error) {
	if one {
		if err := cfg.Host.Probe(ctx, cfg.Methods[0]); err != nil {
			return nil, err
		}
	}
	p := newProgress(a.stderr)
	cfg.Progress = p.show
	defer p.clear()
	result := bench.Run(ctx, cfg)
	result.Interrupted = ctx.Err() != nil
	return result, nil
}

// methods returns the keys of the methods to measure: those that were asked for,
// or all.
func (r *benchRequest) methods(m *methods) (keys []string, err error) {
	for _, key := range r.keys {
		e, err := m.lookup(key)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(keys, string(e.Key)) {
			keys = append(keys, string(e.Key))
		}
	}
	if len(r.keys) == 0 {
		for _, key := range m.registry.Keys() {
			keys = append(keys, string(key))
		}
	}
	return keys, nil
}

// show prints a result, and says with the exit code whether it was ended early.
func (a *app) show(r *bench.Result, asJSON bool) error {
	var err error
	if asJSON {
		err = a.writeJSON(r)
	} else {
		err = r.Print(a.stdout)
	}
	if err == nil && r.Interrupted {
		err = &failure{shellCode(os.Interrupt), nil, ""}
	}
	if err == nil && !slices.ContainsFunc(r.Rows, func(row bench.Row) bool { return row.Children > 0 }) {
		err = &failure{codeFailed, errors.New("nothing was measured"), "give it more --time, or less to measure"}
	}
	return err
}
