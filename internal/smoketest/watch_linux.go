package smoketest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// vain is how many times the thread that a forked child has may wait in vain before
// the child is said to hang. One that works gets through the whole of its task with a
// few dozen.
const vain = 1000

// stillForked reports whether a child has executed nothing so far: one that has is
// busy with the start of its runtime, and waits for as often as it likes.
func stillForked(pid int) bool {
	is, err := forkedOnly(pid)
	return is && err == nil
}

// asleep is how many times in a row a child has to be seen asleep, without having
// run in between, to hang: where nobody may look at what it waits for.
const asleep = 150

// look is how often a child is looked at.
const look = 20 * time.Millisecond

// A fate is what became of a forked child.
type fate struct {
	done bool   // it did its task and ended
	how  string // else: how it hangs or died
}

// watch waits until the forked child, which holds the other end of the pipe alone,
// has done its task, has died, or is seen to hang. An error says that none of that
// could be seen.
func watch(ctx context.Context, pid int, pipe *os.File) (fate, error) {
	var before []waiting
	var first uint64
	still := 0
	for n := 0; ; n++ {
		pipe.SetReadDeadline(time.Now().Add(look))
		var b [1]byte
		_, err := pipe.Read(b[:])
		switch {
		case err == nil && b[0] == taskDone:
			return fate{done: true}, nil
		case err == nil:
			continue
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fate{how: "it died before it had done that"}, nil
		case ctx.Err() != nil:
			return fate{}, fmt.Errorf("the child neither ended nor was seen to hang: %w", ctx.Err())
		}
		var now []waiting
		for _, tid := range threads(pid) {
			now = append(now, waitingOf(pid, tid))
		}
		times := waitingOf(pid, pid).times
		if n == 0 {
			first = times
		}
		if still++; !slices.Equal(now, before) {
			still = 0
		}
		all := func(is func(waiting) bool) bool {
			return !slices.ContainsFunc(now, func(w waiting) bool { return !is(w) })
		}
		switch {
		case len(now) == 0:
		case still >= asleep && all(waiting.sleeps):
			return fate{how: fmt.Sprintf("it sleeps, with %s, which has not run once in %s", count(len(now), "thread"), asleep*look)}, nil
		case still > 0 && all(waiting.forGood):
			return fate{how: fmt.Sprintf("it waits without a timeout, in futex(2), with %s and nobody to wake it", count(len(now), "thread"))}, nil
		case times >= first+vain && stillForked(pid):
			return fate{how: fmt.Sprintf("it hangs: it has waited %d times for something that does not come, with %s", times-first, count(len(now), "thread"))}, nil
		}
		before = now
	}
}

// count returns a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
