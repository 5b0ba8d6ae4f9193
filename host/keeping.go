package host

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// keeping is a host's keepers. One of them starts children. Another takes its
// place when it was killed: what it had started is killed too then, and what
// that had started is ended by its record (see bereaved). Or when the host has changed in a way that
// only a birth passes on: the old one goes on with its children then, and ends
// when it has none.
type keeping struct {
	folder *folder
	gather *gatherer
	limits Timeouts
	tell   func(Event)
	hunts  hunts

	mu        sync.Mutex
	current   *kept
	old       []*kept // succeeded, and not known to be gone
	closed    bool
	farewells sync.WaitGroup // those who wait for the end of old ones
}

// A kept is a keeper.
type kept struct {
	*keeper.Client
	host  inherited // what the host had when it was started
	base  inherited // what it passes on to children
	users int       // launches that may be about to use it
}

// newKeeping starts the first keeper.
func newKeeping(folder *folder, g *gatherer, limits Timeouts, tell func(Event)) (*keeping, error) {
	k := &keeping{folder: folder, gather: g, limits: limits, tell: tell}
	first, err := k.start(g.now())
	k.current = first
	return k, err
}

// start starts a keeper of a host that has now.
func (k *keeping) start(now inherited) (*kept, error) {
	c, err := keeper.Start(keeper.Config{Folder: k.folder.path, Gone: k.bereaved})
	if err != nil {
		return nil, err
	}
	k.folder.kept(c.Pid())
	return &kept{Client: c, host: now, base: keeperBase(now, c.Pid())}, nil
}

// use returns a keeper that is not known to be gone and that was born to what
// the host has now. It is given back by done.
func (k *keeping) use(now inherited) (*kept, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gone := false
	select {
	case <-k.current.Gone():
		gone = true
	default:
	}
	// The calls of a closed one say that it is gone.
	if (gone || !sameBirth(now, k.current.host)) && !k.closed {
		if err := k.succeed(now, gone); err != nil {
			return nil, err
		}
	}
	k.current.users++
	return k.current, nil
}

// mayHold returns the current keeper if a launch may be held by it, or else nil: see
// [keeper.Client.MayHold]. It is given back by done.
func (k *keeping) mayHold(eager bool) *kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || !k.current.MayHold(eager) {
		return nil
	}
	k.current.users++
	return k.current
}

// succeed puts a new keeper in the place of the current one. The caller holds
// mu.
func (k *keeping) succeed(now inherited, gone bool) error {
	next, err := k.start(now)
	if err != nil {
		var e *spawn.Error
		if !gone && errors.As(err, &e) {
			e.Msg = "the host has changed in a way that its keeper cannot pass on, and a new keeper could not be started"
		}
		return err
	}
	failpoint.Pass(failpoint.HostSucceed)
	old := k.current
	k.current = next
	if gone {
		old.Discard()
		return nil
	}
	k.old = append(k.old, old)
	if old.users == 0 {
		k.dismiss(old)
	}
	return nil
}

// done gives a keeper back.
func (k *keeping) done(c *kept) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c.users--
	if c.users == 0 && c != k.current && !k.closed && slices.Contains(k.old, c) {
		k.dismiss(c)
	}
}

// dismissTime bounds the request to a keeper to end with its last child. One
// that does not take it stays until the host is closed.
const dismissTime = 2 * time.Second

// dismiss lets an old keeper end when it has no children. The caller holds mu.
func (k *keeping) dismiss(c *kept) {
	k.farewells.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dismissTime)
		c.Dismiss(ctx)
		cancel()
		<-c.Gone()
		k.mu.Lock()
		i := slices.Index(k.old, c)
		if k.closed || i < 0 {
			k.mu.Unlock()
			return
		}
		k.old = slices.Delete(k.old, i, i+1)
		k.mu.Unlock()
		c.Discard()
	})
}

// last returns all keepers, and lets no new one be started.
func (k *keeping) last() []*kept {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return append(slices.Clone(k.old), k.current)
}

// close ends what last returned, and all that it has: see keeper.Client.Close.
func (k *keeping) close(keepers []*kept, grace, limit time.Duration) []error {
	errs := make([]error, len(keepers))
	var wg sync.WaitGroup
	for i, c := range keepers {
		wg.Go(func() { errs[i] = c.Close(grace, limit) })
	}
	wg.Wait()
	k.farewells.Wait()
	return append(errs, k.hunts.wait()...)
}
