package parent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// lostTime is what an actor has to end when it has closed its channel: one that
// has said its last word is about to.
const lostTime = time.Second

// ready tells the actor what to be, and waits until it is.
func (a *Actor) ready(ctx context.Context, p *host.Process) error {
	a.closeTheirs()
	ctx, cancel := context.WithTimeoutCause(ctx, a.spec.Handshake, errHandshake)
	defer cancel()
	go a.serve(p)
	early := a.spec.size() <= earlySize
	if early {
		if err := a.tell(ctx); err != nil {
			return err
		}
	}
	if err := a.await(ctx, p, a.hello, "hello"); err != nil {
		return err
	}
	if a.version != channel.Version { // written before hello was closed
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "actor handshake", Kind: spawn.ErrVersion,
			Msg: fmt.Sprintf("the actor speaks version %d of the channel's protocol, this program version %d: build both with the same release", a.version, channel.Version)}
	}
	if !early {
		if err := a.tell(ctx); err != nil {
			return err
		}
	}
	return a.await(ctx, p, a.started, "started")
}

// earlySize is how long what the actor is told may be, in bytes, to be sent
// before the actor has said hello, which saves a round trip: the socket's buffer
// takes it, whatever the child is doing.
const earlySize = 16 << 10

// tell tells the actor what to be.
func (a *Actor) tell(ctx context.Context) error {
	if err := a.channel.Send(ctx, channel.TypeSpawn, a.what()); err != nil && !dying(err) {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "actor handshake", Err: err}
	}
	return nil
}

// dying reports whether err is only that the actor does not listen any more: its
// end has the reason.
func dying(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)
}

// errHandshake is the cause when it was the handshake that took too long.
var errHandshake = errors.New("handshake")

// await waits for a frame of the actor.
func (a *Actor) await(ctx context.Context, p *host.Process, said chan struct{}, what string) error {
	served := a.served
	var gaveUp <-chan time.Time
	for {
		select {
		case <-said:
			return nil
		case <-p.Done():
			if a.drain(time.Now().Add(drainTime)); closed(said) {
				return nil // and has ended since
			}
			return a.died(p, what)
		case <-served:
			if closed(said) {
				return nil
			}
			if err := a.lost(); err != nil {
				return err
			}
			served = nil // its end is on the way, or it has let go of its channel
			timer := time.NewTimer(lostTime)
			defer timer.Stop()
			gaveUp = timer.C
		case <-gaveUp:
			return &spawn.Error{Phase: spawn.PhaseStart, Op: "actor handshake", Kind: spawn.ErrProtocol,
				Msg: fmt.Sprintf("it has closed its channel before it said %s, and did not end%s", what, lastWords(a.stderr.Last()))}
		case <-ctx.Done():
			if context.Cause(ctx) == errHandshake {
				return &spawn.Error{Phase: spawn.PhaseStart, Op: "actor handshake", Kind: spawn.ErrTimeout,
					Msg: fmt.Sprintf("it has not said %s within %v%s", what, a.spec.Handshake, lastWords(a.stderr.Last()))}
			}
			return &spawn.Error{Phase: spawn.PhaseStart, Op: "actor handshake", Kind: spawn.ErrCanceled, Err: context.Cause(ctx)}
		}
	}
}

// died returns the error of an actor that has ended before it said what it should
// have said.
func (a *Actor) died(p *host.Process, what string) error {
	status, _ := p.Wait()
	e := a.ended(p, host.Ending{Err: &spawn.ExitError{ExitStatus: status}})
	return fmt.Errorf("it has ended before it said %s: %w", what, e.Err)
}

// what is what the actor is told to be.
func (a *Actor) what() *channel.Spawn {
	s := &a.spec
	return &channel.Spawn{
		Name: s.Name, UID: a.uid, Parent: s.self(), Registrar: s.Registrar, Bind: s.Bind, Socket: a.socket,
		Variables: s.Variables, Entry: s.Entry, Args: s.Args, SIGINT: string(s.ChildSIGINT),
	}
}

// checkSize refuses what would be too long to tell.
func (a *Actor) checkSize() error {
	if a.spec.size() <= earlySize {
		return nil
	}
	b, err := json.Marshal(a.what())
	if err != nil || len(b) <= channel.MaxPayload {
		return err
	}
	return &spawn.Error{Phase: spawn.PhaseResolve, Op: "actor", Errno: syscall.EMSGSIZE,
		Msg: fmt.Sprintf("actor %q: what it is to be told has %d bytes in JSON, at most %d", a.spec.Name, len(b), channel.MaxPayload)}
}

// self is what this process is.
func (s *Spec) self() channel.Peer {
	if p := s.Parent; p != nil {
		return channel.Peer{Name: p.Name, UID: p.UID, Pid: os.Getpid()}
	}
	return channel.Peer{Name: filepath.Base(os.Args[0]), Pid: os.Getpid()}
}

// serve reads the channel to its end. An actor that has given it up, and lives
// on, is stopped: it cannot be reached any more.
func (a *Actor) serve(p *host.Process) {
	err := a.channel.Serve(a.receive)
	a.mu.Lock()
	a.broken = err
	a.mu.Unlock()
	close(a.served)
	if a.lost() == nil {
		timer := time.NewTimer(lostTime)
		defer timer.Stop()
		select {
		case <-p.Done():
			return
		case <-timer.C:
			a.note(errGaveUp)
		}
	}
	select {
	case <-a.member:
		p.Stop(context.Background())
	case <-p.Done(): // of the handshake's failure
	}
}

// lost returns what is wrong with the channel, once it can be read no more: nil
// when the actor has closed it.
func (a *Actor) lost() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if errors.Is(a.broken, spawn.ErrProtocol) {
		return a.broken
	}
	return nil
}

func (a *Actor) closeTheirs() {
	for _, f := range a.theirs {
		f.Close()
	}
	a.theirs = nil
}

func protocolError(msg string) error {
	return &spawn.Error{Phase: spawn.PhaseRun, Op: "actor channel", Kind: spawn.ErrProtocol, Msg: msg}
}
