package wire

import (
	"context"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/protobuf/proto"
)

// A Remote is a child that a plugin runs and reports on.
type Remote struct {
	planner *Planner
	id      uint64
	exited  chan spawn.ExitStatus // capacity 1, one value: from the reader or end
}

func newRemote(p *Planner, id uint64) *Remote {
	return &Remote{planner: p, id: id, exited: make(chan spawn.ExitStatus, 1)}
}

// Exited returns the channel on which the child's status comes, once. It is
// Lost when the plugin ended before it said how the child did.
func (r *Remote) Exited() <-chan spawn.ExitStatus { return r.exited }

// Signal has the plugin send sig to the child. A child that has ended is
// ESRCH; other errors are the backend's, or those of [Planner.Plan].
func (r *Remote) Signal(ctx context.Context, sig syscall.Signal) error {
	b, err := proto.Marshal(&spawnv1.Signal{Child: r.id, Signal: int32(sig)})
	if err != nil {
		return r.planner.failure(&spawn.Error{Op: "signal", Err: err})
	}
	_, err = r.planner.do(ctx, laneSignal, "signal", b, nil)
	return err
}
