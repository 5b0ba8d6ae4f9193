package actor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/actor/channel"
)

// A Program is what the actors of a program can be.
type Program struct {
	// Entries are the entry points, by the names with which parents ask for
	// them.
	Entries map[string]Entry

	// Errors are those of the program's own that keep their identity on the
	// way to the parent. They may be nil.
	Errors Errors
}

// An Entry is an entry point: what an actor does.
type Entry struct {
	// Setup, if it is not nil, makes the actor ready and returns the addresses
	// at which it can be reached, as multiaddrs. The parent waits for it, for
	// 10 s unless it says otherwise. Services that the parent connects to
	// (Actor.Channel) are to be there when it returns.
	Setup func(context.Context, *Actor) (addresses []string, err error)

	// Run does the work. When it returns the process is to end. It has to
	// return when the context ends; how long it may take then is the parent's
	// decision.
	Run func(context.Context, *Actor) error
}

// Exit codes of Main and Run, beside 0 and those above 128.
const (
	exitFailed     = 1
	exitNotStarted = 2 // as an actor, or not in a way that can be understood
)

// Main is the actor and returns the exit code for the process: 0 when the entry
// point has succeeded, 128 plus the signal's number when it has ended because a
// signal asked for it, 143 when the parent did, 1 when it failed. In a process
// that was not started as an actor it says so on standard error and returns 2.
func (p *Program) Main() int {
	code, ok := p.Run()
	if !ok {
		fmt.Fprintf(os.Stderr, "%s: this program is an actor: it does nothing unless a parent starts it (see package actor/parent)\n", filepath.Base(os.Args[0]))
		return exitNotStarted
	}
	return code
}

// Run is Main for a program that is something else as well: ok is false, and
// nothing has happened, in a process that was not started as an actor. When ok
// is true the process has to exit with the code at once: the entry point may
// still be running.
func (p *Program) Run() (code int, ok bool) {
	Park()
	value, ok := os.LookupEnv(channel.Variable)
	if !ok {
		return 0, false
	}
	os.Unsetenv(channel.Variable) // what this process starts is no actor by accident
	ch, err := inherit(value)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: it was started as an actor, but %s=%q is of no use: %v\n", filepath.Base(os.Args[0]), channel.Variable, value, err)
		return exitNotStarted, true
	}
	return p.live(ch), true
}

func inherit(value string) (*channel.Channel, error) {
	fd, err := strconv.Atoi(value)
	if err != nil || fd < 0 {
		return nil, fmt.Errorf("want the number of a descriptor")
	}
	return channel.Open(fd)
}

// entry returns an entry point.
func (p *Program) entry(name string) (Entry, error) {
	e, ok := p.Entries[name]
	if !ok || e.Run == nil {
		names := slices.Sorted(maps.Keys(p.Entries))
		return Entry{}, fmt.Errorf("no entry point %q in this program: it has %s", name, strings.Join(names, ", "))
	}
	return e, nil
}
