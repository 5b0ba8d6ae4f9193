//go:build linux

package host_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A notebook is an observer that notes what it is told, in the order of the beginnings.
type notebook struct {
	mu     sync.Mutex
	notes  []*note
	events []host.Event
	env    []string
}

type note struct {
	book   *notebook
	within *note
	op     host.Operation
	out    *host.Outcome
	ends   int
}

type noteKey struct{}

func (b *notebook) Begin(ctx context.Context, op host.Operation) (context.Context, host.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	within, _ := ctx.Value(noteKey{}).(*note)
	n := &note{book: b, within: within, op: op}
	b.notes = append(b.notes, n)
	return context.WithValue(ctx, noteKey{}, n), n
}

func (n *note) End(out host.Outcome) {
	n.book.mu.Lock()
	defer n.book.mu.Unlock()
	n.out, n.ends = &out, n.ends+1
}

func (b *notebook) Event(e host.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

func (b *notebook) Environ(ctx context.Context) []string {
	if n, ok := ctx.Value(noteKey{}).(*note); !ok || n.op.Kind != host.OpSpawn {
		return []string{"ENVIRON=not of a spawn"}
	}
	return b.env
}

// String has a line for each operation, below what it was within.
func (b *notebook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	var add func(within *note, indent string)
	add = func(within *note, indent string) {
		for _, n := range b.notes {
			if n.within != within {
				continue
			}
			how := "has not ended"
			if n.out != nil {
				how = "ok"
				if n.out.Err != nil {
					how = "failed"
				}
				if n.out.Status.Source != "" {
					how += ", " + n.out.Status.String()
				}
			}
			if n.ends > 1 {
				how += fmt.Sprintf(", ended %d times", n.ends)
			}
			lines = append(lines, fmt.Sprintf("%s%s %s: %s", indent, n.op.Kind, n.op.Method, how))
			add(n, indent+"  ")
		}
	}
	add(nil, "")
	return strings.Join(lines, "\n")
}

func expectNotes(t *testing.T, b *notebook, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// forSleep ends by the signal that asks it to, whenever that comes.
func forSleep() spawn.Spec { return spawn.Spec{Path: "sleep", Args: []string{"sleep", "600"}} }

func TestObserver(t *testing.T) {
	b := &notebook{env: []string{"SAID=yes"}}
	h := open(t, host.Config{Observer: b})
	begin := time.Now()
	p := start(t, h, sh(`test "$SAID" = yes && exit 3`))
	wait(t, p, 20*time.Second)
	if _, err := h.Start(t.Context(), spawn.Spec{Path: "/no/such"}); err == nil {
		t.Error("it was started")
	}
	forever := forSleep()
	q := start(t, h, forever)
	if _, err := q.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	plan := spawn.Standard(&forever)
	if _, err := h.StartPlan(t.Context(), plan, forever); err != nil {
		t.Error(err)
	}
	must(t, h.Close())
	expectNotes(t, b,
		"spawn forkexec: ok", "  plan forkexec: ok", "    plugin start forkexec: ok", "  wait forkexec: ok, exit status 3",
		"spawn forkexec: failed",
		"spawn forkexec: ok", "  wait forkexec: ok, signal: terminated",
		"stop forkexec: ok, signal: terminated",
		"spawn : ok", "  wait : ok, signal: terminated",
		"stop : ok, signal: terminated")
	for _, n := range b.notes {
		if n.out == nil || n.op.Began.Before(begin) || n.out.Ended.Before(n.op.Began) || n.out.Ended.After(time.Now()) {
			t.Errorf("%s: %+v", n.op.Kind, n.out)
		}
		if n.op.Kind == host.OpStop && n.op.Child.(*note).op.Pid != n.op.Pid {
			t.Errorf("a stop of process %d is said to be one of %+v", n.op.Pid, n.op.Child)
		}
	}
	if life := b.notes[3]; life.op.Pid != p.Pid() || !strings.HasSuffix(life.op.Path, "/sh") || b.notes[0].out.Pid != p.Pid() {
		t.Errorf("%+v and %+v are not of process %d", life.op, b.notes[0].out, p.Pid())
	}
	states := func(e host.Event) bool { c, ok := e.(host.PluginChanged); return ok && c.State == host.PluginReady }
	if !slices.ContainsFunc(b.events, states) {
		t.Errorf("events %+v", b.events)
	}
}

func TestObserverOfMany(t *testing.T) {
	b := new(notebook)
	h := open(t, host.Config{Observer: b})
	specs := []spawn.Spec{{Path: "true"}, {Path: "/no/such"}, {Path: "false"}}
	procs, err := h.StartAll(t.Context(), specs)
	if err == nil || procs[0] == nil || procs[2] == nil {
		t.Fatal(procs, err)
	}
	procs[0].Wait()
	procs[2].Wait()
	err = h.Nursery(t.Context(), host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		for range 2 {
			if _, err := n.Start(ctx, host.ChildConfig{Spec: forSleep()}); err != nil {
				return err
			}
		}
		n.Cancel()
		return nil
	})
	must(t, err, h.Close())
	expectNotes(t, b,
		"spawn forkexec: ok", "  plan forkexec: ok", "    plugin start forkexec: ok", "  wait forkexec: ok, exit status 0",
		"spawn forkexec: failed",
		"spawn forkexec: ok", "  wait forkexec: ok, exit status 1",
		"spawn forkexec: ok", "  wait forkexec: ok, signal: terminated",
		"spawn forkexec: ok", "  wait forkexec: ok, signal: terminated",
		"stop forkexec: ok, signal: terminated", "stop forkexec: ok, signal: terminated")
}

func TestObserverOfADetachedChild(t *testing.T) {
	b := &notebook{env: []string{"SAID=yes"}}
	h := open(t, host.Config{Observer: b})
	d, err := h.StartDetached(t.Context(), sh(`test "$SAID" = yes`), host.DetachOptions{})
	must(t, err)
	status, err := d.Wait(t.Context())
	if err != nil || !status.Success() {
		t.Errorf("%v, %v", status, err)
	}
	must(t, d.Forget(t.Context()))
	expectNotes(t, b, "spawn forkexec: ok", "  plan forkexec: ok", "    plugin start forkexec: ok")
	if n := b.notes[0]; !n.op.Detached || n.out.Pid != d.Pid() {
		t.Errorf("%+v, %+v", n.op, n.out)
	}
}

// What becomes of a child whose keeper is killed is told too.
func TestObserverOfLostChildren(t *testing.T) {
	b := new(notebook)
	h := open(t, host.Config{Observer: b})
	p := start(t, h, forSleep())
	must(t, syscall.Kill(keeperOf(t), syscall.SIGKILL))
	<-p.Done()
	must(t, h.Close())
	for _, n := range b.notes {
		if n.op.Kind == host.OpWait && (n.out == nil || !errors.Is(n.out.Err, spawn.ErrLost)) {
			t.Errorf("%+v: want the loss of its status", n.out)
		}
	}
}

// No observer costs nothing.
func TestNoObserver(t *testing.T) {
	h := open(t, host.Config{})
	p := start(t, h, sh("exit 0"))
	wait(t, p, 20*time.Second)
	spec := &spawn.Spec{Path: "true"}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { h.ObserveAll(ctx, p, spec) }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNoObserver(b *testing.B) {
	h := open(b, host.Config{})
	p := start(b, h, sh("exit 0"))
	spec := &spawn.Spec{Path: "true"}
	b.ReportAllocs()
	for b.Loop() {
		h.ObserveAll(context.Background(), p, spec)
	}
}

// BenchmarkObserver lets a host that is observed and one that is not start children in
// turn.
func BenchmarkObserver(b *testing.B) {
	path := tiny(b)
	none, some := open(b, host.Config{}), open(b, host.Config{Observer: idleObserver{}})
	against(b, 1, 20, rival{name: "observed", run: func() error { return startWait(some, path) }},
		rival{name: "alone", run: func() error { return startWait(none, path) }})
}

type idleObserver struct{}

func (o idleObserver) Begin(ctx context.Context, _ host.Operation) (context.Context, host.Observation) {
	return ctx, o
}
func (idleObserver) Event(host.Event) {}
func (idleObserver) End(host.Outcome) {}
