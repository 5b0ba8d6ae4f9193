package parent_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
)

// askItsOwn returns what an actor of its own says that it has been told.
func askItsOwn(ctx context.Context, a *actor.Actor) error {
	return parent.Run(ctx, host.Config{}, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		s := spec("below", "say")
		s.Parent, s.Variables = a, map[string]string{"replaced": "below", "own": "below"}
		child, err := parent.Start(ctx, n, s)
		if err != nil {
			return err
		}
		if err := child.Wait(); err != nil {
			return err
		}
		var told said
		if err := child.Result(&told); err != nil {
			return err
		}
		return a.Return(told)
	})
}

// TestWhatIsPassedOn holds what an actor's own actors know of the levels above.
func TestWhatIsPassedOn(t *testing.T) {
	h := open(t, host.Config{})
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		s := spec("above", "ask")
		s.Variables = map[string]string{"kept": "root", "replaced": "root"}
		s.Registrar, s.Bind = []string{"/unix/r"}, []string{"/unix/b"}
		a := start(t, n, s)
		if err := a.Wait(); err != nil {
			return err
		}
		var got said
		if err := a.Result(&got); err != nil {
			return err
		}
		want := said{
			Name: "below", UID: got.UID, ParentName: "above", ParentUID: a.UID(), ParentPid: a.Child().Process().Pid(), Pid: got.Pid,
			Registrar: s.Registrar, Variables: map[string]string{"kept": "root", "replaced": "below", "own": "below"},
		}
		if diff := cmp.Diff(want, got); diff != "" || got.UID == "" || got.UID == a.UID() {
			t.Error(diff)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
