package host

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// pluginName is argv[0] of a program that was executed again to serve a
// built-in method; argv[1] is the key.
const pluginName = "hatchery-plugin"

// builtin is what Init was given. It belongs to the process, as the program
// itself does: a host that executes this program again relies on it.
var builtin atomic.Pointer[initialised]

type initialised struct {
	registry *registry.Registry
	err      error
}

// Init names the built-in methods and must be the first call of main and of
// TestMain. In a process that was started to serve one of them Init does so
// and never returns; in every other it returns at once. What is wrong with the
// entries is reported by Open.
func Init(entries ...registry.Entry) {
	r, err := registry.New(entries...)
	if key, ok := pluginKey(); ok {
		linux.SetName(pluginName) // in ps it would be "exe"
		os.Exit(servePlugin(r, err, key))
	}
	builtin.Store(&initialised{r, err})
}

// pluginKey returns the key of the method that this process was started to
// serve.
func pluginKey() (key string, ok bool) {
	if len(os.Args) == 2 && os.Args[0] == pluginName {
		return os.Args[1], true
	}
	return "", false
}

func servePlugin(r *registry.Registry, err error, key string) int {
	if err == nil {
		var e registry.Entry
		if e, err = r.Lookup(key); err == nil && e.Serve != nil {
			return e.Serve()
		}
	}
	fmt.Fprintf(os.Stderr, "%s: this program has no built-in method %q: %v\n", pluginName, key, err)
	return 1
}

// defaultRegistry returns the registry of Init.
func defaultRegistry() (*registry.Registry, error) {
	if i := builtin.Load(); i != nil {
		return i.registry, i.err
	}
	msg := "call host.Init first: it must be the first line of main and of TestMain"
	if key, ok := pluginKey(); ok {
		msg = fmt.Sprintf("this process was started to serve the method %s: %s", key, msg)
	}
	return nil, &spawn.Error{Phase: spawn.PhaseStart, Op: "open", Msg: msg}
}
