package host

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/hunt"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// hunts are the ends of what killed keepers have left.
type hunts struct {
	mu       sync.Mutex
	underway map[chan struct{}]bool // each closed when it is over
	errs     []error                // each names who could not be ended
}

// wait waits until all that have begun are over, which is bounded for each. It
// returns the errors of all that there were.
func (h *hunts) wait() []error {
	h.mu.Lock()
	underway := slices.Collect(maps.Keys(h.underway))
	h.mu.Unlock()
	for _, done := range underway {
		<-done
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.errs
}

// begin notes a hunt, which is over when the result is called.
func (h *hunts) begin() (over func()) {
	done := make(chan struct{})
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.underway == nil {
		h.underway = map[chan struct{}]bool{}
	}
	h.underway[done] = true
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.underway, done)
		close(done)
	}
}

// bereaved is called when a keeper is gone. If it went in order nothing is left of
// it, not even its record. If it was killed its children are killed by the kernel,
// but not what is below them: that loses its parents, and all that leads to it is
// the record and the numbers of sessions and groups.
func (k *keeping) bereaved(c *keeper.Client) {
	there, over := linux.BootTime(), k.hunts.begin()
	go func() {
		defer over()
		k.endLeft(c, there)
	}()
}

// endLeft ends what a keeper has left that was there at a time since boot. It takes
// no longer than Close may.
func (k *keeping) endLeft(c *keeper.Client, there time.Duration) {
	grace := min(k.limits.Grace, orphanGrace)
	k.mu.Lock()
	if k.closed {
		grace = 0
	}
	k.mu.Unlock()
	timer := time.NewTimer(k.limits.Close / 4)
	defer timer.Stop()
	select {
	case <-c.Ended(): // now its children are dead, or dying
	case <-timer.C:
		return // it lives, without its lane, and ends everything itself
	}
	k.endRecorded(c, there, grace)
	// Of a killed keeper alone: any other has removed them.
	if _, err := keeper.RemoveLeft(keeper.PlacesPath(k.folder.path, c.Pid()), k.limits.Close/4); err != nil {
		k.hunts.mu.Lock()
		k.hunts.errs = append(k.hunts.errs, &spawn.Error{Phase: spawn.PhaseStop, Op: "stop", Err: err, Msg: "what a killed keeper left behind"})
		k.hunts.mu.Unlock()
	}
}

// endRecorded ends what the record of a keeper leads to.
func (k *keeping) endRecorded(c *keeper.Client, there, grace time.Duration) {
	path := keeper.RecordPath(k.folder.path, c.Pid())
	r, err := keeper.ReadRecord(path)
	if err != nil {
		return
	}
	for i, e := range r.Entries {
		if e.Child { // it had not been reaped then
			r.Entries[i].Held = max(e.Held, there)
		}
	}
	killed := KeeperKilled{Pid: c.Pid()}
	for deadline := time.Now().Add(grace + k.limits.Close/2); killed.round(r.Entries, grace, deadline); {
		grace = 0
	}
	k.hunted(path, killed)
}

// round ends what entries lead to. It reports whether there may be more, which was
// started meanwhile.
func (e *KeeperKilled) round(entries []keeper.Entry, grace time.Duration, deadline time.Time) bool {
	h := hunt.Find(entries, hunt.Options{Groups: true})
	defer h.Close()
	failpoint.Pass(failpoint.HostHunt)
	h.End(context.Background(), grace, max(0, time.Until(deadline)-grace))
	for _, t := range h.Found {
		o := Orphan{t.Pid, t.Name}
		switch {
		case t.Action == hunt.Failed:
			e.Left = append(e.Left, o)
		case !t.Child: // those the kernel has killed
			e.Ended = append(e.Ended, o)
		}
	}
	return len(h.Found) > 0 && len(e.Left) == 0 && time.Now().Before(deadline)
}

// hunted tells what was done. What is left is found by its record also when the
// host is gone.
func (k *keeping) hunted(path string, e KeeperKilled) {
	if len(e.Left) == 0 {
		os.Remove(path)
	} else {
		k.hunts.mu.Lock()
		k.hunts.errs = append(k.hunts.errs, &spawn.Error{
			Phase: spawn.PhaseStop, Op: "stop", Kind: spawn.ErrTimeout,
			Msg: "what a killed keeper left behind: it does not end, or may not be signalled: " + list(e.Left),
		})
		k.hunts.mu.Unlock()
	}
	k.tell(e)
}
