//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func (cfg Config) argv() []string {
	if cfg.detached {
		return []string{Name, cfg.Folder, argFork}
	}
	return []string{Name, cfg.Folder}
}

// dir is the working directory of a keeper: empty is the host's. One that
// outlives the host keeps no file system from being unmounted.
func (cfg Config) dir() string {
	if cfg.detached {
		return "/"
	}
	return ""
}

// sys begins a session for a keeper that outlives its host, which no terminal
// reaches. Any other shares the host's root and working directory.
func (cfg Config) sys() *syscall.SysProcAttr {
	if cfg.detached {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return shareFS()
}

// StartDetached starts a keeper for one child that is to outlive this process,
// in the session that it leads, in the directory "/". The folder, which is not there yet, is the child's own. The keeper
// ends everything when this process goes or Leave is called, and removes the folder, until Detach has
// succeeded. It is no child of this process.
func StartDetached(ctx context.Context, cfg Config) (*Client, error) {
	cfg.detached = true
	c, err := start(cfg)
	if err != nil {
		return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "keeper", Err: err, Errno: errnoOf(err)}
	}
	stop := context.AfterFunc(ctx, func() { c.proc.Kill() })
	state, err := c.proc.Wait() // of the process in between, which starts the keeper and goes
	stop()
	close(c.ended) // as far as this process has to know
	go c.read()
	if err == nil && !state.Success() {
		words := c.lastWords()
		c.Leave()
		if ctx.Err() != nil {
			return nil, ctxError(ctx, spawn.PhaseStart, "keeper", "")
		}
		return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "keeper", Msg: fmt.Sprintf("it could not be started: %v; %s", state, words)}
	}
	return c, nil
}

// Prepare has a keeper that StartDetached has started make its folder, and in it all
// that it needs for its child to be detached. The nonce, of 32 bytes, is what an adopter has to
// know. With keep set what the child leaves behind is not ended with it. Prepare
// returns the keeper's pid.
func (c *Client) Prepare(ctx context.Context, nonce string, keep bool) (pid int, err error) {
	payload := []byte{detachPrepare, 0}
	if keep {
		payload[1] = 1
	}
	a, err := c.call(ctx, frameDetach, append(payload, nonce...))
	return a.pid, err
}

// Detach makes the keeper, and the one child that it has launched, independent
// of this process. Adopt reaches it from then on.
func (c *Client) Detach(ctx context.Context) error {
	_, err := c.call(ctx, frameDetach, []byte{detachCommit})
	return err
}

// Leave lets go of a keeper that StartDetached or Adopt has returned. What is
// detached goes on.
func (c *Client) Leave() {
	c.conn.Shutdown()
	<-c.gone
	c.conn.Close()
	c.words.Close()
}

// Adopt connects to the keeper of a detached child in the given folder, which
// must be the process pid. Any number may adopt a child at once, 64 at most.
// exited is called as by Launch: with a status that is spawn.Lost when the
// connection ends before the child. Signal, Ask, Kill and End reach the child;
// Leave lets go of it. The error is of kind spawn.ErrTimeout when the keeper does
// not answer before ctx ends, and spawn.ErrKeeperGone when there is none or it is
// about to exit.
func Adopt(ctx context.Context, folder, nonce string, pid int, exited func(Exit)) (*Client, Started, error) {
	conn, err := connect(controlPath(folder), pid)
	if err != nil {
		e := &spawn.Error{Op: "adopt", Err: err, Errno: errnoOf(err)}
		switch e.Errno {
		case syscall.ECONNREFUSED, syscall.ENOENT, syscall.ECONNRESET, syscall.EPIPE:
			e.Kind = spawn.ErrKeeperGone
		case syscall.EAGAIN:
			e.Kind, e.Errno, e.Msg = spawn.ErrTimeout, 0, "its keeper takes no more connections: it is stopped, or stuck"
		}
		return nil, Started{}, e
	}
	c := clientOf(conn)
	close(c.ended)
	c.window <- struct{}{} // the call's
	id := c.ids.Add(1)
	w, _ := c.expect(id, exited)
	go c.read()
	err = c.send(ctx, &lane.Frame{Type: frameAdopt, ID: id, Payload: []byte(nonce)})
	if err == nil {
		select {
		case a := <-w.answer:
			if a.err == nil {
				return c, Started{ID: id, Pid: a.pid, Pidfd: a.pidfd}, nil
			}
			err = a.err
		case <-ctx.Done():
			err = ctxError(ctx, "", "adopt", "its keeper did not answer: it is stopped, or stuck, or has as many adopters as it takes")
		}
	}
	c.forget(id)
	c.Leave()
	return nil, Started{}, err
}

// connect connects to the keeper pid, and to nobody else.
func connect(path string, pid int) (*lane.Conn, error) {
	fd, err := connectTo(path)
	if err != nil {
		return nil, err
	}
	listener, uid, err := peerOf(fd)
	if err == nil && (listener != pid || uid != os.Geteuid()) {
		err = fmt.Errorf("%s: process %d of user %d listens there, not the keeper %d", path, listener, uid, pid)
	}
	if err == nil {
		var conn *lane.Conn
		if conn, err = lane.Open(fd, lane.Polled); err == nil {
			return conn, nil
		}
	}
	return nil, errors.Join(err, syscall.Close(fd))
}

// End ends what a detached child has left that was to live on. It
// returns as Close does, and the keeper ends.
func (c *Client) End(ctx context.Context, grace, limit time.Duration) error {
	le := binary.LittleEndian
	return c.ask(ctx, frameEnd, le.AppendUint64(le.AppendUint64(nil, uint64(grace)), uint64(limit)))
}

// ReapAdopted reaps the zombie of a keeper that outlived its host, if it has become a
// child of this process, which is a subreaper, or the first of its namespace. It
// reports false when there is one that is not to be had yet: a thread of it is still
// ending.
func ReapAdopted(pid int) bool {
	s, err := linux.ReadStat(pid)
	if err != nil || s.State != 'Z' || s.Parent != os.Getpid() || s.Comm != Name {
		return true
	}
	n, _ := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
	return n != 0 // also when somebody else has it
}
