package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// holding is a launch that a test has held.
type holding struct {
	*Held
	exit chan Exit
}

func hold(t *testing.T, c *Client, l *Launch) holding {
	t.Helper()
	exit := make(chan Exit, 1)
	h, err := c.Hold(t.Context(), l, func(e Exit) { exit <- e })
	if err != nil {
		t.Fatal(err)
	}
	return holding{h, exit}
}

// goOn nods to it, and waits for the child's end.
func (h holding) goOn(t *testing.T) spawn.ExitStatus {
	t.Helper()
	s, done, err := h.Go(t.Context())
	if err != nil || !done {
		t.Fatal(done, err)
	}
	t.Cleanup(func() { syscall.Close(s.Pidfd) })
	return started{s, h.exit}.wait(t, 20*time.Second)
}

// shells returns how many of a keeper's children are shells: it has others of its own
// for a moment, to see whether there is room.
func shells(c *Client) (n int) {
	for _, pid := range linux.Children(c.Pid()) {
		if s, err := linux.ReadStat(pid); err == nil && s.Comm == "sh" {
			n++
		}
	}
	return n
}

// TestHold: there is no child before the host says so, and none if it says no.
func TestHold(t *testing.T) {
	c := newClient(t)
	for i := range 20 {
		h := hold(t, c, shell(t, "exit "+strconv.Itoa(i)))
		if _, err := c.Hold(t.Context(), shell(t, "exit 0"), func(Exit) {}); !errors.Is(err, errHolding) {
			t.Fatal(err)
		}
		if _, err := c.Describe(t.Context()); err != nil { // others are served
			t.Fatal(err)
		}
		if n := shells(c); n > 0 {
			t.Fatalf("it has %d of them", n)
		}
		if i%3 == 0 {
			h.Drop(t.Context())
			if n := shells(c); n > 0 {
				t.Fatalf("it has %d of them", n)
			}
			continue
		}
		if st := h.goOn(t); st.Code != i {
			t.Errorf("%+v: want exit %d", st, i)
		}
	}
	if len(c.window) > 0 || len(c.calls) > 0 || len(c.exits) > 0 {
		t.Errorf("%d places, %d calls, %d exits are left", len(c.window), len(c.calls), len(c.exits))
	}
}

// TestHoldSteps: what fails is told as of any launch.
func TestHoldSteps(t *testing.T) {
	c := newClient(t)
	l := shell(t, "exit 0")
	l.Path = "/nowhere"
	h := hold(t, c, l)
	if _, done, err := h.Go(t.Context()); !done || !errors.Is(err, os.ErrNotExist) {
		t.Error(done, err)
	}
	l.Plan = []byte("no plan")
	h = hold(t, c, l)
	if _, done, err := h.Go(t.Context()); !done || !errors.Is(err, spawn.ErrBadPlan) {
		t.Error(done, err)
	}
	if st := hold(t, c, shell(t, "exit 5")).goOn(t); st.Code != 5 {
		t.Error(st)
	}
}

// TestHoldSilence: a keeper that is told nothing gives the launch up, and is not
// confused by what it is told later, or by what is no nod.
func TestHoldSilence(t *testing.T) {
	c := newClient(t)
	late := hold(t, c, shell(t, "exit 0"))
	if !within(20*time.Second, func() bool { return len(late.w.answer) > 0 }) {
		t.Fatal("it waits for ever")
	}
	if _, done, err := late.Go(t.Context()); done || err == nil {
		t.Error(done, err)
	}
	if st := hold(t, c, shell(t, "exit 6")).goOn(t); st.Code != 6 {
		t.Error(st)
	}
	c.nods.WriteString("abc")
	if _, done, err := hold(t, c, shell(t, "exit 0")).Go(t.Context()); done || err == nil {
		t.Error(done, err)
	}
	if st := hold(t, c, shell(t, "exit 7")).goOn(t); st.Code != 7 {
		t.Error(st)
	}
}

// TestHoldSeveral: a host that holds several, and nods in another order, gets what
// it has nodded to.
func TestHoldSeveral(t *testing.T) {
	c := newClient(t)
	var all []holding
	for i := range 8 {
		c.holding.Store(false)
		all = append(all, hold(t, c, shell(t, "exit "+strconv.Itoa(i))))
	}
	for i := range all {
		h := all[len(all)-1-i]
		h.nod(uint64(i % 2))
	}
	for i, h := range all {
		s, err := c.await(t.Context(), h.id, h.w)
		if drop := (len(all)-1-i)%2 == 1; drop != (err != nil) {
			t.Errorf("%d of them: %v", i, err)
		} else if err == nil {
			syscall.Close(s.Pidfd)
			if e := <-h.exit; e.Status.Code != i {
				t.Errorf("%+v: want exit %d", e, i)
			}
		}
	}
}

// TestHoldAborted: who does not wait any longer gets no child.
func TestHoldAborted(t *testing.T) {
	c := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	h, err := c.Hold(ctx, shell(t, "sleep 100"), func(Exit) {})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, done, err := h.Go(ctx); !done || !errors.Is(err, spawn.ErrCanceled) {
		t.Error(done, err)
	}
	if !within(20*time.Second, func() bool { return len(linux.Children(c.Pid())) == 0 }) {
		t.Errorf("it has children %v", linux.Children(c.Pid()))
	}
}

// holdHelper is a host that holds a launch, and waits to be killed.
func holdHelper() {
	c, err := Start(Config{})
	if err != nil {
		panic(err)
	}
	plan, _ := spawn.Standard(&spawn.Spec{}).AppendBinary(nil)
	l := &Launch{Plan: plan, Path: "/bin/sh", Args: []string{"sh", "-c", "sleep 1000"}, Env: []string{"PATH=/usr/bin:/bin"}}
	if _, err := c.Hold(context.Background(), l, func(Exit) {}); err != nil {
		panic(err)
	}
	c.Describe(context.Background())
	fmt.Println(c.Pid())
	select {}
}

// TestHoldHostKilled: the keeper of a host that dies with a launch held ends.
func TestHoldHostKilled(t *testing.T) {
	h := helper(t, "hold")
	var pid int
	fmt.Sscan(h.line(t), &pid)
	h.cmd.Kill()
	gone(t, 20*time.Second, pid)
}

// TestHoldParked: a parked child is what is held, if there is one, with what is the
// host's by then; and it ends when the launch is given up.
func TestHoldParked(t *testing.T) {
	c := newClient(t)
	needsPidNamespaces(t, c)
	old := syscall.Umask(0o22)
	defer syscall.Umask(old)
	launch := func(w *os.File) *Launch {
		return parkable(t, "umask; exit 0", 0, nil, w, w)
	}
	for i := range 6 {
		fill(t, c, launch)
		before := linux.Children(c.Pid())
		syscall.Umask(i)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		h := hold(t, c, launch(w))
		w.Close()
		if i%2 == 1 {
			h.Drop(t.Context())
		} else if st := h.goOn(t); !st.Success() {
			t.Error(st)
		}
		var said string
		fmt.Fscan(r, &said)
		r.Close()
		if want := fmt.Sprintf("%04o", i); said != want && (i%2 == 0 || said != "") {
			t.Errorf("its umask is %q, want %s; the keeper had children %v", said, want, before)
		}
	}
	if !awaitParked(t, c, 0) {
		t.Error("what nobody wants is still parked")
	}
	if !within(20*time.Second, func() bool { return len(linux.Children(c.Pid())) == 0 }) {
		t.Errorf("the keeper has children %v", linux.Children(c.Pid()))
	}
}
