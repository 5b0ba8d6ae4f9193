package portal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hatchery-spawn/hatchery/actor"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// unary is around every call with one request and one answer.
func (s *serving) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	stream := ctx // which has the trailer
	ctx, end := s.bind(ctx)
	defer end()
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(info.FullMethod, v)
		}
		if err != nil {
			var trailer metadata.MD
			trailer, err = s.failed(err)
			grpc.SetTrailer(stream, trailer)
			resp = nil
		}
	}()
	if err := s.cause(); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

// stream is around every other call.
func (s *serving) stream(srv any, gs grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx, end := s.bind(gs.Context())
	defer end()
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(info.FullMethod, v)
		}
		if err != nil {
			var trailer metadata.MD
			trailer, err = s.failed(err)
			gs.SetTrailer(trailer)
		}
	}()
	if err := s.cause(); err != nil {
		return err
	}
	return handler(srv, &serverStream{gs, func() context.Context { return ctx }})
}

// A serverStream is grpc's, with the context that the handler is to have.
type serverStream struct {
	grpc.ServerStream
	context func() context.Context
}

// Context returns the handler's context.
func (s *serverStream) Context() context.Context { return s.context() }

// failed returns what a call is answered with whose handler has failed. An error
// that says only that this side has been canceled says who asked for that.
func (s *serving) failed(err error) (metadata.MD, error) {
	if cause := s.cause(); cause != nil && actor.OnlyCanceled(err) {
		err = cause
	}
	return s.portal.report(s.portal.cfg.Errors.Fault(err, s.portal.cfg.Name), err)
}

// panicked returns the error of a panic, and ends the process soon: by the same
// panic, when the error is on its way to the caller.
func (s *serving) panicked(method string, v any) error {
	err := actor.Panicked(v)
	s.crash.Do(func() {
		s.mu.Lock()
		g := s.server
		s.mu.Unlock()
		go s.die(g, fmt.Errorf("call %q: %w", callName(method), err))
	})
	return err
}

func (s *serving) die(g *grpc.Server, err error) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		g.GracefulStop() // flushes what has been answered
	}()
	timer := time.NewTimer(lastTime)
	defer timer.Stop()
	select {
	case <-stopped:
	case <-timer.C:
	}
	if a := s.portal.cfg.Actor; a != nil {
		a.Crashing(err)
	}
	var p interface{ Stack() string }
	if errors.As(err, &p) {
		err = fmt.Errorf("%w\n\n%s", err, p.Stack())
	}
	panic(err)
}
