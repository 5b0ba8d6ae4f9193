package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// panicked is a panic in an entry point.
type panicked struct {
	value any
	stack string
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }
func (p *panicked) Stack() string { return p.stack }

// Unwrap returns the value if it is an error.
func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// Panicked returns the error of a panic, of the value that recover has returned:
// with the stack of the caller, which is the deferred function's, and told to other
// processes as a panic.
func Panicked(value any) error { return &panicked{value, string(debug.Stack())} }

// errGoexit is how an entry point ends that does not return.
var errGoexit = errors.New("the entry point has called runtime.Goexit")

// perform runs an entry point. When it panics, report is called with the panic,
// which then goes on: the process is the boundary for faults.
func perform(ctx context.Context, a *Actor, e Entry, report func(*panicked)) (err error) {
	defer func() {
		if v := recover(); v != nil {
			report(&panicked{v, string(debug.Stack())})
			panic(v)
		}
	}()
	return enter(ctx, a, e)
}

func enter(ctx context.Context, a *Actor, e Entry) error {
	var s channel.Started
	if e.Setup != nil {
		addresses, err := e.Setup(ctx, a)
		if err != nil {
			return err
		}
		s.Addresses = addresses
	}
	if err := a.channel.Send(ctx, channel.TypeStarted, s); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return e.Run(ctx, a)
}
