package discovery_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hatchery-spawn/hatchery/actor/discovery"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/host"
)

// TestACrowd has a hundred actors come: a third of them is stopped, a third killed.
// The registrar is left with exactly the living.
func TestACrowd(t *testing.T) {
	const crowd = 100
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		var mu sync.Mutex
		var living []string
		var all sync.WaitGroup
		places := make(chan struct{}, 8)
		for i := range crowd {
			places <- struct{}{}
			all.Go(func() {
				defer func() { <-places }()
				uid, err := live(ctx, n, spec(fmt.Sprint("n", i%10), "member", r), i%3)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if uid != "" {
					living = append(living, uid)
				}
			})
		}
		all.Wait()
		slices.Sort(living)
		c := client(t, r)
		var got []string
		eventually(t, "it has exactly the living", func() bool {
			entries, err := c.List(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			for _, e := range entries {
				got = append(got, e.UID)
			}
			slices.Sort(got)
			return slices.Equal(got, living)
		})
		if diff := cmp.Diff(living, got); diff != "" {
			t.Error(diff)
		}
	})
}

// live starts an actor, and returns its UID if it is let live: that is how 0.
func live(ctx context.Context, n *host.Nursery, s parent.Spec, how int) (string, error) {
	if how == 0 {
		a, err := parent.Start(ctx, n, s)
		if err != nil {
			return "", err
		}
		return a.UID(), nil
	}
	var failed error
	n.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
		var a *parent.Actor
		if a, failed = parent.Start(ctx, n, s); failed != nil {
			return failed
		}
		if how == 1 {
			a.Stop(ctx)
			return nil
		}
		return a.Child().Process().Signal(syscall.SIGKILL)
	})
	return "", failed
}

// TestAnAddressThatChangesHands is bound by one after the other.
func TestAnAddressThatChangesHands(t *testing.T) {
	r, own := socket(t), socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		c := client(t, r)
		s := spec("old", "member", r)
		s.Bind = []string{own}
		var old string
		n.Nursery(ctx, host.NurseryConfig{}, func(ctx context.Context, n *host.Nursery) error {
			a := start(t, ctx, n, s)
			old = a.UID()
			return a.Child().Process().Signal(syscall.SIGKILL)
		})
		s.Name = "new" // the socket's file is still there: it was none of the parent's
		a := start(t, ctx, n, s)
		entries, err := c.List(ctx)
		if err != nil || len(entries) != 1 || entries[0].UID != a.UID() || entries[0].UID == old {
			t.Errorf("%v, %v: want the new one alone", entries, err)
		}
		if _, err := discovery.Dial(ctx, discovery.Config{}, old, parse(t, own)); err == nil {
			t.Error("the old one was found at the address of the new one")
		}
		s.Name = "third"
		if _, err := parent.Start(ctx, n, s); err == nil {
			t.Error("two actors listen at one address")
		}
	})
}

// TestBindAddressesOfASubtree are told to all that have none of their own.
func TestBindAddressesOfASubtree(t *testing.T) {
	r := socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		start(t, ctx, n, spec("registrar", "registrar", r))
		s := spec("a", "member", r)
		s.Variables = map[string]string{discovery.BindVariable: "/ip4/127.0.0.1/tcp/0 /ip6/::1/tcp/0"}
		a := start(t, ctx, n, s)
		addrs := parse(t, a.Addresses()...)
		if len(addrs) != 2 || !addrs[0].AddrPort().Addr().Is4() || addrs[1].AddrPort().Addr().Is4() || addrs[0].AddrPort().Port() == 0 {
			t.Errorf("it listens at %v", addrs)
		}
		s.Bind = []string{socket(t)}
		b := start(t, ctx, n, s)
		if got := b.Addresses(); !slices.Equal(got, s.Bind) {
			t.Errorf("it listens at %v, want %v", got, s.Bind)
		}
		s.Bind = []string{"/ip4/10.0.0.1/tcp/99999"}
		if _, err := parent.Start(ctx, n, s); err == nil {
			t.Error("a bad address is taken")
		}
	})
}

// TestARegistrarListensAtAllOfItsAddresses has it asked for one, and told of two.
func TestARegistrarListensAtAllOfItsAddresses(t *testing.T) {
	asked, told := socket(t), socket(t)
	nursery(t, func(ctx context.Context, n *host.Nursery) {
		s := spec("registrar", "registrar", told, asked)
		s.Bind = []string{asked, "/ip4/127.0.0.1/tcp/0"}
		at := start(t, ctx, n, s).Addresses()
		if len(at) != 3 || at[0] != asked || at[2] != told {
			t.Errorf("it listens at %v", at)
		}
		for _, one := range at {
			if _, err := client(t, one).List(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}
