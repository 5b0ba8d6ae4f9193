package wire

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"google.golang.org/grpc"
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
