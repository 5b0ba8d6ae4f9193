package share_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hatchery-spawn/hatchery/host/share"
)

func TestEnterDuringTeardown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		goOn := make(chan struct{})
		s.closing = func(_ string, v *thing) error {
			if v.gen > 1 {
				return nil
			}
			<-goOn
			return errBroken
		}
		p := share.New(s.config())
		first, second, last := must(t, p, "a"), must(t, p, "a"), must(t, p, "a")
		release(t, second) // at once: Close would block
		release(t, first)
		released := make(chan error, 1)
		go func() { released <- last.Release() }()
		synctest.Wait()
		next, after := acquire(t.Context(), p, "a"), acquire(t.Context(), p, "a")
		synctest.Wait()
		pending(t, released, "the last user")
		pending(t, next, "who enters during teardown")
		pending(t, after, "who enters during teardown")
		s.counts("a", 1, 1)
		close(goOn)
		if err := <-released; err != errBroken {
			t.Errorf("the last user got %v, want the error of Close", err)
		}
		r, r2 := <-next, <-after
		if r.err != nil || r2.err != nil {
			t.Fatal(r.err, r2.err)
		}
		if r.l.Hit() == r2.l.Hit() || r.l.Value().gen != 2 || r2.l.Value() != r.l.Value() {
			t.Error("those who waited for the teardown did not get one fresh resource")
		}
		release(t, r.l)
		release(t, r2.l)
		s.counts("a", 2, 2)
	})
}

func TestReleaseTwice(t *testing.T) {
	s := newShop(t)
	s.closing = func(string, *thing) error { return errBroken }
	p := share.New(s.config())
	a, b := must(t, p, "a"), must(t, p, "a")
	for range 3 {
		if err := a.Release(); err != nil { // b is there
			t.Error(err)
		}
	}
	s.counts("a", 1, 0)
	if err := b.Release(); err != errBroken {
		t.Errorf("the last user got %v", err)
	}
	s.counts("a", 1, 1)
	// An old lease says nothing about the next generation.
	c := must(t, p, "a")
	a.Release()
	b.Release()
	s.counts("a", 2, 1)
	c.Release()
}

// Of many releases of a lease at the same time one is the one.
func TestReleaseTwiceAtOnce(t *testing.T) {
	s := newShop(t)
	s.closing = func(string, *thing) error { return errBroken }
	p := share.New(s.config())
	for round := range 200 {
		l := must(t, p, "a")
		var failed atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 4 {
			wg.Go(func() {
				<-start
				if l.Release() != nil {
					failed.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if n := failed.Load(); n != 1 {
			t.Fatalf("%d releases returned the error of Close, want 1", n)
		}
		s.counts("a", round+1, round+1)
	}
}

func TestValueAfterRelease(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	a, b := must(t, p, "a"), must(t, p, "a")
	release(t, a)
	if text := panics(func() { a.Value() }); text != "share: Value of a released Lease" {
		t.Errorf("Value after Release: %q", text)
	}
	if b.Value() == nil {
		t.Error("another user's lease has no value")
	}
	release(t, b)
}

// A panic, or a Goexit, goes its way and leaves the key usable for who waits
// and who comes.
func TestUnwindingDoesNotWedge(t *testing.T) {
	ways := map[string]func(){
		"panic":  func() { panic("boom") },
		"goexit": runtime.Goexit,
	}
	for name, unwind := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testUnwinding(t, name, unwind) })
		})
	}
}

func testUnwinding(t *testing.T, name string, unwind func()) {
	s := newShop(t)
	var goOn chan struct{}
	bad := true // read and written by one at a time: the pool sees to that
	once := func() {
		if bad {
			bad = false
			<-goOn
			unwind()
		}
	}
	s.opening = func(context.Context, string) error { once(); return nil }
	s.closing = func(string, *thing) error { once(); return nil }
	p := share.New(s.config())
	// during runs f, which unwinds, while somebody waits for the same key.
	during := func(what string, f func()) *lease {
		t.Helper()
		goOn = make(chan struct{})
		texts := make(chan string, 1)
		go func() {
			text := "goexit"
			defer func() { texts <- text }()
			text = panics(f)
		}()
		synctest.Wait()
		waiting := acquire(t.Context(), p, "a")
		synctest.Wait()
		pending(t, waiting, what)
		close(goOn)
		want := map[string]string{"panic": "boom", "goexit": "goexit"}[name]
		if text := <-texts; text != want {
			t.Errorf("%s: the caller saw %q, want %q", what, text, want)
		}
		r := <-waiting
		if r.err != nil {
			t.Fatalf("%s: who waited got %v", what, r.err)
		}
		return r.l
	}
	l := during("opening", func() { p.Acquire(t.Context(), "a") })
	bad = true
	l = during("closing", func() { l.Release() })
	if l.Hit() || l.Value().gen != 2 {
		t.Errorf("after the closing came generation %d, hit %v", l.Value().gen, l.Hit())
	}
	release(t, l)
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	s.counts("a", 2, 2)
}

func TestCostOfAHit(t *testing.T) {
	s := newShop(t)
	p := share.New(s.config())
	before := runtime.NumGoroutine()
	defer must(t, p, "a").Release()
	if n := testing.AllocsPerRun(100, func() { must(t, p, "a").Release() }); n > 1 {
		t.Errorf("a hit and its release allocate %v times, want 1: the lease", n)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more while a resource is held", n-before)
	}
}

func BenchmarkHit(b *testing.B) {
	p := share.New(share.Config[string, int]{Open: func(context.Context, string) (int, error) { return 1, nil }})
	held, err := p.Acquire(b.Context(), "a")
	if err != nil {
		b.Fatal(err)
	}
	defer held.Release()
	b.ReportAllocs()
	for b.Loop() {
		l, err := p.Acquire(b.Context(), "a")
		if err != nil {
			b.Fatal(err)
		}
		l.Release()
	}
}
