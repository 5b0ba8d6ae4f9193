package host

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/runfolder"
)

// controlSocket is the socket on which a host answers hatchery dump: whoever
// connects, and is of the host's own user or root, gets a dump.
type controlSocket struct {
	loop    sync.WaitGroup
	closing context.CancelFunc
}

const (
	// controlTime is what a client has to read a dump.
	controlTime = 5 * time.Second
	// controlPause is the time between two tries when there are no
	// descriptors, the end of which is no event.
	controlPause = 100 * time.Millisecond
)

// listen opens the control socket. Where it cannot, the host is looked at from
// outside: that is no reason not to open it.
func listen(h *Host) *controlSocket {
	ctx, cancel := context.WithCancel(context.Background())
	c := &controlSocket{closing: cancel}
	path := runfolder.Control(h.folder.path)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return c
	}
	os.Chmod(path, 0o600) // nobody else could reach it before: the folder is private
	c.loop.Go(func() {
		defer context.AfterFunc(ctx, func() { l.Close() })()
		serve(ctx, l, h)
	})
	return c
}

// serve answers one client after the other, until the listener is closed.
func serve(ctx context.Context, l *net.UnixListener, h *Host) {
	for {
		conn, err := l.AcceptUnix()
		switch {
		case err == nil:
			answer(ctx, conn, h)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			timer := time.NewTimer(controlPause)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}
}

func answer(ctx context.Context, conn *net.UnixConn, h *Host) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if uid, ok := peerUID(conn); !ok || uid != os.Geteuid() && uid != 0 {
		return
	}
	conn.SetDeadline(time.Now().Add(dumpTime + controlTime))
	h.Dump(ctx, conn)
}

// peerUID returns the user who connected: SO_PEERCRED in unix(7).
func peerUID(conn *net.UnixConn) (uid int, ok bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	var cred *syscall.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if cerr != nil || err != nil {
		return 0, false
	}
	return int(cred.Uid), true
}

// close ends the socket and returns when nobody is being answered any more,
// which is soon.
func (c *controlSocket) close() {
	c.closing()
	c.loop.Wait()
}
