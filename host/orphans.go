package host

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An Orphan is a process that a child left behind when it ended.
type Orphan struct {
	Pid  int
	Name string // as ps calls it: 15 bytes at most
}

// String returns the pid and the name: "4711 (sleep)".
func (o Orphan) String() string { return strconv.Itoa(o.Pid) + " (" + o.Name + ")" }

// An aftermath is the end of what a child has left behind. It is brought about
// once, whoever wants it: Stop, the nursery, or both at the same time.
type aftermath struct {
	done  chan struct{} // closed when the rest is set
	ended []Orphan
	left  []Orphan
	err   error // names those that are left
}

// leftSome reports whether the child may have left processes behind that are
// to be ended.
func (p *Process) leftSome(o StopOptions) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left && !o.keeps()
}

// endOrphans ends what the child, which has ended, has left behind, with the
// child's own grace, but by end. It returns nil when there was nothing to end.
func (p *Process) endOrphans(ctx context.Context, o StopOptions, grace time.Duration, end time.Time) *aftermath {
	if !p.leftSome(o) {
		return nil
	}
	p.mu.Lock()
	a, first := p.aftermath, p.aftermath == nil
	if first {
		a = &aftermath{done: make(chan struct{})}
		p.aftermath = a
	}
	p.mu.Unlock()
	if first {
		p.clear(ctx, a, grace, end)
		close(a.done)
	}
	<-a.done
	return a
}

// clear has the keeper end what is left.
func (p *Process) clear(ctx context.Context, a *aftermath, grace time.Duration, end time.Time) {
	defer p.waiting(waitOrphans, end).end()
	total := max(0, time.Until(end))
	// Half of what Close allows is kept for SIGKILL to take effect.
	grace = max(0, min(grace, orphanGrace, total-p.host.limits.Close/2))
	limit := max(0, min(p.host.limits.Close/2, total-grace-answerTime))
	if ctx.Err() != nil {
		grace = 0
	}
	bounded, cancel := context.WithTimeout(context.Background(), grace+limit+answerTime)
	defer cancel()
	failpoint.Pass(failpoint.HostStopOrphans)
	cleared, err := p.target.endOrphans(bounded, grace, limit)
	a.ended, a.left = orphans(cleared.Ended), orphans(cleared.Left)
	if err == nil && len(a.left) > 0 {
		err = errors.New("they do not end, or may not be signalled: " + list(a.left))
	}
	if errors.Is(err, spawn.ErrKeeperGone) && p.host.life.Err() != nil {
		return // the keeper ended everything with the host, and told Close who is left
	}
	if err != nil {
		a.err = &spawn.Error{
			Key: string(p.key), Phase: spawn.PhaseStop, Op: "stop", Kind: kindOf(err),
			Msg: "what process " + itoa(p.pid) + " left behind", Err: err,
		}
	}
}

// kindOf returns the kind of an error of the keeper's. Those that do not end are
// a wait that was given up.
func kindOf(err error) error {
	var e *spawn.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return spawn.ErrTimeout
}

// answerTime is what the keeper has to say what it did.
const answerTime = 200 * time.Millisecond

func orphans(procs []keeper.Proc) []Orphan {
	var out []Orphan
	for _, p := range procs {
		out = append(out, Orphan(p))
	}
	return out
}

func list(orphans []Orphan) string {
	var words []string
	for _, o := range orphans {
		words = append(words, o.String())
	}
	return strings.Join(words, ", ")
}
