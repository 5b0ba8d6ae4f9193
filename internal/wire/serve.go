package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc"
)

// A ServeConfig says what a plugin serves on the control connection.
type ServeConfig struct {
	// Control answers the calls.
	Control Control

	// Handshake is where the handshake line goes: descriptor HandshakeFD.
	// Serve owns it and closes it once a host is connected, or on return.
	Handshake *os.File

	// API is the versions that the plugin speaks. Zero is all that this package
	// does.
	API APIRange

	// Ready, if not nil, is called once, when the host is connected and the
	// process's environment and standard files are the backend's own again.
	// No method of Control is called before it has returned.
	Ready func()
}

// farewell bounds how long a plugin that has answered Shutdown waits for the
// host to hang up, so that the answer is not lost.
const farewell = 100 * time.Millisecond

// Serve serves the control connection until ctx is done or Shutdown has been
// answered, and returns nil then. It may be called once in a process, which a
// host must have started: see [Hosted].
//
// While it waits for the host, os.Stdout is the handshake file. Descriptor 1
// is made a copy of descriptor 2 for good (on Unix): a backend that prints
// does it where the host looks for diagnostics.
func Serve(ctx context.Context, cfg ServeConfig) error {
	if err := Hosted(); err != nil {
		cfg.Handshake.Close()
		return serveError(err)
	}
	if err := stdoutToStderr(); err != nil {
		cfg.Handshake.Close()
		return serveError(fmt.Errorf("dup descriptor 2 to 1: %w", err))
	}
	s := &serving{
		cfg:     cfg,
		control: &controlServer{control: cfg.Control, api: cfg.API.orOurs().chosen(), answered: make(chan struct{})},
		stdout:  os.Stdout, stderr: os.Stderr,
	}
	s.watch = &connWatch{began: s.connected, ended: make(chan struct{})}
	os.Stdout = cfg.Handshake
	defer s.restore()

	over := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  handshakeConfig(),
		VersionedPlugins: cfg.API.orOurs().sets(controlPlugin{register: s.register}),
		Logger:           pluginLogger(s.stderr),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			server := s.newServer(opts)
			go func() {
				defer close(over)
				s.stopWhenDone(ctx, server)
			}()
			return server
		},
	})
	cancel()
	if s.created {
		<-over
		return nil
	}
	return serveError(errors.New("go-plugin could not set up the control socket; its reason is on standard error"))
}

// A serving is one run of Serve.
type serving struct {
	cfg            ServeConfig
	control        *controlServer
	watch          *connWatch
	stdout, stderr *os.File // the process's own, while go-plugin has replaced them
	once           sync.Once
	created        bool // go-plugin has asked for the server
}

func (s *serving) newServer(opts []grpc.ServerOption) *grpc.Server {
	s.created = true
	return grpc.NewServer(append(opts,
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnaryInterceptor(returnStatus),
		grpc.StatsHandler(s.watch),
	)...)
}

func (s *serving) register(server *grpc.Server) {
	spawnv1.RegisterControlServer(server, s.control)
}

// stopWhenDone ends the server, and with it plugin.Serve, which has no other
// way to be told.
func (s *serving) stopWhenDone(ctx context.Context, server *grpc.Server) {
	select {
	case <-ctx.Done():
	case <-s.control.answered:
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-s.watch.ended:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	server.Stop()
}

// connected runs before the first call is read.
func (s *serving) connected() {
	s.restore()
	if s.cfg.Ready != nil {
		s.cfg.Ready()
	}
}

// restore gives the process back to the backend. go-plugin has replaced
// os.Stdout and os.Stderr by pipes of its own by now, whose content it would
// ship to the host for nobody to read; and the variables it reads from the
// environment have been read.
func (s *serving) restore() {
	s.once.Do(func() {
		for _, f := range []*os.File{os.Stdout, os.Stderr} {
			if f != s.stdout && f != s.stderr && f != s.cfg.Handshake {
				f.Close()
			}
		}
		os.Stdout, os.Stderr = s.stdout, s.stderr
		s.cfg.Handshake.Close()
		for _, name := range pluginVariables() {
			os.Unsetenv(name)
		}
	})
}

func serveError(err error) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: "serve", Err: err}
}
