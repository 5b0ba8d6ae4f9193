//go:build unix

package keeper

import (
	"encoding/binary"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// control handles the requests that concern one child. Their payload is its
// id and, for a signal, the number, perhaps with askGroup.
func (k *keeper) control(typ uint8, payload []byte) error {
	if len(payload) != 12 {
		return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseRun, Msg: "malformed request"}
	}
	id := binary.LittleEndian.Uint64(payload)
	arg := binary.LittleEndian.Uint32(payload[8:])
	switch typ {
	case frameSignal:
		return k.signal(id, syscall.Signal(arg))
	case frameAsk:
		return k.ask(id, arg)
	case frameAbort:
		return k.abort(id)
	default:
		return k.killTree(id)
	}
}

// signal sends sig to a child. The table is locked, so the child has not been
// reaped and its pid is its own.
func (k *keeper) signal(id uint64, sig syscall.Signal) error {
	t := k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byID[id]
	if c == nil {
		return &spawn.Error{Phase: spawn.PhaseRun, Op: "kill", Errno: syscall.ESRCH}
	}
	if errno, _ := syscall.Kill(c.pid, sig).(syscall.Errno); errno != 0 {
		return &spawn.Error{Phase: spawn.PhaseRun, Op: "kill", Errno: errno}
	}
	return nil
}

// abort kills a child that has not become its program yet. The launch then
// ends with an error that names the step it had come to; abort returns the
// same step, in case not even SIGKILL gets it out. When the launch is over
// already abort does nothing.
func (k *keeper) abort(id uint64) error {
	failpoint.Pass(failpoint.KeeperAbort)
	t := k.table
	t.mu.Lock()
	l := t.launches[id]
	if l == nil {
		if t.byID[id] == nil {
			t.giveUp(id)
		}
		t.mu.Unlock()
		return nil
	}
	// In this order: a child that is not there yet finds the flag, one that
	// is gets the signal.
	l.thread.Abort()
	step := l.thread.Step()
	e := &spawn.Error{Phase: spawn.PhaseSetup, Kind: spawn.ErrTimeout}
	last := true
	if l.handing != nil {
		e.Op = handoff
		l.handing.abort()
	} else if p := l.req.Plan; p != nil && step < len(p.Steps) {
		e.Op, last = string(p.Steps[step].Op), step == len(p.Steps)-1
	}
	// At the last step it may have become the program in this very moment, and
	// have children already: it is killed as a tree. Before that it has none, and
	// is not to be stopped: one that stands before its first step would stay, if
	// this process were killed now.
	tree := newTree(t)
	defer tree.close()
	if pid := l.thread.Pid(); pid > 0 {
		fd, err := linux.PidfdOpen(pid)
		switch {
		case err == nil && last:
			tree.add(member{pid, fd, nil})
		case err == nil:
			linux.PidfdSignal(fd, syscall.SIGKILL)
			syscall.Close(fd)
		default:
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	t.mu.Unlock()
	k.rooted.do(func() { tree.kill() }) // the launch's own error says more than that of killing it
	return e
}

// killTree ends a child and everything below it.
func (k *keeper) killTree(id uint64) error {
	failpoint.Pass(failpoint.KeeperKill)
	t := k.table
	t.mu.Lock()
	c := t.byID[id]
	if c == nil {
		t.mu.Unlock()
		return nil
	}
	if c.record != 0 { // everything below it is in its pid namespace, and ends with process 1
		defer t.mu.Unlock()
		if errno, _ := syscall.Kill(c.pid, syscall.SIGKILL).(syscall.Errno); errno != 0 {
			return &spawn.Error{Phase: spawn.PhaseStop, Op: "kill", Errno: errno}
		}
		return nil
	}
	tree := newTree(t)
	defer tree.close()
	tree.addChild(c)
	t.mu.Unlock()
	var err error
	k.rooted.do(func() { err = tree.kill() })
	return err
}
