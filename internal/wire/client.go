package wire

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Client is the host's end of the control connection to one plugin process.
// Its methods may be called at the same time. Whoever has it closes it.
type Client struct {
	key         string
	process     Process
	description Description
	control     controlConn // there is one when up has returned
	late        *late       // nil when it has been there since Dial

	plugin *plugin.Client
	runner *pluginRunner
	dialer *dialer

	closing  sync.Once
	closeErr error // valid after closing
	forced   atomic.Bool
}

// Description returns what the plugin said of itself when it was started.
func (c *Client) Description() Description { return c.description }

// Done is closed once the plugin process has been reaped.
func (c *Client) Done() <-chan struct{} { return c.process.Done() }

// Probe asks the plugin whether its method works on this machine. The error is
// the plugin's, or says why there was no answer. One that serves early can
// nothing but plan, and is asked for that, and so is one that speaks JSON.
func (c *Client) Probe(ctx context.Context) error {
	if c.late != nil {
		if !c.description.Has(FeaturePlanner) {
			return nil
		}
		_, err := c.late.lane.Plan(ctx, &spawn.Spec{Path: "/"})
		return err
	}
	resp, err := c.control.Probe(ctx, &spawnv1.ProbeRequest{})
	if err != nil {
		return c.failed(ctx, "probe", err)
	}
	if resp.GetError() == nil {
		return nil
	}
	e, err := errorOf(resp.GetError())
	if err != nil {
		return &spawn.Error{Key: c.key, Op: "probe", Kind: spawn.ErrProtocol, Msg: "cannot decode the answer", Err: err}
	}
	return said(c.key, e)
}

// failed returns what a call failed with, and what is known about the process
// if it is gone.
func (c *Client) failed(ctx context.Context, op string, err error) *spawn.Error {
	e := fromStatus(ctx, c.key, op, err)
	switch e.Kind {
	case spawn.ErrPluginGone:
		// A caller who has no time left to see it end learns that it is gone.
		if !endsSoon(ctx, c.process) && ctx.Err() == nil && status.Code(err) == codes.Unavailable {
			e.Kind = spawn.ErrProtocol
			e.Msg = "the plugin is there, but its control connection broke: " + clipTo(1024, status.Convert(err).Message())
		}
		return Diagnosed(e, c.process)
	case spawn.ErrTimeout:
		if errors.Is(e.Err, context.DeadlineExceeded) { // not an answer
			return Diagnosed(e, c.process)
		}
	}
	return e
}

// reaping bounds how long a process whose descriptors were closed is waited
// for: that happens a moment before it can be reaped and reported.
const reaping = time.Second

// endsSoon reports whether the process has ended, or does at any moment.
func endsSoon(ctx context.Context, p Process) bool { return endsWithin(ctx, p, reaping) }

func endsWithin(ctx context.Context, p Process, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.Done():
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}
