package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/hatchery-spawn/hatchery/spawn"
	"google.golang.org/grpc/status"
)

// explain returns why the start failed. go-plugin's own words are about the
// standard output of a plugin that somebody started by hand; what this package
// knows of the process, the handshake and the connection says more.
func (d *dialing) explain(ctx context.Context, err error) *spawn.Error {
	c := d.client
	var fromStart *startError
	switch {
	case errors.As(err, &fromStart) && !(ctx.Err() != nil && errors.Is(fromStart.err, ctx.Err())):
		return d.complete(spawn.AsError(fromStart.err))
	case ctx.Err() != nil:
		return d.gaveUp(ctx)
	case c.dialer.failure() != nil:
		e := &spawn.Error{Op: "connect", Kind: spawn.ErrProtocol, Err: c.dialer.failure()}
		if endsSoon(ctx, c.process) {
			e.Kind, e.Msg = spawn.ErrPluginGone, withDiagnosis("the plugin ended after the handshake", c.process)
		}
		return d.complete(e)
	}
	var known *spawn.Error
	if errors.As(err, &known) {
		return d.complete(known)
	}
	if _, ok := status.FromError(err); ok {
		return d.complete(c.failed(ctx, "describe", err))
	}
	if c.runner.started() == nil {
		return d.complete(spawn.AsError(err))
	}
	return d.complete(d.handshakeError(ctx, err))
}

// complete adds what every error of a start has.
func (d *dialing) complete(e *spawn.Error) *spawn.Error {
	out := *e
	if out.Key == "" {
		out.Key = d.cfg.Key
	}
	if out.Phase == "" {
		out.Phase = spawn.PhaseStart
	}
	return &out
}

// gaveUp returns the error for a context that ended.
func (d *dialing) gaveUp(ctx context.Context) *spawn.Error {
	e := &spawn.Error{Op: *d.stage.Load(), Kind: spawn.ErrTimeout, Err: ctx.Err()}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStartTimeout):
		e.Msg = fmt.Sprintf("the plugin was not ready after %v", d.cfg.StartTimeout)
	case errors.Is(cause, context.DeadlineExceeded):
		e.Msg = "the caller's deadline passed while the plugin started"
	default:
		e.Kind, e.Msg = spawn.ErrCanceled, "the caller gave up while the plugin started"
	}
	if p := d.client.runner.started(); p != nil {
		e.Msg = withDiagnosis(e.Msg, p)
	}
	return d.complete(e)
}

// handshakeError looks at what the plugin wrote instead of a handshake line.
func (d *dialing) handshakeError(ctx context.Context, err error) *spawn.Error {
	p := d.client.runner.started()
	line := d.client.runner.line.first()
	e := &spawn.Error{Op: "handshake", Kind: spawn.ErrProtocol}
	api, ok := version(line)
	switch {
	case ok && api != APIVersion:
		e.Kind, e.Msg = spawn.ErrVersion, versionMessage(api)
	case ok:
		e.Err = err
	case line != "":
		e.Msg = withDiagnosis(fmt.Sprintf("the plugin wrote %q to the handshake descriptor: want a go-plugin handshake line", clip(line)), p)
	case endsSoon(ctx, p):
		e.Kind, e.Msg = spawn.ErrPluginGone, withDiagnosis("the plugin ended before the handshake", p)
	default:
		e.Msg = "the plugin closed the handshake descriptor without a word"
	}
	return e
}

// checkDescription reports whether the plugin is the one that was wanted.
func checkDescription(key string, d Description) error {
	switch {
	case d.APIVersion != APIVersion:
		return &spawn.Error{Op: "describe", Kind: spawn.ErrVersion, Msg: versionMessage(int(d.APIVersion))}
	case d.Key != key:
		return &spawn.Error{Op: "describe", Kind: spawn.ErrProtocol,
			Msg: fmt.Sprintf("the plugin serves the method %q: want %q", clip(d.Key), key)}
	}
	return nil
}

// versionMessage names both versions and the side that is behind.
func versionMessage(plugin int) string {
	behind := "rebuild the plugin with the sdk of this host's version"
	if plugin > APIVersion {
		behind = "upgrade the host, or rebuild the plugin with an older sdk"
	}
	return fmt.Sprintf("the plugin speaks API version %d and the host %d: %s", plugin, APIVersion, behind)
}

// clip shortens what a plugin said to what an error message can hold.
func clip(s string) string {
	const limit = 80
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
