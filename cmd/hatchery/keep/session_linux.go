package keep

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// callTime is what a caller has to say what it wants.
	callTime = 10 * time.Second
	// lostGrace is what a child has between SIGTERM and SIGKILL when its caller
	// is gone.
	lostGrace = time.Second
)

// A session is one call, as the server sees it.
type session struct {
	server *server
	conn   *lane.Conn
}

// serve serves one call, from its beginning to its end.
func (s *server) serve(nc *net.UnixConn) {
	defer s.done()
	_, conn, err := open(nc)
	if err != nil {
		return // it is another user
	}
	defer conn.Close()
	c := &session{server: s, conn: conn}
	if c.send(&lane.Frame{Type: frameHello}) != nil {
		return
	}
	var f lane.Frame
	if within(context.Background(), callTime, conn, func() error { return conn.Recv(&f) }) != nil {
		return
	}
	call, dir, err := parseCall(&f)
	defer closeFiles(call.Spec.Files)
	if err != nil {
		c.send(failed(failure("%w", err)))
		return
	}
	s.asks(call.Keep)
	life, die := context.WithCancel(context.Background())
	hurt, kill := context.WithCancel(context.Background())
	defer kill()
	var listening sync.WaitGroup
	listening.Go(func() { defer die(); c.listen(kill) })
	defer listening.Wait()
	defer conn.Shutdown()
	c.run(life, hurt, &call, dir)
}

// listen hears what the caller wants, until it goes.
func (c *session) listen(kill func()) {
	for {
		var f lane.Frame
		err := c.conn.Recv(&f)
		switch {
		case err == nil && f.Type == frameKill:
			kill()
		case err != nil:
			return
		}
	}
}

// run runs the child, and ends what it leaves behind. life ends with the caller, and
// hurt when the child is to be killed.
func (c *session) run(life, hurt context.Context, call *Call, dir *os.File) {
	c.server.running.RLock()
	p, err := c.server.start(life, call, dir)
	dir.Close()
	closeFiles(call.Spec.Files) // the child's input must end when its caller's does
	if err != nil {
		c.server.running.RUnlock()
		c.refuse(err)
		return
	}
	p.SetStop(host.StopOptions{Grace: call.Grace})
	life, die := context.WithCancel(life)
	defer die()
	if c.started(p) != nil {
		die()
	}
	left := c.seeThrough(life, hurt, p)
	c.server.running.RUnlock()
	left = errors.Join(left, c.server.endStrays())
	text := ""
	if left != nil {
		text = left.Error()
	}
	c.send(&lane.Frame{Type: frameDone, Payload: []byte(text)})
}

// start starts the child of a call.
func (s *server) start(ctx context.Context, call *Call, dir *os.File) (*host.Process, error) {
	spec := &call.Spec
	spec.Options = ready(spec.Options)
	// The keeper, which is another process, opens it by this name.
	spec.Dir = "/proc/" + strconv.Itoa(os.Getpid()) + "/fd/" + strconv.Itoa(int(dir.Fd()))
	spec.Limits = slices.DeleteFunc(spec.Limits, func(l spawn.Limit) bool { return slices.Contains(s.limits, l) })
	return s.host.StartMethod(ctx, forkserver.Key, *spec)
}

// refuse says why there is no child.
func (c *session) refuse(err error) {
	var e *spawn.Error
	if errors.As(err, &e) && e.Kind == spawn.ErrUnavailable && e.Phase == spawn.PhasePlan {
		if _, why, ok := strings.Cut(e.Msg, "require=warm: "); ok {
			c.send(&lane.Frame{Type: frameCold, Payload: []byte(why)})
			return
		}
	}
	if e != nil && e.Op == string(spawn.OpHandoff) && (e.Kind == spawn.ErrProtocol || e.Kind == spawn.ErrTimeout) {
		c.send(&lane.Frame{Type: frameCold, Payload: []byte(e.Msg)}) // its template is of no use
		return
	}
	c.send(failed(err))
}

// started tells the caller of its child.
func (c *session) started(p *host.Process) error {
	f := &lane.Frame{Type: frameStarted, ID: uint64(p.Pid()), Payload: lines(p.Notes())}
	pidfd, err := p.Pidfd()
	switch {
	case err == nil:
		defer pidfd.Close()
		f.FDs = []int{int(pidfd.Fd())}
	case !errors.Is(err, os.ErrProcessDone): // a caller needs it
		c.send(failed(err))
		return err
	}
	return c.send(f)
}

// seeThrough waits for the end of the child, brings it about if the caller says so or
// is gone, and ends what it leaves behind. The error names what could not be ended.
func (c *session) seeThrough(life, hurt context.Context, p *host.Process) error {
	select {
	case <-p.Done():
	case <-hurt.Done():
	case <-life.Done():
		p.SetStop(host.StopOptions{Grace: lostGrace})
	}
	var status spawn.ExitStatus
	var err error
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		status, err = p.Stop(hurt)
	}()
	select {
	case <-p.Done():
		status, _ := p.Wait() // of one that is lost it says so
		c.ended(status)
		<-stopped
	case <-stopped:
		c.ended(status)
	}
	if errors.Is(err, spawn.ErrLost) {
		return nil
	}
	return err
}

func (c *session) ended(status spawn.ExitStatus) {
	b, _ := status.AppendBinary(nil) // it never fails
	c.send(&lane.Frame{Type: frameEnded, Payload: b})
}

func (c *session) send(f *lane.Frame) error { return c.conn.Send(f) }

// endStrays ends what is nobody's, when nobody runs.
func (s *server) endStrays() error {
	if !s.running.TryLock() {
		return nil // whoever runs will do so
	}
	defer s.running.Unlock()
	_, err := s.host.EndStrays(context.Background())
	if errors.Is(err, spawn.ErrClosed) {
		return nil
	}
	return err
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
