package portal

import (
	"context"
	"io"
	"iter"
)

// A Stream is one end of a conversation, which sends Out and receives In. One
// goroutine may send while another receives.
type Stream[Out, In any] struct {
	raw interface {
		SendMsg(any) error
		RecvMsg(any) error
	}
	limit int
	name  string // of the function; empty in its handler

	// Of the caller's end; nil in the handler.
	closeSend func() error
	cancel    context.CancelFunc
}

// Send sends v. It waits while the other side takes its time to receive. Once the
// conversation is over it returns io.EOF, and Recv the reason.
func (s *Stream[Out, In]) Send(v Out) error {
	m, err := outgoing(v, s.limit)
	if err != nil {
		return s.local(err)
	}
	return s.raw.SendMsg(m)
}

// CloseSend says that nothing more is sent: the other side's Recv returns io.EOF.
// For the handler its return says that.
func (s *Stream[Out, In]) CloseSend() error {
	if s.closeSend == nil {
		return nil
	}
	return s.closeSend()
}

// Recv waits for what the other side sends. The error is io.EOF when it has
// nothing more to send: its handler has returned nil, or it has called CloseSend.
func (s *Stream[Out, In]) Recv() (In, error) {
	var v In
	in := &message{into: &v}
	if err := s.raw.RecvMsg(in); err != nil {
		s.Close() // what it says is said
		return v, err
	}
	if in.err != nil {
		return v, s.local(in.err)
	}
	return v, nil
}

// All receives until there is nothing more. An error that is not io.EOF comes
// last.
func (s *Stream[Out, In]) All() iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for {
			v, err := s.Recv()
			if err == io.EOF || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the conversation, whatever is still under way: the context of its
// handler ends. The handler itself ends by returning.
func (s *Stream[Out, In]) Close() {
	if s.cancel != nil {
		s.cancel()
	}
}

func (s *Stream[Out, In]) local(err error) error {
	if s.name == "" {
		return err
	}
	return localError(s.name, err)
}
