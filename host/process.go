package host

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Process is a child. Its methods may be called concurrently, also after its
// end. Nothing has to be closed; a child that nobody waits for is reaped all
// the same.
type Process struct {
	host   *Host
	key    registry.SpawnMethodKey
	pid    int
	notes  []string      // of the plan
	warm   bool          // it was handed over by a process that was ready
	target target        // how to signal it; set before the Process is handed out
	done   chan struct{} // closed when status is set

	mu       sync.Mutex
	status   spawn.ExitStatus
	over     bool // status is set
	forced   bool
	stopping StopOptions
	asked    chan struct{} // closed when it has been asked to end for long enough; nil before
	after    []func()      // called once it has ended
	life     Observation   // of its life; nil when nobody wants to know

	left      bool       // it has ended, and may have left others behind
	aftermath *aftermath // their end; nil before
}

// A target is how a child is reached.
type target interface {
	signal(ctx context.Context, sig syscall.Signal) error
	// killTree sends SIGKILL to the child and to what is below it.
	killTree(ctx context.Context) error
	// ask sends the child a signal after a look at what is below it; to its
	// group as well if that is its own and group is set. A signal of 0 is a
	// look alone.
	ask(ctx context.Context, sig syscall.Signal, group bool) error
	// endOrphans ends what the child has left behind. It is called after close.
	endOrphans(ctx context.Context, grace, limit time.Duration) (keeper.Cleared, error)
	// await looks for a short time whether the child ends.
	await(ended func() bool)
	// close gives up what is held for signalling. A method but endOrphans that
	// is called during it or after it fails with os.ErrClosed.
	close()
}

func newProcess(h *Host, key registry.SpawnMethodKey) *Process {
	return &Process{host: h, key: key, done: make(chan struct{})}
}

// begin makes p a running child. Its exit may have come already.
func (p *Process) begin(k *keeper.Client, s keeper.Started) {
	t := &localTarget{keeper: k, id: s.ID, pid: s.Pid, pidfd: s.Pidfd}
	p.warm = s.Warm
	if s.Cold != nil {
		p.notes = append(slices.Clip(p.notes), "cold: "+s.Cold.Error())
	}
	p.run(s.Pid, t)
}

func (p *Process) run(pid int, t target) {
	p.pid = pid
	p.mu.Lock()
	p.target = t
	over := p.over
	p.mu.Unlock()
	if over {
		p.letGo()
		return
	}
	p.host.mu.Lock()
	p.host.procs[p] = struct{}{}
	p.host.mu.Unlock()
	p.mu.Lock()
	over = p.over
	p.mu.Unlock()
	if over { // it came meanwhile and found nothing to do
		p.release()
	}
}

// exited is called once, by whoever learns of the exit. What was held for the
// child is given up before anybody is told of its end: a program that waits for
// one child before it starts the next needs the descriptors of one.
func (p *Process) exited(e keeper.Exit) {
	p.mu.Lock()
	p.status = e.Status
	p.left = p.left || e.Left
	p.over = true
	p.mu.Unlock()
	lost := e.Status.Source == spawn.Lost
	if !lost {
		p.release()
	}
	p.mu.Lock()
	after := p.after
	p.after = nil
	close(p.done)
	p.mu.Unlock()
	if lost { // that may take as long as a call
		p.release()
	}
	for _, f := range after {
		f()
	}
}

// afterExit has f called once the child has ended, by whoever tells of it: f
// must not wait for anything. It spares a goroutine for each child.
func (p *Process) afterExit(f func()) {
	p.mu.Lock()
	if !p.ended() {
		p.after = append(p.after, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f()
}

// release lets go of an ended child.
func (p *Process) release() {
	p.host.mu.Lock()
	_, held := p.host.procs[p]
	delete(p.host.procs, p)
	p.host.mu.Unlock()
	if held {
		p.letGo()
	}
}

// letGo gives up what reaches the child.
func (p *Process) letGo() {
	p.mu.Lock()
	lost, t := p.status.Source == spawn.Lost, p.target
	p.mu.Unlock()
	if lost { // nobody looks after it any more; a plugin need not answer
		ctx, cancel := context.WithTimeout(context.Background(), p.host.limits.Call)
		t.signal(ctx, syscall.SIGKILL)
		cancel()
	}
	t.close()
}

// Pid returns the process id, or 0 when the child is not a local process.
// After the end of the child the number may belong to another process.
func (p *Process) Pid() int { return p.pid }

// Method returns the key of the method that started the child.
func (p *Process) Method() registry.SpawnMethodKey { return p.key }

// Notes returns what the method noted of the plan that the child was made by, see
// spawn.Plan, and why the child was started cold if it was not to be. The caller does
// not change it.
func (p *Process) Notes() []string { return p.notes }

// Warm reports whether the child was handed over by a process that was ready: see
// spawn.Handoff. All others were started by exec.
func (p *Process) Warm() bool { return p.warm }

// Done is closed when the child has ended and has been reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the child and returns its status. The error is
// not nil only when the status could not be had; it is of kind spawn.ErrLost.
// Every call, at the same time or later, returns the same.
func (p *Process) Wait() (spawn.ExitStatus, error) {
	if !p.ended() {
		p.target.await(p.ended)
	}
	if !p.ended() {
		w := p.waiting(waitChild, time.Time{})
		<-p.done
		w.end()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Source == spawn.Lost {
		return p.status, &spawn.Error{Key: string(p.key), Phase: spawn.PhaseRun, Kind: spawn.ErrLost, Msg: p.status.Reason}
	}
	return p.status, nil
}

// Signal sends a signal to the child alone. The error is os.ErrProcessDone
// when the child has ended.
func (p *Process) Signal(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return &spawn.Error{Key: string(p.key), Phase: spawn.PhaseRun, Op: "signal", Errno: syscall.EINVAL, Msg: "not a signal of this system: " + sig.String()}
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.host.limits.Call)
	defer cancel()
	defer p.waiting(waitCall, until(ctx)).end()
	return p.locked(func(t target) error { return t.signal(ctx, s) })
}

// Kill sends SIGKILL to the child and to everything below it, and does not wait for
// their end. The error is os.ErrProcessDone when the child has ended.
func (p *Process) Kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.host.limits.Call)
	defer cancel()
	defer p.waiting(waitCall, until(ctx)).end()
	return p.locked(func(t target) error { return t.killTree(ctx) })
}

// locked calls f while the child's exit has not been noticed.
func (p *Process) locked(f func(target) error) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
	}
	p.mu.Lock()
	t := p.target
	p.mu.Unlock()
	w := p.waiting(waitCall, time.Now().Add(p.host.limits.Call))
	err := f(t)
	w.end()
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrClosed) {
		return os.ErrProcessDone
	}
	return withKey(err, p.key)
}

// A localTarget is a child of the keeper. As long as it holds a pidfd signals
// are sent without the keeper.
type localTarget struct {
	keeper *keeper.Client
	id     uint64
	pid    int

	mu    sync.Mutex
	pidfd int // -1 when there is none
	ended bool
}

func (t *localTarget) signal(ctx context.Context, sig syscall.Signal) error {
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return os.ErrClosed
	}
	if t.pidfd >= 0 {
		defer t.mu.Unlock()
		return linux.PidfdSignal(t.pidfd, sig)
	}
	t.mu.Unlock()
	return t.keeper.Signal(ctx, t.id, sig)
}

// ask spares the keeper when there is nothing below the child to look at.
func (t *localTarget) ask(ctx context.Context, sig syscall.Signal, group bool) error {
	t.mu.Lock()
	if !group && t.childlessLocked() {
		defer t.mu.Unlock()
		if sig == 0 {
			return nil
		}
		return errors.Join(linux.PidfdSignal(t.pidfd, sig), linux.PidfdSignal(t.pidfd, contSignal))
	}
	t.mu.Unlock()
	err := t.keeper.Ask(ctx, t.id, sig, group)
	if sig != 0 && (errors.Is(err, spawn.ErrKeeperGone) || errors.Is(err, spawn.ErrTimeout)) {
		if err = t.signal(ctx, sig); err == nil {
			err = t.signal(ctx, contSignal)
		}
	}
	return err
}

// childlessLocked reports whether there is nothing below the child, as far as
// that can be told quickly.
func (t *localTarget) childlessLocked() bool {
	return !t.ended && t.pidfd >= 0 && linux.Childless(t.pid)
}

func (t *localTarget) endOrphans(ctx context.Context, grace, limit time.Duration) (keeper.Cleared, error) {
	return t.keeper.Clear(ctx, t.id, grace, limit)
}

func (t *localTarget) await(ended func() bool) { t.keeper.AwaitExit(ended) }

// killTree falls back to the child alone when the keeper is gone.
func (t *localTarget) killTree(ctx context.Context) error {
	err := t.keeper.Kill(ctx, t.id)
	if errors.Is(err, spawn.ErrKeeperGone) || errors.Is(err, spawn.ErrTimeout) {
		if serr := t.signal(ctx, syscall.SIGKILL); serr != nil && !errors.Is(serr, os.ErrClosed) {
			err = errors.Join(err, serr)
		}
	}
	return err
}

func (t *localTarget) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.pidfd >= 0 {
		closeFD(t.pidfd)
		t.pidfd = -1
	}
}
