package up

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
	"github.com/hatchery-spawn/hatchery/host"
)

// A supervisor has the services. Its loop is that of Run.
type supervisor struct {
	opts    Options
	show    *display
	nursery *host.Nursery
	ended   chan *service

	mu       sync.Mutex
	services map[string]*service // the latest of each name

	// What follows is the loop's alone.
	order    []string // of the table
	living   int      // services that have not ended for good, replaced ones included
	stopping bool
	forced   bool
	result   error // why everything is being stopped
}

// Run runs the services of a table until all have ended. The error is nil when all
// have succeeded, a [*table.Error] when nothing was started, a [*Stopped] when a
// signal asked for the end, and a [*Failure] when a service failed more often than
// is to be borne: then all others have been stopped.
func Run(ctx context.Context, o Options) error {
	t, err := table.Read(o.Path, o.CheckMethod)
	if err != nil {
		return err
	}
	h, err := host.Open(o.Host)
	if err != nil {
		return err
	}
	sup := &supervisor{opts: o, show: newDisplay(o.Stdout, o.Stderr), ended: make(chan *service), services: map[string]*service{}}
	err = h.Nursery(ctx, host.NurseryConfig{Name: "up"}, func(ctx context.Context, n *host.Nursery) error {
		sup.nursery = n
		if err := sup.apply(t); err != nil {
			return err
		}
		sup.loop(ctx)
		return nil
	})
	if cerr := h.Close(); cerr != nil {
		err = errors.Join(err, cerr)
	}
	sup.show.close()
	if sup.result != nil {
		return sup.result
	}
	return err
}

// loop decides what happens until all services have ended.
func (sup *supervisor) loop(ctx context.Context) {
	for sup.living > 0 {
		select {
		case s := <-sup.ended:
			sup.noteEnd(s)
		case sig := <-sup.opts.Signals:
			sup.signal(sig)
		case err := <-sup.show.broken:
			sup.stopAll(err)
		case <-ctx.Done():
			sup.stopAll(context.Cause(ctx))
			sup.force()
			for ; sup.living > 0; sup.living-- {
				<-sup.ended
			}
		}
	}
}

// noteEnd draws the consequences of the end of a service.
func (sup *supervisor) noteEnd(s *service) {
	sup.living--
	if s.err == nil {
		if sup.onlyRegistrar() {
			sup.services[table.RegistrarName].stop() // for whom would it be?
		}
		return
	}
	sup.show.failed(s.Name, s.err)
	var late *lateError
	sup.stopAll(&Failure{Service: s.Name, Err: s.err, Late: errors.As(s.err, &late)})
}

// onlyRegistrar reports whether the registrar is all that has not ended.
func (sup *supervisor) onlyRegistrar() bool {
	r := sup.services[table.RegistrarName]
	return sup.living == 1 && r != nil && !closed(r.done)
}

// signal does what a signal asks for.
func (sup *supervisor) signal(sig os.Signal) {
	switch {
	case sig == syscall.SIGPIPE: // the write says so
	case sig == syscall.SIGHUP && !sup.show.live.hungUp():
		sup.reload()
	case sup.stopping:
		sup.force()
	default:
		sup.show.note("stops everything: another signal (Ctrl-C) ends it at once")
		sup.stopAll(&Stopped{sig})
	}
}

// stopAll has everything stopped, because of err, those first that others come
// before.
func (sup *supervisor) stopAll(err error) {
	if sup.result == nil {
		sup.result = err
	}
	if sup.stopping {
		return
	}
	sup.stopping = true
	sup.stop(sup.services)
}

// stop has services stopped, each when those that come after it have ended.
func (sup *supervisor) stop(all map[string]*service) {
	for _, s := range all {
		var first []*service
		for _, other := range all {
			if slices.Contains(needs(other.Service), s.Name) {
				first = append(first, other)
			}
		}
		go func() {
			for _, other := range first {
				<-other.done
			}
			s.stop()
		}()
	}
}

// force ends everything at once.
func (sup *supervisor) force() {
	if sup.forced {
		return
	}
	sup.forced = true
	for _, s := range sup.all() {
		go s.kill()
	}
}

// lookup returns the latest service of a name, or nil.
func (sup *supervisor) lookup(name string) *service {
	sup.mu.Lock()
	defer sup.mu.Unlock()
	return sup.services[name]
}

// all returns the services that have not ended for good, those that are being
// replaced included.
func (sup *supervisor) all() []*service {
	sup.mu.Lock()
	defer sup.mu.Unlock()
	var all []*service
	for _, s := range sup.services {
		for ; s != nil; s = s.replaces {
			all = append(all, s)
		}
	}
	return all
}
