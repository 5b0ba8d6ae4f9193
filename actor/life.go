package actor

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/channel"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// orphanTime is what an actor has to end once its parent is gone. What it has
// started itself ends after it, by its own keeper.
const orphanTime = 800 * time.Millisecond

// sendTime is how long an actor tries to say how it ended.
const sendTime = time.Second

// A life is that of an actor, from hello to its last word. It belongs to one
// goroutine, to which all others tell what has happened.
type life struct {
	program *Program
	channel *channel.Channel

	spawned  chan channel.Spawn  // what to be; room for one
	asked    chan channel.Cancel // room for one: the first counts
	signals  chan os.Signal
	lost     chan error // why the channel can be read no more; room for one
	finished chan error // how the entry point ended; room for one

	told    bool          // that spawned was sent to; belongs to whoever receives frames
	greeted chan struct{} // closed when hello was sent, which is the first frame

	actor   *Actor // nil before it is known what to be
	sigint  string // who decides about SIGINT
	cancel  context.CancelCauseFunc
	cause   *Canceled        // why it is canceled; nil before
	code    int              // to exit with if it ends for that
	orphan  bool             // the parent is gone
	forced  bool             // nothing is waited for any more
	timeout <-chan time.Time // after which an orphan ends
}

// live lives and returns the exit code.
func (p *Program) live(ch *channel.Channel) int {
	l := &life{
		program: p, channel: ch,
		spawned: make(chan channel.Spawn, 1), asked: make(chan channel.Cancel, 1), signals: make(chan os.Signal, 8),
		lost: make(chan error, 1), finished: make(chan error, 1), greeted: make(chan struct{}),
	}
	go func() { l.lost <- ch.Serve(l.receive) }() // what to be is decoded meanwhile
	signal.Notify(l.signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(l.signals)
	ch.Send(context.Background(), channel.TypeHello, channel.Hello{Version: channel.Version, Pid: os.Getpid()})
	close(l.greeted)
	code := l.run()
	ch.End(nil)
	if !l.orphan {
		<-l.lost
	}
	return code
}

// receive is given the parent's frames.
func (l *life) receive(m *channel.Message) error {
	switch m.Type {
	case channel.TypeSpawn:
		var s channel.Spawn
		if err := m.Decode(&s); err != nil {
			return err
		}
		if l.told {
			return &spawn.Error{Op: "actor channel", Kind: spawn.ErrProtocol, Msg: "a second spawn frame"}
		}
		l.told = true
		l.spawned <- s
		return nil
	}
	<-l.greeted // before anything is answered
	switch m.Type {
	case channel.TypeCancel:
		var c channel.Cancel
		if err := m.Decode(&c); err != nil {
			return err
		}
		m.Then = func() { // it has to be acknowledged before the actor can end
			select {
			case l.asked <- c:
			default:
			}
		}
		return nil
	}
	return channel.ErrUnknown
}

// run returns the exit code, when the entry point has returned or is not waited
// for any more.
func (l *life) run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	l.cancel = cancel
	spawned := l.spawned
	for {
		select {
		case s := <-spawned:
			spawned = nil
			l.begin(ctx, &s)
		case err := <-l.finished:
			return l.end(err)
		case c := <-l.asked:
			l.stop(&Canceled{c.By, c.Reason}, 128+int(syscall.SIGTERM))
		case sig := <-l.signals:
			l.signaled(sig.(syscall.Signal))
		case err := <-l.lost:
			l.orphaned(err)
		case <-l.timeout:
			l.forced = true
		}
		switch {
		case l.forced:
			return l.code
		case l.orphan && l.actor == nil: // it has not been needed
			return 0
		case l.cause != nil && l.actor == nil:
			return l.end(l.cause)
		}
	}
}

// begin begins to be what the parent wants.
func (l *life) begin(ctx context.Context, s *channel.Spawn) {
	l.sigint = s.SIGINT
	l.actor = newActor(s, l.channel, l.program.Errors)
	e, err := l.program.entry(s.Entry)
	if err != nil {
		l.finished <- err
		return
	}
	go func() {
		err, crashing := errGoexit, false
		defer func() {
			if !crashing {
				l.finished <- err
			}
		}()
		err = perform(ctx, l.actor, e, func(p *panicked) {
			crashing = true
			l.say(channel.Ended{Error: l.fault(p)})
		})
	}()
}

// stop cancels the actor, unless it is canceled already.
func (l *life) stop(cause *Canceled, code int) {
	if l.cause == nil {
		l.cause, l.code = cause, code
		l.cancel(cause)
	}
}

// signaled deals with SIGINT and SIGTERM. The parent decides about SIGINT as
// long as it lives; nobody is left to have patience with an orphan.
func (l *life) signaled(sig syscall.Signal) {
	if sig == syscall.SIGINT && !l.orphan && l.sigint != channel.SIGINTSelf {
		return
	}
	name := "SIGTERM"
	if sig == syscall.SIGINT {
		name = "SIGINT"
	}
	l.forced = l.orphan
	l.stop(&Canceled{By: name}, 128+int(sig))
}

// orphaned notes that there is no parent any more.
func (l *life) orphaned(err error) {
	cause := &Canceled{By: "the end of its parent"}
	if err != io.EOF {
		cause.Reason = err.Error()
	}
	l.orphan = true
	l.timeout = time.After(orphanTime)
	l.stop(cause, 128+int(syscall.SIGTERM))
	l.channel.End(cause)
}

// end says how the entry point ended, and returns the exit code.
func (l *life) end(err error) int {
	var ended channel.Ended
	code := 0
	switch {
	case err == nil:
	case l.cause != nil && OnlyCanceled(err):
		ended.Error, ended.Canceled, code = l.fault(l.cause), true, l.code
	default:
		ended.Error, code = l.fault(err), exitFailed
	}
	l.say(ended)
	return code
}

// fault makes an error of this actor ready to be sent.
func (l *life) fault(err error) *channel.Fault {
	name := ""
	if l.actor != nil {
		name = l.actor.Name
	}
	return l.program.Errors.Fault(err, name)
}

// say sends the last word.
func (l *life) say(ended channel.Ended) {
	if l.actor != nil {
		l.actor.say(ended)
	} else {
		say(l.channel, ended)
	}
}
