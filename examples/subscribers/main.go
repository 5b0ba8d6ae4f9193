// Command subscribers has a service with two clients: the root serves a sequence
// of numbers, and two actors take from it, each as fast as it can. The fast one
// does not wait for the slow one, and nothing piles up for the slow one.
package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/host"
)

func main() {
	host.Init(backends.Builtin()...)
	p := program()
	if code, ok := p.Run(); ok {
		os.Exit(code) // this process is a client
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, 100); err != nil {
		fmt.Fprintln(os.Stderr, "subscribers:", err)
		os.Exit(1)
	}
}

// run serves numbers to both clients until each has as many as it wants.
func run(ctx context.Context, w io.Writer, want int) error {
	return parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: "subscribers"}, func(ctx context.Context, n *host.Nursery) error {
		var s portal.Server
		var report reports
		portal.HandleSeq(&s, "numbers", numbers)
		portal.Handle(&s, "report", report.add)
		clients := map[string]time.Duration{"fast": 0, "slow": time.Millisecond}
		var all []*parent.Actor
		for name, pause := range clients {
			a, err := parent.Start(ctx, n, parent.Spec{
				Name: name, Entry: "client", Args: []string{fmt.Sprint(want), pause.String()},
				Channel: func(ch *channel.Channel) { portal.New(ctx, ch, portal.Config{Serve: &s}) }, // no error: the names are fine
			})
			if err != nil {
				return err
			}
			all = append(all, a)
		}
		for _, a := range all {
			if err := a.Wait(); err != nil {
				return err
			}
		}
		for name := range clients {
			fmt.Fprintf(w, "%s: %s\n", name, report.of(name))
		}
		return nil
	})
}

// numbers is the service: all of them, from the one that is asked for.
func numbers(ctx context.Context, from int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := from; yield(i, nil); i++ {
		}
	}
}

// A Report is what a client says at its end.
type Report struct {
	Name       string
	Count, Sum int
}

// reports are what the clients have said.
type reports struct {
	mu  sync.Mutex
	all map[string]Report
}

func (r *reports) add(_ context.Context, one Report) (struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]Report{}
	}
	r.all[one.Name] = one
	return struct{}{}, nil
}

func (r *reports) of(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.all[name]
	return fmt.Sprintf("%d numbers, in all %d", one.Count, one.Sum)
}
