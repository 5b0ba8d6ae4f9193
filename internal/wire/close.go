package wire

import (
	"context"
	"errors"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/wire/spawnv1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// killWait bounds how long the end of a process is waited for after SIGKILL.
const killWait = time.Second

// ErrStillThere is what Close returns, as a cause, when even SIGKILL has not ended
// the process. It may have ended since.
var ErrStillThere = errors.New("the process is still there after SIGKILL")

// Close stops the plugin: it is asked to, has grace to end, and is killed. Nil
// means that the process is gone, however; the error is ErrTimeout when even
// SIGKILL has not ended it. A ctx that is done takes the grace away. Close
// returns within grace and a little more than a second in any case, and again
// what it returned the first time.
//
// The plan lane stays as it is: the caller closes its end afterwards.
func (c *Client) Close(ctx context.Context, grace time.Duration) error {
	c.closing.Do(func() { c.closeErr = c.stop(ctx, grace) })
	return c.closeErr
}

// Forced reports whether Close had to kill the plugin.
func (c *Client) Forced() bool { return c.forced.Load() }

func (c *Client) stop(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	wait := ctx
	if !c.ask(ctx, grace) {
		// It may be on its way out, which broke the connection.
		var stop context.CancelFunc
		wait, stop = context.WithTimeout(ctx, drain)
		defer stop()
	}
	defer c.release()
	select {
	case <-c.process.Done():
		return nil
	case <-wait.Done():
		return c.kill()
	}
}

// ask calls Shutdown, and hangs up after the answer: the plugin waits for that
// before it exits. One that has no control connection has nothing to release: it
// ends when its lane does.
func (c *Client) ask(ctx context.Context, grace time.Duration) bool {
	if c.late != nil && c.late.forgo() {
		c.late.lane.Close()
		return true
	}
	if c.up(ctx, "stop") != nil {
		return false
	}
	_, err := c.control.Shutdown(ctx, &spawnv1.ShutdownRequest{GraceNano: int64(grace)})
	c.control.conn.Close()
	return err == nil
}

func (c *Client) kill() error {
	c.forced.Store(true)
	killErr := c.process.Kill()
	timer := time.NewTimer(killWait)
	defer timer.Stop()
	select {
	case <-c.process.Done():
		return nil
	case <-timer.C:
	}
	return &spawn.Error{
		Key: c.key, Phase: spawn.PhaseStop, Op: "plugin exit", Kind: spawn.ErrTimeout,
		Err: errors.Join(killErr, ErrStillThere),
	}
}

// release lets go-plugin end its goroutines and remove the socket's folder.
// Everything it waits for has ended by now, or is made to end here.
func (c *Client) release() {
	c.runner.abandon()
	c.dialer.close()
	c.plugin.Kill()
}
