// Command spawn-backend-forkexec serves the spawn method "forkexec" to a host.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends/forkexec"
	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() {
	os.Exit(sdk.Main(forkexec.New()))
}
