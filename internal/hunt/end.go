package hunt

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// End ends the targets, and what is below them: SIGTERM and SIGCONT, and after the
// grace SIGKILL, which has as long as limit to take effect. They are stopped before
// they are killed, so that what they start meanwhile is found. When ctx ends no more
// is waited for. Every target has its Action then.
func (h *Hunt) End(ctx context.Context, grace, limit time.Duration) {
	if grace > 0 {
		h.signal(Terminated, syscall.SIGTERM, contSignal)
		if h.await(ctx, grace) {
			return
		}
	}
	h.stop()
	h.signal(Killed, syscall.SIGKILL)
	if h.await(ctx, limit) {
		return
	}
	for _, t := range h.Found {
		if t.Action != Failed && !linux.Exited(t.pidfd) {
			t.Action, t.Error = Failed, "SIGKILL has not ended it yet"
		}
	}
}

// maxPasses bounds the search for what is started while everything is stopped.
const maxPasses = 8

// stop stops the targets, until a look at what is below them finds nobody new.
func (h *Hunt) stop() {
	for range maxPasses {
		for _, t := range h.Found {
			linux.PidfdSignal(t.pidfd, stopSignal) // of what it may not be sent to signal will tell
		}
		before := len(h.Found)
		h.descend()
		if len(h.Found) == before {
			return
		}
	}
}

// signal sends signals to those that have not ended.
func (h *Hunt) signal(action string, sigs ...syscall.Signal) {
	for _, t := range h.Found {
		if t.Action == Failed || linux.Exited(t.pidfd) {
			continue
		}
		t.Action = action
		for _, sig := range sigs {
			if err := linux.PidfdSignal(t.pidfd, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Action, t.Error = Failed, err.Error()
				break
			}
		}
	}
}

// await waits until the targets that could be signalled have ended.
func (h *Hunt) await(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	const pause = 5 * time.Millisecond // the end of many that are not one's children: no single event
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		left := false
		for _, t := range h.Found {
			left = left || t.Action != Failed && !linux.Exited(t.pidfd)
		}
		if !left {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
