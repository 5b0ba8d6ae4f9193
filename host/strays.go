package host

import (
	"context"
	"errors"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// EndStrays ends what this host's children have left behind, also what nobody can
// tell of which child it was: daemons that have made themselves a session by the
// usual double fork. They get SIGTERM and SIGCONT, after a second SIGKILL. It is for a
// host that lives on when the children that it had have ended: what those that run
// have made a daemon of is ended as well. It returns who has ended, after little
// more than a second and half of Timeouts.Close at most, or when ctx ends; the
// error, of kind spawn.ErrTimeout, names who is still there.
func (h *Host) EndStrays(ctx context.Context) (ended []Orphan, err error) {
	leave, err := h.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	limit := h.limits.Close / 2
	end := time.Now().Add(orphanGrace + limit + answerTime)
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	defer h.waits.begin(wait{name: waitOrphans, subject: "of nobody", until: end}).end()
	k, err := h.keeping.use(h.gather.now())
	if err != nil {
		return nil, err
	}
	defer h.keeping.done(k)
	cleared, err := k.ClearStrays(ctx, orphanGrace, limit)
	if left := orphans(cleared.Left); err == nil && len(left) > 0 {
		err = errors.New("they do not end, or may not be signalled: " + list(left))
	}
	if err != nil {
		err = &spawn.Error{Phase: spawn.PhaseStop, Op: "stop", Kind: kindOf(err), Msg: "what children left behind", Err: err}
	}
	return orphans(cleared.Ended), err
}
