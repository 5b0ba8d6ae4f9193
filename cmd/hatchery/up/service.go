package up

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up/table"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/restart"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A service is one that is to run: a process, and after a failure its successor.
type service struct {
	table.Service
	sup       *supervisor
	registrar []string      // that an actor is told of
	replaces  *service      // that has to end first; may be nil
	up        chan struct{} // closed when it has been up
	done      chan struct{} // closed when it has ended for good
	err       error         // why, once done is closed; nil when it succeeded or was stopped
	asked     chan struct{} // closed when it is to end
	stop      func()        // asks it to end, and returns at once

	mu    sync.Mutex
	child *host.Child // that runs, or the last one
}

func newService(sup *supervisor, what table.Service, replaces *service) *service {
	asked := make(chan struct{})
	return &service{
		Service: what, sup: sup, replaces: replaces, up: make(chan struct{}), done: make(chan struct{}),
		asked: asked, stop: sync.OnceFunc(func() { close(asked) }),
	}
}

// errLate is the cause of the end of a start that took too long.
var errLate = errors.New("it took too long")

// run starts the service as often as its policy wants, until it ends for good.
func (s *service) run(ctx context.Context) error {
	if s.replaces != nil {
		<-s.replaces.done // which has been stopped
	}
	if err := s.sup.waitFor(ctx, s); err != nil || ctx.Err() != nil {
		return err
	}
	r := s.Restart
	failures := restart.Intensity{Max: r.Max, Within: r.Within}
	for inRow, count := 1, 1; ; inRow, count = inRow+1, count+1 {
		begun := time.Now()
		err := s.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			s.sup.show.ended(s.Name)
			return nil
		case r.Max == 0 || permanent(err):
			return err
		case failures.Add(time.Now()):
			return fmt.Errorf("given up after %d failures within %v, the last: %w", r.Max+1, r.Within, err)
		}
		if time.Since(begun) >= r.Within {
			inRow = 1
		}
		delay := restart.Backoff{Min: r.MinDelay, Max: r.MaxDelay}.Delay(inRow, rand.Float64())
		s.sup.show.restarting(s.Name, err, delay)
		if !pause(ctx, delay) {
			return nil
		}
	}
}

// once runs one process from its start to its end, and to that of all that it has
// left behind.
func (s *service) once(ctx context.Context) error {
	var out *output
	err := s.sup.nursery.Nursery(ctx, host.NurseryConfig{Name: s.Name}, func(ctx context.Context, n *host.Nursery) error {
		starting, started := s.starting(ctx)
		defer started()
		var err error
		out, err = s.start(starting, n)
		if err == nil {
			s.isUp()
		}
		if late := context.Cause(starting); err != nil && errors.Is(late, errLate) && ctx.Err() == nil {
			err = &lateError{s.startTimeout(), err}
		}
		return err
	})
	out.finish()
	var child *host.ChildError
	var late *lateError
	switch {
	case errors.As(err, &late):
		return late
	case errors.As(err, &child):
		return child.Err
	}
	return err
}

// defaultStartTimeout is what a service has until it is up.
const defaultStartTimeout = 10 * time.Second

func (s *service) startTimeout() time.Duration {
	if s.StartTimeout > 0 {
		return s.StartTimeout
	}
	return defaultStartTimeout
}

// starting bounds a start.
func (s *service) starting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.startTimeout(), errLate)
}

// A lateError is of a service that was not up in time.
type lateError struct {
	limit time.Duration
	err   error
}

func (e *lateError) Error() string {
	return fmt.Sprintf("not up within %v (start_timeout): %v", e.limit, e.err)
}

func (e *lateError) Unwrap() error { return e.err }

// isUp notes that the service is up.
func (s *service) isUp() {
	s.sup.show.up(s.Name, s.running().Process().Pid())
	select {
	case <-s.up:
	default:
		close(s.up) // run alone calls this
	}
}

func (s *service) running() *host.Child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

// kill ends the service at once, whatever it is doing.
func (s *service) kill() {
	s.stop()
	if c := s.running(); c != nil {
		over, end := context.WithCancel(context.Background())
		end()
		c.Stop(over)
	}
}

// permanent reports whether another start would fail for the same reason.
func permanent(err error) bool {
	for _, kind := range []error{spawn.ErrUnavailable, spawn.ErrNotImplemented, spawn.ErrUnknownMethod, spawn.ErrBadOption} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var e *spawn.Error
	return errors.As(err, &e) && (e.Phase == spawn.PhaseResolve || e.Phase == spawn.PhaseExec)
}

// pause waits, and reports whether it was for the whole time.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
