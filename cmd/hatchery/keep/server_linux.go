package keep

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/runfolder"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Name is argv[0] of a server, and what ps calls it; argv[1] is its key.
const Name = "hatchery-server"

// firstTime is how long a server waits for its first call.
const firstTime = 10 * time.Second

// Main is the program of a server, in a process that was started to be one: ok is
// false in any other. It comes behind host.Init.
func Main(args []string) (code int, ok bool) {
	if len(args) != 2 || args[0] != Name {
		return 0, false
	}
	const pipe = 3
	syscall.CloseOnExec(pipe)
	linux.CloseInherited(pipe + 1)
	linux.SetName(Name)
	syscall.Umask(0o022) // of what templates write
	ready := os.NewFile(pipe, "pipe")
	s, err := newServer(args[1])
	if err != nil {
		b, _ := spawn.AsError(err).AppendBinary(nil) // it never fails
		ready.Write(b)
		return 1, true
	}
	ready.WriteString(readiness)
	ready.Close()
	return s.run(), true
}

// A server serves the calls of one user.
type server struct {
	host   *host.Host
	limits []spawn.Limit
	socket *net.UnixListener
	watch  *os.File // tells of changes in the runtime folder

	// running is held for reading by each call as long as its child, or what that
	// left behind, is there; and for writing by who ends what is nobody's.
	running sync.RWMutex

	mu     sync.Mutex
	calls  int
	keep   time.Duration // the longest asked for; 0 before the first call
	idle   *time.Timer   // runs while there are no calls
	ending bool
	over   chan struct{} // closed when it is ending and there are no calls
}

// newServer opens the host and the socket.
func newServer(key string) (*server, error) {
	h, err := host.Open(host.Config{Method: forkserver.Key, Timeouts: host.Timeouts{Idle: Longest}})
	if err != nil {
		return nil, err
	}
	s := &server{host: h, limits: limits(), over: make(chan struct{})}
	if err = s.listen(key); err == nil {
		err = h.Select(context.Background(), forkserver.Key)
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return s, nil
}

// listen makes the socket, in the runtime folder, and watches that.
func (s *server) listen(key string) (err error) {
	dir := s.host.Folder()
	if !slices.Contains(runfolder.Bases(os.Geteuid()), filepath.Dir(dir)) {
		return failure("%s is no folder in which a server would be found", dir)
	}
	if s.watch, err = watchFolder(dir); err != nil {
		return failure("%w", err)
	}
	s.socket, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(dir, socketName(key)), Net: "unixpacket"})
	if err != nil {
		s.watch.Close()
		return failure("%w", err)
	}
	return nil
}

// run serves until the end, and returns the exit code.
func (s *server) run() int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	s.mu.Lock()
	s.idle = time.AfterFunc(firstTime, s.tooLong)
	s.mu.Unlock()
	go s.accept()      // until the socket is closed
	go s.watchSocket() // until the process ends
	select {
	case <-s.over:
	case <-signals:
		s.end()
	}
	err := s.host.Close() // which ends the children of the calls
	<-s.over              // they tell of it, each within bounds
	if err != nil {
		return 1
	}
	return 0
}

// accept takes calls.
func (s *server) accept() {
	for {
		c, err := s.socket.AcceptUnix()
		switch {
		case err == nil && s.begin():
			go s.serve(c)
		case err == nil:
			c.Close()
		case errors.Is(err, net.ErrClosed):
			return
		default: // no descriptors, the end of which is no event
			select {
			case <-time.After(acceptPause):
			case <-s.over:
			}
		}
	}
}

// acceptPause is the time between two tries when there are no descriptors.
const acceptPause = 100 * time.Millisecond

// begin begins a call, unless the server is ending.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.calls++
	s.idle.Stop()
	return true
}

// done ends what begin began.
func (s *server) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	switch {
	case s.calls > 0:
	case s.ending:
		close(s.over)
	case s.keep == 0:
		s.idle.Reset(firstTime)
	default:
		s.idle.Reset(s.keep)
	}
}

// asks notes for how long a caller wants the server to stay.
func (s *server) asks(keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = min(max(s.keep, keep), Longest)
}

// tooLong ends the server if nobody has called in the last moment.
func (s *server) tooLong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == 0 {
		s.endLocked()
	}
}

// end lets no further calls begin.
func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked()
}

func (s *server) endLocked() {
	if s.ending {
		return
	}
	s.ending = true
	s.idle.Stop()
	s.socket.Close() // and removes it
	if s.calls == 0 {
		close(s.over)
	}
}
