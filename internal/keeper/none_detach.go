//go:build !unix

package keeper

import (
	"context"
	"time"

	"github.com/hatchery-spawn/hatchery/spawn"
)

func noKeeper() error {
	return &spawn.Error{Kind: spawn.ErrUnavailable, Phase: spawn.PhaseStart, Op: "keeper", Msg: "there is no keeper for this system yet"}
}

// StartDetached returns an error of kind spawn.ErrUnavailable.
func StartDetached(ctx context.Context, cfg Config) (*Client, error) { return nil, noKeeper() }

// Adopt returns an error of kind spawn.ErrUnavailable.
func Adopt(ctx context.Context, folder, nonce string, pid int, exited func(Exit)) (*Client, Started, error) {
	return nil, Started{}, noKeeper()
}

// ReadExit returns an error of kind spawn.ErrUnavailable.
func ReadExit(folder, nonce string) (spawn.ExitStatus, error) { return spawn.ExitStatus{}, noKeeper() }

// Prepare is never called.
func (c *Client) Prepare(ctx context.Context, nonce string, keep bool) (pid int, err error) {
	panic("bug: no keeper")
}

// Detach is never called.
func (c *Client) Detach(ctx context.Context) error { panic("bug: no keeper") }

// Leave is never called.
func (c *Client) Leave() { panic("bug: no keeper") }

// End is never called.
func (c *Client) End(ctx context.Context, grace, limit time.Duration) error { panic("bug: no keeper") }

// ReapAdopted does nothing.
func ReapAdopted(pid int) bool { return true }
