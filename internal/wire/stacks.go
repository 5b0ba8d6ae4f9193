package wire

import (
	"context"
	"runtime"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
)

// maxStacks bounds the text of Stacks.
const maxStacks = 1 << 20

// Stacks answers by itself: the backend may be what hangs.
func (s *controlServer) Stacks(_ context.Context, req *spawnv1.StacksRequest) (*spawnv1.StacksResponse, error) {
	b := make([]byte, min(req.GetLimit(), maxStacks))
	return &spawnv1.StacksResponse{Text: b[:runtime.Stack(b, true)]}, nil
}

// Stacks returns the stacks of all goroutines of the plugin, limit bytes of it
// at most. The error is of kind spawn.ErrVersion when the plugin is too old to
// know the request.
func (c *Client) Stacks(ctx context.Context, limit int) ([]byte, error) {
	if err := c.up(ctx, "stacks"); err != nil {
		return nil, err
	}
	resp, err := c.control.Stacks(ctx, &spawnv1.StacksRequest{Limit: uint32(limit)})
	if err != nil {
		return nil, fromStatus(ctx, c.key, "stacks", err)
	}
	return resp.GetText(), nil
}
