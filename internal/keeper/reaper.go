//go:build unix

package keeper

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// maxBatch bounds the exits in one frame.
const maxBatch = 128

// reap is the life of the reaper: it is the only place where this process
// waits for children, and where their pids are given back.
func (k *keeper) reap() {
	runtime.LockOSThread()
	punctual()
	linux.OwnFS() // it looks at /proc: see rooted
	var w linux.Waiter
	batch := make([]byte, 0, maxBatch*exitSize)
	for {
		born := k.table.births()
		pid, err := w.Peek(false)
		if errors.Is(err, syscall.ECHILD) {
			k.noChildren(born)
			continue
		}
		batch = batch[:0]
		for n := 0; err == nil && pid > 0 && n < maxBatch; n++ {
			batch = k.take(&w, pid, batch)
			pid, err = w.Peek(true)
		}
		if len(batch) > 0 {
			failpoint.Pass(failpoint.KeeperExitReaped)
			k.detach.exited(batch)
			k.send(&lane.Frame{Type: frameExited, Payload: batch})
			failpoint.Pass(failpoint.KeeperExitSent)
			k.ring()
			k.letGo()
		}
	}
}

// sendPause is the time between two tries when the kernel has no memory for a
// message. There is no event for "now it has".
const sendPause = 10 * time.Millisecond

// send sends what must not be lost. It blocks when the host does not read, and
// gives up only when the host is gone.
func (k *keeper) send(f *lane.Frame) {
	for {
		err := k.conn.Send(f)
		if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
			return
		}
		<-time.After(sendPause)
	}
}

// take reaps the zombie pid and appends its record, unless it is an orphan or
// a child that never became its program.
func (k *keeper) take(w *linux.Waiter, pid int, batch []byte) []byte {
	failpoint.Pass(failpoint.KeeperExitPeeked)
	t := k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.claim(pid)
	group, session := linux.GroupOf(pid)
	var l *left
	if c != nil && !c.failed && c.standby == nil {
		l = newLeft(c, group == pid, session == pid)
	}
	var exceeded spawn.Exceeded
	if c != nil {
		exceeded = c.upkeep.end()
		defer c.upkeep.close()
	}
	ws, usage, err := w.Reap(pid)
	if c == nil && t.probes.reaped(pid) {
		return batch
	}
	if c == nil {
		t.orphanEnded(group, session)
		return batch
	}
	t.remove(c)
	if c.parked != nil {
		t.parkedEnded(c)
	}
	if c.standby != nil {
		t.standbyEnded(c, ws, usage)
		return batch
	}
	if c.record != 0 {
		ws, usage = programEnd(c.record, ws, usage)
	}
	k.held = append(k.held, c.held...)
	if c.failed {
		return batch
	}
	if c.told != nil {
		k.told = append(k.told, c.told)
	}
	if err != nil {
		ws = lostStatus // somebody else took it, which cannot be
	}
	if c.upkeep.spent(ws, &usage) {
		exceeded |= spawn.ExceededCPU
	}
	return appendExit(batch, c.id, pid, ws, &usage, time.Now(), t.leave(l), exceeded)
}

// ring tells those who wait for it that the host knows of ends.
func (k *keeper) ring() {
	for _, b := range k.told {
		b.Ring()
	}
	clear(k.told)
	k.told = k.told[:0]
}

// letGo has namespaces of children that have ended closed by somebody else: that takes
// a while, in which another child may end.
func (k *keeper) letGo() {
	if len(k.held) == 0 {
		return
	}
	fds := k.held
	k.held = nil
	select {
	case k.closing <- fds:
	default:
		closeAll(fds)
	}
}

// noChildren is called when there is nobody to wait for, and so no descendant
// at all: it waits until a child has been born since.
func (k *keeper) noChildren(born uint64) {
	if k.table.dismissed() {
		k.rooted.do(k.removeNotes)
		syscall.Exit(0) // the host's folder is its successor's
	}
	if k.table.deserted() {
		select {
		case k.empty <- struct{}{}:
		default:
		}
	}
	k.table.waitBirth(born)
}
