package discovery

import (
	"context"
	"io"
	"time"

	"github.com/hatchery-spawn/hatchery/actor/discovery/address"
	"github.com/hatchery-spawn/hatchery/actor/portal"
)

// Pauses before an actor tries again to register.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// registerTime is how long a registrar may take to register an actor: it looks at
// each of its addresses.
const registerTime = MeetTime * 5 / 2

// A lease is a registration with one registrar.
type lease struct {
	portal *portal.Portal
	stream *portal.Stream[Entry, nothing]
}

// lease registers an entry with the registrar at an address.
func (c *Config) lease(ctx context.Context, a address.Addr, e Entry) (*lease, error) {
	p, _, err := c.meetRegistrar(ctx, a)
	if err != nil {
		return nil, err
	}
	l := &lease{portal: p}
	ok := false
	timer := time.AfterFunc(registerTime, p.Close)
	stop := context.AfterFunc(ctx, p.Close)
	defer func() {
		inTime := timer.Stop()
		if !stop() || !inTime || !ok {
			p.Close()
		}
	}()
	if l.stream, err = portal.OpenStream[Entry, nothing](context.WithoutCancel(ctx), p, fnRegister); err != nil {
		return nil, at("register at", a, err)
	}
	if err := l.stream.Send(e); err != nil && err != io.EOF {
		return nil, at("register at", a, err)
	}
	if _, err := l.stream.Recv(); err != nil {
		return nil, at("register at", a, err)
	}
	ok = true
	return l, nil
}

// hold waits until the registrar has ended the lease, or ctx has ended: then it
// unregisters, within MeetTime.
func (l *lease) hold(ctx context.Context) error {
	over := make(chan error, 1)
	go func() {
		_, err := l.stream.Recv()
		over <- err
	}()
	defer l.portal.Close()
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
	}
	l.stream.CloseSend()
	timer := time.NewTimer(MeetTime)
	defer timer.Stop()
	select {
	case <-over: // it has let go of the entry
	case <-timer.C:
		l.portal.Close()
		<-over
	}
	return nil
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
