package portal_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"github.com/hatchery-spawn/hatchery/internal/leakcheck"
)

func TestBothSidesCall(t *testing.T) {
	var s portal.Server
	portal.Handle(&s, "greet", func(ctx context.Context, from string) (string, error) {
		if portal.Caller(ctx) == nil {
			t.Error("the parent's handler does not know who calls")
		}
		return "hello " + from, nil
	})
	with(t, &s, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		got, err := portal.Call[point](ctx, p, "mirror", point{1, 2})
		if err != nil || got != (point{2, 1}) {
			t.Errorf("mirror: %v, %v", got, err)
		}
		back, err := portal.Call[string](ctx, p, "back", "greet")
		if err != nil || back != "hello from the actor" {
			t.Errorf("back: %q, %v", back, err)
		}
		// What the actor passes on has crossed both.
		_, err = portal.Call[string](ctx, p, "back", "nothing")
		if err == nil || !strings.Contains(err.Error(), `call "nothing"`) || !strings.Contains(err.Error(), `call "back"`) {
			t.Errorf("back to nothing: %v", err)
		}
	})
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		call := func(how string) (*actor.RemoteError, error) {
			t.Helper()
			_, err := portal.Call[int](ctx, p, "fail", how)
			var e *portal.Error
			var r *actor.RemoteError
			if !errors.As(err, &e) || !errors.As(err, &r) || e.Call != "fail" || !cmp.Equal(r.Path, []string{"a"}) {
				t.Fatalf("%s: %v is no error of the actor", how, err)
			}
			return r, err
		}
		if r, err := call("plain"); err.Error() != `call "fail": a plain error` || r.Type != "*errors.errorString" || status.Code(err) != codes.Unknown {
			t.Errorf("plain: %v, %+v", err, r)
		}
		if r, err := call("value"); !errors.Is(err, errOwn) || !strings.Contains(r.Stack, "portal_test.fail") {
			t.Errorf("value: %v, stack %q", err, r.Stack)
		}
		var own *ownError
		if _, err := call("type"); !errors.As(err, &own) || own.Code != 7 || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("type: %v", err)
		}
		if _, err := call("deadline"); !errors.Is(err, context.DeadlineExceeded) || status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("deadline: %v", err)
		}
		if _, err := call("status"); status.Code(err) != codes.NotFound || !strings.Contains(err.Error(), "not there") {
			t.Errorf("status: %v", err)
		}
		if r, _ := call("long"); len(r.Error()) < 60<<10 {
			t.Errorf("of a long text came %d bytes", len(r.Error()))
		}
	})
}

func TestWhatIsNotThere(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		if _, err := portal.Call[int](ctx, p, "nothing", 1); !errors.Is(err, portal.ErrUnknown) || !strings.Contains(err.Error(), "nothing") {
			t.Errorf("a function that is not there: %v", err)
		}
		if _, err := portal.Call[int](ctx, p, "a/b", 1); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("a name that is none: %v", err)
		}
		if _, err := portal.Call[point](ctx, p, "mirror", "no point"); err == nil || !strings.Contains(err.Error(), "request: json: ") {
			t.Errorf("a request of another type: %v", err)
		}
		if _, err := portal.Call[string](ctx, p, "mirror", point{}); err == nil || !strings.Contains(err.Error(), "answer: json: ") {
			t.Errorf("an answer of another type: %v", err)
		}
		if _, err := portal.Call[int](ctx, p, "mirror", func() {}); err == nil || !strings.Contains(err.Error(), "request: json: ") {
			t.Errorf("a request that cannot be encoded: %v", err)
		}
	})
	p, _ := pair(t, portal.Config{}, portal.Config{})
	if _, err := portal.Call[int](t.Context(), p, "f", 1); !errors.Is(err, channel.ErrRefused) {
		t.Errorf("a side that serves nothing: %v", err)
	}
}

func TestABadServerIsRefused(t *testing.T) {
	left, right := channels(t)
	defer left.End(nil)
	defer right.End(nil)
	var s portal.Server
	f := func(context.Context, int) (int, error) { return 0, nil }
	portal.Handle(&s, "twice", f)
	portal.Handle(&s, "twice", f)
	portal.Handle(&s, "", f)
	portal.Handle(&s, "a b", f)
	registerEcho(&s)
	registerEcho(&s)
	s.RegisterService(echoDesc(), 1)
	_, err := portal.New(t.Context(), left, portal.Config{Serve: &s})
	for _, want := range []string{`"twice": it is`, `"": want`, `"a b": want`, `"test.Echo": the service`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s", err, want)
		}
	}
	var other portal.Server
	other.RegisterService(echoDesc(), 1)
	if _, err := portal.New(t.Context(), left, portal.Config{Serve: &other}); err == nil || !strings.Contains(err.Error(), "int does not implement") {
		t.Error(err)
	}
}

func TestAContextReachesTheHandler(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		deadline, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if d, err := portal.Call[time.Duration](deadline, p, "remaining", struct{}{}); err != nil || d < time.Second || d > 30*time.Second {
			t.Errorf("the handler has %v, %v", d, err)
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := portal.Call[int](short, p, "wait", "short"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, portal.ErrGone) {
			t.Errorf("a deadline: %v", err)
		}
		if why, err := portal.Call[string](ctx, p, "waited", "short"); err != nil || why == "" {
			t.Errorf("the handler's context: %q, %v", why, err)
		}

		why := errors.New("why")
		canceled, giveUp := context.WithCancelCause(ctx)
		go func() {
			portal.Call[int](ctx, p, "waiting", "canceled")
			giveUp(why)
		}()
		if _, err := portal.Call[int](canceled, p, "wait", "canceled"); !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("a cancellation: %v", err)
		}
		if why, err := portal.Call[string](ctx, p, "waited", "canceled"); err != nil || why != "context canceled" {
			t.Errorf("the handler's context: %q, %v", why, err)
		}
		if _, err := portal.Call[int](canceled, p, "mirror", point{}); !errors.Is(err, context.Canceled) {
			t.Errorf("a call after that: %v", err)
		}
	})
}

func TestManyCallsAtOnce(t *testing.T) {
	var s portal.Server
	portal.Handle(&s, "greet", func(_ context.Context, from string) (string, error) { return from, nil })
	with(t, &s, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		var wg sync.WaitGroup
		for i := range 500 {
			wg.Go(func() {
				if got, err := portal.Call[point](ctx, p, "mirror", point{i, -i}); err != nil || got != (point{-i, i}) {
					t.Errorf("call %d: %v, %v", i, got, err)
				}
				if _, err := portal.Call[string](ctx, p, "back", "greet"); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		wg.Wait()
	})
}

func TestLargeMessages(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		const limit = portal.DefaultMaxMessage
		if n, err := portal.Call[int](ctx, p, "length", make([]byte, limit)); err != nil || n != limit {
			t.Errorf("the longest request: %d, %v", n, err)
		}
		if b, err := portal.Call[[]byte](ctx, p, "repeat", limit); err != nil || len(b) != limit {
			t.Errorf("the longest answer: %d, %v", len(b), err)
		}
		sizes := fmt.Sprintf("%d bytes, at most %d", limit+1, limit)
		if _, err := portal.Call[int](ctx, p, "length", make([]byte, limit+1)); !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), sizes) {
			t.Errorf("a request too long: %v", err)
		}
		if _, err := portal.Call[[]byte](ctx, p, "repeat", limit+1); !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), sizes) {
			t.Errorf("an answer too long: %v", err)
		}
		q, err := portal.New(ctx, a.Channel(), portal.Config{MaxMessage: 1000}) // the receiver's limit
		if err != nil {
			t.Fatal(err)
		}
		_, err = portal.Call[[]byte](ctx, q, "repeat", 1001)
		if !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "1001") || !strings.Contains(err.Error(), "1000") {
			t.Errorf("an answer too long for the receiver: %v", err)
		}
	})
}

func TestNothingIsLeft(t *testing.T) {
	leakcheck.Check(t)
	for range 3 {
		with(t, functions(), func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
			if _, err := portal.Call[point](ctx, p, "mirror", point{}); err != nil {
				t.Error(err)
			}
		})
	}
}
