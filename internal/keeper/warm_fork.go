//go:build linux

package keeper

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// What a template of the kind fork has more: a zygote, which makes the processes
// that become children. From its birth such a one is like any other that is ready.

const (
	// oweTime is how long a zygote may owe an answer that nobody waits for before
	// it is taken for one that will not give it.
	oweTime = time.Second
	// abortPause is the time between two looks at whether a hand-off has been given
	// up for which there is no event.
	abortPause = 20 * time.Millisecond
	// maxLost is how often in a row what was to be made ahead may vanish before
	// nothing is made ahead until somebody asks again.
	maxLost = 3
)

// wantForks is want for the kind fork: one is made after the other. The caller holds
// mu.
func (t *template) wantForks() {
	switch z := t.zygote; {
	case t.booting > 0 || t.warm.closed:
	case z == nil:
		if len(t.waiting) > 0 || t.goal > 0 {
			t.enqueue()
		}
	case t.within(t.goal) > len(t.ready):
		t.booting++
		z.users++
		go t.makeAhead(z)
	}
}

// giveZygote gives the zygote to all who wait for it. The caller holds mu.
func (t *template) giveZygote(z *standby) {
	t.zygote = z
	z.users = len(t.waiting)
	for _, ch := range t.waiting {
		ch <- booted{p: z}
	}
	t.waiting = nil
	t.tell(nil)
	if z.users > 0 { // they come first
		t.later()
	} else {
		t.want()
	}
}

// makeAhead has z make a process that is ready for whoever comes.
func (t *template) makeAhead(z *standby) {
	k := t.warm.k
	p, err := k.fork(z, zygote.Ahead, newHanding())
	if err == nil {
		if err = t.check(p, zygote.Pool); err != nil {
			k.table.kill(p)
			p.done()
		}
	}
	if err == nil {
		t.weigh(p, &t.size)
	}
	k.table.mu.Lock()
	defer k.table.mu.Unlock()
	t.warm.mu.Lock()
	defer t.warm.mu.Unlock()
	t.booting--
	z.release()
	switch {
	case err == nil && (t.warm.closed || p.ended):
		p.release()
		err = errVanished
	case err == nil:
		t.lost = 0
		t.park(p)
	}
	t.madeAhead(err)
}

// madeAhead goes on when one was made ahead, or was not. The caller holds mu.
func (t *template) madeAhead(err error) {
	vanished := errors.Is(err, errVanished)
	if vanished {
		t.lost++
	}
	switch {
	case err == nil:
		t.tell(nil)
		t.want()
		return
	case vanished && t.lost <= maxLost:
		t.later()
	default:
		t.goal = 0 // nothing is made in vain: somebody has to ask again
		t.tell(err)
	}
	if len(t.waiting) > 0 { // for a zygote
		t.want()
	}
}

// fork has the zygote z make a process, which is the caller's until its last user
// lets it go. It says when, as the protocol has it, the process will be needed.
func (k *keeper) fork(z *standby, when string, h *handing) (*standby, error) {
	select {
	case z.turn <- struct{}{}:
	case <-h.aborted:
		return nil, errAborted()
	}
	defer func() { <-z.turn }()
	if !z.owed.IsZero() && time.Since(z.owed) > oweTime {
		return nil, z.dismiss()
	}
	ours, theirs, err := zygote.Pair()
	if err != nil {
		return nil, &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errnoOf(err)}
	}
	p := &standby{template: z.template, channel: zygote.Open(ours), pidfd: -1, gone: make(chan struct{}), users: 1, out: true}
	h.watch(p.channel)
	defer h.watch(nil)
	z.asked++
	id := strconv.FormatUint(z.asked, 10)
	began := k.table.now()
	z.channel.Deadline(handTime)
	err = z.channel.Send([]int{theirs}, zygote.Make, id, when)
	syscall.Close(theirs)
	if err == nil {
		err = z.born(id, p, began, h)
	} else if err = z.notTold(err, z.asked > 1); errors.Is(err, errVanished) || errors.Is(err, spawn.ErrProtocol) {
		z.dismiss()
	}
	if err != nil {
		p.letGo()
		return nil, err
	}
	return p, nil
}

// born waits for the answer to the request with this id, and enters p.
func (z *standby) born(id string, p *standby, began time.Duration, h *handing) error {
	fields, err := z.answer(id, p.channel, h)
	if err != nil {
		return err
	}
	switch {
	case len(fields) == 3 && fields[0] == zygote.Born:
		pid, err := strconv.Atoi(fields[2])
		if err != nil || pid <= 1 {
			break
		}
		switch z.template.warm.k.table.adopt(pid, p, began) {
		case adopted:
			return nil
		case unknown: // it has ended, and is reaped
			return errVanished
		}
		z.dismiss()
		return z.template.bad("it said that it had made process " + itoa(pid) + ", which is no new child")
	case len(fields) >= 3 && fields[0] == zygote.Refused:
		errno, _ := strconv.Atoi(fields[2])
		if syscall.Errno(errno) == syscall.EBUSY {
			return z.template.bad("it cannot fork: " + strings.Join(fields[3:], " "))
		}
		return &spawn.Error{Phase: spawn.PhaseSetup, Op: "fork", Path: z.template.boot.path, Errno: syscall.Errno(max(errno, 0)), Msg: strings.Join(fields[3:], " ")}
	}
	z.dismiss()
	return z.template.bad("what it said is no answer: " + strconv.Quote(strings.Join(fields, " ")))
}

// answer returns what z says to the request with this id. The child's channel ends
// when h is given up, or when the child has ended.
func (z *standby) answer(id string, child *zygote.Channel, h *handing) ([]string, error) {
	for until := time.Now().Add(handTime); ; {
		said := z.channel.Await(child, lookTime)
		for !said && !h.isAborted() && time.Now().Before(until) {
			if z.stopped() {
				return nil, z.dismiss()
			}
			said = z.channel.Await(nil, abortPause) // the child has ended already
		}
		if !said && h.isAborted() {
			if z.owed.IsZero() {
				z.owed = time.Now()
			}
			return nil, errAborted()
		}
		z.channel.Deadline(oweTime)
		fields, fds, err := z.channel.Recv()
		closeAll(fds)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			z.dismiss()
			return nil, z.template.bad("it did not answer within " + handTime.String())
		case err != nil:
			return nil, z.dismiss()
		case len(fields) >= 3 && fields[1] != id && (fields[0] == zygote.Born || fields[0] == zygote.Refused):
			continue // of one that was given up: its channel has ended
		}
		z.owed = time.Time{}
		return fields, nil
	}
}

// dismiss kills a process that is of no use any more, and returns errVanished. A
// new one is started for whoever comes next.
func (p *standby) dismiss() error {
	w := p.template.warm
	w.mu.Lock()
	p.template.remove(p)
	w.mu.Unlock()
	w.k.table.kill(p)
	return errVanished
}

// What adopt says of a process.
type adoption int

const (
	adopted   adoption = iota
	unknown            // there is no such child
	elsewhere          // it is no new one
)

// adopt enters a child that another process has made for this one.
func (t *table) adopt(pid int, p *standby, began time.Duration) adoption {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.own(pid):
		return elsewhere
	case t.closed || !linux.IsChild(pid):
		return unknown
	}
	if fd, err := linux.PidfdOpen(pid); err == nil {
		p.pidfd = fd
	}
	t.enter(pid, p, began, false)
	return adopted
}

// now returns the time by the clock of the notes.
func (t *table) now() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.notes.clock.now()
}
