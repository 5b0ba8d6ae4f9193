package wire

import (
	"context"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Planner is the host's end of the plan lane to one plugin. Its methods may
// be called at the same time; requests overtake each other freely. Whoever has
// it closes it.
type Planner struct {
	key     string
	conn    *lane.Conn
	out     *outbox
	window  chan struct{} // a place for each request that is not answered yet
	hello   chan hello    // capacity 1: what a plugin has said by itself
	json    atomic.Bool   // the plugin speaks JSON; set by Dial, before any request
	done    chan struct{} // closed when the lane has ended
	spoiled chan struct{} // closed when it has since a hello could not be read
	wg      sync.WaitGroup

	closing  sync.Once
	closeErr error

	mu       sync.Mutex
	last     uint64 // the id given last
	waiting  map[uint64]*request
	children map[uint64]*Remote
	gone     *spawn.Error // why the lane has ended, once it has
}

// A request is waited for by its caller until it is answered or the caller has
// left.
type request struct {
	typ    uint8
	answer chan answer // capacity 1, one sender: the reader
	left   bool        // nobody waits any more
}

// An answer is what came of a request.
type answer struct {
	plan  *spawn.Plan
	child *Remote
	err   error
}

// NewPlanner returns the host's end of the plan lane to the plugin that serves
// key. It takes ownership of conn, which must be in mode lane.Polled.
func NewPlanner(key string, conn *lane.Conn) *Planner {
	p := &Planner{
		key: key, conn: conn, out: newOutbox(),
		window: make(chan struct{}, laneWindow), hello: make(chan hello, 1), done: make(chan struct{}), spoiled: make(chan struct{}),
		waiting: make(map[uint64]*request), children: make(map[uint64]*Remote),
	}
	p.wg.Add(2) // waited for by Close
	go func() {
		defer p.wg.Done()
		if p.out.send(conn) != nil {
			conn.Shutdown() // the reader says why
		}
	}()
	go func() {
		defer p.wg.Done()
		p.read()
	}()
	return p
}

// Done is closed when the plugin has left the lane, which it does by ending.
func (p *Planner) Done() <-chan struct{} { return p.done }

// Close ends the lane: the plugin takes it for the end of its host and exits.
// Requests on the way fail with ErrPluginGone. Close returns when the
// goroutines of p have ended.
func (p *Planner) Close() error {
	p.closing.Do(func() {
		p.end(&spawn.Error{Kind: spawn.ErrPluginGone, Msg: "the plan lane was closed"})
		p.wg.Wait()
		p.closeErr = p.conn.Close()
	})
	return p.closeErr
}

// Plan asks the plugin what it makes of s. The descriptors of s stay here: the
// plugin sees their numbers. Those of the plan are the caller's, as spawn.Plan
// says.
//
// The error is the backend's; or ErrPluginGone, ErrProtocol; or ErrCanceled or
// ErrTimeout when ctx ended, of which the plugin is told.
func (p *Planner) Plan(ctx context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	a, err := p.do(ctx, lanePlan, "plan", payload(s), nil)
	if err != nil {
		return nil, err
	}
	return a.plan, nil
}

// Spawn has the plugin start a child that is no process of this machine. The
// descriptors of s are duplicated before Spawn returns. A child that comes up
// after ctx ended is killed by the plugin.
//
// Errors are those of Plan.
func (p *Planner) Spawn(ctx context.Context, s *spawn.Spec) (*Remote, error) {
	files, err := duplicates(s)
	if err != nil {
		return nil, p.failure(&spawn.Error{Op: "dup", Err: err})
	}
	a, err := p.do(ctx, laneSpawn, "spawn", payload(s), files)
	if err != nil {
		return nil, err
	}
	return a.child, nil
}

func payload(s *spawn.Spec) []byte {
	b, _ := s.AppendBinary(nil) // never fails
	return b
}

// do sends a request and waits for the answer. It owns files.
func (p *Planner) do(ctx context.Context, typ uint8, op string, payload []byte, files []*os.File) (answer, error) {
	var err error
	if p.json.Load() {
		if payload, err = toJSON(typ, payload); err != nil {
			closeFiles(files)
			return answer{}, p.failure(&spawn.Error{Op: op, Kind: spawn.ErrProtocol, Msg: "the request cannot be said in JSON", Err: err})
		}
	}
	out := outgoing{frame: lane.Frame{Type: typ, Payload: payload}, files: files}
	if out.frame.FDs, err = descriptors(files); err != nil {
		closeFiles(files)
		return answer{}, p.failure(&spawn.Error{Op: op, Err: err})
	}
	select {
	case p.window <- struct{}{}:
	case <-p.done:
		closeFiles(files)
		return answer{}, p.ended(op)
	case <-ctx.Done():
		closeFiles(files)
		return answer{}, p.interrupted(ctx, op)
	}
	r := &request{typ: typ, answer: make(chan answer, 1)}
	if out.frame.ID = p.enter(r); out.frame.ID == 0 {
		closeFiles(files)
		return answer{}, p.ended(op)
	}
	p.out.put(out)
	failpoint.Pass(failpoint.HostPlanSent)
	select {
	case a := <-r.answer:
		return a, p.named(a.err, op)
	case <-ctx.Done():
	}
	if p.leave(out.frame.ID) {
		return answer{}, p.interrupted(ctx, op)
	}
	a := <-r.answer // it came in that moment
	return a, p.named(a.err, op)
}

// enter gives r an id, or 0 when the lane has ended.
func (p *Planner) enter(r *request) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone != nil {
		return 0
	}
	p.last++
	p.waiting[p.last] = r
	return p.last
}

// leave gives up a request and tells the plugin. It reports false when the
// answer is there.
func (p *Planner) leave(id uint64) bool {
	p.mu.Lock()
	r := p.waiting[id]
	if r != nil {
		r.left = true
	}
	p.mu.Unlock()
	if r == nil {
		return false
	}
	p.out.put(outgoing{frame: lane.Frame{Type: laneCancel, ID: id}})
	return true
}
