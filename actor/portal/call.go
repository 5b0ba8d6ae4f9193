package portal

import (
	"context"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"
)

// Call calls a function of the other side and waits for its answer, or for the end
// of ctx, of the function's actor or of the portal. The error is an *[Error].
func Call[Resp, Req any](ctx context.Context, p *Portal, name string, req Req) (Resp, error) {
	var resp Resp
	out, err := p.request(name, req)
	if err != nil {
		return resp, err
	}
	in := &message{into: &resp}
	if err := (conn{p}).Invoke(ctx, functionPrefix+name, out, in, contentJSON()); err != nil {
		return resp, err
	}
	return resp, in.answerError(name)
}

// Seq calls a function that answers with a sequence. Each range over the result is
// a call of its own, which is over when the range is. After an error, which is an
// *[Error], comes nothing more. As long as the loop's body takes its time, the
// function waits.
func Seq[Item, Req any](ctx context.Context, p *Portal, name string, req Req) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var none Item
		out, err := p.request(name, req)
		if err != nil {
			yield(none, err)
			return
		}
		s, err := open[Req, Item](ctx, p, name, &grpc.StreamDesc{ServerStreams: true})
		if err != nil {
			yield(none, err)
			return
		}
		defer s.Close()
		if err := s.raw.SendMsg(out); err != nil && err != io.EOF { // of io.EOF Recv has the reason
			yield(none, err)
			return
		}
		s.CloseSend()
		for item, err := range s.All() {
			if !yield(item, err) {
				return
			}
		}
	}
}

// OpenStream calls a function that is a conversation: this side sends Out and
// receives In. The stream is over when ctx ends, when Recv has returned an error,
// io.EOF included, and after Close: one of those has to happen. The error is an
// *[Error].
func OpenStream[Out, In any](ctx context.Context, p *Portal, name string) (*Stream[Out, In], error) {
	if err := checkName(name); err != nil {
		return nil, localError(name, err)
	}
	return open[Out, In](ctx, p, name, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true})
}

func open[Out, In any](ctx context.Context, p *Portal, name string, desc *grpc.StreamDesc) (*Stream[Out, In], error) {
	ctx, cancel := context.WithCancel(ctx)
	cs, err := conn{p}.NewStream(ctx, desc, functionPrefix+name, contentJSON())
	if err != nil {
		cancel()
		return nil, err
	}
	return &Stream[Out, In]{raw: cs, limit: p.cfg.MaxMessage, name: name, closeSend: cs.CloseSend, cancel: cancel}, nil
}

// contentJSON says what the messages of functions are.
func contentJSON() grpc.CallOption { return grpc.CallContentSubtype("json") }

// request encodes a request.
func (p *Portal) request(name string, req any) (*message, error) {
	if err := checkName(name); err != nil {
		return nil, localError(name, err)
	}
	m, err := outgoing(req, p.cfg.MaxMessage)
	if err != nil {
		return nil, localError(name, fmt.Errorf("request: %w", err))
	}
	return m, nil
}

// answerError says why an answer could not be decoded.
func (m *message) answerError(name string) error {
	if m.err == nil {
		return nil
	}
	return localError(name, fmt.Errorf("answer: %w", m.err))
}
