package discovery

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A table is what a registrar knows. Its methods may be called concurrently.
type table struct {
	mu      sync.Mutex
	count   int
	byName  map[string][]*record // in the order of registration
	byAddr  map[place]*record
	waiting map[string]*bell // by the name that is waited for
}

// A record is an entry that is registered. What can change of it belongs to the
// table.
type record struct {
	entry Entry
	gone  chan struct{} // closed when the table does not have it any more
	why   error         // why not, once gone is closed
}

// A place is an address: of Unix sockets each host has its own.
type place struct {
	host string
	addr address.Addr
}

// A bell rings once, for all who wait for a name.
type bell struct {
	rung    chan struct{}
	waiters int
}

var (
	errTakenOver    = errors.New("another actor has its addresses now")
	errStale        = errors.New("nobody answered for it at its addresses")
	errUnregistered = errors.New("unregistered")
)

func newTable() *table {
	return &table{byName: map[string][]*record{}, byAddr: map[place]*record{}, waiting: map[string]*bell{}}
}

func placeOf(host string, a address.Addr) place {
	if a.IsUnix() {
		return place{host, a}
	}
	return place{addr: a}
}

// add registers an entry. Whoever had one of its addresses loses it, and with the
// last one his entry.
func (t *table) add(e Entry) (*record, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count >= MaxEntries {
		return nil, &spawn.Error{Op: "register", Errno: syscall.ENOSPC, Msg: fmt.Sprintf("the registrar has %d entries, and takes no more", MaxEntries)}
	}
	r := &record{entry: e, gone: make(chan struct{})}
	r.entry.Addrs = nil
	for _, a := range e.Addrs {
		if slices.Contains(r.entry.Addrs, a) {
			continue
		}
		p := placeOf(e.Host, a)
		if old := t.byAddr[p]; old != nil {
			t.dropAddr(old, a, errTakenOver)
		}
		t.byAddr[p] = r
		r.entry.Addrs = append(r.entry.Addrs, a)
	}
	t.byName[e.Name] = append(t.byName[e.Name], r)
	t.count++
	if b := t.waiting[e.Name]; b != nil {
		close(b.rung)
		delete(t.waiting, e.Name)
	}
	return r, nil
}

// remove unregisters a record.
func (t *table) remove(r *record, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(r, why)
}

func (t *table) removeLocked(r *record, why error) {
	name := r.entry.Name
	i := slices.Index(t.byName[name], r)
	if i < 0 {
		return
	}
	t.byName[name] = slices.Delete(slices.Clone(t.byName[name]), i, i+1)
	if len(t.byName[name]) == 0 {
		delete(t.byName, name)
	}
	for _, a := range r.entry.Addrs {
		delete(t.byAddr, placeOf(r.entry.Host, a))
	}
	t.count--
	r.why = why
	close(r.gone)
}

// dropAddr takes an address from a record.
func (t *table) dropAddr(r *record, a address.Addr, why error) {
	if len(r.entry.Addrs) == 1 {
		t.removeLocked(r, why)
		return
	}
	delete(t.byAddr, placeOf(r.entry.Host, a))
	r.entry.Addrs = slices.DeleteFunc(slices.Clone(r.entry.Addrs), func(b address.Addr) bool { return a == b })
}

// stale takes an address from whoever has it, if that is still the one who did not
// answer.
func (t *table) stale(host, uid string, a address.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.byAddr[placeOf(host, a)]; r != nil && r.entry.UID == uid {
		t.dropAddr(r, a, errStale)
	}
}

// has reports whether an actor has an address.
func (t *table) has(host, uid string, a address.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.byAddr[placeOf(host, a)]
	return r != nil && r.entry.UID == uid
}

// find returns the entries of a name, the oldest first; of all names if it is
// empty, in the order of the names.
func (t *table) find(name string) []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.findLocked(name)
}

func (t *table) findLocked(name string) []Entry {
	names := []string{name}
	if name == "" {
		names = names[:0]
		for n := range t.byName {
			names = append(names, n)
		}
		slices.Sort(names)
	}
	found := []Entry{}
	for _, n := range names {
		for _, r := range t.byName[n] {
			found = append(found, r.entry)
		}
	}
	return found
}

// await returns the entries of a name, or a bell that rings when there is one.
// Whoever has got a bell calls leave.
func (t *table) await(name string) ([]Entry, *bell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.findLocked(name); len(found) > 0 {
		return found, nil
	}
	b := t.waiting[name]
	if b == nil {
		b = &bell{rung: make(chan struct{})}
		t.waiting[name] = b
	}
	b.waiters++
	return nil, b
}

// leave says that somebody waits no more: a name that nobody waits for is
// forgotten.
func (t *table) leave(name string, b *bell) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.waiters--; b.waiters == 0 && t.waiting[name] == b {
		delete(t.waiting, name)
	}
}
