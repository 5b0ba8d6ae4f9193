package wire

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/hashicorp/go-plugin"
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
			e.Kind, e.Msg = spawn.ErrPluginGone, "the plugin ended after the handshake"
		}
		return d.complete(Diagnosed(e, c.process))
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
	e := &spawn.Error{Op: *d.stage.Load(), Kind: spawn.ErrTimeout, Err: context.DeadlineExceeded}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStartTimeout):
		e.Msg = fmt.Sprintf("the plugin was not ready after %v", d.cfg.StartTimeout)
	case errors.Is(cause, context.DeadlineExceeded):
		e.Msg = "the caller's deadline passed while the plugin started"
	default:
		e.Kind, e.Msg, e.Err = spawn.ErrCanceled, "the caller gave up while the plugin started", context.Canceled
	}
	p := d.client.runner.started()
	if p == nil {
		return d.complete(e)
	}
	if e.Op == stageHandshake {
		wrote := "nothing"
		if line, any := d.client.runner.line.first(); any {
			wrote = strconv.Quote(clip(line))
		}
		e.Msg += fmt.Sprintf("; it has written %s to the handshake descriptor: %s", wrote, wantLine)
	}
	return d.complete(Diagnosed(e, p))
}

// wantLine ends the complaints about what came instead of a handshake.
const wantLine = "want a go-plugin handshake line, which the sdk writes, or a hello on the plan lane"

// handshakeError looks at what the plugin wrote instead of a handshake line.
func (d *dialing) handshakeError(ctx context.Context, err error) *spawn.Error {
	p := d.client.runner.started()
	line, any := d.client.runner.line.first()
	e := &spawn.Error{Op: stageHandshake, Kind: spawn.ErrProtocol}
	core, api, ok := versions(line)
	switch {
	case ok && core != plugin.CoreProtocolVersion:
		e.Kind, e.Msg = spawn.ErrVersion, coreMessage(core)
	case ok && !d.cfg.API.has(api):
		e.Kind, e.Msg = spawn.ErrVersion, versionMessage(d.cfg.API, api, "")
	case ok:
		e.Msg, e.Err = fmt.Sprintf("the plugin wrote %q", clip(line)), err
	case any:
		endsWithin(ctx, p, drain) // a script that has failed, usually: how it ended says more
		e.Msg = fmt.Sprintf("the plugin wrote %q to the handshake descriptor: %s", clip(line), wantLine)
	case endsSoon(ctx, p):
		e.Kind, e.Msg = spawn.ErrPluginGone, "the plugin ended before the handshake"
	default:
		e.Msg = "the plugin closed the handshake descriptor without a word: " + wantLine
	}
	return Diagnosed(e, p)
}

// check reports whether the plugin is the one that was wanted.
func (d *dialing) check(said Description) error {
	switch {
	case !d.cfg.API.has(int(said.APIVersion)):
		return &spawn.Error{Op: "describe", Kind: spawn.ErrVersion, Msg: versionMessage(d.cfg.API, int(said.APIVersion), said.SDKVersion)}
	case said.Key != d.cfg.Key:
		return &spawn.Error{Op: "describe", Kind: spawn.ErrProtocol,
			Msg: fmt.Sprintf("the plugin serves the method %q: want %q, so it has the wrong file name or is the wrong file", clip(said.Key), d.cfg.Key)}
	}
	return nil
}

// versionMessage names both versions, and what to do on the side that is
// behind. sdk is the version that the plugin was built with, or "".
func versionMessage(ours APIRange, api int, sdk string) string {
	behind := "build the plugin again with " + thisSDK()
	if api > ours.Newest {
		behind = "upgrade the host, or build the plugin again with " + thisSDK()
	}
	if sdk != "" {
		sdk = fmt.Sprintf(" (it was built with the sdk of version %q)", clip(sdk))
	}
	return fmt.Sprintf("the plugin speaks API version %d%s and the host %v: %s", api, sdk, ours, behind)
}

func coreMessage(core int) string {
	return fmt.Sprintf("the plugin speaks version %d of go-plugin's own protocol and the host %d: build the plugin again with %s",
		core, plugin.CoreProtocolVersion, thisSDK())
}

// thisSDK names the sdk that fits this host.
func thisSDK() string {
	const sdk = "the sdk of this host's version"
	if v := moduleVersion(); v != "" && v != "(devel)" {
		return sdk + ", " + v
	}
	return sdk
}

// clip shortens what a plugin said to what can be quoted in an error message.
func clip(s string) string { return clipTo(80, s) }

func clipTo(limit int, s string) string {
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
