//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// restTime is for how long nothing must have come from a keeper that is taken to be at
// rest. Who launches one child after the other has no use for launches that are held:
// all processors are awake and at work.
const restTime = 500 * time.Microsecond

var errHolding = errors.New("keeper: another launch is held")

// A Held is a launch that the keeper begins with and does not finish before it is told
// so. Call either Go or Drop.
type Held struct {
	c  *Client
	id uint64
	w  *call
}

// MayHold reports whether the keeper can be asked for a held launch, and is likely to
// have nothing else to do, so that it takes a while to wake up. With eager set it need not
// have slept yet.
func (c *Client) MayHold(eager bool) bool {
	return c.nods != nil && c.conn.CanTry() && len(c.window) == 0 && !c.holding.Load() &&
		(eager || time.Since(c.opened)-time.Duration(c.heard.Load()) > restTime) &&
		runtime.GOMAXPROCS(0) > 1 && runtime.NumCPU() > 1
}

// Hold begins what [Client.Launch] does, for a launch of which it is not certain yet
// that it is to be. Of everything but l.Plan the child gets what there is when Hold is
// called, or later. There is one at a time. An error means that nothing has been sent.
func (c *Client) Hold(ctx context.Context, l *Launch, exited func(Exit)) (*Held, error) {
	if !c.holding.CompareAndSwap(false, true) {
		return nil, errHolding
	}
	id, w, err := c.begin(ctx, frameHeld, l, exited)
	if err != nil {
		c.holding.Store(false)
		return nil, err
	}
	return &Held{c, id, w}, nil
}

// Go has the launch finished, and returns what Launch would have returned. With done
// false nothing has come of it, as the keeper was not told in time: the caller may
// launch the child anew.
func (h *Held) Go(ctx context.Context) (s Started, done bool, err error) {
	h.nod(0)
	defer h.c.holding.Store(false)
	s, err = h.c.await(ctx, h.id, h.w)
	var e *spawn.Error
	if errors.As(err, &e) && e.Op == opHold {
		return Started{}, false, err
	}
	return s, true, err
}

// Drop gives the launch up, and waits until the keeper has nothing of it any more, or
// until ctx ends.
func (h *Held) Drop(ctx context.Context) {
	h.nod(1)
	defer h.c.holding.Store(false)
	if s, err := h.c.await(ctx, h.id, h.w); err == nil { // it was not told so in time
		h.c.dropChild(ctx, h.id, answer{pidfd: s.Pidfd})
	}
}

// nod says what is to become of it. It does not wait: a pipe that is full is that of a
// keeper which does not read, and gives the launch up by itself when it does.
func (h *Held) nod(drop uint64) {
	b := binary.LittleEndian.AppendUint64(nil, h.id<<1|drop)
	raw, err := h.c.nods.SyscallConn()
	if err != nil {
		return
	}
	raw.Write(func(fd uintptr) bool {
		syscall.Write(int(fd), b)
		return true
	})
}
