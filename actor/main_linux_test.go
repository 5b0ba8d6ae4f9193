package actor_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/internal/helperproc"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestMain(m *testing.M) {
	os.Exit(helperproc.Main(func() int { return leakcheck.Main(m) }, map[string]helperproc.Func{
		"actor":  func([]string) int { p := program(); return p.Main() },
		"parent": parentHelper,
	}))
}

// program is what the actors of these tests can be.
func program() actor.Program {
	canceled := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	return actor.Program{Errors: actor.Errors{"own": actor.Value(errOwn)}, Entries: map[string]actor.Entry{
		"idle": {Run: func(ctx context.Context, _ *actor.Actor) error { return canceled(ctx) }},
		"busy": {Run: func(context.Context, *actor.Actor) error {
			for n := uint(1); n != 0; n += 2 { // does not look at its context, and never ends
			}
			return nil
		}},
		"return": {Run: func(_ context.Context, a *actor.Actor) error { return a.Return(map[string]int{"n": 7}) }},
		"both":   {Run: func(ctx context.Context, _ *actor.Actor) error { return errors.Join(canceled(ctx), errOwn) }},
		"nil":    {Run: func(ctx context.Context, _ *actor.Actor) error { canceled(ctx); return nil }},
	}}
}
