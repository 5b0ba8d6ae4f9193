//go:build linux

package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// TestBatchFrame reads what was put into batch frames, whatever the children have
// in common, and looks that the frames keep to their limits.
func TestBatchFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	plans := [][]byte{[]byte("plan"), []byte("another"), {}}
	envs := [][]string{{"A=1", "B=2"}, {"A=1", "B=2"}, {}, nil}
	frames := 0
	for range 200 {
		var sent []*Launch
		var f batchFrame
		for {
			l := &Launch{
				Plan: plans[r.IntN(len(plans))], Env: envs[r.IntN(len(envs))],
				Path: "/p", Dir: strings.Repeat("d", r.IntN(3)), Args: []string{"x", strings.Repeat("y", r.IntN(3000))},
			}
			for n := range r.IntN(6) {
				l.Files, l.FDs = append(l.Files, 2*n), append(l.FDs, 100*n+r.IntN(3))
			}
			if !f.add(l) {
				break
			}
			sent = append(sent, l)
		}
		if f.n != len(sent) || f.n < 2 || len(f.fds) > batchFDs || len(f.payload) > batchBytes {
			t.Fatalf("%d of %d children, %d descriptors, %d bytes", f.n, len(sent), len(f.fds), len(f.payload))
		}
		frames++
		b := batchReader{r: reader{s: string(f.payload)}}
		var l Launch
		var places []int
		for i, want := range sent {
			var err error
			if places, err = b.next(&l, places); err != nil {
				t.Fatal(err)
			}
			l.FDs = nil
			for _, p := range places {
				l.FDs = append(l.FDs, f.fds[p])
			}
			if d := cmp.Diff(*want, l, cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("child %d: %s", i, d)
			}
		}
		if _, err := b.next(&l, places); err == nil {
			t.Fatal("one more was read than was put in")
		}
	}
}

// A batchResult is what became of one child.
type batchResult struct {
	Started
	err  error
	exit chan Exit
}

// launchAll runs a batch and returns what became of each child.
func launchAll(ctx context.Context, t testing.TB, c *Client, ls []*Launch) []*batchResult {
	t.Helper()
	out := make([]*batchResult, len(ls))
	for i := range out {
		out[i] = &batchResult{exit: make(chan Exit, 1)}
	}
	told := make([]int, len(ls))
	c.LaunchAll(ctx, Batch{
		Launches: ls,
		Exited:   func(i int) func(Exit) { return func(e Exit) { out[i].exit <- e } },
		Done:     func(i int, s Started, err error) { out[i].Started, out[i].err = s, err; told[i]++ },
	})
	for i, n := range told {
		if n != 1 {
			t.Errorf("child %d: told %d times", i, n)
		}
	}
	return out
}

func (r *batchResult) code(t testing.TB) int {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	select {
	case e := <-r.exit:
		return e.Status.Code
	case <-time.After(10 * time.Second):
		t.Fatal("no exit")
		return 0
	}
}

// TestBatchStuck: children that do not get to their exec, one in each frame at
// least, hold up nobody but themselves.
func TestBatchStuck(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	plan := spawn.Standard(&spawn.Spec{})
	plan.Insert(spawn.Open(spawn.Str(fifo), os.O_RDONLY, 0))
	encoded := encode(t, plan)
	c := newClient(t)
	ls := make([]*Launch, 100)
	for i := range ls {
		ls[i] = shell(t, fmt.Sprint("exit ", i))
		if i%10 == 5 || i == len(ls)-1 {
			ls[i].Plan = encoded
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for i, r := range launchAll(ctx, t, c, ls) {
		if i%10 != 5 && i != len(ls)-1 {
			if n := r.code(t); n != i {
				t.Errorf("child %d: code %d", i, n)
			}
			continue
		}
		var e *spawn.Error
		if !errors.As(r.err, &e) || e.Kind != spawn.ErrTimeout || e.Op != "open" {
			t.Errorf("stuck child %d: %v, want a timeout at the step open", i, r.err)
		}
	}
	if n := launchAll(t.Context(), t, c, []*Launch{shell(t, "exit 3")})[0].code(t); n != 3 {
		t.Errorf("the next child: %d", n)
	}
}

// TestBatchAbort gives batches up at any moment: of what is said to have failed
// nothing is left, and the window is as free as before.
func TestBatchAbort(t *testing.T) {
	c := newClient(t)
	ls := make([]*Launch, 40)
	for i := range ls {
		ls[i] = shell(t, "exec sleep 600")
	}
	var started, failed int
	for limit := time.Duration(0); started < 100 && limit < 10*time.Second; limit += limit/4 + 200*time.Microsecond {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		for _, r := range launchAll(ctx, t, c, ls) {
			if r.err == nil {
				started++
				c.Signal(t.Context(), r.ID, syscall.SIGKILL)
				<-r.exit
				continue
			}
			failed++
			if !errors.Is(r.err, spawn.ErrTimeout) && !errors.Is(r.err, spawn.ErrCanceled) {
				t.Fatal(r.err)
			}
		}
		cancel()
	}
	if started == 0 || failed == 0 {
		t.Errorf("%d started, %d given up: want some of both", started, failed)
	}
	for _, pid := range linux.Children(c.Pid()) {
		gone(t, 2*time.Second, pid)
	}
	if n := len(c.window); n != 0 {
		t.Errorf("%d places in the window are taken", n)
	}
}

// TestBatchRefused: a frame that the keeper cannot read is the error of every
// child in it.
func TestBatchRefused(t *testing.T) {
	c := newClient(t)
	for _, payload := range []string{"", "\x00", "\xff\xff", "\x03", strings.Repeat("\x7f", 40)} {
		r := &batchRun{Batch: Batch{Exited: func(int) func(Exit) { return nil }}, c: c, calls: make([]*call, 3), ids: make([]uint64, 3), answers: make(chan answer, 3)}
		first := c.ids.Add(3) - 2
		for range 3 {
			c.window <- struct{}{}
		}
		if err := r.expect(first, 3); err != nil {
			t.Fatal(err)
		}
		if err := c.send(t.Context(), &lane.Frame{Type: frameLaunchAll, ID: first, Payload: []byte(payload)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			select {
			case a := <-r.answers:
				if !errors.Is(a.err, spawn.ErrProtocol) {
					t.Errorf("%q: %v", payload, a.err)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%q: no answer", payload)
			}
		}
		for i := range uint64(3) {
			c.forget(first + i)
		}
	}
	good(t, c)
}
