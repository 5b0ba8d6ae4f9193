//go:build unix

package faultplugin

import (
	"context"
	"fmt"
	"os"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A plugin is a plugin that does everything right but for what is set. It is
// made without the sdk, which would not let it.
type plugin struct {
	key string // what it says it serves

	// The control connection.
	api      uint32
	sdk      string
	features []string // nil is a planner
	summary  string
	describe func() // runs before the answer to Describe
	shutdown func()

	// The plan lane: the one or the other.
	plan func(*spawn.Spec) (*spawn.Plan, error)
	lane func(*lane.Conn) // all of it
}

var (
	_ wire.Control     = plugin{}
	_ wire.LaneHandler = plugin{}
)

// serve serves both connections until the host hangs up or says so.
func (p plugin) serve() int {
	conn, err := lane.Open(wire.LaneFD, lane.Polled)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // ends the process, or ends with it
		defer cancel()
		if p.lane != nil {
			p.lane(conn)
			return
		}
		wire.ServeLane(ctx, conn, p)
	}()
	if err := wire.Serve(ctx, wire.ServeConfig{Control: p, Handshake: handshake()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Describe is part of wire.Control.
func (p plugin) Describe(context.Context) (wire.Description, error) {
	if p.describe != nil {
		p.describe()
	}
	features := p.features
	if features == nil {
		features = []string{wire.FeaturePlanner}
	}
	return wire.Description{
		Key: p.key, Summary: p.summary, Status: "experimental",
		APIVersion: p.api, SDKVersion: p.sdk, Features: features,
	}, nil
}

// Probe is part of wire.Control.
func (plugin) Probe(context.Context) error { return nil }

// Shutdown is part of wire.Control.
func (p plugin) Shutdown(context.Context) error {
	if p.shutdown != nil {
		p.shutdown()
	}
	return nil
}

// Plan is part of wire.LaneHandler.
func (p plugin) Plan(_ context.Context, s *spawn.Spec) (*spawn.Plan, error) {
	if p.plan != nil {
		return p.plan(s)
	}
	return spawn.Standard(s), nil
}

// Spawn is part of wire.LaneHandler.
func (plugin) Spawn(context.Context, *spawn.Spec) (wire.LaneChild, error) {
	return nil, &spawn.Error{Kind: spawn.ErrProtocol, Msg: "this backend makes no children of its own"}
}
