// Command spawn-backend-isolate serves the spawn method "isolate" to a host.
package main

import (
	"os"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/sdk"
)

func main() {
	os.Exit(sdk.Main(isolate.New()))
}
