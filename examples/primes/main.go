// Command primes finds the primes below a number with a pool of workers: actors,
// each a process of its own, which are called through portals.
//
//	primes [-workers 4] [-below 1000000]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"

	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

func main() {
	host.Init(backends.Builtin()...)
	p := program()
	if code, ok := p.Run(); ok {
		os.Exit(code) // this process is a worker
	}
	workers := flag.Int("workers", 4, "how many processes")
	below := flag.Int("below", 1_000_000, "where to end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *workers, *below); err != nil {
		fmt.Fprintln(os.Stderr, "primes:", err)
		os.Exit(1)
	}
}

// step is how many numbers a worker is given at a time.
const step = 10_000

// run writes how many primes there are, and the last ones.
func run(ctx context.Context, w io.Writer, workers, below int) error {
	var primes results
	err := parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: "primes"}, func(ctx context.Context, n *host.Nursery) error {
		ranges := make(chan Range)
		for i := range workers {
			a, err := parent.Start(ctx, n, parent.Spec{Name: fmt.Sprint("worker ", i), Entry: "worker"})
			if err != nil {
				return err
			}
			p, err := portal.New(ctx, a.Channel(), portal.Config{})
			if err != nil {
				return err
			}
			if err := n.Go("calls to "+a.Name(), func(ctx context.Context) error {
				for r := range ranges {
					found, err := portal.Call[[]int](ctx, p, "primes", r)
					if err != nil {
						return err
					}
					primes.add(found)
				}
				a.Stop(ctx) // there is nothing more to do; its end is the nursery's affair
				return nil
			}); err != nil {
				return err
			}
		}
		defer close(ranges)
		for from := 0; from < below; from += step {
			select {
			case ranges <- Range{from, min(from+step, below)}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := primes.sorted()
	fmt.Fprintf(w, "%d primes below %d, the last of them %v\n", len(all), below, all[max(0, len(all)-3):])
	return nil
}

// results are what all workers have found.
type results struct {
	mu  sync.Mutex
	all []int
}

func (r *results) add(found []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, found...)
}

func (r *results) sorted() []int {
	slices.Sort(r.all)
	return r.all
}
