// Command spawn-backend-goroutine serves the spawn method "goroutine" to a host.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() {
	os.Exit(sdk.Main(stub_blocked.Goroutine()))
}
