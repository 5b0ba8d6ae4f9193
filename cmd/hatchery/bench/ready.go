package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Ready is how long it takes until the code of a program's own runs, by one way
// of starting it.
type Ready struct {
	Program string         `json:"program"` // worker or python
	Method  string         `json:"method"`  // os/exec, multiprocessing or the key of a method
	Runs    int            `json:"runs"`
	Median  float64        `json:"median_us"` // from the request until that code runs
	P99     float64        `json:"p99_us"`
	Memory  int64          `json:"memory_bytes,omitempty"` // that one process takes which waits: its proportional set size
	Ratios  []ReadyAgainst `json:"ratios,omitempty"`
	Skipped string         `json:"skipped,omitempty"`
}

// A ReadyAgainst is the ratio of the median to that of another method, with the
// same program.
type ReadyAgainst struct {
	Against string `json:"against"`
	Ratio
}

// Programs of which it is measured how soon they are ready.
const (
	Worker = "worker" // this program, which is in Go and links gRPC
	Python = "python" // a program that imports much
)

// forkserver is the method whose children are ready ahead.
const forkserver = "forkserver"

// A readying is one way of getting a program ready.
type readying struct {
	start
	program, method string
	against         []*readying
	memory          int64
}

func newReadying(program, method string, against ...*readying) *readying {
	return &readying{start: start{what: program + " by " + method}, program: program, method: method, against: against}
}

// findReadies finds out which programs can be made ready ahead here, by doing so
// once. The caller ends what is returned.
func (b *bench) findReadies(ctx context.Context) (all []*readying, end func()) {
	end = func() {}
	if !slices.Contains(b.Methods, forkserver) || b.skipped[forkserver] != "" {
		return nil, end
	}
	b.say(0, "making workers ready")
	all = b.workers(ctx)
	b.say(0, "making Python ready")
	python, end := b.pythons(ctx)
	return append(all, python...), end
}

// workers returns the ways of starting this program, which says that it is ready
// at the top of main.
func (b *bench) workers(ctx context.Context) []*readying {
	path, err := os.Executable()
	spec := spawn.Spec{Path: path, Args: []string{workerName}, Env: []string{}, Dir: "/"}
	cold := newReadying(Worker, OSExec)
	cold.run = cold.timing(byExec(spec))
	warm := newReadying(Worker, forkserver, cold)
	spec.Options = []spawn.Option{{Key: "kind", Value: spawn.PoolTemplate}, {Key: "require", Value: "warm"}}
	warm.run = b.warmed(spec, 2, warm.timing(b.byForkserver(spec)))
	if err == nil {
		err = warm.try(ctx)
	}
	if err == nil {
		warm.memory, err = b.waiting(ctx, spec)
	}
	if err != nil {
		cold.failed, warm.failed = why(err), why(err)
	}
	return []*readying{cold, warm}
}

// warmed returns run with n processes made ready before, while no clock runs.
func (b *bench) warmed(spec spawn.Spec, n int, run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := b.Host.Warm(ctx, forkserver, spec, n); err != nil {
			return err
		}
		return run(ctx)
	}
}

// try tries r out.
func (r *readying) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err := r.run(ctx)
	r.took = nil
	return err
}

// waiting returns what a process takes that waits for a child like spec.
func (b *bench) waiting(ctx context.Context, spec spawn.Spec) (memory int64, err error) {
	if err := b.Host.Warm(ctx, forkserver, spec, 1); err != nil {
		return 0, err
	}
	list, err := b.Host.Templates(ctx)
	for _, t := range list {
		if t.Path == spec.Path && t.Ready > 0 {
			memory = t.Memory / int64(t.Ready)
		}
	}
	return memory, err
}

// readyLimit is how long a program may take to show that it can be made ready.
const readyLimit = 20 * time.Second

// A starter starts a program that has two ends of pipes as its standard input and
// output.
type starter func(ctx context.Context, in, out *os.File) (running, error)

// timing returns what takes the time from the call of start until the program's
// first byte.
func (r *readying) timing(start starter) func(context.Context) error {
	return func(ctx context.Context) error {
		took, err := untilReady(ctx, start)
		if err == nil {
			r.took = append(r.took, took)
		}
		return err
	}
}

func untilReady(ctx context.Context, start starter) (took time.Duration, err error) {
	in, end, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	said, out, err := os.Pipe()
	if err != nil {
		return 0, errors.Join(err, in.Close(), end.Close())
	}
	defer said.Close()
	begin := time.Now()
	child, err := start(ctx, in, out)
	in.Close()
	out.Close()
	if err != nil {
		return 0, errors.Join(err, end.Close())
	}
	stop := context.AfterFunc(ctx, child.kill)
	defer stop()
	_, err = io.ReadFull(said, make([]byte, 1))
	took = time.Since(begin)
	end.Close()
	if werr := child.wait(); werr != nil {
		err = werr
	} else if err != nil {
		err = fmt.Errorf("the program did not say that it was ready: %w", err)
	}
	return took, err
}

// readyResults returns what was measured.
func readyResults(all []*readying) []Ready {
	out := []Ready{}
	for _, r := range all {
		took := slices.Sorted(slices.Values(r.took))
		row := Ready{Program: r.program, Method: r.method, Runs: len(took), Memory: r.memory, Skipped: r.failed,
			Median: micros(quantile(took, 0.5)), P99: micros(quantile(took, 0.99))}
		for _, base := range r.against {
			if ratio := r.ratioTo(&base.start); ratio != nil {
				row.Ratios = append(row.Ratios, ReadyAgainst{base.method, *ratio})
			}
		}
		out = append(out, row)
	}
	return out
}

// timed returns the times that are to be taken.
func timed(all []*readying) (list []*start) {
	for _, r := range all {
		list = append(list, &r.start)
	}
	return list
}
