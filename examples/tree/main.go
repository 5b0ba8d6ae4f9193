// Command tree is a tree of actors, three levels deep, that is cancelled from its
// root once all of it has said that it is there. Everyone then says who asked.
//
//	tree [-breadth 2]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

func main() {
	host.Init(backends.Builtin()...)
	p := program()
	if code, ok := p.Run(); ok {
		os.Exit(code) // this process is one of the tree
	}
	breadth := flag.Int("breadth", 2, "how many actors each has on the next level")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *breadth); err != nil {
		fmt.Fprintln(os.Stderr, "tree:", err)
		os.Exit(1)
	}
}

// depth is how many levels there are below the root.
const depth = 3

// run lets a tree grow, and cancels it.
func run(ctx context.Context, out *os.File, breadth int) error {
	return parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: "tree"}, func(ctx context.Context, n *host.Nursery) error {
		var there arrivals
		l := level{breadth, depth}
		all := there.waitFor(l.size())
		if err := grow(ctx, n, nil, out, l, there.add); err != nil {
			return err
		}
		select {
		case <-all:
			fmt.Fprintf(out, "%d actors are there\n", l.size())
			n.Cancel() // all the way down
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// arrivals counts who has come.
type arrivals struct {
	mu      sync.Mutex
	missing int
	all     chan struct{}
}

func (a *arrivals) waitFor(n int) <-chan struct{} {
	a.missing, a.all = n, make(chan struct{})
	return a.all
}

func (a *arrivals) add(context.Context, string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.missing--; a.missing == 0 {
		close(a.all)
	}
	return nil
}
