//go:build unix

package keeper

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A remover removes the folders of children that have ended, beside everything
// else: the kernel may take milliseconds for one.
type remover struct {
	mu      sync.Mutex
	pending []folder
	idle    chan struct{} // closed when there is nothing to remove; nil when nothing was
}

// add has folders removed.
func (r *remover) add(folders []folder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, folders...)
	if r.idle == nil {
		r.idle = make(chan struct{})
		go r.run(r.idle)
	}
}

// The time between two tries to remove what is in use: by processes that a child
// without a process 1 has left behind. That they have gone is no event.
const (
	firstRemovePause = time.Millisecond
	lastRemovePause  = time.Second
)

// run ends when nothing is left to remove.
func (r *remover) run(idle chan struct{}) {
	for pause := firstRemovePause; ; pause = min(2*pause, lastRemovePause) {
		r.mu.Lock()
		work := r.pending
		r.pending = nil
		r.mu.Unlock()
		var busy []folder
		for _, f := range work {
			err := linux.RemoveFolderAt(f.fd, f.name)
			if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ENOTEMPTY) {
				busy = append(busy, f)
				continue
			}
			syscall.Close(f.fd)
		}
		r.mu.Lock()
		fresh := len(r.pending)
		r.pending = append(r.pending, busy...)
		if len(r.pending) == 0 {
			r.idle = nil
			close(idle)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		if fresh > 0 {
			pause = firstRemovePause / 2
			continue
		}
		<-time.After(pause)
	}
}

// wait waits until everything is removed, at most for d.
func (r *remover) wait(d time.Duration) bool {
	r.mu.Lock()
	idle := r.idle
	r.mu.Unlock()
	if idle == nil {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}
