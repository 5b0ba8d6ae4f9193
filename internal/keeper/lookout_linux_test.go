package keeper

import (
	"testing"
	"time"
)

// TestLookoutIsStirred: however long nothing has happened, a birth is followed by a
// look.
func TestLookoutIsStirred(t *testing.T) {
	k := &keeper{table: newTable()}
	done := make(chan struct{})
	seen := k.table.events()
	go func() { k.lull(time.Millisecond, time.Hour, seen); close(done) }()
	if !within(5*time.Second, func() bool { k.table.mu.Lock(); defer k.table.mu.Unlock(); return k.table.notes.stir != nil }) {
		t.Fatal("it does not wait")
	}
	c := &child{id: 1, pid: 4711}
	k.table.mu.Lock()
	k.table.born++
	k.table.byID[1], k.table.byPid[4711] = c, c
	k.table.notes.birth(c, 0)
	k.table.mu.Unlock()
	select {
	case <-done:
	case <-time.After(firstLook + 5*time.Second):
		t.Error("it slept on")
	}
	k.table.mu.Lock()
	k.table.remove(c)
	k.table.mu.Unlock()
	k.lull(time.Millisecond, time.Hour, seen) // what has happened before counts too
}
