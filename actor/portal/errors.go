package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// faultKey is the trailer that has the error of a handler, as the actor channel
// has errors: JSON. Keys in -bin are for bytes, which gRPC sends in base64.
const faultKey = "hatchery-fault-bin"

// maxStatusText is how much of an error's text is in the status, in bytes, for
// clients that know nothing of the trailer.
const maxStatusText = 1 << 10

// ErrUnknown is what a call fails with for which the other side has no function.
var ErrUnknown = errors.New("the other side has no such function")

// An Error is what calls and streams fail with. What the handler failed with is
// an [*actor.RemoteError] to errors.As, with its stack and its path, and errors.Is
// and errors.As find in it what actor.Errors know. The end of the caller's context
// matches its error, that of the handler's too; the death of the other side is
// ErrGone.
type Error struct {
	// Call is the name of the function, or the full method of a generated
	// service, "/package.Service/Method".
	Call string

	// Err is what was wrong.
	Err error

	status *status.Status
}

// Error returns `call "name": ` and what was wrong.
func (e *Error) Error() string { return fmt.Sprintf("call %q: %v", e.Call, e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// GRPCStatus returns the error as gRPC has it, for status.FromError.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// callName returns what Error.Call says of a full method.
func callName(method string) string {
	return strings.TrimPrefix(method, functionPrefix)
}

// failed makes an Error of what grpc, or the making of the connection, which has
// no client then, has returned.
func (p *Portal) failed(ctx context.Context, c *client, method string, err error, trailer metadata.MD) error {
	e := &Error{Call: callName(method), Err: err}
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
		if errors.Is(err, ErrGone) {
			st = status.New(codes.Unavailable, err.Error())
		}
	}
	e.status = st
	if remote := p.reported(trailer); remote != nil {
		e.Err = remote
		return e
	}
	switch code := st.Code(); {
	case ctx.Err() != nil:
		e.Err = contextError(ctx)
	case c == nil:
	case code == codes.DeadlineExceeded: // grpc's timer was faster than the context's
		e.Err = context.DeadlineExceeded
	case (code == codes.Unavailable || code == codes.Canceled || code == codes.Internal) && c.isLost():
		e.Err = p.gone(ctx, c)
		e.status = status.New(codes.Unavailable, e.Err.Error())
	case code == codes.ResourceExhausted:
		e.Err = tooLong(st.Message())
	case code == codes.Unimplemented:
		e.Err = fmt.Errorf("%w: %s", ErrUnknown, st.Message())
	}
	return e
}

// contextError returns the error of a context that has ended, with its cause.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// reported returns the error of the handler that a trailer has, or nil.
func (p *Portal) reported(trailer metadata.MD) error {
	for _, v := range trailer.Get(faultKey) {
		f := new(channel.Fault)
		if json.Unmarshal([]byte(v), f) == nil {
			return p.cfg.Errors.Error(f)
		}
	}
	return nil
}

// report returns what a call is answered with that has failed, and the trailer
// for it.
func (p *Portal) report(f *channel.Fault, err error) (metadata.MD, error) {
	var trailer metadata.MD
	if b, jerr := json.Marshal(f); jerr == nil {
		trailer = metadata.Pairs(faultKey, string(b))
	}
	st, ok := status.FromError(err)
	if !ok || st.Code() == codes.OK {
		st = status.New(code(err), f.Text)
	}
	pb := st.Proto()
	pb.Message = clip(pb.Message)
	return trailer, status.ErrorProto(pb)
}

func code(err error) codes.Code {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	return codes.Unknown
}

func clip(s string) string {
	if len(s) > maxStatusText {
		s = strings.ToValidUTF8(s[:maxStatusText], "") + " …"
	}
	return s
}

// localError is the error of a call that was not made, or not understood, on this
// side.
func localError(name string, err error) error {
	return &Error{Call: name, Err: err, status: status.New(codes.InvalidArgument, clip(err.Error()))}
}
