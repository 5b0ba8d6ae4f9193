package wire

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
)

// controlPlugin is the control service in the form that go-plugin wants: one
// value for both ends.
type controlPlugin struct {
	plugin.NetRPCUnsupportedPlugin

	// register adds the service to the plugin's server; nil in the host.
	register func(*grpc.Server)
}

var _ plugin.GRPCPlugin = controlPlugin{}

func (p controlPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if p.register == nil {
		return errors.New("bug: the host's end of the control service cannot serve")
	}
	p.register(s)
	return nil
}

func (controlPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return controlConn{spawnv1.NewControlClient(conn), conn}, nil
}

// controlConn is the host's end of the control service.
type controlConn struct {
	spawnv1.ControlClient
	conn *grpc.ClientConn // go-plugin's, which closes it
}

// settle waits until the connection stands or has failed, which the first call
// then says why. It ends with ctx, and when the connection is closed. One that is
// idle again has stood, and was lost before anybody looked: nobody connects it but
// a call.
func (c controlConn) settle(ctx context.Context) {
	c.conn.Connect()
	for s := c.conn.GetState(); s == connectivity.Idle || s == connectivity.Connecting; {
		if !c.conn.WaitForStateChange(ctx, s) {
			return
		}
		if s = c.conn.GetState(); s == connectivity.Idle {
			return
		}
	}
}

// noStreams refuses every stream. The host has none of its own; go-plugin would
// open two: one ships what the plugin prints, which is read from its
// descriptors, and by the other the plugin announces connections, of which
// go-plugin keeps as many as the plugin likes.
func noStreams(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, method string, _ grpc.Streamer, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, method+" is not used")
}
