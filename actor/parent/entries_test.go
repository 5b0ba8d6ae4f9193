package parent_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/actor"
)

// What the actors of these tests do.

// errOwn and ownError are known on both sides.
var errOwn = errors.New("an error of the tests'")

type ownError struct {
	Code int
	Text string
}

func (e *ownError) Error() string { return fmt.Sprintf("%s (code %d)", e.Text, e.Code) }

func errorsOfTests() actor.Errors {
	return actor.Errors{"test.own": actor.Value(errOwn), "test.type": actor.Type[*ownError]()}
}

// said is what the entry point "say" returns.
type said struct {
	Name, UID, ParentName, ParentUID string
	ParentPid, Pid                   int
	Args, Registrar, Bind            []string
	Variables                        map[string]string
	Channel                          string // the variable, which has to be gone
}

func say(_ context.Context, a *actor.Actor) error {
	return a.Return(said{
		Name: a.Name, UID: a.UID, ParentName: a.Parent.Name, ParentUID: a.Parent.UID, ParentPid: a.Parent.Pid, Pid: os.Getpid(),
		Args: a.Args, Registrar: a.Registrar, Bind: a.Bind, Variables: a.Variables, Channel: os.Getenv("HATCHERY_ACTOR_CHANNEL"),
	})
}

// fail fails as its argument says.
func fail(_ context.Context, a *actor.Actor) error {
	switch how := a.Args[0]; how {
	case "plain":
		return errors.New("a plain error")
	case "value":
		return fmt.Errorf("wrapped: %w", errOwn)
	case "type":
		return errors.Join(&ownError{Code: 7, Text: "typed"}, &fs.PathError{Op: "open", Path: "/nowhere", Err: syscall.ENOENT})
	case "trace":
		return actor.Trace(errOwn)
	case "panic":
		panic("a panic of " + a.Name)
	case "exit":
		os.Stderr.WriteString("last words\n")
		os.Exit(9)
	default:
		return fmt.Errorf("unknown: %s", how)
	}
	return nil
}

// panicElsewhere panics in another goroutine, which nobody has told anything.
func panicElsewhere(context.Context, *actor.Actor) error {
	go panic("a panic elsewhere")
	select {}
}

// wait waits until it is canceled.
func wait(ctx context.Context, a *actor.Actor) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// stuck does not look at its context.
func stuck(context.Context, *actor.Actor) error {
	select {}
}

// gate fails when descriptor 3 is at its end, whatever it is asked.
func gate(_ context.Context, a *actor.Actor) error {
	os.NewFile(3, "gate").Read(make([]byte, 1))
	return errors.New("failed: " + a.Name)
}
