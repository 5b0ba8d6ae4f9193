// Package portal makes calls between an actor and its parent, in both
// directions, over sockets that were handed over and have no address.
//
// The smallest example. The actor has a function:
//
//	var s portal.Server
//	portal.Handle(&s, "square", func(ctx context.Context, n int) (int, error) {
//		return n * n, nil
//	})
//	entry := actor.Entry{
//		Setup: func(ctx context.Context, a *actor.Actor) ([]string, error) {
//			_, err := portal.New(ctx, a.Channel(), portal.Config{Actor: a, Serve: &s})
//			return nil, err
//		},
//		Run: func(ctx context.Context, a *actor.Actor) error {
//			<-ctx.Done()
//			return context.Cause(ctx)
//		},
//	}
//
// and its parent calls it:
//
//	a, err := parent.Start(ctx, nursery, parent.Spec{Name: "squares", Entry: "square"})
//	…
//	p, err := portal.New(ctx, a.Channel(), portal.Config{})
//	…
//	n, err := portal.Call[int](ctx, p, "square", 12)
//
// A parent that has functions for its actors makes the portal before the actor
// is told what to be, in parent.Spec.Channel, and gives it a Server of its own.
//
// Besides functions with one request and one answer ([Handle], [Call]) there are
// those that answer with a sequence ([HandleSeq], [Seq]) and conversations
// ([HandleStream], [OpenStream]). Requests and answers are what package
// encoding/json makes of them, but for the type []byte, which is sent as it is.
// Services in another encoding, protocol buffers above all, are generated as
// usual: a [Server] is a grpc.ServiceRegistrar, and [Portal.Conn] is a
// grpc.ClientConnInterface. On the wire all is plain gRPC, which
// docs/protocol.md describes for other languages.
//
// # Guarantees
//
//   - Calls end when the other side does: those that wait and those that come
//     later have [ErrGone], and in it how the actor ended, with its exit status.
//     No connection is ever made again.
//   - A call ends with its context, and so does the context of its handler, which
//     has the same deadline. It also ends when the handler's own actor is
//     canceled, with the [*actor.Canceled] as its cause; the caller gets that
//     for an error, unless the handler had another.
//   - Errors keep text, type, stack and path: see [Error].
//   - Whoever sends waits for a receiver that is slow. What is on the way in one
//     stream is at most a few hundred KiB, or one message that is larger.
//   - A message of more than [Config].MaxMessage is refused, with both sizes.
//   - A peer that does not speak, or not as agreed, costs one connection in each
//     direction, and calls to it fail within [ConnectTime], or when their context
//     ends.
//
// # Panics
//
// The process is the boundary for faults. A handler that panics has left behind
// who knows what: its caller gets the panic as an error with its stack, and then
// the process ends by it, as it would have without a portal. Calls of others have
// up to a fifth of a second in which they may end. The end of the process is for
// its parent to deal with, like any failure.
//
// # What this package is not
//
// It connects an actor with its parent and nobody else: actors that are to reach
// each other listen where their addresses say. It does not authenticate, as the
// socket has only two ends. It does not send calls again. It links grpc: an actor
// that makes no calls is smaller without.
package portal
