//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// read is the client's reader; callers help it (spin). It ends with the lane, tells everyone that
// the keeper is gone, and closes gone.
func (c *Client) read() {
	defer close(c.gone)
	var f lane.Frame
	for {
		err := c.conn.Recv(&f)
		if err != nil && !errors.Is(err, lane.ErrFrame) {
			c.reading.Lock() // who spins may be about to tell of a frame that came before
			c.keeperGone(err)
			c.reading.Unlock()
			return
		}
		c.handle(&f, err)
	}
}

// handle handles a frame, or with an error what was no frame.
func (c *Client) handle(f *lane.Frame, err error) {
	if err != nil {
		c.unreadable(f, err)
		return
	}
	c.heard.Store(int64(time.Since(c.opened)))
	switch f.Type {
	case frameDescribed:
		c.deliver(f.ID, answer{pidfd: -1, text: string(f.Payload)})
	case frameTemplatesAre:
		c.templatesAre(f)
	case frameLaunched:
		c.launched(f)
	case frameLaunchedAll:
		c.launchedAll(f.Payload)
	case frameExited:
		for b := f.Payload; len(b) >= exitSize; b = b[exitSize:] {
			c.exited(parseExit(b))
		}
	case frameDone:
		c.deliver(f.ID, answer{err: parseError(f.Payload)})
	case frameCleared:
		a := answer{pidfd: -1}
		if err := a.cleared.parse(string(f.Payload)); err != nil {
			a.err = &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseStop, Err: err}
		}
		c.deliver(f.ID, a)
	}
}

// unreadable is called for a frame that this process had no room to receive:
// its descriptor is lost. If it was to say that a child is running, nobody has
// that child: it is killed, and the caller may try again.
func (c *Client) unreadable(f *lane.Frame, err error) {
	if f.Type != frameLaunched {
		return
	}
	e := &spawn.Error{Phase: spawn.PhaseSetup, Op: "receive", Msg: "the host has no room for the child's pidfd"}
	if !errors.As(err, &e.Errno) {
		e.Err = err
	}
	c.mu.Lock()
	delete(c.exits, f.ID)
	c.mu.Unlock()
	c.deliver(f.ID, answer{pidfd: -1, err: e})
	go c.killUnowned(f.ID)
}

// killUnowned kills a child that nobody waits for. It is not for the reader
// itself: the keeper may be waiting for it to read.
func (c *Client) killUnowned(id uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c.Kill(ctx, id)
}

func (c *Client) launched(f *lane.Frame) {
	a := answer{pidfd: -1}
	if len(f.FDs) > 0 {
		a.pidfd = spare(f.FDs[0])
		closeAll(f.FDs[1:])
	}
	if len(f.Payload) < 4 {
		a.err = &spawn.Error{Kind: spawn.ErrProtocol, Msg: "the keeper's answer is too short"}
	} else {
		a.read(int(binary.LittleEndian.Uint32(f.Payload)), parseError(f.Payload[4:]))
	}
	n := c.inFrame(f.ID)
	if !c.deliver(f.ID, a) && a.pidfd >= 0 {
		syscall.Close(a.pidfd)
	}
	for i := 1; i < n; i++ {
		c.deliver(f.ID+uint64(i), answer{pidfd: -1, err: a.err})
	}
}

// inFrame returns for how many children an answer is: one, or all of a batch
// frame, which was refused as a whole then.
func (c *Client) inFrame(id uint64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.calls[id]; w != nil {
		return max(w.frame, 1)
	}
	return 1
}

// launchedAll hands out the answers for children of batches.
func (c *Client) launchedAll(b []byte) {
	for len(b) > 0 {
		id, pid, err, rest, ok := parseLaunched(b)
		if !ok {
			return
		}
		a := answer{pidfd: -1}
		a.read(pid, err)
		c.deliver(id, a)
		b = rest
	}
}

// deliver hands an answer to whoever waits for it. A child that nobody waits
// for any more is killed.
func (c *Client) deliver(id uint64, a answer) bool {
	c.mu.Lock()
	w := c.take(id)
	abandoned := w != nil && w.abandoned
	if w != nil && !abandoned {
		a.index = w.index
		w.answer <- a // has room: one answer for each call
	}
	c.mu.Unlock()
	if abandoned && a.err == nil {
		go c.killUnowned(id)
	}
	return w != nil && !abandoned
}

func (c *Client) exited(e Exit) {
	c.mu.Lock()
	f := c.exits[e.ID]
	delete(c.exits, e.ID)
	c.mu.Unlock()
	failpoint.Pass(failpoint.HostExit)
	if f != nil {
		f(e)
	}
}

// keeperGone ends every call and every child's wait.
func (c *Client) keeperGone(cause error) {
	msg := "the keeper process ended; the next start gets a new one"
	if cause != io.EOF {
		msg = "the lane to the keeper broke: " + cause.Error()
	}
	if w := c.lastWords(); w != "" {
		msg += "; its last words: " + w
	}
	c.mu.Lock()
	c.err = &spawn.Error{Kind: spawn.ErrKeeperGone, Phase: spawn.PhaseRun, Msg: msg}
	calls, exits := c.calls, c.exits
	c.calls, c.exits = nil, nil
	err := c.err
	c.mu.Unlock()
	if c.onGone != nil {
		c.onGone(c)
	}
	for _, w := range calls {
		w.answer <- answer{index: w.index, pidfd: -1, err: err}
	}
	for id, f := range exits {
		f(Exit{ID: id, Status: spawn.LostStatus("the keeper ended before the child did")})
	}
}

// lastWords returns the first lines of what the keeper wrote to its standard
// error: why it could not start, or the head of a panic.
func (c *Client) lastWords() string {
	b := make([]byte, 512)
	n, _ := c.words.ReadAt(b, 0)
	lines := strings.SplitN(strings.TrimSpace(string(b[:n])), "\n", 4)
	return strings.Join(lines[:min(3, len(lines))], "; ")
}
