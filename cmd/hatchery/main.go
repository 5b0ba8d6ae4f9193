// Command hatchery starts children by a spawn method that is chosen with a
// flag, sees them through to their end, and leaves nothing of theirs behind.
//
//	hatchery run --timeout 1m -- make test
//
// See hatchery --help, and hatchery COMMAND --help for each command. It is a
// thin layer over packages host and registry, which any Go program can embed.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/bench"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/keep"
	"github.com/hatchery-spawn/hatchery/cmd/hatchery/up"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/internal/smoketest"
	"github.com/hatchery-spawn/hatchery/sdk/backendtest"
)

func main() {
	if code, ok := bench.Main(os.Args); ok {
		os.Exit(code)
	}
	if code, ok := up.Main(os.Args); ok {
		os.Exit(code)
	}
	if code, ok := smoketest.Main(os.Args); ok {
		os.Exit(code)
	}
	host.Init(backends.Builtin()...)
	if code, ok := keep.Main(os.Args); ok {
		os.Exit(code)
	}
	if code, ok := backendtest.BeHost(); ok {
		os.Exit(code)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
