//go:build !linux

package keep

import (
	"context"
	"errors"
	"os"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// ErrCold is of no use on this system.
var ErrCold = errors.New("cannot be handed over")

// A Link is never there on this system.
type Link struct{}

// A Process is never there on this system.
type Process struct{}

func none() error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhaseStart, Op: Option, Msg: "there are no templates on this system"}
}

// Main does nothing on this system.
func Main(args []string) (code int, ok bool) { return 0, false }

// Dial fails on this system.
func Dial(ctx context.Context) (*Link, error) { return nil, none() }

// Running fails on this system.
func Running(ctx context.Context) (pid int, err error) { return 0, none() }

// Server is never called.
func (l *Link) Server() int { return 0 }

// Close is never called.
func (l *Link) Close() error { return none() }

// Start is never called.
func (l *Link) Start(ctx context.Context, call Call) (*Process, error) { return nil, none() }

// Pid is never called.
func (p *Process) Pid() int { return 0 }

// Notes is never called.
func (p *Process) Notes() []string { return nil }

// Warm is never called.
func (p *Process) Warm() bool { return true }

// Done is never called.
func (p *Process) Done() <-chan struct{} { return nil }

// Wait is never called.
func (p *Process) Wait() (spawn.ExitStatus, error) { return spawn.ExitStatus{}, none() }

// Signal is never called.
func (p *Process) Signal(sig os.Signal) error { return none() }

// Stop is never called.
func (p *Process) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	return spawn.ExitStatus{}, none()
}

// Close is never called.
func (p *Process) Close() error { return none() }
