package portal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"github.com/hatchery-spawn/hatchery/actor/portal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What the actors of these tests have for their parent.

// errOwn and ownError are known on both sides.
var errOwn = errors.New("an error of the tests'")

type ownError struct{ Code int }

func (e *ownError) Error() string { return fmt.Sprintf("code %d", e.Code) }

func errorsOfTests() actor.Errors {
	return actor.Errors{"test.own": actor.Value(errOwn), "test.type": actor.Type[*ownError]()}
}

type point struct{ X, Y int }

func functions() *portal.Server {
	s := new(portal.Server)
	portal.Handle(s, "mirror", func(_ context.Context, p point) (point, error) { return point{p.Y, p.X}, nil })
	portal.Handle(s, "fail", fail)
	portal.Handle(s, "repeat", func(_ context.Context, n int) ([]byte, error) { return bytes.Repeat([]byte("x"), n), nil })
	portal.Handle(s, "length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	portal.Handle(s, "remaining", func(ctx context.Context, _ struct{}) (time.Duration, error) {
		d, ok := ctx.Deadline()
		if !ok {
			return 0, nil
		}
		return time.Until(d), nil
	})
	portal.Handle(s, "back", func(ctx context.Context, name string) (string, error) {
		return portal.Call[string](ctx, portal.Caller(ctx), name, "from the actor")
	})
	portal.Handle(s, "say", func(_ context.Context, v string) (string, error) { return v, nil })
	portal.HandleSeq(s, "count", count)
	portal.HandleStream(s, "echo", echo)
	addWaits(s)
	addFlood(s)
	registerEcho(s)
	return s
}

func fail(_ context.Context, how string) (int, error) {
	switch how {
	case "plain":
		return 0, errors.New("a plain error")
	case "value":
		return 0, actor.Trace(fmt.Errorf("wrapped: %w", errOwn))
	case "type":
		return 0, errors.Join(&ownError{7}, os.ErrNotExist)
	case "deadline":
		return 0, context.DeadlineExceeded
	case "status":
		return 0, status.Error(codes.NotFound, "not there")
	case "long":
		return 0, errors.New(strings.Repeat("long ", 1<<20))
	case "panic":
		panic("a panic")
	case "exit":
		os.Stderr.WriteString("last words\n")
		os.Exit(9)
	}
	return 0, errors.New("unknown: " + how)
}

// count counts up to n, and fails there if n is odd.
func count(ctx context.Context, n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		if n%2 == 1 {
			yield(0, errOwn)
		}
	}
}

func echo(_ context.Context, s *portal.Stream[string, string]) error {
	for v, err := range s.All() {
		if err != nil {
			return err
		}
		if v == "fail" {
			return errOwn
		}
		if err := s.Send(v); err != nil {
			return err
		}
	}
	return s.Send("the end")
}

// addWaits adds "wait", which waits for the end of its context, and "waited", which
// waits until that has ended and says why it did.
func addWaits(s *portal.Server) {
	var mu sync.Mutex
	begun, ended := map[string]chan struct{}{}, map[string]chan string{}
	at := func(name string) (chan struct{}, chan string) {
		mu.Lock()
		defer mu.Unlock()
		if begun[name] == nil {
			begun[name], ended[name] = make(chan struct{}), make(chan string, 1)
		}
		return begun[name], ended[name]
	}
	wait := func(ctx context.Context, name string) error {
		b, e := at(name)
		close(b)
		<-ctx.Done()
		e <- fmt.Sprint(ctx.Err())
		return ctx.Err()
	}
	portal.Handle(s, "wait", func(ctx context.Context, name string) (int, error) { return 0, wait(ctx, name) })
	portal.HandleStream(s, "waitstream", func(ctx context.Context, s *portal.Stream[int, string]) error {
		name, err := s.Recv()
		if err != nil {
			return err
		}
		return wait(ctx, name)
	})
	portal.Handle(s, "waiting", func(ctx context.Context, name string) (int, error) {
		b, _ := at(name)
		select {
		case <-b:
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	portal.Handle(s, "waited", func(ctx context.Context, name string) (string, error) {
		_, e := at(name)
		select {
		case why := <-e:
			return why, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	portal.Handle(s, "stuck", func(_ context.Context, name string) (int, error) {
		b, _ := at(name)
		close(b)
		select {}
	})
}

const floodChunk = 32 << 10

// addFlood adds "flood", which sends without end, and "flooded", which says how
// much it has sent and what memory the process has.
func addFlood(s *portal.Server) {
	var sent atomic.Int64
	portal.HandleSeq(s, "flood", func(context.Context, struct{}) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			for yield(make([]byte, floodChunk), nil) {
				sent.Add(floodChunk)
			}
		}
	})
	portal.Handle(s, "flooded", func(context.Context, struct{}) (point, error) {
		return point{int(sent.Load()), residentKiB()}, nil
	})
}

// residentKiB returns how much memory this process has.
func residentKiB() int {
	runtime.GC()
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
			return n
		}
	}
	return 0
}

// The service that would be generated of
//
//	service Echo { rpc Say(StringValue) returns (StringValue); rpc Twice(StringValue) returns (stream StringValue) }

type echoServer interface {
	Say(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
	Twice(*wrapperspb.StringValue, grpc.ServerStream) error
}

type echoService struct{}

func (echoService) Say(_ context.Context, m *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	if how, ok := strings.CutPrefix(m.GetValue(), "fail "); ok {
		_, err := fail(context.Background(), how)
		return nil, err
	}
	return m, nil
}

func (echoService) Twice(m *wrapperspb.StringValue, s grpc.ServerStream) error {
	if m.GetValue() == "fail" {
		return status.Error(codes.NotFound, "not there")
	}
	return errors.Join(s.SendMsg(m), s.SendMsg(m))
}

func echoDesc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "test.Echo", HandlerType: (*echoServer)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: func(srv any, ctx context.Context, dec func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := dec(in); err != nil {
				return nil, err
			}
			handler := func(ctx context.Context, req any) (any, error) {
				return srv.(echoServer).Say(ctx, req.(*wrapperspb.StringValue))
			}
			if i == nil {
				return handler(ctx, in)
			}
			return i(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/test.Echo/Say"}, handler)
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Twice", ServerStreams: true, Handler: func(srv any, s grpc.ServerStream) error {
			in := new(wrapperspb.StringValue)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			return srv.(echoServer).Twice(in, s)
		}}},
	}
}

func registerEcho(s grpc.ServiceRegistrar) { s.RegisterService(echoDesc(), echoService{}) }
