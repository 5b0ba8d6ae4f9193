package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A LaneHandler does the work that comes over the plan lane. Its methods run
// at the same time, on goroutines of their own. A panic in one ends the
// process: it is not recovered.
type LaneHandler interface {
	// Plan turns s into a plan. The descriptors of s are not here, only
	// their numbers. Of a plan that is not reusable the files are closed
	// once it was sent.
	Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error)
	// Spawn starts a child. The descriptors of s are attached, and closed
	// when Spawn has returned.
	Spawn(ctx context.Context, s *spawn.Spec) (LaneChild, error)
}

// A LaneChild is a child that a handler runs.
type LaneChild interface {
	Wait() spawn.ExitStatus
	Signal(sig syscall.Signal) error
}

// handlerDrain bounds how long ServeLane waits for its handlers once the lane
// has ended.
const handlerDrain = 500 * time.Millisecond

// ServeLane serves the plugin's end of the plan lane until the host closes its
// end or ctx is done, and returns nil then. It takes ownership of conn.
//
// The contexts of the handlers end with the lane, and their children are
// killed. ServeLane waits half a second for them; what is left behind then, which
// its error counts, ends with the process.
func ServeLane(ctx context.Context, conn *lane.Conn, h LaneHandler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &laneServer{
		conn: conn, handler: h, ending: ctx.Done(),
		slots:    make(chan struct{}, laneWindow),
		requests: make(map[uint64]context.CancelFunc),
		children: make(map[uint64]LaneChild),
	}
	stop := context.AfterFunc(ctx, func() { conn.Shutdown() })
	defer stop()

	err := l.read(ctx)
	cancel()
	l.killChildren()
	if left := l.wait(); left > 0 {
		return &spawn.Error{Phase: spawn.PhaseStop, Op: "plan lane", Kind: spawn.ErrTimeout,
			Msg: fmt.Sprintf("%d requests or children did not end within %v", left, handlerDrain)}
	}
	conn.Close()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "plan lane", Kind: spawn.ErrProtocol, Err: err}
}

// A laneServer is one run of ServeLane.
type laneServer struct {
	conn    *lane.Conn
	handler LaneHandler
	ending  <-chan struct{} // closed when the contexts of all handlers have ended
	slots   chan struct{}   // one for each request that is worked on
	wg      sync.WaitGroup

	mu       sync.Mutex
	running  int                           // goroutines
	requests map[uint64]context.CancelFunc // not answered yet
	children map[uint64]LaneChild          // not reported yet
}

// read takes frames until the lane ends.
func (l *laneServer) read(ctx context.Context) error {
	var f lane.Frame
	for {
		if err := l.conn.Recv(&f); err != nil {
			return err
		}
		files := receivedFiles(&f)
		switch f.Type {
		case lanePlan, laneSpawn:
			l.accept(ctx, &f, files)
			continue
		case laneSignal:
			l.signal(&f)
		case laneCancel:
			l.cancel(f.ID)
		}
		// What this version does not know is passed over.
		closeFiles(files)
	}
}

// accept decodes a Spec and works on it. It owns files.
func (l *laneServer) accept(ctx context.Context, f *lane.Frame, files []*os.File) {
	s := new(spawn.Spec)
	if err := s.UnmarshalBinary(f.Payload); err != nil {
		closeFiles(files)
		l.fail(f.ID, &spawn.Error{Kind: spawn.ErrProtocol, Msg: "the host's Spec cannot be decoded", Err: err})
		return
	}
	if f.Type == laneSpawn && !s.AttachFiles(files) {
		l.fail(f.ID, &spawn.Error{Kind: spawn.ErrProtocol,
			Msg: fmt.Sprintf("%d descriptors came with a Spec that has %d", len(files), len(s.OpenFiles()))})
		closeFiles(files)
		return
	}
	l.slots <- struct{}{} // a host that keeps to its window never waits here
	ctx, cancel := context.WithCancel(ctx)
	id, typ := f.ID, f.Type
	l.mu.Lock()
	l.requests[id] = cancel
	l.mu.Unlock()
	l.start(func() {
		defer cancel()
		if typ == lanePlan {
			closeFiles(files)
			l.plan(ctx, id, s)
		} else {
			l.spawn(ctx, id, s, files)
		}
	})
}

// start runs f on a goroutine that wait waits for.
func (l *laneServer) start(f func()) {
	l.count(1)
	l.wg.Go(func() {
		defer l.count(-1)
		f()
	})
}

func (l *laneServer) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running += n
}

// wait waits for the goroutines, for handlerDrain at most, and returns how
// many are left.
func (l *laneServer) wait() int {
	over := make(chan struct{})
	go func() { // waited for here, or left with those it waits for
		defer close(over)
		l.wg.Wait()
	}()
	timer := time.NewTimer(handlerDrain)
	defer timer.Stop()
	select {
	case <-over:
		return 0
	case <-timer.C:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.running
	}
}

// answered notes that a request needs no cancelling any more, and makes room
// for the next one.
func (l *laneServer) answered(id uint64) {
	l.mu.Lock()
	delete(l.requests, id)
	l.mu.Unlock()
	<-l.slots
}

// fail answers a request with an error. That the host may be gone is for the
// reader to notice.
func (l *laneServer) fail(id uint64, err error) {
	b, _ := spawn.AsError(err).AppendBinary(nil) // never fails
	l.conn.Send(&lane.Frame{Type: laneFailed, ID: id, Payload: b})
}
