package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/hatchery-spawn/hatchery/internal/detached"
	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Adopt returns the child that a reference means, which this host or another one
// of the same user has started: see [Detached.Ref]. Adopting is shared, and takes
// nothing away: a child can be adopted any number of times, one after another
// and, up to 64, at once; its status is there for all until one of them forgets it.
//
// A child that has ended is adopted too, as is one that is lost; Wait says so at
// once. The error matches fs.ErrNotExist when it was forgotten, or its folder was
// removed; it is of kind spawn.ErrUntrusted when the folder is not the user's own
// and closed to others, or is another child's, or has no sound record;
// spawn.ErrVersion when a later version of this module made it;
// spawn.ErrTimeout when the child's keeper does not answer within Timeouts.Call;
// spawn.ErrUnavailable when that is in another namespace of processes.
func (h *Host) Adopt(ctx context.Context, ref string) (*Detached, error) {
	done, err := h.enter()
	if err != nil {
		return nil, err
	}
	defer done()
	want, err := detached.ParseRef(ref)
	if err != nil {
		return nil, &spawn.Error{Op: "adopt", Errno: errInvalid, Msg: err.Error()}
	}
	rec, err := detached.Read(want.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist) && want.Boot != linux.BootID():
		rec = want // Look says what is to be said
	case errors.Is(err, os.ErrNotExist):
		msg := "it was forgotten, or its folder removed"
		if want.Keeper.Alive() {
			msg = fmt.Sprintf("its folder was removed, but its keeper, process %d, is there and out of reach", want.Keeper.Pid)
		}
		return nil, &spawn.Error{Op: "adopt", Path: want.Dir, Msg: msg, Err: err}
	case errors.Is(err, spawn.ErrVersion):
		return nil, err
	case err != nil:
		return nil, &spawn.Error{Kind: spawn.ErrUntrusted, Op: "adopt", Msg: err.Error()}
	case !rec.Same(want):
		return nil, &spawn.Error{Kind: spawn.ErrUntrusted, Op: "adopt", Path: want.Dir, Msg: "this is the folder of another child than the reference means"}
	}
	d := newDetached(h, rec)
	defer d.use()()
	if _, err := d.reach(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// reach returns a connection to the keeper, or nil when it is known how the child
// has ended.
func (d *Detached) reach(ctx context.Context) (*link, error) {
	for again := false; ; again = true {
		if d.settled() {
			return nil, nil
		}
		state, status, reason := detached.Running, spawn.ExitStatus{}, ""
		if d.current() == nil {
			state, status, reason = d.rec.Look()
		}
		switch state {
		case detached.Ended, detached.Lost:
			d.settle(status)
			continue
		case detached.Unknown:
			return nil, &spawn.Error{Key: d.rec.Method, Kind: spawn.ErrUnavailable, Op: "adopt", Msg: reason}
		}
		l, err := d.dial(ctx)
		if !errors.Is(err, spawn.ErrKeeperGone) || again {
			return l, err
		}
		// It is ending, or was killed just now. If it is neither, somebody has
		// removed its socket.
		bounded, cancel := context.WithTimeout(ctx, d.host.limits.Call)
		awaitEnd(bounded, d.rec.Keeper.Pid, d.kept)
		cancel()
	}
}

// current returns the connection if there is one that works.
func (d *Detached) current() *link {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link == nil || d.closed {
		return nil
	}
	select {
	case <-d.link.Gone():
		return nil
	default:
		return d.link
	}
}

// dial returns a connection to the keeper: the one that there is, or a new one.
func (d *Detached) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, d.host.limits.Call)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, waitError(ctx, "", "adopt")
	}
	if l := d.current(); l != nil {
		return l, nil
	}
	d.drop()
	if err := d.open(); err != nil {
		return nil, err
	}
	c, started, err := keeper.Adopt(ctx, d.rec.Dir, d.rec.Nonce, d.rec.Keeper.Pid, d.exited)
	if err != nil {
		return nil, d.explain(err)
	}
	failpoint.Pass(failpoint.HostAdopt)
	l := &link{c, started.ID}
	d.mu.Lock()
	if d.closed || !d.host.adopted.add(d) {
		d.mu.Unlock()
		l.Leave()
		return nil, errClosedHere()
	}
	d.link = l
	d.mu.Unlock()
	return l, nil
}

// explain returns what a request to the keeper failed with: for the child's method,
// and with what can be done about a keeper that is stopped.
func (d *Detached) explain(err error) error {
	if errors.Is(err, spawn.ErrTimeout) {
		e := *spawn.AsError(err)
		pid := d.rec.Keeper.Pid
		if s, serr := linux.ReadStat(pid); serr == nil && s.State == 'T' {
			e.Msg = fmt.Sprintf("its keeper, process %d, is stopped and does not answer: kill -CONT %d lets it go on", pid, pid)
		}
		err = &e
	}
	return withKey(err, spawnKey(d.rec.Method))
}

// open reports whether neither this nor its host has been closed.
func (d *Detached) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.host.life.Err() != nil {
		return errClosedHere()
	}
	return nil
}

func errClosedHere() error {
	return &spawn.Error{Kind: spawn.ErrClosed, Op: "adopt"}
}

// exited is told of the child's exit, or of the end of a connection, which is
// none.
func (d *Detached) exited(e keeper.Exit) {
	if e.Status.Source != spawn.Lost || e.Pid != 0 {
		d.settle(e.Status)
	}
}

func spawnKey(method string) registry.SpawnMethodKey { return registry.SpawnMethodKey(method) }

// adopted are the detached children of which a host has a connection, each locked
// before this is.
type adopted struct {
	mu     sync.Mutex
	closed bool
	all    map[*Detached]struct{}
}

// add reports false when the host is closed.
func (a *adopted) add(d *Detached) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	if a.all == nil {
		a.all = map[*Detached]struct{}{}
	}
	a.all[d] = struct{}{}
	return true
}

func (a *adopted) remove(d *Detached) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, d)
}

// close gives up all connections.
func (a *adopted) close() {
	a.mu.Lock()
	a.closed = true
	all := a.all
	a.all = nil
	a.mu.Unlock()
	for d := range all {
		d.Close()
	}
}
