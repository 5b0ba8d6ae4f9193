package wire

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/protobuf/proto"
)

// plan answers a Plan request.
func (l *laneServer) plan(ctx context.Context, id uint64, s *spawn.Spec) {
	defer l.answered(id)
	p, err := l.handler.Plan(ctx, s)
	if err == nil {
		err = l.sendPlan(id, p)
	}
	if err != nil {
		l.refuse(id, err)
	}
	if p != nil && !p.Reusable {
		p.CloseFiles()
	}
}

// refuse answers a request with what its handler failed with. A plugin that is
// ending, by SIGTERM say, has made them all fail, which is no answer: the host
// sees that the plugin goes, and may ask the next one.
func (l *laneServer) refuse(id uint64, err error) {
	select {
	case <-l.ending:
	default:
		l.fail(id, err)
	}
}

// sendPlan sends p, or says why it cannot be sent.
func (l *laneServer) sendPlan(id uint64, p *spawn.Plan) error {
	bad := func(format string, args ...any) error {
		return &spawn.Error{Phase: spawn.PhasePlan, Kind: spawn.ErrBadPlan, Msg: fmt.Sprintf(format, args...)}
	}
	if p == nil {
		return bad("the backend returned neither a plan nor an error")
	}
	if len(p.Files) > lane.MaxFDs {
		return bad("%d descriptors: at most %d can be attached", len(p.Files), lane.MaxFDs)
	}
	fds, err := descriptors(p.Files)
	if err != nil {
		return bad("a file of the plan is not open: %v", err)
	}
	b, _ := p.AppendBinary(nil) // never fails
	if len(b) > maxPlan {
		return bad("%d bytes: at most %d can be sent", len(b), maxPlan)
	}
	// A failure to send means that the host is gone; the reader notices.
	l.conn.Send(&lane.Frame{Type: lanePlanned, ID: id, Payload: b, FDs: fds})
	failpoint.Pass(failpoint.PluginAnswered)
	return nil
}

// spawn answers a Spawn request and then reports how its child ended. It owns
// files.
func (l *laneServer) spawn(ctx context.Context, id uint64, s *spawn.Spec, files []*os.File) {
	child, err := l.spawned(ctx, id, s, files)
	if err != nil {
		l.refuse(id, err)
	} else {
		l.conn.Send(&lane.Frame{Type: laneSpawned, ID: id})
	}
	l.answered(id)
	if child == nil {
		return
	}
	st := child.Wait()
	l.mu.Lock()
	delete(l.children, id)
	l.mu.Unlock()
	if err == nil {
		b, _ := st.AppendBinary(nil) // never fails
		l.conn.Send(&lane.Frame{Type: laneExited, ID: id, Payload: b})
	}
}

// spawned calls the handler. With an error it may return a child that nobody
// wants any more: it has been killed and is only waited for.
func (l *laneServer) spawned(ctx context.Context, id uint64, s *spawn.Spec, files []*os.File) (LaneChild, error) {
	child, err := l.handler.Spawn(ctx, s)
	closeFiles(files)
	if err != nil {
		return nil, err
	}
	if child == nil {
		return nil, &spawn.Error{Phase: spawn.PhasePlan, Kind: spawn.ErrProtocol, Msg: "the backend returned neither a child nor an error"}
	}
	// From here on a cancel finds the child, and before it the context: one
	// of the two kills it.
	l.mu.Lock()
	err = ctx.Err()
	if err == nil {
		l.children[id] = child
		delete(l.requests, id)
	}
	l.mu.Unlock()
	if err != nil {
		child.Signal(syscall.SIGKILL)
	}
	return child, err
}

// signal answers a Signal request.
func (l *laneServer) signal(f *lane.Frame) {
	id := f.ID
	m := new(spawnv1.Signal)
	if err := proto.Unmarshal(f.Payload, m); err != nil {
		l.fail(id, &spawn.Error{Kind: spawn.ErrProtocol, Msg: "the host's signal cannot be decoded", Err: err})
		return
	}
	l.mu.Lock()
	child := l.children[m.GetChild()]
	l.mu.Unlock()
	l.start(func() {
		err := error(&spawn.Error{Phase: spawn.PhaseRun, Op: "signal", Errno: syscall.ESRCH})
		if child != nil {
			err = child.Signal(syscall.Signal(m.GetSignal()))
		}
		if err != nil {
			l.fail(id, err)
			return
		}
		l.conn.Send(&lane.Frame{Type: laneSignaled, ID: id})
	})
}

// cancel ends what nobody waits for: the request, or the child it has made.
func (l *laneServer) cancel(id uint64) {
	l.mu.Lock()
	cancel, child := l.requests[id], l.children[id]
	if cancel != nil {
		cancel()
	}
	l.mu.Unlock()
	if child != nil {
		l.start(func() { child.Signal(syscall.SIGKILL) })
	}
}

// killChildren ends every child: the host that wanted them is gone.
func (l *laneServer) killChildren() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, child := range l.children {
		l.wg.Go(func() { child.Signal(syscall.SIGKILL) })
	}
}
