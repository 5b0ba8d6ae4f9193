//go:build unix

package keeper

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A batch is a batch frame that a launcher works at. When it gets stuck behind a
// child that does not get to its exec, another one goes on with the rest.
type batch struct {
	k   *keeper
	fds []int // of the frame; closed when all is done

	mu     sync.Mutex
	reader batchReader
	next   uint64 // the id of the next child
	left   int    // children that nobody has begun with
	busy   int    // launchers at work
	moves  int    // how often one has begun with a child or ended
	seen   int    // moves, when check last looked
	reply  []byte // what was not sent yet
	timer  *time.Timer
}

const (
	// batchStuckTime is how long a child may hold up the others in its frame.
	batchStuckTime = 50 * time.Millisecond
	// replySize is how long an answer gets, about: it needs no memfd.
	replySize = lane.MaxInline / 2
)

// handleBatch launches the children of a batch frame.
func (l *launcher) handleBatch(f *lane.Frame) {
	b := &batch{k: l.k, next: f.ID, fds: slices.Clone(f.FDs), reader: batchReader{r: reader{s: string(f.Payload)}}}
	b.left = b.reader.r.count()
	if b.reader.r.bad || b.left == 0 || b.left > window {
		closeAll(b.fds)
		l.answerLaunch(f, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Err: errShort})
		return
	}
	b.mu.Lock()
	b.timer = time.AfterFunc(batchStuckTime, b.check)
	b.mu.Unlock()
	l.work(b)
}

// work launches one child of a batch after the other, until nobody has to begin
// with one any more.
func (l *launcher) work(b *batch) {
	own := l.launch.Env
	for {
		id, ok, err := b.take(l)
		if !ok {
			break
		}
		pid := 0
		if err == nil {
			child, lerr := l.launchChild(id, l.childFDs)
			if child.Pidfd >= 0 {
				syscall.Close(child.Pidfd)
			}
			pid, err = l.answerOf(child.Pid, lerr)
			l.thread.Unpark()
		}
		b.done(id, pid, err)
		l.settle()
	}
	l.launch.Env = own
}

// take takes the next child. It fills l.launch and l.childFDs. With an error it
// is one that could not be read.
func (b *batch) take(l *launcher) (id uint64, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		return 0, false, nil
	}
	id = b.next
	b.next++
	b.left--
	b.busy++
	b.moves++
	l.childFDs, err = b.reader.next(&l.launch, l.childFDs)
	for i, place := range l.childFDs {
		if place >= len(b.fds) {
			l.childFDs, err = nil, errShort
			break
		}
		l.childFDs[i] = b.fds[place]
	}
	if err != nil {
		err = &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Err: err}
	}
	return id, true, err
}

// done notes what has become of a child, and answers when nothing else is to
// come soon.
func (b *batch) done(id uint64, pid int, err error) {
	b.mu.Lock()
	b.reply = appendLaunched(b.reply, id, pid, err)
	b.busy--
	b.moves++
	var reply []byte
	if b.left == 0 || len(b.reply) > replySize {
		reply, b.reply = b.reply, nil
	}
	over := b.left == 0 && b.busy == 0
	b.mu.Unlock()
	if over {
		b.timer.Stop()
		closeAll(b.fds)
	}
	if reply != nil {
		b.send(reply)
	}
}

func (b *batch) send(reply []byte) {
	b.k.send(&lane.Frame{Type: frameLaunchedAll, Payload: reply})
}

// check looks whether the batch has come on since it last looked. If it has not,
// what was not answered is, and another launcher goes on.
func (b *batch) check() {
	b.mu.Lock()
	over, left, stuck := b.left == 0 && b.busy == 0, b.left, b.moves == b.seen
	b.seen = b.moves
	var reply []byte
	if stuck {
		reply, b.reply = b.reply, nil
	}
	b.mu.Unlock()
	if over {
		return
	}
	if reply != nil {
		b.send(reply)
	}
	if stuck && left > 0 {
		b.k.crew.carryOn(b)
	}
	b.timer.Reset(batchStuckTime)
}

// carryOn has a new launcher do what is left of a batch. When there is no room
// for one it is tried again later.
func (c *crew) carryOn(b *batch) {
	c.mu.Lock()
	full := c.size >= maxCrew
	c.mu.Unlock()
	if full {
		return
	}
	c.growing.Lock()
	fresh := c.recruits(1)
	c.growing.Unlock()
	c.mu.Lock()
	c.size += len(fresh)
	c.mu.Unlock()
	for _, l := range fresh {
		l.batch = b
		close(l.begin)
	}
}
