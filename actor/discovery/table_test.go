package discovery

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
)

func entry(t *testing.T, name, uid string, addrs ...string) Entry {
	t.Helper()
	parsed, err := address.ParseAll(addrs...)
	if err != nil {
		t.Fatal(err)
	}
	return Entry{Name: name, UID: uid, Addrs: parsed, Host: "here"}
}

func add(t *testing.T, tab *table, e Entry) *record {
	t.Helper()
	r, err := tab.add(e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// has compares what a table has with lines of name, uid and addresses.
func has(t *testing.T, tab *table, want ...string) {
	t.Helper()
	var got []string
	for _, e := range tab.find("") {
		got = append(got, fmt.Sprint(e.Name, " ", e.UID, " ", address.Strings(e.Addrs)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func ended(r *record) error {
	select {
	case <-r.gone:
		return r.why
	default:
		return nil
	}
}

func TestAnAddressBelongsToOne(t *testing.T) {
	tab := newTable()
	old := add(t, tab, entry(t, "old", "1", "/unix/a", "/unix/b"))
	add(t, tab, entry(t, "new", "2", "/unix/a"))
	has(t, tab, "new 2 [/unix/a]", "old 1 [/unix/b]")
	if ended(old) != nil {
		t.Error("it has an address left")
	}
	add(t, tab, entry(t, "new", "3", "/unix/b", "/unix/b"))
	has(t, tab, "new 2 [/unix/a]", "new 3 [/unix/b]")
	if ended(old) != errTakenOver {
		t.Errorf("it has ended with %v", ended(old))
	}
	tab.remove(old, errUnregistered) // as it does by itself then
	has(t, tab, "new 2 [/unix/a]", "new 3 [/unix/b]")
}

func TestUnixSocketsOfHosts(t *testing.T) {
	tab := newTable()
	add(t, tab, entry(t, "a", "1", "/unix/a", "/ip4/127.0.0.1/tcp/1"))
	e := entry(t, "b", "2", "/unix/a")
	e.Host = "there"
	add(t, tab, e)
	has(t, tab, "a 1 [/unix/a /ip4/127.0.0.1/tcp/1]", "b 2 [/unix/a]")
}

func TestStaleAddresses(t *testing.T) {
	tab := newTable()
	r := add(t, tab, entry(t, "a", "1", "/unix/a", "/unix/b"))
	a, b := r.entry.Addrs[0], r.entry.Addrs[1]
	tab.stale("here", "2", a)
	tab.stale("there", "1", a)
	has(t, tab, "a 1 [/unix/a /unix/b]")
	tab.stale("here", "1", a)
	has(t, tab, "a 1 [/unix/b]")
	tab.stale("here", "1", b)
	has(t, tab)
	if ended(r) != errStale || len(tab.byName)+len(tab.byAddr)+tab.count != 0 {
		t.Errorf("it has ended with %v, and left %v", ended(r), tab)
	}
}

func TestWaitersAreForgotten(t *testing.T) {
	tab := newTable()
	_, first := tab.await("a")
	_, second := tab.await("a")
	tab.leave("a", first)
	if len(tab.waiting) != 1 {
		t.Error("somebody is waiting still")
	}
	add(t, tab, entry(t, "a", "1", "/unix/a"))
	<-second.rung
	_, third := tab.await("b")
	tab.leave("b", third)
	if len(tab.waiting) != 0 {
		t.Errorf("%v is left", tab.waiting)
	}
	if found, b := tab.await("a"); b != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, b)
	}
}

func TestTableUnderManyHands(t *testing.T) {
	tab := newTable()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for j := range 50 {
				r, err := tab.add(entry(t, fmt.Sprint("n", i%5), fmt.Sprint(i), fmt.Sprint("/unix/", (i+j)%20)))
				if err != nil {
					t.Error(err)
					return
				}
				tab.find("")
				if _, b := tab.await("nobody"); b != nil {
					tab.leave("nobody", b)
				}
				tab.remove(r, errUnregistered)
			}
		})
	}
	all.Wait()
	if len(tab.byName)+len(tab.byAddr)+len(tab.waiting)+tab.count != 0 {
		t.Errorf("%v is left", tab)
	}
}

func TestEntriesThatAreRefused(t *testing.T) {
	good := entry(t, "a", "1", "/unix/a")
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for what, spoil := range map[string]func(*Entry){
		"no name":        func(e *Entry) { e.Name = "" },
		"a long name":    func(e *Entry) { e.Name = string(make([]byte, 300)) },
		"control":        func(e *Entry) { e.Name = "a\nb" },
		"no text":        func(e *Entry) { e.Name = "\xff" },
		"no uid":         func(e *Entry) { e.UID = "" },
		"a long uid":     func(e *Entry) { e.UID = string(make([]byte, 100)) },
		"no address":     func(e *Entry) { e.Addrs = nil },
		"many addresses": func(e *Entry) { e.Addrs = make([]address.Addr, 17) },
		"the zero one":   func(e *Entry) { e.Addrs = []address.Addr{{}} },
		"port 0":         func(e *Entry) { e.Addrs = entry(t, "a", "1", "/ip4/127.0.0.1/tcp/0").Addrs },
		"everybody":      func(e *Entry) { e.Addrs = entry(t, "a", "1", "/ip4/0.0.0.0/tcp/5").Addrs },
		"a long host":    func(e *Entry) { e.Host = string(make([]byte, 300)) },
	} {
		e := good
		spoil(&e)
		if e.check() == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
