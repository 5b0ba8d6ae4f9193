package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/host"
)

// A level is what is below an actor, or the root: so many levels, and on each of
// them so many actors for everybody.
type level struct{ breadth, depth int }

// size returns how many actors that are.
func (l level) size() int {
	all, row := 0, 1
	for range l.depth {
		row *= l.breadth
		all += row
	}
	return all
}

// program is what the processes of this program can be, beside the root.
func program() actor.Program {
	return actor.Program{Entries: map[string]actor.Entry{"branch": {Run: branch}}}
}

// branch says to its parent that it is there, has actors of its own, and waits to
// be canceled.
func branch(ctx context.Context, a *actor.Actor) error {
	breadth, err := strconv.Atoi(a.Args[0])
	if err != nil {
		return err
	}
	depth, err := strconv.Atoi(a.Args[1])
	if err != nil {
		return err
	}
	up, err := portal.New(ctx, a.Channel(), portal.Config{Actor: a})
	if err != nil {
		return err
	}
	arrived := func(ctx context.Context, name string) error {
		_, err := portal.Call[struct{}](ctx, up, "arrived", name)
		return err
	}
	if err := arrived(ctx, a.Name); err != nil {
		return err
	}
	if depth > 0 {
		err = parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: a.Name}, func(ctx context.Context, n *host.Nursery) error {
			return grow(ctx, n, a, os.Stdout, level{breadth, depth}, arrived) // the nursery waits for them
		})
	} else {
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	fmt.Printf("%s: %v\n", a.Name, context.Cause(ctx))
	return err
}

// grow starts the actors right below this process, and has arrived called with the
// name of everyone who is there further below.
func grow(ctx context.Context, n *host.Nursery, self *actor.Actor, out *os.File, l level, arrived func(context.Context, string) error) error {
	var s portal.Server
	portal.Handle(&s, "arrived", func(ctx context.Context, name string) (struct{}, error) {
		return struct{}{}, arrived(ctx, name)
	})
	prefix := ""
	if self != nil {
		prefix = self.Name + "."
	}
	for i := range l.breadth {
		spec := parent.Spec{
			Name: fmt.Sprint(prefix, i), Entry: "branch", Parent: self,
			Args:    []string{strconv.Itoa(l.breadth), strconv.Itoa(l.depth - 1)},
			Channel: func(ch *channel.Channel) { portal.New(ctx, ch, portal.Config{Actor: self, Serve: &s}) }, // no error: the name is fine
		}
		spec.Program.Files = []*os.File{nil, out}
		if _, err := parent.Start(ctx, n, spec); err != nil {
			return err
		}
	}
	return nil
}
