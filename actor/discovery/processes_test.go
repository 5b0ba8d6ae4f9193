package discovery_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/host"
)

func TestRegisteredFoundAndGone(t *testing.T) {
	r := socket(t)
	for _, registrar := range []string{r, "/ip4/127.0.0.1/tcp/0"} {
		nursery(t, func(ctx context.Context, n *host.Nursery) {
			s := spec("registrar", "registrar", r)
			if registrar != r {
				s.Registrar, s.Bind = nil, []string{registrar}
			}
			at := start(t, ctx, n, s).Addresses()
			c := client(t, at...)
			if _, err := c.Query(ctx, "a"); !errors.Is(err, discovery.ErrNotFound) {
				t.Errorf("before it is there: %v", err)
			}
			a := start(t, ctx, n, spec("a", "member", at...))
			e, err := c.Find(ctx, "a")
			if err != nil || e.UID != a.UID() || len(e.Addrs) != 1 || e.Addrs[0].String() != a.Addresses()[0] {
				t.Errorf("%+v, %v, want %s at %v", e, err, a.UID(), a.Addresses())
			}
			p, err := c.Query(ctx, "a")
			if got := who(t, ctx, p, err); got != a.UID() {
				t.Errorf("%s answered, want %s", got, a.UID())
			}
			if _, err := c.Query(ctx, a.UID()); !errors.Is(err, discovery.ErrNotFound) {
				t.Errorf("by its UID: %v", err)
			}
			a.Stop(ctx)
			if _, err := c.Query(ctx, "a"); !errors.Is(err, discovery.ErrNotFound) {
				t.Errorf("after it has ended: %v", err)
			}
			noSocket(t, e)
		})
	}
}

func noSocket(t *testing.T, e discovery.Entry) {
	t.Helper()
	for _, a := range e.Addrs {
		if _, err := os.Lstat(a.Path()); a.IsUnix() && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v is still there: %v", a, err)
		}
	}
}

func TestKilled(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		inner := errors.New("none")
		var gone discovery.Entry
		c := client(t, r)
		inner = n.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
			a := start(t, ctx, n, spec("a", "member", r))
			gone, _ = c.Find(ctx, "a")
			if st, err := os.Lstat(gone.Addrs[0].Path()); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("its socket: %v, %v", st, err)
			}
			return a.Child().Process().Signal(syscall.SIGKILL)
		})
		if inner == nil {
			t.Error("a killed actor is no failure")
		}
		noSocket(t, gone)
		eventually(t, "its entry is gone", func() bool { _, err := c.Find(ctx, "a"); return errors.Is(err, discovery.ErrNotFound) })
	})
}

func TestWait(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		c := client(t, r)
		bounded, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := c.Wait(bounded, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v: want the end of the context", err)
		}
		got := make(chan string, 3)
		for range 2 {
			go func() {
				p, err := c.Wait(ctx, "a")
				got <- who(t, ctx, p, err)
			}()
		}
		a := start(t, ctx, n, spec("a", "member", r))
		p, err := c.Wait(ctx, "a")
		got <- who(t, ctx, p, err)
		for range 3 {
			if uid := <-got; uid != a.UID() {
				t.Errorf("%q answered, want %s", uid, a.UID())
			}
		}
	})
}

func TestDuplicateNames(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		c := client(t, r)
		a, b := start(t, ctx, n, spec("same", "member", r)), start(t, ctx, n, spec("same", "member", r))
		all, err := c.FindAll(ctx, "same")
		if err != nil || len(all) != 2 || all[0].UID != a.UID() || all[1].UID != b.UID() {
			t.Errorf("%v, %v", all, err)
		}
		b.Stop(ctx)
		p, err := c.Query(ctx, "same")
		if got := who(t, ctx, p, err); got != a.UID() {
			t.Errorf("%s answered, want the one that is left", got)
		}
	})
}

// TestARegistrarThatIsStartedAgain is killed first. Its actors come back, and so
// does who has asked it before.
func TestARegistrarThatIsStartedAgain(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		other := socket(t)
		first := start(t, ctx, n, spec("registrar", "registrar", r))
		a := start(t, ctx, n, spec("a", "member", r, other))
		c := client(t, other, r)
		p, err := c.Query(ctx, "a")
		if who(t, ctx, p, err) != a.UID() {
			t.Error("another answered")
		}
		first.Stop(ctx)
		if _, err := c.Query(ctx, "a"); !errors.Is(err, discovery.ErrNoRegistrar) || !strings.Contains(err.Error(), r) || !strings.Contains(err.Error(), other) {
			t.Errorf("without a registrar: %v", err)
		}
		start(t, ctx, n, spec("registrar", "registrar", other))
		p, err = c.Wait(ctx, "a")
		if who(t, ctx, p, err) != a.UID() {
			t.Error("another answered")
		}
	})
}
