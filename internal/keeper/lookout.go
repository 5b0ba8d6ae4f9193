//go:build unix

package keeper

import (
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// What children start themselves the keeper learns of only when it looks. It
// looks firstLook after a birth or an exit, and then ever less often until
// there is another: every look is for the record alone, which is needed only
// when host and keeper are killed together. Looking never takes more than a
// hundredth of a processor's time. How long it takes by the clock does not matter:
// on a busy machine, where the keeper is made to wait, it looks no less often.
const (
	firstLook = 500 * time.Millisecond
	lastLook  = time.Minute

	// A look at a thousand processes takes tens of milliseconds of a processor.
	// It waits for a time without births and exits, but not for long.
	quietTime  = 50 * time.Millisecond
	quietTries = 20
)

// lookOut is the life of the goroutine that keeps the record. It sees /proc as
// the keeper was started with it.
func (k *keeper) lookOut(look *rooted) {
	k.table.waitBirth(0)
	look.do(func() { k.startRecord() })
	if k.table.notes.record == nil { // nobody else sets it
		return
	}
	pause, least := firstLook, firstLook
	for seen := uint64(0); ; {
		born := k.table.births()
		k.lull(least, pause, seen)
		var found int
		var took time.Duration
		look.do(func() { found, took = k.recordOthers() })
		if now := k.table.events(); now != seen {
			seen, pause = now, firstLook
		} else {
			pause = min(2*pause, lastLook)
		}
		least = max(firstLook, 100*took)
		if found == 0 { // not even a child
			k.table.waitBirth(born)
		}
	}
}

// lull waits between two looks: for pause, or until firstLook after a birth or an exit
// that was not seen, if that is sooner, and for least in any case. That a process is
// born to a child is no event.
func (k *keeper) lull(least, pause time.Duration, seen uint64) {
	<-time.After(least)
	if pause > least {
		select {
		case <-time.After(pause - least):
		case <-k.table.stirred(seen):
			<-time.After(firstLook)
		}
	}
	for range quietTries {
		before := k.table.events()
		<-time.After(quietTime)
		if k.table.events() == before {
			return
		}
	}
}

// startRecord makes the record and notes the children that there are already.
func (k *keeper) startRecord() {
	k.recording.Lock()
	defer k.recording.Unlock()
	if failpoint.Fail(failpoint.KeeperRecord) != nil || k.table.isClosed() {
		return
	}
	r, err := newRecorder(RecordPath(k.folder, os.Getpid()), os.Getpid())
	if err != nil {
		return // nothing is recorded then
	}
	t := k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes.record = r
	for _, c := range t.byID {
		c.noted.slot = r.add(c.pid, c.noted.earliest, c.noted.latest)
	}
}

// recordOthers notes what is below the children. It returns how many processes
// there are below the keeper, and what it took of a processor's time. The calling
// goroutine has a thread of its own.
func (k *keeper) recordOthers() (found int, took time.Duration) {
	begin := linux.ThreadTime()
	k.table.setClock(newClock())
	w := lookout{k: k, self: os.Getpid(), slot: childSlots}
	w.walk(w.self)
	for slot := w.slot; slot < k.others; slot++ {
		k.table.notes.record.set(slot, 0, 0, 0)
	}
	k.others = w.slot
	k.table.touch()
	return w.found, linux.ThreadTime() - begin
}

// A lookout is one look at everything below the keeper.
type lookout struct {
	k           *keeper
	self        int
	slot, found int
}

func (w *lookout) walk(pid int) {
	for _, c := range linux.Children(pid) {
		s, err := linux.ReadStat(c)
		if err != nil || s.Parent != pid || s.State == 'Z' {
			continue
		}
		w.found++
		if start := startOf(s); pid != w.self || !w.k.table.recorded(c, start) {
			w.note(c, start)
		}
		w.walk(c)
	}
}

// startOf returns when a process began, since boot.
func startOf(s linux.Stat) time.Duration {
	return time.Duration(s.StartTime) * time.Second / linux.TicksPerSecond
}

// note notes a process that has been there from its start until now.
func (w *lookout) note(pid int, start time.Duration) {
	if w.slot == childSlots+otherSlots {
		return
	}
	w.k.table.notes.record.set(w.slot, pid, start, w.k.table.notes.clock.now())
	w.slot++
}
