package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// killTime is what processes have to go once they were sent SIGKILL.
const killTime = 2 * time.Second

// rounds bounds the search for what appears while something is being ended.
const rounds = 8

// reap ends what a folder records, and removes it.
func (f *Folder) reap(ctx context.Context, cfg ReapConfig) {
	if f.recorded {
		f.endAll(ctx, cfg)
	}
	if !f.Ended() {
		return // the next time needs what is in it
	}
	f.Removed = true
	if cfg.DryRun {
		return
	}
	if err := os.RemoveAll(f.Path); err != nil {
		f.Removed, f.Error = false, err.Error()
		return
	}
	os.Remove(filepath.Dir(f.Path)) // when no other host has a folder there
}

// endAll ends the targets, and what they have started meanwhile.
func (f *Folder) endAll(ctx context.Context, cfg ReapConfig) {
	for i := range rounds {
		h := find(f.Path)
		if i == 0 {
			f.Left = append(f.Left, h.spared...)
		}
		if len(h.order) == 0 {
			h.close()
			return
		}
		if cfg.DryRun {
			for _, t := range h.order {
				t.Action = ActionTerminated
			}
		} else {
			h.end(ctx, cfg.Grace)
		}
		for _, t := range h.order {
			f.Left = append(f.Left, t.Process)
		}
		h.close()
		if cfg.DryRun || !f.Ended() || ctx.Err() != nil {
			return
		}
	}
}

// end ends the targets: SIGTERM, and SIGKILL after the grace.
func (h *hunt) end(ctx context.Context, grace time.Duration) {
	h.signal(ActionTerminated, syscall.SIGTERM, contSignal)
	if h.await(ctx, grace) {
		return
	}
	h.signal(ActionKilled, syscall.SIGKILL)
	if h.await(ctx, killTime) {
		return
	}
	for _, t := range h.order {
		if t.Action != ActionFailed && !linux.Exited(t.pidfd) {
			t.Action, t.Error = ActionFailed, "SIGKILL has not ended it yet"
		}
	}
}

// signal sends signals to those that have not ended.
func (h *hunt) signal(action string, sigs ...syscall.Signal) {
	for _, t := range h.order {
		if t.Action == ActionFailed || linux.Exited(t.pidfd) {
			continue
		}
		t.Action = action
		for _, sig := range sigs {
			if err := linux.PidfdSignal(t.pidfd, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Action, t.Error = ActionFailed, err.Error()
				break
			}
		}
	}
}

// await waits until the targets that could be signalled have ended.
func (h *hunt) await(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	const pause = 5 * time.Millisecond // the end of many that are not one's children: no single event
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		left := false
		for _, t := range h.order {
			left = left || t.Action != ActionFailed && !linux.Exited(t.pidfd)
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
