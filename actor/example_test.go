package actor_test

import (
	"context"
	"errors"
	"os"

	"github.com/hatchery-spawn/hatchery/actor"
)

// The main of a worker that adds up what it is told. Its parent starts it with
// parent.Start and has the number from Result.
func Example() {
	main := func() {
		p := actor.Program{Entries: map[string]actor.Entry{
			"letters": {Run: func(_ context.Context, a *actor.Actor) error {
				if len(a.Args) == 0 {
					return errors.New("no words given") // the parent has this error
				}
				n := 0
				for _, word := range a.Args {
					n += len(word)
				}
				return a.Return(n)
			}},
		}}
		os.Exit(p.Main())
	}
	_ = main
}
