package portal_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/hatchery-spawn/hatchery/actor/parent"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

func TestASequence(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		seq := portal.Seq[int](ctx, p, "count", 1000)
		for range 2 { // each range is a call
			var got []int
			for i, err := range seq {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, i)
			}
			if len(got) != 1000 || !slices.IsSorted(got) {
				t.Errorf("%d items", len(got))
			}
		}
		n := 0
		var last error
		for _, err := range portal.Seq[int](ctx, p, "count", 7) {
			if n++; err != nil {
				last = err
			}
		}
		if n != 8 || !errors.Is(last, errOwn) {
			t.Errorf("%d items, the last of them %v", n, last)
		}
		for _, err := range portal.Seq[int](ctx, p, "nothing", 7) {
			if !errors.Is(err, portal.ErrUnknown) {
				t.Error(err)
			}
		}
		for _, err := range portal.Seq[int](ctx, p, "count", "seven") {
			if err == nil || !strings.Contains(err.Error(), "request: json") {
				t.Error(err)
			}
		}
	})
}

func TestAConversation(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		s, err := portal.OpenStream[string, string](ctx, p, "echo")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"one", "", "three"} {
			if err := s.Send(v); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Recv(); err != nil || got != v {
				t.Errorf("%q came back as %q, %v", v, got, err)
			}
		}
		s.CloseSend()
		var rest []string
		for v, err := range s.All() {
			if err != nil {
				t.Error(err)
			}
			rest = append(rest, v)
		}
		if !slices.Equal(rest, []string{"the end"}) {
			t.Errorf("at the end came %q", rest)
		}

		s, err = portal.OpenStream[string, string](ctx, p, "echo")
		if err != nil {
			t.Fatal(err)
		}
		s.Send("fail")
		if _, err := s.Recv(); !errors.Is(err, errOwn) {
			t.Errorf("a handler that fails: %v", err)
		}
		if err := s.Send("more"); err == nil {
			t.Error("sent to a conversation that is over")
		}

		w, err := portal.OpenStream[string, int](ctx, p, "waitstream")
		if err != nil {
			t.Fatal(err)
		}
		w.Send("closed")
		portal.Call[int](ctx, p, "waiting", "closed")
		w.Close()
		if why, err := portal.Call[string](ctx, p, "waited", "closed"); err != nil || why != "context canceled" {
			t.Errorf("after Close the handler has %q, %v", why, err)
		}
		if _, err := w.Recv(); !errors.Is(err, context.Canceled) {
			t.Errorf("Recv after Close: %v", err)
		}
	})
}

// TestASlowReceiver takes nothing of an endless sequence: the sender waits, and
// neither side's memory grows.
func TestASlowReceiver(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		flooded := func() point {
			t.Helper()
			n, err := portal.Call[point](ctx, p, "flooded", struct{}{})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := flooded()
		ours := residentKiB()
		taken := 0
		for b, err := range portal.Seq[[]byte](ctx, p, "flood", struct{}{}) {
			if err != nil {
				t.Fatal(err)
			}
			taken += len(b)
			if taken == 100*floodChunk {
				break
			}
			if taken%(20*floodChunk) == 0 {
				stalled(ctx, func() int { return flooded().X })
				ahead := flooded().X - taken
				if ahead > 2<<20 {
					t.Errorf("the sender is %d bytes ahead", ahead)
				}
			}
		}
		after := flooded()
		if grown := after.Y - before.Y; grown > 24<<10 {
			t.Errorf("the sender has grown by %d KiB", grown)
		}
		if grown := residentKiB() - ours; grown > 24<<10 {
			t.Errorf("the receiver has grown by %d KiB", grown)
		}
	})
}

// stalled returns when a number does not change any more.
func stalled(ctx context.Context, number func() int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last, same := number(), 0
	for same < 5 && ctx.Err() == nil {
		<-tick.C
		if n := number(); n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
}

// TestASlowHandler sends to a handler that takes nothing: Send waits.
func TestASlowHandler(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		s, err := portal.OpenStream[string, int](ctx, p, "waitstream")
		if err != nil {
			t.Fatal(err)
		}
		sent := 0
		chunk := strings.Repeat("x", 32<<10)
		for err == nil {
			if err = s.Send(chunk); err == nil {
				sent += len(chunk)
			}
		}
		if sent > 2<<20 {
			t.Errorf("%d bytes were sent ahead", sent)
		}
		if _, err := s.Recv(); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestAGeneratedService(t *testing.T) {
	with(t, nil, func(ctx context.Context, a *parent.Actor, p *portal.Portal) {
		say := func(s string) (string, error) {
			out := new(wrapperspb.StringValue)
			err := p.Conn().Invoke(ctx, "/test.Echo/Say", wrapperspb.String(s), out)
			return out.GetValue(), err
		}
		if got, err := say("hello"); err != nil || got != "hello" {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := say("fail value"); !errors.Is(err, errOwn) || status.Code(err) != codes.Unknown {
			t.Errorf("an error: %v", err)
		}
		if _, err := say("fail status"); status.Code(err) != codes.NotFound || status.Convert(err).Message() != "not there" {
			t.Errorf("a status: %v", err)
		}
		twice := func(s string) ([]string, error) {
			cs, err := p.Conn().NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Echo/Twice")
			if err != nil {
				return nil, err
			}
			if err := errors.Join(cs.SendMsg(wrapperspb.String(s)), cs.CloseSend()); err != nil {
				return nil, err
			}
			var all []string
			for {
				m := new(wrapperspb.StringValue)
				if err := cs.RecvMsg(m); err != nil {
					if err == io.EOF {
						err = nil
					}
					return all, err
				}
				all = append(all, m.GetValue())
			}
		}
		if got, err := twice("x"); err != nil || !slices.Equal(got, []string{"x", "x"}) {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := twice("fail"); status.Code(err) != codes.NotFound {
			t.Errorf("a status: %v", err)
		}
	})
}
