package parent_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
)

// tree is an actor that has as many actors of its own as its first argument
// says, down to the level of its second, where they do what the third one says.
// All tell their name and process on descriptor 4 when they run.
func tree(ctx context.Context, a *actor.Actor) error {
	fmt.Fprintf(os.NewFile(4, "pids"), "%s %d\n", a.Name, os.Getpid())
	breadth, _ := strconv.Atoi(a.Args[0])
	depth, _ := strconv.Atoi(a.Args[1])
	if depth == 0 {
		return map[string]func(context.Context, *actor.Actor) error{"gate": gate, "wait": wait, "stuck": stuck, "tell": tell}[a.Args[2]](ctx, a)
	}
	return parent.Run(ctx, host.Config{}, host.NurseryConfig{Name: a.Name}, func(ctx context.Context, n *host.Nursery) error {
		for i := range breadth {
			s := spec(a.Name+"."+strconv.Itoa(i), "tree", a.Args[0], strconv.Itoa(depth-1), a.Args[2])
			s.Parent, s.Method = a, methodAt(depth)
			s.Program.Files = []*os.File{nil, nil, nil, os.NewFile(3, "gate"), os.NewFile(4, "pids")}
			if _, err := parent.Start(ctx, n, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// methodAt is the spawn method of a level: they take turns.
func methodAt(depth int) registry.SpawnMethodKey {
	return []registry.SpawnMethodKey{"forkexec", "other"}[depth%2]
}

// tell waits until it is canceled, and tells by whom instead of its process.
func tell(ctx context.Context, a *actor.Actor) error {
	<-ctx.Done()
	var c *actor.Canceled
	errors.As(context.Cause(ctx), &c)
	fmt.Fprintf(os.NewFile(4, "pids"), "%s %s\n", a.Name, c.By)
	return c
}

// A forest is some trees of actors.
type forest struct {
	gate *pipeGate
	pids *bufio.Reader
	w    *os.File
}

func newForest(t testing.TB) *forest {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	r.SetReadDeadline(time.Now().Add(time.Minute))
	return &forest{newGate(t), bufio.NewReader(r), w}
}

// spec returns the Spec of the root of a tree.
func (f *forest) spec(name, leaf string, breadth, depth int) parent.Spec {
	s := spec(name, "tree", strconv.Itoa(breadth), strconv.Itoa(depth), leaf)
	s.Program.Files = []*os.File{nil, nil, nil, f.gate.r, f.w}
	return s
}

// running waits until so many actors run, and returns their processes by name.
func (f *forest) running(t testing.TB, count int) map[string]int {
	t.Helper()
	all := map[string]int{}
	for len(all) < count {
		line, err := f.pids.ReadString('\n')
		if err != nil {
			t.Fatalf("%d of %d actors run: %v", len(all), count, err)
		}
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if all[name], err = strconv.Atoi(number); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// gone waits for the end of processes that are not this program's children.
func gone(t testing.TB, limit time.Duration, pids map[string]int) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		var left []string
		for name, pid := range pids {
			if s, err := linux.ReadStat(pid); err == nil && s.State != 'Z' && s.State != 'X' {
				left = append(left, name)
			}
		}
		switch {
		case len(left) == 0:
			return
		case time.Now().After(end):
			t.Fatalf("%v are still there after %v", left, limit)
		}
	}
}

// freeze stops a process and waits until it stands still.
func freeze(t testing.TB, p *host.Process) {
	t.Helper()
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C {
		if s, err := linux.ReadStat(p.Pid()); err != nil || s.State == 'T' {
			return
		} else if time.Now().After(end) {
			t.Fatalf("process %d is %c", p.Pid(), s.State)
		}
	}
}

// TestTrees has all the leaves of a tree fail at once.
func TestTrees(t *testing.T) {
	for _, test := range []struct{ depth, count int }{{2, 14}, {4, 62}} {
		t.Run(fmt.Sprint(test.count), func(t *testing.T) {
			leakcheck.Check(t)
			h := open(t, host.Config{})
			f := newForest(t)
			var all map[string]int
			err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
				for i := range 2 {
					start(t, n, f.spec(strconv.Itoa(i), "gate", 2, test.depth))
				}
				all = f.running(t, test.count)
				f.gate.open()
				return nil
			})
			gone(t, 2*time.Second, all)
			var ne *host.NurseryError
			if !errors.As(err, &ne) {
				t.Fatal(err)
			}
			leaves := map[string]int{}
			eachLeaf(err, func(r *actor.RemoteError) { leaves[r.Error()]++ })
			for text, times := range leaves {
				if times != 1 || !strings.HasPrefix(text, "failed: ") {
					t.Errorf("%q was reported %d times", text, times)
				}
			}
			if len(leaves) == 0 {
				t.Errorf("%v has no leaf's error", err)
			}
			eachLeaf(err, func(r *actor.RemoteError) {
				name, want := strings.TrimPrefix(r.Error(), "failed: "), []string(nil)
				for ; name != ""; name = name[:max(0, strings.LastIndex(name, "."))] {
					want = append(want, name)
				}
				if !slices.Equal(r.Path, want) {
					t.Errorf("%v has crossed %q, want %q", r, r.Path, want)
				}
			})
		})
	}
}

// eachLeaf calls f with each error that wraps nothing and came from an actor by
// itself.
func eachLeaf(err error, f func(*actor.RemoteError)) {
	switch e := err.(type) {
	case *actor.RemoteError:
		if len(e.Unwrap()) == 0 && len(e.Path) > 0 {
			f(e)
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, w := range e.Unwrap() {
			eachLeaf(w, f)
		}
	case interface{ Unwrap() error }:
		eachLeaf(e.Unwrap(), f)
	}
}

// TestTheMiddleOfAChainIsKilled kills one of five actors, each the child of the
// one before. What is below it ends.
func TestTheMiddleOfAChainIsKilled(t *testing.T) {
	for _, leaf := range []string{"wait", "stuck"} {
		t.Run(leaf, func(t *testing.T) {
			leakcheck.Check(t)
			h := open(t, host.Config{})
			f := newForest(t)
			err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
				a := start(t, n, f.spec("a", leaf, 1, 4))
				all := f.running(t, 5)
				if err := syscall.Kill(all["a.0.0"], syscall.SIGKILL); err != nil {
					return err
				}
				delete(all, "a")
				delete(all, "a.0")
				gone(t, 2*time.Second, all)
				return a.Wait()
			})
			if err == nil || !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("%v: want the killed one's status", err)
			}
		})
	}
}

// TestATreeIsCanceledFromItsRoot cancels a nursery with three levels below it.
func TestATreeIsCanceledFromItsRoot(t *testing.T) {
	leakcheck.Check(t)
	h := open(t, host.Config{})
	f := newForest(t)
	var all map[string]int
	err := nursery(t, h, func(ctx context.Context, n *host.Nursery) error {
		start(t, n, f.spec("a", "tell", 2, 2))
		all = f.running(t, 7)
		return errOwn
	})
	gone(t, 2*time.Second, all)
	by := self()
	for range 4 { // the leaves
		line, rerr := f.pids.ReadString('\n')
		if name, who, _ := strings.Cut(strings.TrimSpace(line), " "); rerr != nil || strings.Count(name, ".") != 2 || who != by {
			t.Errorf("%q, %v: want a leaf, canceled by %q", line, rerr, by)
		}
	}
	var ne *host.NurseryError
	if !errors.As(err, &ne) || len(ne.Causes) != 1 || !errors.Is(ne.Causes[0], errOwn) || len(ne.Canceled) != 1 {
		t.Fatal(err)
	}
	var c *actor.Canceled
	if e := ne.Canceled[0].(*host.ChildError); e.Forced || !errors.As(e, &c) || !strings.HasPrefix(c.By, by) {
		t.Errorf("%v, forced %v", e, e.Forced)
	}
}
