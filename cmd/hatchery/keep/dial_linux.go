package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// startTime bounds the start of a server, and how long one has to answer.
const startTime = 10 * time.Second

// A Link is a connection to a server, for one call. Close it.
type Link struct {
	conn *lane.Conn
	pid  int // the server's
}

// Dial connects to this user's server for the surroundings of this process, and starts
// it if there is none. It takes twice 10 s at most; ctx ends it sooner.
func Dial(ctx context.Context) (*Link, error) {
	key, err := Surroundings()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*startTime)
	defer cancel()
	l, err := find(ctx, key)
	if l != nil || err != nil {
		return l, err
	}
	unlock, err := lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if l, err := find(ctx, key); l != nil || err != nil { // somebody else was faster
		return l, err
	}
	if err := launch(ctx, key); err != nil {
		return nil, err
	}
	l, err = find(ctx, key)
	if l == nil && err == nil {
		err = failure("the server that was started has gone")
	}
	return l, err
}

// Running returns the process id of the server that a call would go to, or 0 when one
// would be started.
func Running(ctx context.Context) (pid int, err error) {
	key, err := Surroundings()
	if err != nil {
		return 0, err
	}
	l, err := find(ctx, key)
	if l == nil {
		return 0, err
	}
	defer l.Close()
	return l.pid, nil
}

// Server returns the process id of the server.
func (l *Link) Server() int { return l.pid }

// Close gives the connection up.
func (l *Link) Close() error { return l.conn.Close() }

// socketName is the name of the socket in the runtime folder of a server's host.
func socketName(key string) string { return "keep-" + key }

// find connects to the server of that key. It returns nil when there is none.
func find(ctx context.Context, key string) (*Link, error) {
	for _, base := range runfolder.Bases(os.Geteuid()) {
		if runfolder.CheckPrivate(base, os.Geteuid()) != nil {
			continue // nothing of ours is in there
		}
		entries, _ := os.ReadDir(base)
		for _, e := range entries {
			path := filepath.Join(base, e.Name(), socketName(key))
			if _, ok := runfolder.NamedAfter(e.Name()); !ok {
				continue
			}
			if _, err := os.Lstat(path); err != nil {
				continue
			}
			if l, err := connect(ctx, path); l != nil || err != nil {
				return l, err
			}
		}
	}
	return nil, nil
}

// connect connects to the server with that socket. It returns nil when that server has
// gone, or is about to.
func connect(ctx context.Context, path string) (*Link, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unixpacket", path)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, failure("its server cannot be reached: %w", err)
	}
	peer, conn, err := open(nc.(*net.UnixConn))
	if err != nil {
		return nil, err
	}
	l := &Link{conn, peer}
	var f lane.Frame
	err = l.answer(ctx, startTime, &f)
	switch {
	case err == nil && f.Type == frameHello:
		return l, nil
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		l.Close()
		return nil, nil
	case err == nil:
		err = failure("%w", errShort)
	default:
		err = l.silent(nil)
	}
	l.Close()
	return nil, err
}

// answer waits for a frame from the server: for limit at most, and not as long for one
// that is stopped.
func (l *Link) answer(ctx context.Context, limit time.Duration, f *lane.Frame) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(stoppedTime, func() {
		if l.stopped() {
			cancel()
		}
	}).Stop()
	return within(ctx, limit, l.conn, func() error { return l.conn.Recv(f) })
}

// stopped reports whether the server can say nothing: it is stopped, or gone.
func (l *Link) stopped() bool {
	s, err := linux.ReadStat(l.pid)
	return err != nil || s.State == 'T' || s.State == 't' || s.State == 'Z'
}

// silent returns the error of a server that does not answer.
func (l *Link) silent(err error) error {
	why := ""
	if l.stopped() {
		why = ", which is stopped,"
	}
	return &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseStart, Op: Option, Err: err,
		Msg: fmt.Sprintf("the server that keeps templates, process %d%s does not answer; kill -9 %d ends it and all that runs in it", l.pid, why, l.pid)}
}

// open makes a lane of a connection, if the peer is this very user. It returns the
// process that was at the other end when it was connected: SO_PEERCRED in unix(7). The
// connection belongs to the lane, or is closed.
func open(nc *net.UnixConn) (peer int, conn *lane.Conn, err error) {
	defer nc.Close()
	f, err := nc.File()
	if err != nil {
		return 0, nil, failure("%w", err)
	}
	defer f.Close()
	cred, err := syscall.GetsockoptUcred(int(f.Fd()), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return 0, nil, failure("%w", os.NewSyscallError("getsockopt", err))
	}
	if int(cred.Uid) != os.Geteuid() {
		return 0, nil, &spawn.Error{Kind: spawn.ErrUntrusted, Phase: spawn.PhaseStart, Op: Option, Msg: fmt.Sprintf("process %d at the other end of the socket is of user %d, not %d", cred.Pid, cred.Uid, os.Geteuid())}
	}
	fd, err := linux.DupAbove(int(f.Fd()), 3)
	if err != nil {
		return 0, nil, failure("%w", err)
	}
	if conn, err = lane.Open(fd, lane.Polled); err != nil {
		syscall.Close(fd)
		return 0, nil, failure("%w", err)
	}
	return int(cred.Pid), conn, nil
}

// within calls f, which waits for conn, and has it return after limit, or when ctx
// ends. The lane is of no use any more then.
func within(ctx context.Context, limit time.Duration, conn *lane.Conn, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Shutdown() })
	err := f()
	if !stop() { // what f says is a consequence
		return ctx.Err()
	}
	return err
}

func failure(format string, args ...any) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: Option, Err: fmt.Errorf(format, args...)}
}
