//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// batchMost is how many children a frame asks for, at most: several
	// launchers are to have work.
	batchMost = 16
	// batchFlight is how many children of one call may be under way. It leaves
	// half of the window to others.
	batchFlight = window / 2
)

// A Batch is what LaunchAll is to make.
type Batch struct {
	Launches []*Launch

	// Exited is what Launch takes as exited, for each of them.
	Exited func(i int) func(Exit)

	// Done is called once for each, when it has become its program or failed,
	// by the goroutine that called LaunchAll.
	Done func(i int, s Started, err error)
}

// LaunchAll is Launch for many children at once, which takes fewer frames. Each
// succeeds or fails by itself. When ctx ends, those that have not been answered
// are given up. What starts has no pidfd.
func (c *Client) LaunchAll(ctx context.Context, b Batch) {
	n := len(b.Launches)
	r := &batchRun{Batch: b, c: c, most: batchMost, calls: make([]*call, n), ids: make([]uint64, n), answers: make(chan answer, window)}
	r.most = min(batchMost, (n+2*runtime.NumCPU()-1)/(2*runtime.NumCPU()))
	for r.next < n || r.out > 0 {
		if r.next < n && r.out <= batchFlight-r.most && len(r.answers) == 0 {
			r.sendSome(ctx)
			continue
		}
		select {
		case a := <-r.answers:
			r.answered(a)
		case <-ctx.Done():
			r.abort(ctx)
			return
		}
	}
}

// A batchRun is a LaunchAll that is under way.
type batchRun struct {
	Batch
	c       *Client
	most    int // in a frame
	next    int // the first that was not sent
	out     int // sent and not answered
	calls   []*call
	ids     []uint64
	answers chan answer // has room for all that can be under way
}

// sendSome sends the next children, or has the next one fail.
func (r *batchRun) sendSome(ctx context.Context) {
	c := r.c
	if ctx.Err() != nil {
		r.failNext(ctxError(ctx, spawn.PhaseSetup, "spawn", ""))
		return
	}
	if err := c.place(ctx); err != nil {
		r.failNext(err)
		return
	}
	f := r.fill()
	first := c.ids.Add(uint64(f.n)) - uint64(f.n) + 1
	if err := r.expect(first, f.n); err != nil {
		for range f.n {
			<-c.window
		}
		r.failNext(err)
		return
	}
	payload := append(binary.AppendUvarint(nil, uint64(f.n)), f.payload...)
	err := c.sendLaunch(ctx, &lane.Frame{Type: frameLaunchAll, ID: first, Payload: payload, FDs: f.fds}, f.n)
	if err == nil {
		r.next += f.n
		r.out += f.n
		return
	}
	for i := range f.n {
		c.forget(first + uint64(i))
	}
	if errors.Is(err, syscall.ETOOMANYREFS) && f.n > 1 { // fewer may do
		r.most = f.n / 2
		return
	}
	r.failNext(explain(err))
}

// fill makes a frame of the next children, for each of which it takes a place in
// the window. The first has one.
func (r *batchRun) fill() *batchFrame {
	f := &batchFrame{payload: make([]byte, 0, 2048)}
	f.add(r.Launches[r.next])
	for i := r.next + 1; i < len(r.Launches) && f.n < r.most; i++ {
		select {
		case r.c.window <- struct{}{}:
		default:
			return f
		}
		if !f.add(r.Launches[i]) {
			<-r.c.window
			return f
		}
	}
	return f
}

// expect enters the calls of the next n children.
func (r *batchRun) expect(first uint64, n int) error {
	c := r.c
	calls := make([]call, n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return notSent(c.err)
	}
	calls[0].frame = n
	for i := range calls {
		id, at := first+uint64(i), r.next+i
		calls[i].answer, calls[i].index, calls[i].launch = r.answers, at, true
		c.calls[id] = &calls[i]
		c.exits[id] = r.Exited(at)
		r.calls[at], r.ids[at] = &calls[i], id
	}
	return nil
}

// failNext has the next child fail.
func (r *batchRun) failNext(err error) {
	r.calls[r.next] = nil
	r.Done(r.next, Started{}, err)
	r.next++
}

func (r *batchRun) answered(a answer) {
	r.out--
	r.calls[a.index] = nil
	s, err := r.c.started(r.ids[a.index], a)
	r.Done(a.index, s, err)
}

// abort gives up what was not answered.
func (r *batchRun) abort(ctx context.Context) {
	limit, cancel := giveUp(ctx)
	defer cancel()
	errs, ats := make(map[int]*spawn.Error, r.out), make(map[int]error, r.out)
	for i, w := range r.calls[:r.next] {
		if w != nil {
			ats[i] = r.c.request(limit, frameAbort, r.ids[i], 0)
			errs[i] = abortError(ctx, ats[i])
		}
	}
	end := func(a answer) {
		r.c.dropChild(limit, r.ids[a.index], a)
		r.calls[a.index] = nil
		r.Done(a.index, Started{}, errs[a.index])
		r.out--
	}
	for over := false; r.out > 0 && !over; {
		select {
		case a := <-r.answers:
			end(a)
		case <-limit.Done():
			over = true
		}
	}
	r.abandon(end, errs, ats)
	for r.next < len(r.Launches) {
		r.failNext(ctxError(ctx, spawn.PhaseSetup, "spawn", ""))
	}
}

// abandon leaves what does not end to the reader, which kills what comes of it.
func (r *batchRun) abandon(end func(answer), errs map[int]*spawn.Error, ats map[int]error) {
	r.c.mu.Lock()
	for _, w := range r.calls {
		if w != nil {
			w.abandoned = true
		}
	}
	r.c.mu.Unlock()
	for len(r.answers) > 0 { // they have come just now
		end(<-r.answers)
	}
	for i, w := range r.calls[:r.next] {
		if w != nil {
			errs[i].Msg += stillWaited(ats[i])
			r.Done(i, Started{}, errs[i])
		}
	}
}
