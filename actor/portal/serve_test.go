package portal_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

// serving serves functions at an address until the test, or stop, ends it.
func serving(t *testing.T, s *portal.Server) (addr string, stop func()) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- portal.Serve(ctx, l, portal.Config{Name: "server", Errors: errorsOfTests(), Serve: s})
	}()
	stop = func() {
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Error("Serve: ", err)
			}
			served <- nil
		case <-time.After(soon):
			t.Error("Serve has not returned")
		}
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

func dialed(t *testing.T, addr string) *portal.Portal {
	t.Helper()
	c, err := net.Dial("unix", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := portal.Dialed(c, portal.Config{Errors: errorsOfTests()})
	t.Cleanup(p.Close)
	return p
}

func TestManyAtOneAddress(t *testing.T) {
	leakcheck.Check(t)
	addr, stop := serving(t, functions())
	first, second := dialed(t, addr), dialed(t, addr)
	for _, p := range []*portal.Portal{first, second, first} {
		if got, err := portal.Call[point](t.Context(), p, "mirror", point{1, 2}); err != nil || got.X != 2 {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := portal.Call[int](t.Context(), p, "fail", "value"); !errors.Is(err, errOwn) {
			t.Errorf("%v: want the tests' own error", err)
		}
	}
	first.Close()
	if _, err := portal.Call[point](t.Context(), first, "mirror", point{1, 2}); !errors.Is(err, portal.ErrGone) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := portal.Call[point](t.Context(), second, "mirror", point{1, 2}); err != nil {
		t.Errorf("the other one, after Close: %v", err)
	}
	stop()
	if _, err := portal.Call[point](t.Context(), second, "mirror", point{1, 2}); !errors.Is(err, portal.ErrGone) {
		t.Errorf("after the end of Serve: %v", err)
	}
}

// TestServeEndsInSpiteOfItsPeers has one that does not speak, one that sends
// garbage and one in the middle of a call.
func TestServeEndsInSpiteOfItsPeers(t *testing.T) {
	leakcheck.Check(t)
	s := functions().Clone()
	entered := make(chan struct{})
	portal.Handle(s, "hang", func(ctx context.Context, _ int) (int, error) {
		close(entered)
		<-ctx.Done()
		return 0, context.Cause(ctx)
	})
	addr, stop := serving(t, s)
	for _, text := range []string{"", "GET / HTTP/1.1\r\n\r\n"} {
		c, err := net.Dial("unix", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte(text))
	}
	called := make(chan error, 1)
	p := dialed(t, addr)
	go func() {
		_, err := portal.Call[int](t.Context(), p, "hang", 0)
		called <- err
	}()
	<-entered
	stop()
	select {
	case err := <-called:
		if err == nil {
			t.Error("the call has succeeded")
		}
	case <-time.After(soon):
		t.Error("the call has not ended")
	}
}

func TestACloneIsItsOwn(t *testing.T) {
	var s portal.Server
	portal.Handle(&s, "a", func(context.Context, int) (int, error) { return 1, nil })
	c := s.Clone()
	portal.Handle(c, "b", func(context.Context, int) (int, error) { return 2, nil })
	addr, _ := serving(t, &s)
	p := dialed(t, addr)
	if _, err := portal.Call[int](t.Context(), p, "b", 0); !errors.Is(err, portal.ErrUnknown) {
		t.Errorf("%v: the original has what was added to the clone", err)
	}
	if got, err := portal.Call[int](t.Context(), p, "a", 0); got != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
