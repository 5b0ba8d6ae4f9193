package host

import (
	"context"
	"sync"
	"time"
)

// A waitName says what is waited for. These are all the waits of a host that
// can last, and the words by which a dump calls them.
type waitName string

const (
	waitPluginStart waitName = "plugin start" // from its clone to its first answer
	waitPlan        waitName = "plan"         // for a plugin's plan
	waitSpawn       waitName = "spawn"        // the whole of a start
	waitKeeper      waitName = "keeper"       // for the keeper's answer to a launch
	waitCall        waitName = "call"         // for the answer to any other request
	waitReady       waitName = "ready"        // for a child of a nursery to be ready for use
	waitChild       waitName = "wait"         // for the end of a child, by whoever asked for it
	waitStop        waitName = "stop"         // the whole of a child's stop
	waitGrace       waitName = "grace"        // for a child that was asked to end
	waitKill        waitName = "kill"         // for a child that was sent SIGKILL
	waitOrphans     waitName = "orphans"      // for what a child left behind
	waitDrain       waitName = "drain"        // for the rest of a child's output
	waitNursery     waitName = "nursery"      // for what was started in one
	waitClose       waitName = "close"        // the host's end, or a part of it
)

// A wait is one that is under way.
type wait struct {
	name    waitName
	subject string // a path, a name, a part of Close; may be empty
	key     string // of the method; may be empty
	pid     int    // 0 when there is none
	since   time.Time
	until   time.Time // zero when nothing bounds it

	table      *waits
	prev, next *wait
}

// waits is the table of all waits of a host that are under way: a ring, of
// which it is the head. The lock is held for a few instructions at a time and
// never by code that waits, so that somebody who looks for what hangs gets it.
type waits struct {
	mu    sync.Mutex
	head  wait
	count int

	spare  *wait // a list, by next
	spares int
}

func newWaits() *waits {
	t := new(waits)
	t.head.prev, t.head.next = &t.head, &t.head
	return t
}

// begin enters a wait, which lasts until end is called on it, once.
func (t *waits) begin(w wait) *wait {
	w.since, w.table = time.Now(), t
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.spare
	if n == nil {
		n = new(wait)
	} else {
		t.spare = n.next
		t.spares--
	}
	*n = w
	n.prev, n.next = t.head.prev, &t.head
	n.prev.next, n.next.prev = n, n
	t.count++
	return n
}

// maxSpares bounds the memory that is kept for waits to come.
const maxSpares = 64

// end takes the wait out of the table. It is not to be used any more.
func (w *wait) end() {
	t := w.table
	t.mu.Lock()
	defer t.mu.Unlock()
	w.prev.next, w.next.prev = w.next, w.prev
	t.count--
	if t.spares < maxSpares {
		*w = wait{next: t.spare}
		t.spare = w
		t.spares++
	}
}

// list returns copies of the waits, the oldest first, but no more than limit;
// all is how many there are. It reports false when the table cannot be had.
func (t *waits) list(limit int) (list []wait, all int, ok bool) {
	if !lockSoon(&t.mu) {
		return nil, 0, false
	}
	defer t.mu.Unlock()
	for w := t.head.next; w != &t.head && len(list) < limit; w = w.next {
		list = append(list, *w)
	}
	return list, t.count, true
}

// until returns the deadline of ctx, or the zero time.
func until(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

// Whoever looks for what hangs must not hang at a lock: it tries for lockTime
// and says then that somebody has it.
const (
	lockTime  = 20 * time.Millisecond
	lockPause = time.Millisecond
)

// lockSoon locks mu, or reports false after lockTime.
func lockSoon(mu *sync.Mutex) bool {
	return soon(mu.TryLock)
}

// waits for a method's work.
func (m *method) waiting(name waitName, subject string, until time.Time) *wait {
	return m.host.waits.begin(wait{name: name, key: string(m.entry.Key), subject: subject, until: until})
}

// waits for a child.
func (p *Process) waiting(name waitName, until time.Time) *wait {
	return p.host.waits.begin(wait{name: name, key: string(p.key), pid: p.pid, until: until})
}

// drain waits for the rest of the child's output.
func (c *Cmd) drain() error {
	limits := c.host.limits
	defer c.Process.waiting(waitDrain, time.Now().Add(max(limits.Drain, c.WaitDelay)+limits.Close)).end()
	return c.io().finish(c.WaitDelay, limits)
}

// waits for a part of Close.
func (h *Host) closing(part string, until time.Time) *wait {
	return h.waits.begin(wait{name: waitClose, subject: part, until: until})
}
