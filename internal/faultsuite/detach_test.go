//go:build linux && failpoints

package faultsuite

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// detachedCode is that of the detached child.
const detachedCode = 6

// detach detaches a child that ends soon, adopts it, awaits its end, and forgets
// it.
func (l *life) detach() {
	if l.vain > 0 && l.stopped() {
		return
	}
	d := l.startDetached()
	if d == nil {
		return
	}
	ref := d.Ref()
	err := l.call("Adopt", l.limits().Call, func() (err error) {
		d, err = l.h.Adopt(context.Background(), ref)
		return err
	})
	if err != nil {
		l.complainDetached("Adopt", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*slack)
	defer cancel()
	switch s, err := d.Wait(ctx); {
	case err == nil && s.Source == spawn.FromKernel && s.Code == detachedCode:
	case errors.Is(err, spawn.ErrLost) && s.Source == spawn.Lost && l.detachedHurt():
	default:
		l.complain("the detached child: %+v, %v", s, err)
	}
	if err := l.call("Forget", slack, func() error { return d.Forget(context.Background()) }); err != nil {
		l.complainDetached("Forget", err)
	}
}

func (l *life) startDetached() (d *host.Detached) {
	spec := spawn.Spec{Path: "sh", Args: []string{"sh", "-c", "sleep 0.2; exit 6"}, Env: []string{"PATH=" + os.Getenv("PATH")}}
	var errs []error
	for range l.tries() {
		err := l.call("StartDetached", l.limits().Spawn+time.Second, func() (err error) {
			d, err = l.h.StartDetached(context.Background(), spec, host.DetachOptions{})
			return err
		})
		if err == nil {
			return d
		}
		if !l.mayFail(err) {
			l.complain("StartDetached: %v", err)
		}
		errs = append(errs, err)
	}
	if l.vain++; !l.stopped() {
		l.complain("StartDetached failed each time: %v", errs)
	}
	return nil
}

// detachedHurt reports whether the keeper of the detached child fails.
func (l *life) detachedHurt() bool { return l.process() == "detached" && l.dies() }

func (l *life) complainDetached(what string, err error) {
	if l.hurts() && (errors.Is(err, spawn.ErrTimeout) || errors.Is(err, spawn.ErrKeeperGone)) {
		return
	}
	l.complain("%s: %v", what, err)
}
