package wire

import (
	"context"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc/stats"
)

// A controlServer serves a Control.
type controlServer struct {
	spawnv1.UnimplementedControlServer
	control Control
	api     int // the version that was chosen

	answered chan struct{} // closed when Shutdown is about to be answered
	once     sync.Once     // closes answered
}

func (s *controlServer) Describe(ctx context.Context, _ *spawnv1.DescribeRequest) (*spawnv1.DescribeResponse, error) {
	d, err := s.control.Describe(ctx)
	if err != nil {
		return nil, err
	}
	if d.APIVersion == 0 {
		d.APIVersion = uint32(s.api)
	}
	return d.message(), nil
}

func (s *controlServer) Probe(ctx context.Context, _ *spawnv1.ProbeRequest) (*spawnv1.ProbeResponse, error) {
	err := s.control.Probe(ctx)
	if err == nil {
		return &spawnv1.ProbeResponse{}, nil
	}
	return &spawnv1.ProbeResponse{Error: errorMessage(spawn.AsError(err))}, nil
}

func (s *controlServer) Shutdown(ctx context.Context, req *spawnv1.ShutdownRequest) (*spawnv1.ShutdownResponse, error) {
	defer s.once.Do(func() { close(s.answered) })
	if grace := time.Duration(req.GetGraceNano()); grace > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, grace)
		defer cancel()
	}
	if err := s.control.Shutdown(ctx); err != nil {
		return nil, err
	}
	return &spawnv1.ShutdownResponse{}, nil
}

// A connWatch reports the beginning and the end of the one connection that a
// plugin serves. It is a stats.Handler because that is called before the first
// call of the connection is read.
type connWatch struct {
	began func() // called once

	ended chan struct{} // closed once
	begin sync.Once
	end   sync.Once
}

var _ stats.Handler = (*connWatch)(nil)

func (w *connWatch) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		w.begin.Do(w.began)
	case *stats.ConnEnd:
		w.end.Do(func() { close(w.ended) })
	}
}

func (w *connWatch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *connWatch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *connWatch) HandleRPC(context.Context, stats.RPCStats)                         {}
