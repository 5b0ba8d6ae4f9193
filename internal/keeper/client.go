//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// window is how many launches may be under way at once, those that nobody
// waits for any more included: what a lane takes without running into the
// kernel's limits for descriptors in flight. It is less than the launchers
// that a keeper can have, so one is always free for other requests.
const window = Window

// A Client is the host's half of a keeper. Its methods may be called
// concurrently. Close it.
type Client struct {
	conn   *lane.Conn
	proc   *os.Process
	words  *os.File // the keeper's standard error, a memfd: its last words
	nods   *os.File // a pipe, for launches that are held; nil when there is none
	ids    atomic.Uint64
	window chan struct{} // a place for each launch that is not answered
	turn   chan struct{} // a place for the one who sends
	gone   chan struct{} // closed when the keeper is gone and all was told
	onGone func(*Client) // Config.Gone
	ended  chan struct{} // closed when its process has ended and is no zombie

	answered chan struct{} // capacity 1: a launch was answered

	opened time.Time
	heard  atomic.Int64 // when the last frame came: nanoseconds since opened

	holding atomic.Bool // there is a launch that is held

	reading                      sync.Mutex // held by whoever reads the lane by TryRecv
	frame                        lane.Frame // of whoever does
	yielded                      time.Time  // when it last did
	launchPatience, exitPatience patience

	mu    sync.Mutex
	calls map[uint64]*call // waiting for an answer
	exits map[uint64]func(Exit)
	err   error // why the keeper is gone
}

// A call is a request that waits for its answer.
type call struct {
	answer    chan answer // capacity 1, or enough for all of a batch
	index     int         // in the batch
	frame     int         // of the first in a batch frame: how many are in it
	launch    bool        // it holds a place in the window
	abandoned bool        // nobody waits any more: a child that comes is killed
}

type answer struct {
	index      int // of the call
	pid, pidfd int
	handed     bool
	cold       error
	err        error
	cleared    Cleared
	text       string // of Describe
}

// Launch makes a child and returns when it has become the program. The error
// of a failed step is a *spawn.Error that names it; a child that has not got
// to its exec when ctx ends is killed. Then Launch waits at most abortWait
// for the keeper to say so.
//
// exited is called once, when the child has ended or its status is lost,
// from the goroutine that reads the lane: it must not block. It may be called
// before Launch returns. It is not called when Launch fails.
func (c *Client) Launch(ctx context.Context, l *Launch, exited func(Exit)) (Started, error) {
	id, w, err := c.begin(ctx, frameLaunch, l, exited)
	if err != nil {
		return Started{}, err
	}
	return c.await(ctx, id, w)
}

// begin sends a request to launch a child.
func (c *Client) begin(ctx context.Context, typ uint8, l *Launch, exited func(Exit)) (id uint64, w *call, err error) {
	if ctx.Err() != nil {
		return 0, nil, ctxError(ctx, spawn.PhaseSetup, "spawn", "")
	}
	if err := c.place(ctx); err != nil {
		return 0, nil, err
	}
	id = c.ids.Add(1)
	if w, err = c.expect(id, exited); err != nil {
		<-c.window
		return 0, nil, err
	}
	f := lane.Frame{Type: typ, ID: id, Payload: l.append(nil), FDs: l.FDs}
	if err := c.sendLaunch(ctx, &f, 1); err != nil {
		c.forget(id)
		return 0, nil, explain(err)
	}
	return id, w, nil
}

// await waits for the answer to begin.
func (c *Client) await(ctx context.Context, id uint64, w *call) (Started, error) {
	if len(c.window) == 1 {
		c.spin(&c.launchPatience, func() bool { return len(w.answer) > 0 })
	}
	if len(w.answer) > 0 {
		return c.started(id, <-w.answer)
	}
	select {
	case a := <-w.answer:
		return c.started(id, a)
	case <-ctx.Done():
		return c.abort(ctx, id, w)
	}
}

// place takes a place in the window. A context may make a timer when it is asked
// for its end, so it is only when there is something to wait for.
func (c *Client) place(ctx context.Context) error {
	select {
	case c.window <- struct{}{}:
		return nil
	default:
	}
	select {
	case c.window <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctxError(ctx, spawn.PhaseSetup, "window", "more launches under way than the keeper takes at once")
	case <-c.gone:
		return c.notSent()
	}
}

// sendLaunch sends a launch, or n in one frame. An ordinary user can have no more descriptors in
// flight than RLIMIT_NOFILE: when they are too many, it waits until the keeper
// has taken some, which an answer shows.
func (c *Client) sendLaunch(ctx context.Context, f *lane.Frame, n int) error {
	if err := failpoint.Fail(failpoint.HostLaunchSend); err != nil {
		return sendError(err, f)
	}
	for {
		err := c.send(ctx, f)
		if err == nil {
			failpoint.Pass(failpoint.HostLaunchSent)
		}
		if !errors.Is(err, syscall.ETOOMANYREFS) || len(c.window) <= n {
			return err
		}
		select {
		case <-c.answered:
		case <-ctx.Done():
			return ctxError(ctx, spawn.PhaseSetup, "send", "too many descriptors in flight")
		case <-c.gone:
			return c.goneError()
		}
	}
}

// send sends a frame, or gives up when ctx ends: a keeper that is stopped does
// not read, and the lane is full at some time.
func (c *Client) send(ctx context.Context, f *lane.Frame) error {
	if err := c.conn.TrySend(f); !errors.Is(err, syscall.EAGAIN) {
		return sendError(err, f)
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ctxError(ctx, spawn.PhaseSetup, "send", "the keeper does not read")
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.conn.SetSendDeadline(time.Unix(1, 0))
		close(fired)
	})
	err := c.conn.Send(f)
	if !stop() {
		<-fired
		c.conn.SetSendDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctxError(ctx, spawn.PhaseSetup, "send", "the keeper does not read")
	}
	return sendError(err, f)
}

func (c *Client) started(id uint64, a answer) (Started, error) {
	if a.err != nil {
		c.forget(id)
		return Started{}, explain(a.err)
	}
	failpoint.Pass(failpoint.HostLaunchAnswered)
	return Started{ID: id, Pid: a.pid, Pidfd: a.pidfd, Warm: a.handed, Cold: a.cold}, nil
}

// abortWait bounds the wait for the end of a child that was killed before its
// exec. One that takes longer sleeps in the kernel.
const abortWait = time.Second

// giveUp begins with giving launches up, for which it returns the context.
func giveUp(ctx context.Context) (context.Context, context.CancelFunc) {
	failpoint.Pass(failpoint.HostLaunchAbort)
	return context.WithTimeout(context.WithoutCancel(ctx), abortWait)
}

// abort gives a launch up. When the child has become its program at the last
// moment it is killed with its tree.
func (c *Client) abort(ctx context.Context, id uint64, w *call) (Started, error) {
	limit, cancel := giveUp(ctx)
	defer cancel()
	at := c.request(limit, frameAbort, id, 0)
	out := abortError(ctx, at)
	select {
	case a := <-w.answer:
		c.dropChild(limit, id, a)
	case <-limit.Done():
		c.mu.Lock()
		w.abandoned = true
		c.mu.Unlock()
		select { // it may have come just now
		case a := <-w.answer:
			c.dropChild(limit, id, a)
		default:
			out.Msg += stillWaited(at)
		}
	}
	return Started{}, out
}

// stillWaited says what is known of a launch that was given up and has not been
// answered. at is the keeper's answer to that.
func stillWaited(at error) string {
	if silent(at) {
		return "the keeper does not answer; it ends the child if there is one"
	}
	return "; it does not react to SIGKILL yet and is still being waited for"
}

// silent reports whether at is no answer of the keeper's, which has a kind as well,
// but the end of the wait for one.
func silent(at error) bool { return errors.Is(at, context.DeadlineExceeded) }

// abortError says that a launch was given up because ctx has ended. at is the
// keeper's answer to that: it may name the step that the child had come to.
func abortError(ctx context.Context, at error) *spawn.Error {
	out := ctxError(ctx, spawn.PhaseSetup, "spawn", "")
	var step *spawn.Error
	if errors.As(at, &step) && step.Op != "" && !silent(at) {
		out.Phase, out.Op, out.Msg = spawn.PhaseSetup, step.Op, "the child had not got beyond this step"
	}
	return out
}

// dropChild ends a child that nobody wants any more.
func (c *Client) dropChild(ctx context.Context, id uint64, a answer) {
	if a.err == nil {
		c.request(ctx, frameKill, id, 0)
		if a.pidfd >= 0 {
			syscall.Close(a.pidfd)
		}
	}
	c.forget(id)
}

// Signal sends a signal to a child. The error matches syscall.ESRCH when the
// child has been reaped.
func (c *Client) Signal(ctx context.Context, id uint64, sig syscall.Signal) error {
	return c.request(ctx, frameSignal, id, uint32(sig))
}

// Kill sends SIGKILL to a child and to all its descendants. A child that has
// ended is no error. What could not be killed is named in one.
func (c *Client) Kill(ctx context.Context, id uint64) error {
	return c.request(ctx, frameKill, id, 0)
}

// Ask sends a child a signal that asks it to end, and SIGCONT, after a look at
// what is below it. What of that lives on when the child has ended counts as left
// behind by it. With group set, and a child that leads a process group, the whole
// group gets the signals. Without a signal Ask only looks. The error matches
// syscall.ESRCH when the child has ended; it may have left something then.
func (c *Client) Ask(ctx context.Context, id uint64, sig syscall.Signal, group bool) error {
	arg := uint32(sig)
	if group {
		arg |= askGroup
	}
	return c.request(ctx, frameAsk, id, arg)
}

// Clear ends what a child left behind when it ended, as far as that is known:
// what is in the group and the session that it led, what was below it at the last
// Ask, and what is below these. They get SIGTERM and SIGCONT, and after the grace
// SIGKILL until nobody is left, for as long as limit. Clear returns who ended and
// who did not. It forgets what the child has left.
func (c *Client) Clear(ctx context.Context, id uint64, grace, limit time.Duration) (Cleared, error) {
	le := binary.LittleEndian
	payload := le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, id), uint64(grace)), uint64(limit))
	a, err := c.call(ctx, frameClear, payload)
	return a.cleared, err
}

// ClearStrays is Clear for every orphan that nobody is known to have left behind, and
// what is below it. It is not to be called while children run that may have daemons.
func (c *Client) ClearStrays(ctx context.Context, grace, limit time.Duration) (Cleared, error) {
	return c.Clear(ctx, ofNobody, grace, limit)
}

// ofNobody is no child's id: those begin with 1.
const ofNobody = 0

// request sends a request about a child and waits for its answer.
func (c *Client) request(ctx context.Context, typ uint8, child uint64, arg uint32) error {
	payload := binary.LittleEndian.AppendUint64(nil, child)
	return c.ask(ctx, typ, binary.LittleEndian.AppendUint32(payload, arg))
}

func (c *Client) ask(ctx context.Context, typ uint8, payload []byte) error {
	_, err := c.call(ctx, typ, payload)
	return err
}

// call sends a request and waits for its answer.
func (c *Client) call(ctx context.Context, typ uint8, payload []byte) (answer, error) {
	id := c.ids.Add(1)
	w, err := c.expect(id, nil)
	if err != nil {
		return answer{}, err
	}
	defer c.forgetCall(id)
	if err := c.send(ctx, &lane.Frame{Type: typ, ID: id, Payload: payload}); err != nil {
		return answer{}, err
	}
	select {
	case a := <-w.answer:
		return a, a.err
	case <-ctx.Done():
		return answer{}, ctxError(ctx, phaseOf(typ), "keeper", "the keeper did not answer")
	}
}

// expect enters a call, and for a launch what to do at the child's exit.
func (c *Client) expect(id uint64, exited func(Exit)) (*call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, notSent(c.err)
	}
	w := &call{answer: make(chan answer, 1), launch: exited != nil}
	c.calls[id] = w
	if exited != nil {
		c.exits[id] = exited
	}
	return w, nil
}

// forget drops a launch and what was to be done at its child's exit.
func (c *Client) forget(id uint64) {
	c.forgetCall(id)
	c.mu.Lock()
	delete(c.exits, id)
	c.mu.Unlock()
}

func (c *Client) forgetCall(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(id)
}

// take removes a call, and gives up its place in the window. The caller holds
// mu.
func (c *Client) take(id uint64) *call {
	w := c.calls[id]
	delete(c.calls, id)
	if w != nil && w.launch {
		<-c.window
		select {
		case c.answered <- struct{}{}:
		default:
		}
	}
	return w
}

// Pid returns the keeper's process id.
func (c *Client) Pid() int { return c.proc.Pid }

// Gone is closed when the keeper has ended. Every child has been told of by
// then, those whose status was lost included.
func (c *Client) Gone() <-chan struct{} { return c.gone }

// Ended is closed when the keeper's process has ended, and is no zombie of this
// process. Of a keeper that is no child of this process it never is.
func (c *Client) Ended() <-chan struct{} { return c.ended }

func (c *Client) goneError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// notSent is goneError for a request that the keeper was never sent: another
// keeper may be asked.
func (c *Client) notSent() error { return notSent(c.goneError()) }

func notSent(gone error) error {
	e := *spawn.AsError(gone)
	e.Op = "send"
	return &e
}

// phaseOf returns the phase that a request belongs to.
func phaseOf(typ uint8) spawn.Phase {
	switch typ {
	case frameLaunch, frameAbort:
		return spawn.PhaseSetup
	case frameKill, frameAsk, frameClear, frameEnd:
		return spawn.PhaseStop
	}
	return spawn.PhaseRun
}

// sendError says what a failed send means.
func sendError(err error, f *lane.Frame) error {
	if err == nil {
		return nil
	}
	e := &spawn.Error{Phase: spawn.PhaseSetup, Op: "send", Err: err}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e.Errno, e.Err = errno, nil
	}
	switch {
	case errno == syscall.EPIPE || errors.Is(err, os.ErrClosed):
		e.Kind = spawn.ErrKeeperGone
	case errno == syscall.EMSGSIZE && len(f.FDs) > lane.MaxFDs:
		e.Kind, e.Errno = spawn.ErrBadPlan, syscall.EINVAL
		e.Msg = fmt.Sprintf("%d descriptors, the plan's and the child's: at most %d can be passed", len(f.FDs), lane.MaxFDs)
	case errno == syscall.EMSGSIZE:
		// More than a lane takes is more than execve takes.
		e.Phase, e.Op, e.Errno = spawn.PhaseExec, "exec", syscall.E2BIG
	}
	return e
}

// ctxError turns the end of a context into an error that names the wait.
func ctxError(ctx context.Context, phase spawn.Phase, op, msg string) *spawn.Error {
	e := &spawn.Error{Phase: phase, Op: op, Kind: spawn.ErrCanceled, Msg: msg, Err: context.Cause(ctx)}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Kind = spawn.ErrTimeout
	}
	return e
}
