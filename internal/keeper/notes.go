//go:build unix

package keeper

import (
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// notes are what a table has for the record. The table's lock guards them.
type notes struct {
	exits  uint64 // children reaped
	clock  clock
	record *recorder     // nil while there is none
	stir   chan struct{} // closed at the next birth or exit; nil when nobody waits for it
}

// noted is what a child has for it.
type noted struct {
	slot             int // noSlot when it is not in the record
	earliest, latest time.Duration
}

// birth notes a child whose launch began at a time.
func (n *notes) birth(c *child, began time.Duration) {
	c.noted.earliest, c.noted.latest = began, n.clock.now()
	c.noted.slot = n.record.add(c.pid, c.noted.earliest, c.noted.latest)
	n.happened()
}

// exit notes that a child has been reaped.
func (n *notes) exit(c *child) {
	n.exits++
	n.record.drop(c.noted.slot, n.clock.now())
	n.happened()
}

func (n *notes) happened() {
	if n.stir != nil {
		close(n.stir)
		n.stir = nil
	}
}

// stirred returns what is closed when there has been a birth or an exit since seen.
// There is one who waits.
func (t *table) stirred(seen uint64) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	stir := make(chan struct{})
	if t.born+t.notes.exits != seen {
		close(stir)
	} else {
		t.notes.stir = stir
	}
	return stir
}

// events counts births and exits.
func (t *table) events() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.born + t.notes.exits
}

// recorded reports whether pid is a child of the keeper's making that the record
// has, with times that fit its start.
func (t *table) recorded(pid int, start time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byPid[pid]
	const tick = time.Second / linux.TicksPerSecond
	return c != nil && c.noted.slot != noSlot && start+tick > c.noted.earliest && start <= c.noted.latest
}

// touch notes that the children in the record are still the keeper's.
func (t *table) touch() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes.record.touch(t.notes.clock.now())
}

// setClock corrects the clock, which stands still while the system is suspended.
func (t *table) setClock(c clock) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes.clock = c
}
