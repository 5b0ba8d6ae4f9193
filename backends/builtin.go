package backends

import (
	"github.com/hatchery-spawn/hatchery/backends/early"
	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
)

// Builtin returns the entries of the methods that come with Hatchery, in the
// order of their keys. The list is the caller's.
func Builtin() []registry.Entry {
	entries := []registry.Entry{
		sdk.Entry(forkexec.New()),
		sdk.Entry(forkserver.New()),
		sdk.Entry(stub_blocked.GoFork()),
		sdk.Entry(stub_blocked.Goroutine()),
		sdk.Entry(isolate.New()),
	}
	for i := range entries {
		entries[i].Early = early.Serves(string(entries[i].Key))
	}
	return entries
}
