// Command spawn-backend-forkserver serves the spawn method "forkserver" to a host.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends/forkserver"
	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() {
	os.Exit(sdk.Main(forkserver.New()))
}
