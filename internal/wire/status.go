package wire

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// This file is the one place where errors cross gRPC.

// errorURL names the detail of a status that is a spawnv1.Error. Its value is
// encoded by package spawn, so that text which is not UTF-8 survives.
const errorURL = "type.googleapis.com/hatchery.spawn.v1.Error"

// returnStatus is the server's interceptor: what a handler returns becomes a
// status with the error as a detail.
func returnStatus(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	resp, err := handler(ctx, req)
	if err != nil {
		return nil, toStatus(err)
	}
	return resp, nil
}

func toStatus(err error) error {
	e := spawn.AsError(err)
	detail, _ := e.AppendBinary(nil) // never fails
	return status.ErrorProto(&spb.Status{
		Code:    int32(codes.Unknown),
		Message: strings.ToValidUTF8(e.Error(), "\ufffd"),
		Details: []*anypb.Any{{TypeUrl: errorURL, Value: detail}},
	})
}

// contextKind returns the kind that an error of package context stands for.
func contextKind(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return spawn.ErrTimeout
	case errors.Is(err, context.Canceled):
		return spawn.ErrCanceled
	}
	return nil
}

// fromStatus returns what the client's side of a call failed with. An error of
// the plugin comes out as it went in; what gRPC says is translated, and op
// names the call. ctx is the call's.
func fromStatus(ctx context.Context, key, op string, err error) *spawn.Error {
	st := status.Convert(err)
	for _, detail := range st.Proto().GetDetails() {
		if detail.GetTypeUrl() == errorURL {
			e := new(spawn.Error)
			if e.UnmarshalBinary(detail.GetValue()) == nil {
				return said(key, e)
			}
		}
	}
	e := &spawn.Error{Key: key, Op: op, Msg: clipTo(1024, st.Message())}
	switch st.Code() {
	case codes.Unavailable:
		e.Kind, e.Msg = spawn.ErrPluginGone, "the connection to the plugin is gone"
	case codes.DeadlineExceeded:
		e.Kind, e.Msg, e.Err = spawn.ErrTimeout, "the plugin did not answer in time", context.DeadlineExceeded
	case codes.Canceled:
		e.Kind, e.Msg, e.Err = spawn.ErrCanceled, "", context.Canceled
		if ctx.Err() == nil {
			// Nobody cancelled: the connection was closed under the call.
			e.Kind, e.Msg, e.Err = spawn.ErrPluginGone, "the connection to the plugin was closed", nil
		}
	case codes.Unimplemented:
		// Not ErrNotImplemented: that is the word for a method which is
		// known not to work, and this is a plugin that lacks a call.
		e.Kind, e.Msg = spawn.ErrVersion, "the plugin does not know this call: build it again with "+thisSDK()
	default:
		e.Kind = spawn.ErrProtocol
	}
	return e
}

// withDeadline is the client's interceptor: a call whose context has no
// deadline gets one, limit from now.
func withDeadline(limit time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
}
