//go:build unix

package wire_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestEndingPluginDoesNotAnswer: a plugin that is told to end, by whoever, has
// its requests fail. The host is not given that for an answer: it sees that the
// plugin goes, which is another thing to try.
func TestEndingPluginDoesNotAnswer(t *testing.T) {
	for range 50 {
		host, plugin := pair(t)
		conn := open(t, plugin)
		ctx, end := context.WithCancel(t.Context())
		asked := make(chan struct{})
		served := make(chan error, 1)
		go func() {
			served <- wire.ServeLane(ctx, conn, backend{plan: func(ctx context.Context, _ *spawn.Spec) (*spawn.Plan, error) {
				close(asked)
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		}()
		p := wire.NewPlanner(testKey, host)
		failed := make(chan error, 1)
		go func() {
			_, err := p.Plan(t.Context(), &spawn.Spec{Path: "/bin/true"})
			failed <- err
		}()
		<-asked
		end()
		if err := <-failed; !errors.Is(err, spawn.ErrPluginGone) {
			t.Errorf("got %v, want that the plugin is gone", err)
		}
		<-served
		p.Close()
	}
}
