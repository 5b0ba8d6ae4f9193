package host

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/detached"
	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A Detached is a child that outlives its host, as seen from this host, which may
// be the one that started it or a later one. Any number of hosts may have it at
// the same time. Its methods may be called concurrently. Nothing has to be closed:
// it holds a connection only while a method is being called.
type Detached struct {
	host *Host
	rec  detached.Record

	turn chan struct{} // held while a connection is made
	done chan struct{} // closed when status is set

	mu     sync.Mutex
	link   *link // nil when there is none
	users  int   // calls under way that may need it
	status spawn.ExitStatus
	closed bool
}

// A link is a connection to the child's keeper.
type link struct {
	*keeper.Client
	id uint64 // the child's
}

func newDetached(h *Host, rec detached.Record) *Detached {
	return &Detached{host: h, rec: rec, turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// Ref returns the reference by which Adopt finds the child: one word of printable
// characters. It holds the path of the child's folder and who child and keeper
// are, and is no secret: only the child's user can do anything with it.
func (d *Detached) Ref() string { return d.rec.Ref() }

// Name returns the name that it was given.
func (d *Detached) Name() string { return d.rec.Name }

// Pid returns the process id. After the end of the child the number may belong to
// another process.
func (d *Detached) Pid() int { return d.rec.Child.Pid }

// settle notes how the child has ended.
func (d *Detached) settle(status spawn.ExitStatus) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.settled() {
		d.status = status
		close(d.done)
	}
}

func (d *Detached) settled() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// Wait waits for the end of the child and returns its status: code, signal, core
// flag, resource usage and time are what the kernel told the child's keeper. Every
// call, at any time before and after, in any host, returns the same until the child
// is forgotten; and this Detached does so even then.
//
// The error is of kind spawn.ErrLost when the status can never be had: the keeper
// was killed, or the system was started anew. A keeper that is stopped and does not answer
// is no such case: the error is of kind spawn.ErrTimeout, after Timeouts.Call. So is that of a ctx
// that ends (or spawn.ErrCanceled); spawn.ErrClosed when this host or the Detached is closed.
func (d *Detached) Wait(ctx context.Context) (spawn.ExitStatus, error) {
	defer d.waiting(waitChild, until(ctx)).end()
	defer d.use()()
	for {
		l, err := d.reach(ctx)
		if err != nil {
			return spawn.ExitStatus{}, err
		}
		if l == nil {
			return d.outcome()
		}
		select {
		case <-d.done:
		case <-l.Gone(): // the next look says why
		case <-ctx.Done():
			return spawn.ExitStatus{}, waitError(ctx, spawn.PhaseRun, "wait")
		}
	}
}

// outcome is the answer of Wait for a child that has ended.
func (d *Detached) outcome() (spawn.ExitStatus, error) {
	if d.status.Source == spawn.Lost {
		return d.status, &spawn.Error{Key: d.rec.Method, Phase: spawn.PhaseRun, Kind: spawn.ErrLost, Msg: d.status.Reason}
	}
	return d.status, nil
}

// Done is closed when this host has learned of the end of the child: Wait or another
// method has been called, and it has ended. It does not ask by itself.
func (d *Detached) Done() <-chan struct{} { return d.done }

// Signal sends a signal to the child alone, by way of its keeper, so that no
// other process is ever hit. The error is os.ErrProcessDone when the child has
// ended, and of kind spawn.ErrTimeout when the keeper does not answer within
// Timeouts.Call.
func (d *Detached) Signal(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return &spawn.Error{Key: d.rec.Method, Phase: spawn.PhaseRun, Op: "signal", Errno: errInvalid, Msg: "not a signal of this system: " + sig.String()}
	}
	return d.ask(func(ctx context.Context, l *link) error { return l.Signal(ctx, l.id, s) })
}

// Kill sends SIGKILL to the child and to everything below it.
func (d *Detached) Kill() error {
	return d.ask(func(ctx context.Context, l *link) error { return l.Kill(ctx, l.id) })
}

// ask asks the keeper something about the child, which has not ended.
func (d *Detached) ask(f func(context.Context, *link) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.host.limits.Call)
	defer cancel()
	defer d.waiting(waitCall, until(ctx)).end()
	defer d.use()()
	for again := false; ; again = true {
		l, err := d.reach(ctx)
		if err != nil {
			return err
		}
		if l == nil {
			return os.ErrProcessDone
		}
		err = f(ctx, l)
		switch {
		case errors.Is(err, syscall.ESRCH):
			return os.ErrProcessDone
		case errors.Is(err, spawn.ErrKeeperGone) && !again:
			continue // how it ended is known then
		}
		return withKey(err, spawnKey(d.rec.Method))
	}
}

// Forget removes what is kept of a child that has ended, or is lost: from then on
// nobody can adopt it. It waits until its keeper has ended what the child left
// behind, for as long as ctx and no longer than Timeouts.Close. The error says that
// the child, or what it left behind, is running yet; what a lost one has left, which is
// known by its record alone, inspect.Reap ends. That it has been forgotten before is no
// error.
func (d *Detached) Forget(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.host.limits.Close)
	defer cancel()
	defer d.use()()
	refuse := func(msg string) error {
		return &spawn.Error{Key: d.rec.Method, Phase: spawn.PhaseStop, Op: "forget", Errno: errBusy, Msg: msg}
	}
	state, _, reason := d.rec.Look()
	switch state {
	case detached.Unknown:
		return refuse(reason)
	case detached.Running:
		return refuse("the child is running: Stop ends it")
	}
	if err := d.awaitKeeper(ctx); err != nil {
		return refuse("its keeper is there yet, for what the child left behind: Stop ends it")
	}
	// Only what is this child's: the folder may be another's by now.
	now, err := detached.Read(d.rec.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return &spawn.Error{Key: d.rec.Method, Phase: spawn.PhaseStop, Op: "forget", Err: err}
	case !now.Same(d.rec):
		return nil
	}
	if state == detached.Lost {
		if left := d.recordedLeft(); left != "" {
			return refuse("what the lost child left behind is running, and nobody would find it then: " + left + "; hatchery reap --detached ends it")
		}
	}
	if err := removeFolder(d.rec.Dir); err != nil {
		return &spawn.Error{Key: d.rec.Method, Phase: spawn.PhaseStop, Op: "forget", Err: err}
	}
	return nil
}

// recordedLeft names what is there of what the child's keeper, which was killed, had
// recorded.
func (d *Detached) recordedLeft() string {
	if !d.rec.Here() {
		return ""
	}
	r, err := keeper.ReadRecord(keeper.RecordPath(d.rec.Dir, d.rec.Keeper.Pid))
	if err != nil {
		return ""
	}
	h := hunt.Find(r.Entries, hunt.Options{})
	defer h.Close()
	var left []Orphan
	for _, t := range h.Found {
		left = append(left, Orphan{t.Pid, t.Name})
	}
	return list(left)
}

// Close ends the calls that are under way, and makes all later ones return at
// once: the error is of kind spawn.ErrClosed where the status is not known yet. The
// child goes on. The host's Close does the same.
func (d *Detached) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.drop()
	return nil
}

// use begins the use of the connection, which the last user gives up.
func (d *Detached) use() (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users++
	return func() { d.dropIf(func() bool { d.users--; return d.users == 0 }) }
}

// drop gives up the connection.
func (d *Detached) drop() { d.dropIf(func() bool { return true }) }

// dropIf is drop if unneeded says so, which is called with the lock: nobody can
// begin to use the connection meanwhile.
func (d *Detached) dropIf(unneeded func() bool) {
	d.mu.Lock()
	var l *link
	if unneeded() {
		l, d.link = d.link, nil
		d.host.adopted.remove(d)
	}
	d.mu.Unlock()
	if l != nil {
		l.Leave()
	}
}

func (d *Detached) waiting(name waitName, until time.Time) *wait {
	return d.host.waits.begin(wait{name: name, key: d.rec.Method, subject: "detached " + d.rec.Name, pid: d.rec.Child.Pid, until: until})
}

// awaitKeeper waits for the end of the keeper. It has ended what the child left
// behind by then.
func (d *Detached) awaitKeeper(ctx context.Context) error {
	for d.kept() {
		l, err := d.dial(ctx)
		if err != nil {
			if ctx.Err() != nil || !errors.Is(err, spawn.ErrKeeperGone) {
				return err
			}
			// It listens no more: a matter of moments.
			if !awaitEnd(ctx, d.rec.Keeper.Pid, d.kept) {
				return err
			}
			break
		}
		select {
		case <-l.Gone():
		case <-ctx.Done():
			return waitError(ctx, spawn.PhaseStop, "keeper")
		}
	}
	tick := time.NewTicker(pollPause) // for one that is this process's to reap there is no event
	defer tick.Stop()
	for d.rec.Here() && !keeper.ReapAdopted(d.rec.Keeper.Pid) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return waitError(ctx, spawn.PhaseStop, "keeper")
		}
	}
	return nil
}

// kept reports whether the keeper is there, as far as that can be seen from here.
func (d *Detached) kept() bool { return d.rec.Here() && d.rec.Keeper.Alive() }

// awaitEnd waits for the end of a process that alive speaks of.
func awaitEnd(ctx context.Context, pid int, alive func() bool) bool {
	fd, err := linux.PidfdOpen(pid)
	if err != nil {
		return !alive()
	}
	defer closeFD(fd)
	if !alive() { // looked at with the descriptor open: it is the right one
		return true
	}
	tick := time.NewTicker(pollPause) // a pidfd in the poller costs more than this
	defer tick.Stop()
	for !linux.Exited(fd) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

const (
	errInvalid = syscall.EINVAL
	errBusy    = syscall.EBUSY

	// pollPause is the time between two looks at a process that is not this
	// one's child, and about to end.
	pollPause = 2 * time.Millisecond
)
