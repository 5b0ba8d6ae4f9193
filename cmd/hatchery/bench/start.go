package bench

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Start is what it takes to start the command, or a part of that.
type Start struct {
	What    string  `json:"what"` // a command line, or a part by its name
	Runs    int     `json:"runs"`
	Median  float64 `json:"median_us"`
	P99     float64 `json:"p99_us"`
	Against string  `json:"against,omitempty"` // what the ratio is to
	Ratio   *Ratio  `json:"ratio,omitempty"`
	Skipped string  `json:"skipped,omitempty"`
}

// Parts of a host's start and end, by the names that they have in a result.
const (
	openPart   = "host: open"
	keeperPart = "keeper: to its first child"
	pluginPart = "plugin: to its first answer"
	spawnPart  = "first child by its plan"
	closePart  = "host: close"
)

// A start is something of which the time is measured, once in a round or more.
type start struct {
	what    string
	against *start
	run     func(ctx context.Context) error // nil for a part, which others measure
	took    []time.Duration
	rounds  []float64 // the median of each
	failed  string
}

// starts returns what is measured: a program alone, in a sandbox, by the
// command; and the parts of what the command does.
func (b *bench) starts() []*start {
	if b.Hatchery == "" {
		return nil
	}
	program, err := exec.LookPath("true")
	if err != nil {
		return nil
	}
	line := func(args ...string) func(context.Context) error {
		return func(context.Context) error { return (&exec.Cmd{Path: args[0], Args: args}).Run() }
	}
	alone := &start{what: "true", run: line(program)}
	by := &start{what: "hatchery run -- true", against: alone, run: line(b.Hatchery, "run", "--", program)}
	all := []*start{alone, by}
	if path, err := exec.LookPath("bwrap"); err == nil && b.skipped[Bwrap] == "" {
		args := []string{"--unshare-all", "--ro-bind", "/", "/"}
		sandbox := &start{what: "bwrap " + strings.Join(args, " ") + " true", against: alone,
			run: func(context.Context) error {
				argv := append(append([]string{path}, args...), program)
				return (&exec.Cmd{Path: path, Args: argv, SysProcAttr: ownGroup()}).Run()
			}}
		by.against = sandbox
		all = []*start{alone, sandbox, by}
	}
	parts := map[string]*start{}
	for _, name := range []string{openPart, keeperPart, pluginPart, spawnPart, closePart} {
		parts[name] = &start{what: name}
	}
	parts[openPart].run = func(ctx context.Context) error { return measureParts(ctx, program, parts) }
	return append(all, parts[openPart], parts[keeperPart], parts[pluginPart], parts[spawnPart], parts[closePart])
}

// measureParts opens a host of its own and takes the time of what it does
// first. A child that is started by a plan made here needs the keeper and no
// plugin, which tells the two apart.
func measureParts(ctx context.Context, program string, parts map[string]*start) error {
	last := time.Now()
	lap := func(name string) {
		now := time.Now()
		parts[name].took = append(parts[name].took, now.Sub(last))
		last = now
	}
	h, err := host.Open(host.Config{})
	if err != nil {
		return err
	}
	defer h.Close()
	lap(openPart)
	spec := spawn.Spec{Path: program, Env: []string{}}
	if _, err := h.StartPlan(ctx, spawn.Standard(&spec), spec); err != nil {
		return err
	}
	lap(keeperPart)
	if err := h.Probe(ctx, string(h.Selected())); err != nil {
		return err
	}
	lap(pluginPart)
	p, err := h.Start(ctx, spec)
	if err != nil {
		return err
	}
	lap(spawnPart)
	p.Wait()
	last = time.Now()
	err = h.Close()
	lap(closePart)
	return err
}

// startsRound measures each, again and again until the time for it is over, but
// once at least.
func (p *pass) startsRound(ctx context.Context, n int, done float64) {
	starts := p.starts
	if len(starts) == 0 {
		return
	}
	p.say(p.done(n, done), starts[0].what)
	before := make([]int, len(starts))
	for i, s := range starts {
		before[i] = len(s.took)
	}
	end := time.Now().Add(p.left(n, 1-done))
	for first := true; ctx.Err() == nil && (first || time.Now().Before(end)); first = false {
		for i := range starts {
			starts[(i+n)%len(starts)].once(ctx)
		}
	}
	for i, s := range starts {
		if new := slices.Sorted(slices.Values(s.took[before[i]:])); len(new) > 0 {
			s.rounds = append(s.rounds, float64(quantile(new, 0.5)))
		}
	}
}

// once measures s, unless it is a part that others measure.
func (s *start) once(ctx context.Context) {
	if s.run == nil || s.failed != "" || ctx.Err() != nil {
		return
	}
	begin, parts := time.Now(), len(s.took)
	err := s.run(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		s.failed = why(err)
	case err == nil && len(s.took) == parts:
		s.took = append(s.took, time.Since(begin))
	}
}

func startResults(starts []*start) (out []Start) {
	for _, s := range starts {
		took := slices.Sorted(slices.Values(s.took))
		r := Start{What: s.what, Runs: len(took), Median: micros(quantile(took, 0.5)), P99: micros(quantile(took, 0.99)), Skipped: s.failed}
		if s.against != nil {
			r.Against, r.Ratio = s.against.what, s.ratioTo(s.against)
		}
		out = append(out, r)
	}
	return out
}

// ratioTo compares the times with those of base: all with all, and round with round.
func (s *start) ratioTo(base *start) *Ratio {
	if len(s.took) == 0 || len(base.took) == 0 {
		return nil
	}
	median := func(s *start) float64 { return float64(quantile(slices.Sorted(slices.Values(s.took)), 0.5)) }
	var each []float64
	for i := range min(len(s.rounds), len(base.rounds)) {
		each = append(each, s.rounds[i]/base.rounds[i])
	}
	slices.Sort(each)
	return &Ratio{Value: median(s) / median(base), Low: quantile(each, 0.1), High: quantile(each, 0.9)}
}
