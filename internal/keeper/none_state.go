//go:build !unix

package keeper

import "context"

// TryState is never called.
func (c *Client) TryState() (s State, ok bool) { panic("bug: no keeper") }

// Describe is never called.
func (c *Client) Describe(ctx context.Context) (string, error) { panic("bug: no keeper") }
