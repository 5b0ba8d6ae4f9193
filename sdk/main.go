package sdk

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/wire"
)

// Exit codes of Main.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// closeLimit bounds how long Close may take when it is not the host that asks,
// and grants a grace of its own: the keeper kills what is left a second after
// the host has gone.
const closeLimit = 500 * time.Millisecond

// Main serves b and returns the process's exit code: 0 once the host has told
// it to stop, or is gone, or on SIGTERM; 1 when it could not serve, with the
// reason on standard error. Started by hand instead of by a host, it explains
// itself on standard error and returns 2.
//
// It is the only thing main does. It may be called once.
func Main(b Backend) int { return run(b, os.Stderr) }

func run(b Backend, stderr io.Writer) int {
	if err := wire.Hosted(); err != nil {
		explainPlugin(stderr, b.Describe(), err)
		return exitUsage
	}
	failpoint.Pass(failpoint.PluginStart)
	key := b.Describe().Key
	if err := closeOnExec(); err != nil {
		fmt.Fprintf(stderr, "spawn backend %s: mark descriptors close-on-exec: %v\n", key, err)
		return exitFailed
	}
	conn, err := lane.Open(wire.LaneFD, lane.Polled)
	if err != nil {
		fmt.Fprintf(stderr, "spawn backend %s: plan lane: %v\n", key, err)
		return exitFailed
	}
	lowMemory()
	terminate, stop := handleSignals()
	defer stop()
	if err := serve(newServed(b), conn, terminate); err != nil {
		fmt.Fprintf(stderr, "spawn backend %s: %v\n", key, err)
		return exitFailed
	}
	return exitOK
}

// serve serves both connections until one of them has ended or terminate says
// so, and then sees to the other.
func serve(s *served, conn *lane.Conn, terminate <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	failpoint.Pass(failpoint.PluginServing)
	control, plans := make(chan error, 1), make(chan error, 1)
	go func() { // waited for below
		control <- wire.Serve(ctx, wire.ServeConfig{
			Control: s, Handshake: os.NewFile(wire.HandshakeFD, "handshake"), Ready: s.hosted,
		})
	}()
	go func() { plans <- wire.ServeLane(ctx, conn, s) }() // waited for below

	var controlErr, plansErr error
	select {
	case controlErr = <-control: // Shutdown has been answered, or it failed
		cancel()
		plansErr = <-plans
	case plansErr = <-plans: // the host is gone
		cancel()
		controlErr = <-control
	case <-terminate:
		cancel()
		controlErr, plansErr = <-control, <-plans
	}
	failpoint.Pass(failpoint.PluginEnd)
	s.closeWithin(closeLimit) // unless Shutdown has done it
	if controlErr != nil {
		return controlErr
	}
	return plansErr
}

// handleSignals keeps signals that a terminal sends to its whole session, and
// a broken pipe, from ending the plugin. They get a handler that does nothing:
// one that is ignored would be inherited as ignored. SIGTERM is delivered.
func handleSignals() (terminate <-chan os.Signal, stop func()) {
	nothing := make(chan os.Signal, 1) // a full channel drops signals, which is the intent
	signal.Notify(nothing, harmless()...)
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	return term, func() {
		signal.Stop(nothing)
		signal.Stop(term)
	}
}

// lowMemory makes the collector start earlier than usual: a plugin is small,
// idle most of the time, and one of several. $GOGC wins.
func lowMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
