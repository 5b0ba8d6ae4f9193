package host

import (
	"context"
	"strconv"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// spawnRemote has the backend itself make the child: one that is not a local
// process.
func (m *method) spawnRemote(ctx context.Context, spec *spawn.Spec) (*Process, error) {
	plug, release, err := m.use(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range spec.Files {
		if f != nil {
			f.Fd() // makes it blocking, which a program expects of what it is given
		}
	}
	r, err := plug.planner.Spawn(ctx, spec)
	if err != nil {
		release()
		return nil, plug.diagnosed(tooBig(err))
	}
	p := newProcess(m.host, m.entry.Key)
	p.run(0, &remoteTarget{r})
	go func() {
		defer release()
		p.exited(keeper.Exit{Status: <-r.Exited()})
	}()
	return p, nil
}

// A remoteTarget is a child that its backend reaches.
type remoteTarget struct{ remote *wire.Remote }

func (t *remoteTarget) signal(ctx context.Context, sig syscall.Signal) error {
	return t.remote.Signal(ctx, sig)
}

func (t *remoteTarget) killTree(ctx context.Context) error {
	return t.remote.Signal(ctx, syscall.SIGKILL)
}

// ask sends the signal and SIGCONT, as the keeper does.
func (t *remoteTarget) ask(ctx context.Context, sig syscall.Signal, _ bool) error {
	if sig == 0 {
		return nil
	}
	if err := t.remote.Signal(ctx, sig); err != nil {
		return err
	}
	return t.remote.Signal(ctx, contSignal)
}

// endOrphans is never called: of what is not local nothing is known to be left.
func (t *remoteTarget) endOrphans(context.Context, time.Duration, time.Duration) (keeper.Cleared, error) {
	return keeper.Cleared{}, nil
}

func (t *remoteTarget) await(func() bool) {}

func (t *remoteTarget) close() {}

func itoa(n int) string { return strconv.Itoa(n) }
