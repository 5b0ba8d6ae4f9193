package keep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// spawnTime is what the server has to start the child: a little more than its
	// host takes at most.
	spawnTime = 12 * time.Second
	// tellTime is what a server has to say how a child ended, or that it has been
	// killed.
	tellTime = 10 * time.Second
	// stoppedTime is that of a server that is stopped, or on which SIGKILL waits.
	stoppedTime = time.Second
	// restTime is what a server has to end what a child has left behind: twice
	// that has a second before SIGKILL and a second after it.
	restTime = 6 * time.Second
)

// ErrCold is the kind of error that says that the call cannot be served warm: it is
// for the caller to start the child, as if there were no server.
var ErrCold = errors.New("cannot be handed over")

// A Process is a child that a server has started. Its methods may be called
// concurrently. Close it.
type Process struct {
	link  *Link
	pid   int
	pidfd *os.File // nil when the child had ended before the server told of it
	notes []string
	grace time.Duration

	done chan struct{} // closed when status is set
	rest chan struct{} // closed when left is set, or nothing will come any more
	over sync.Once     // closes done

	status spawn.ExitStatus
	left   error
}

// Start has the server start a child, and returns when it has become its program. ctx
// bounds that. The link belongs to the Process then, or is closed.
func (l *Link) Start(ctx context.Context, call Call) (*Process, error) {
	p, err := l.start(ctx, call)
	if err != nil {
		l.Close()
	}
	return p, err
}

func (l *Link) start(ctx context.Context, call Call) (*Process, error) {
	f, files, err := l.request(&call)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	if err := l.conn.Send(f); err != nil {
		return nil, l.gone(err)
	}
	var answer lane.Frame
	err = l.answer(ctx, spawnTime, &answer)
	switch {
	case ctx.Err() != nil:
		return nil, &spawn.Error{Kind: spawn.ErrCanceled, Phase: spawn.PhaseStart, Err: ctx.Err()}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil, l.silent(nil)
	case err != nil:
		return nil, l.gone(err)
	}
	switch answer.Type {
	case frameCold:
		return nil, fmt.Errorf("%w: %s", ErrCold, answer.Payload)
	case frameFailed:
		e := new(spawn.Error)
		if err := e.UnmarshalBinary(answer.Payload); err != nil {
			return nil, err
		}
		if strings.HasPrefix(e.Path, fmt.Sprintf("/proc/%d/fd/", l.pid)) {
			e.Path = folder(&call.Spec)
		}
		return nil, e
	case frameStarted:
		return l.process(&answer, call.Grace), nil
	}
	return nil, errShort
}

// request returns the frame of a call; files has what it refers to.
func (l *Link) request(call *Call) (f *lane.Frame, dir *os.File, err error) {
	c := *call
	fd, err := linux.OpenFolder(folder(&c.Spec))
	if err != nil {
		return nil, nil, &spawn.Error{Phase: spawn.PhaseSetup, Op: string(spawn.OpChdir), Path: folder(&c.Spec), Err: err}
	}
	dir = os.NewFile(uintptr(fd), "folder")
	if c.Spec.Umask == nil {
		if c.Spec.Umask, err = umask(); err != nil {
			dir.Close()
			return nil, nil, failure("%w", err)
		}
	}
	c.Spec.Dir, c.Spec.Limits = "", append(limits(), c.Spec.Limits...)
	if !c.Spec.Session { // in the server's group it could signal the server
		c.Spec.Group, c.Spec.Session = spawn.HostGroup, true
	}
	f = c.frame()
	f.FDs = []int{fd}
	for _, n := range c.Spec.OpenFiles() {
		f.FDs = append(f.FDs, int(c.Spec.Files[n].Fd()))
	}
	return f, dir, nil
}

// folder returns the directory of a child.
func folder(s *spawn.Spec) string {
	if s.Dir == "" {
		return "."
	}
	return s.Dir
}

// gone returns the error of a server that has ended, or refused, in the middle of a
// call.
func (l *Link) gone(err error) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: Option, Err: err, Msg: fmt.Sprintf("the server that keeps templates, process %d, has gone", l.pid)}
}

func (l *Link) process(f *lane.Frame, grace time.Duration) *Process {
	p := &Process{link: l, pid: int(f.ID), notes: ofLines(f.Payload), grace: grace, done: make(chan struct{}), rest: make(chan struct{})}
	p.notes = append(p.notes, fmt.Sprintf("handed over in server %d, which keeps its template", l.pid))
	if len(f.FDs) > 0 {
		p.pidfd = os.NewFile(uintptr(f.FDs[0]), "pidfd")
		go p.watch()
	}
	go p.listen()
	return p
}

// listen hears what the server has to say.
func (p *Process) listen() {
	defer close(p.rest)
	for {
		var f lane.Frame
		if err := p.link.conn.Recv(&f); err != nil {
			p.lost(fmt.Sprintf("the server that it ran in, process %d, has ended", p.link.pid))
			return
		}
		switch f.Type {
		case frameEnded:
			var s spawn.ExitStatus
			if err := s.UnmarshalBinary(f.Payload); err != nil {
				s = spawn.LostStatus(err.Error())
			}
			p.ended(s)
		case frameDone:
			if len(f.Payload) > 0 {
				p.left = errors.New(string(f.Payload))
			}
			return
		}
	}
}

// watch notices the end of a child of which the server does not tell.
func (p *Process) watch() {
	exited, _, err := linux.PollExit(int(p.pidfd.Fd()), p.link.conn.Fd())
	if err != nil || !exited { // of the connection's end listen tells
		return
	}
	for begin := time.Now(); ; {
		limit := tellTime
		if p.link.stopped() {
			limit = stoppedTime
		}
		select {
		case <-p.done:
			return
		case <-time.After(min(stoppedTime, limit)):
		}
		if time.Since(begin) >= limit {
			p.lost(fmt.Sprintf("it has ended, and the server that it ran in, process %d, does not say how", p.link.pid))
			return
		}
	}
}

// lost gives the child up: it is killed, if it is there.
func (p *Process) lost(reason string) {
	select {
	case <-p.done:
		return
	default:
	}
	if p.pidfd != nil {
		linux.PidfdSignal(int(p.pidfd.Fd()), syscall.SIGKILL)
	}
	p.ended(spawn.LostStatus(reason))
}

func (p *Process) ended(s spawn.ExitStatus) {
	p.over.Do(func() {
		p.status = s
		close(p.done)
	})
}

// Pid returns the process id of the child.
func (p *Process) Pid() int { return p.pid }

// Notes returns what the method noted, and which server it was.
func (p *Process) Notes() []string { return p.notes }

// Warm reports true: nothing else comes from a server.
func (p *Process) Warm() bool { return true }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the child: see host.Process.Wait.
func (p *Process) Wait() (spawn.ExitStatus, error) {
	<-p.done
	if p.status.Source == spawn.Lost {
		return p.status, &spawn.Error{Phase: spawn.PhaseRun, Kind: spawn.ErrLost, Msg: p.status.Reason}
	}
	return p.status, nil
}

// Signal sends a signal to the child alone: see host.Process.Signal. The server takes
// no part in it.
func (p *Process) Signal(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok || p.pidfd == nil {
		return os.ErrProcessDone
	}
	err := linux.PidfdSignal(int(p.pidfd.Fd()), s)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// Stop ends the child: SIGTERM to it, and SIGCONT in case it is stopped; after the
// grace, or when ctx ends, SIGKILL to it and to what is below it. When the server does
// not do that in time the child alone is killed, and its status is lost.
func (p *Process) Stop(ctx context.Context) (spawn.ExitStatus, error) {
	if ctx.Err() == nil {
		p.Signal(syscall.SIGTERM)
		p.Signal(syscall.SIGCONT)
		select {
		case <-p.done:
			return p.Wait()
		case <-time.After(p.grace):
		case <-ctx.Done():
		}
	}
	p.link.conn.SetSendDeadline(time.Now().Add(stoppedTime))
	err := p.link.conn.Send(&lane.Frame{Type: frameKill})
	limit := tellTime
	if err != nil || p.link.stopped() {
		limit = stoppedTime
	}
	select {
	case <-p.done:
	case <-time.After(limit):
		p.lost(fmt.Sprintf("the server that it ran in, process %d, did not end it: it was sent SIGKILL", p.link.pid))
	}
	return p.Wait()
}

// Close waits for the end of what the child has left behind, and gives the connection
// up: a child that still runs is ended. The error names what could not be ended.
func (p *Process) Close() error {
	defer p.link.Close()
	select {
	case <-p.done:
	default:
		return nil
	}
	limit := restTime
	if p.status.Source == spawn.Lost {
		limit = stoppedTime // the server is stuck, or has lost its keeper
	}
	select {
	case <-p.rest:
		return p.left
	case <-time.After(limit):
	}
	return fmt.Errorf("server %d does not say whether all that the child left behind has ended", p.link.pid)
}
