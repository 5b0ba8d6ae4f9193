package host

import (
	"sync"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
)

// keeping is a host's keeper: the one it was opened with, or, after that was
// killed, a new one. The children of a keeper that was killed are killed too;
// what they had started themselves is beyond reach then. What is started
// afterwards is the new one's.
type keeping struct {
	folder string
	gather *gatherer

	mu     sync.Mutex
	client *keeper.Client
	base   inherited // what the keeper has inherited
	closed bool
}

// newKeeping starts the first keeper.
func newKeeping(folder string, g *gatherer) (*keeping, error) {
	k := &keeping{folder: folder, gather: g}
	return k, k.start()
}

// start starts a keeper. The caller holds mu, or is the only one to know k.
func (k *keeping) start() error {
	base := k.gather.now()
	c, err := keeper.Start(keeper.Config{Folder: k.folder})
	if err != nil {
		return err
	}
	k.client, k.base = c, base
	return nil
}

// current returns a keeper that is not known to be gone, and what it has
// inherited.
func (k *keeping) current() (*keeper.Client, inherited, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.client.Gone():
	default:
		return k.client, k.base, nil
	}
	if k.closed {
		return k.client, k.base, nil // its calls say that it is gone
	}
	old := k.client
	if err := k.start(); err != nil {
		return nil, inherited{}, err
	}
	old.Discard()
	return k.client, k.base, nil
}

// last returns the keeper, and lets no new one be started.
func (k *keeping) last() *keeper.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return k.client
}
