//go:build unix

package keeper

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
)

// Frame types of a request that is for people.
const (
	frameDescribe  = 32 // host to keeper
	frameDescribed = 96 // keeper to host; ID is the request's; text
)

// Describe returns what the keeper is doing, as text for people: how many
// children it has, the launches under way with the step that each has come to,
// and the stacks of its goroutines. A keeper that cannot answer, because it is
// stopped, or ending, lets ctx end.
func (c *Client) Describe(ctx context.Context) (string, error) {
	id := c.ids.Add(1)
	w, err := c.expect(id, nil)
	if err != nil {
		return "", err
	}
	defer c.forgetCall(id)
	if err := c.send(ctx, &lane.Frame{Type: frameDescribe, ID: id}); err != nil {
		return "", err
	}
	select {
	case a := <-w.answer:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctxError(ctx, phaseOf(frameDescribe), "keeper", "the keeper did not answer")
	}
}

// maxStacks bounds the stacks of a keeper, which has some dozen goroutines.
const maxStacks = 256 << 10

// describe makes the text. It waits for no lock.
func (k *keeper) describe() []byte {
	b := k.warm.describe(k.crew.describe(k.table.describe(nil)))
	stacks := make([]byte, maxStacks)
	return append(b, stacks[:runtime.Stack(stacks, true)]...)
}

func (t *table) describe(b []byte) []byte {
	if !t.mu.TryLock() {
		return append(b, "  its table is locked\n"...)
	}
	defer t.mu.Unlock()
	b = append(b, "  children "...)
	b = strconv.AppendInt(b, int64(len(t.byPid)-len(t.pool.ready)), 10)
	if n := len(t.pool.ready); n > 0 {
		b = append(b, ", parked "...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	b = append(b, ", launches under way "...)
	b = strconv.AppendInt(b, int64(len(t.launches)), 10)
	if t.closed {
		b = append(b, ", everything is being ended"...)
	}
	if t.free {
		b = append(b, ", dismissed"...)
	}
	b = append(b, '\n')
	ids := make([]uint64, 0, len(t.launches))
	for id := range t.launches {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		b = append(b, "  launch "...)
		b = strconv.AppendUint(b, id, 10)
		b = t.launches[id].describe(b, t.notes.clock.now())
	}
	return b
}

// describe appends how far a launch has come. The plan is that of this launch
// as long as it is in the table, whose lock the caller holds.
func (l *launcher) describe(b []byte, now time.Duration) []byte {
	if pid := l.thread.Pid(); pid > 0 {
		b = append(b, ", process "...)
		b = strconv.AppendInt(b, int64(pid), 10)
	}
	if l.handing != nil {
		b = append(b, ", at step "+handoff...)
	} else if p, step := l.req.Plan, l.thread.Step(); p != nil && step < len(p.Steps) {
		b = append(b, ", at step "...)
		b = append(b, p.Steps[step].Op...)
	}
	b = append(b, ", for "...)
	b = append(b, (now - l.began).Round(time.Millisecond).String()...)
	return append(b, '\n')
}

func (c *crew) describe(b []byte) []byte {
	if !c.mu.TryLock() {
		return b
	}
	defer c.mu.Unlock()
	b = append(b, "  launchers "...)
	b = strconv.AppendInt(b, int64(c.size), 10)
	b = append(b, ", at rest "...)
	b = strconv.AppendInt(b, int64(c.free), 10)
	return append(b, '\n')
}
