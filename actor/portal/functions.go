package portal

import (
	"context"
	"fmt"
	"iter"

	"google.golang.org/grpc"
)

// Handle registers a function that takes a request and gives an answer. Its
// context ends with that of the call, with this side's cancellation, and with the
// other side. A name has letters, digits, '_', '.' and '-'.
func Handle[Req, Resp any](s *Server, name string, f func(context.Context, Req) (Resp, error)) {
	s.functions = append(s.functions, function{method: &grpc.MethodDesc{
		MethodName: name,
		Handler: func(srv any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			var req Req
			in := &message{into: &req}
			if err := dec(in); err != nil {
				return nil, err
			}
			info := &grpc.UnaryServerInfo{Server: srv, FullMethod: functionPrefix + name}
			return intercept(ctx, in, info, func(ctx context.Context, _ any) (any, error) {
				if err := in.requestError(); err != nil {
					return nil, err
				}
				resp, err := f(ctx, req)
				if err != nil {
					return nil, err
				}
				return srv.(*Portal).answer(resp)
			})
		},
	}})
}

// HandleSeq registers a function that answers with a sequence. The sequence is
// ranged over only as fast as the caller takes what it yields, and no further when
// the call is over; the first error ends it.
func HandleSeq[Req, Item any](s *Server, name string, f func(context.Context, Req) iter.Seq2[Item, error]) {
	s.functions = append(s.functions, function{stream: &grpc.StreamDesc{
		StreamName: name, ServerStreams: true,
		Handler: func(srv any, gs grpc.ServerStream) error {
			var req Req
			in := &message{into: &req}
			if err := gs.RecvMsg(in); err != nil {
				return err
			}
			if err := in.requestError(); err != nil {
				return err
			}
			for item, err := range f(gs.Context(), req) {
				if err != nil {
					return err
				}
				m, err := srv.(*Portal).answer(item)
				if err != nil {
					return err
				}
				if err := gs.SendMsg(m); err != nil {
					return err
				}
			}
			return nil
		},
	}})
}

// HandleStream registers a function that is a conversation: it receives In and
// sends Out, in any order, until it returns. Its context is that of a Handle.
func HandleStream[In, Out any](s *Server, name string, f func(context.Context, *Stream[Out, In]) error) {
	s.functions = append(s.functions, function{stream: &grpc.StreamDesc{
		StreamName: name, ServerStreams: true, ClientStreams: true,
		Handler: func(srv any, gs grpc.ServerStream) error {
			return f(gs.Context(), &Stream[Out, In]{raw: gs, limit: srv.(*Portal).cfg.MaxMessage})
		},
	}})
}

// requestError says why a request could not be decoded.
func (m *message) requestError() error {
	if m.err == nil {
		return nil
	}
	return fmt.Errorf("request: %w", m.err)
}

// answer encodes an answer.
func (p *Portal) answer(v any) (*message, error) {
	m, err := outgoing(v, p.cfg.MaxMessage)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return m, nil
}
