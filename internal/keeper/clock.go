package keeper

import (
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// A clock tells the time since boot, as /proc does for the start of a process,
// without a system call. It is behind after the system was suspended, until it is
// set again: what is recorded by it meanwhile fits no process, and none is taken
// for what it is not.
type clock struct {
	base time.Time
	boot time.Duration // at base
}

func newClock() clock { return clock{time.Now(), linux.BootTime()} }

func (c clock) now() time.Duration { return c.boot + time.Since(c.base) }
