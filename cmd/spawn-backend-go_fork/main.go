// Command spawn-backend-go_fork serves the spawn method "go_fork" to a host.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends/stub_blocked"
	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() {
	os.Exit(sdk.Main(stub_blocked.GoFork()))
}
