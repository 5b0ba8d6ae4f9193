//go:build !unix

package keeper

import (
	"context"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Name is the keeper's argv[0].
const Name = "hatchery-keeper"

// A Client is the host's half of a keeper. There is none on this system.
type Client struct{}

// Start returns an error of kind spawn.ErrUnavailable.
func Start(cfg Config) (*Client, error) {
	return nil, &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhaseStart, Op: "keeper", Msg: "there is no keeper for this system yet"}
}

// Launch is never called: there is no Client.
func (c *Client) Launch(ctx context.Context, l *Launch, exited func(Exit)) (Started, error) {
	panic("bug: no keeper")
}

// A Batch is what LaunchAll would make.
type Batch struct {
	Launches []*Launch
	Exited   func(i int) func(Exit)
	Done     func(i int, s Started, err error)
}

// LaunchAll is never called.
func (c *Client) LaunchAll(ctx context.Context, b Batch) { panic("bug: no keeper") }

// Signal is never called.
func (c *Client) Signal(ctx context.Context, id uint64, sig syscall.Signal) error {
	panic("bug: no keeper")
}

// Kill is never called.
func (c *Client) Kill(ctx context.Context, id uint64) error { panic("bug: no keeper") }

// Close is never called.
func (c *Client) Close(grace, limit time.Duration) error { panic("bug: no keeper") }

// Gone is never called.
func (c *Client) Gone() <-chan struct{} { panic("bug: no keeper") }

// Ended is never called.
func (c *Client) Ended() <-chan struct{} { panic("bug: no keeper") }

// Pid is never called.
func (c *Client) Pid() int { panic("bug: no keeper") }

// Discard is never called.
func (c *Client) Discard() { panic("bug: no keeper") }

// Wake is never called.
func (c *Client) Wake() { panic("bug: no keeper") }

// Dismiss is never called.
func (c *Client) Dismiss(ctx context.Context) error { panic("bug: no keeper") }

// Ask is never called.
func (c *Client) Ask(ctx context.Context, id uint64, sig syscall.Signal, group bool) error {
	panic("bug: no keeper")
}

// Clear is never called.
func (c *Client) Clear(ctx context.Context, id uint64, grace, limit time.Duration) (Cleared, error) {
	panic("bug: no keeper")
}

// ClearStrays is never called.
func (c *Client) ClearStrays(ctx context.Context, grace, limit time.Duration) (Cleared, error) {
	panic("bug: no keeper")
}

// AwaitExit is never called.
func (c *Client) AwaitExit(done func() bool) { panic("bug: no keeper") }

// Warm is never called.
func (c *Client) Warm(ctx context.Context, l *Launch, n int) error { panic("bug: no keeper") }

// Templates is never called.
func (c *Client) Templates(ctx context.Context) ([]TemplateState, error) { panic("bug: no keeper") }

// A Held is never made.
type Held struct{}

// MayHold is never called.
func (c *Client) MayHold(eager bool) bool { panic("bug: no keeper") }

// Hold is never called.
func (c *Client) Hold(ctx context.Context, l *Launch, exited func(Exit)) (*Held, error) {
	panic("bug: no keeper")
}

// Go is never called.
func (h *Held) Go(ctx context.Context) (s Started, done bool, err error) { panic("bug: no keeper") }

// Drop is never called.
func (h *Held) Drop(ctx context.Context) { panic("bug: no keeper") }
