package proctree

import (
	"context"
	"sync/atomic"
	"time"
)

// Reading that waits for somebody's lock is left behind: another reader goes on
// with the next process. There are maxReaders at most.
const (
	patience   = 50 * time.Millisecond
	maxReaders = 8
)

// readSlow fills in what /proc may be slow to say of the processes, until ctx
// ends. A reader that is stuck is left behind with a copy of its own.
func readSlow(ctx context.Context, list []*Process) {
	readAside(ctx, list, func(p Process) Process { return p.read() })
}

func readAside(ctx context.Context, list []*Process, read func(Process) Process) {
	results := make([]atomic.Pointer[Process], len(list))
	origin := make([]Process, len(list))
	for i, p := range list {
		origin[i] = *p
	}
	var next, finished atomic.Int64
	done := make(chan struct{})
	reader := func() {
		for i := next.Add(1) - 1; int(i) < len(origin); i = next.Add(1) - 1 {
			p := read(origin[i])
			results[i].Store(&p)
			if int(finished.Add(1)) == len(origin) {
				close(done)
			}
		}
	}
	if len(list) > 0 {
		go reader() // ended by itself, unless the kernel holds it
		awaitReaders(ctx, done, &finished, reader)
	}
	for i, p := range list {
		if r := results[i].Load(); r != nil {
			*p = *r
		} else {
			p.Unread = true
		}
	}
}

// awaitReaders waits for done, and sends another reader when none gets on.
func awaitReaders(ctx context.Context, done <-chan struct{}, finished *atomic.Int64, reader func()) {
	tick := time.NewTicker(patience)
	defer tick.Stop()
	seen, readers, idle := int64(0), 1, 0
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch now := finished.Load(); {
		case now != seen:
			seen, idle = now, 0
		case readers < maxReaders:
			readers++
			go reader()
		default:
			if idle++; idle > 4 {
				return // whoever is left is stuck
			}
		}
	}
}
