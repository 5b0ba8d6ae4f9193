package portal

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// A conn is a Portal for grpc's generated clients.
type conn struct{ portal *Portal }

var _ grpc.ClientConnInterface = conn{}

// Invoke makes a call with one request and one answer.
func (c conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	cl, err := c.portal.connected(ctx)
	if err != nil {
		return c.portal.failed(ctx, nil, method, err, nil)
	}
	var trailer metadata.MD
	if err := cl.grpc.Invoke(ctx, method, args, reply, append(opts, grpc.Trailer(&trailer))...); err != nil {
		return c.portal.failed(ctx, cl, method, err, trailer)
	}
	return nil
}

// NewStream opens a stream.
func (c conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	cl, err := c.portal.connected(ctx)
	if err != nil {
		return nil, c.portal.failed(ctx, nil, method, err, nil)
	}
	s, err := cl.grpc.NewStream(ctx, desc, method, opts...)
	if err != nil {
		return nil, c.portal.failed(ctx, cl, method, err, nil)
	}
	return &clientStream{s, func(err error, trailer metadata.MD) error {
		if err == nil || err == io.EOF {
			return err
		}
		return c.portal.failed(ctx, cl, method, err, trailer)
	}}, nil
}

// A clientStream is grpc's, with our errors.
type clientStream struct {
	grpc.ClientStream
	failed func(error, metadata.MD) error // knows the caller's context: that of the stream ends with it
}

// Header waits for the header.
func (s *clientStream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	return md, s.failed(err, nil)
}

// SendMsg sends a message.
func (s *clientStream) SendMsg(m any) error {
	return s.failed(s.ClientStream.SendMsg(m), nil)
}

// RecvMsg receives a message.
func (s *clientStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil || err == io.EOF {
		return err
	}
	return s.failed(err, s.Trailer())
}
