package registry_test

import (
	"fmt"

	"github.com/hatchery-spawn/hatchery/registry"
)

func Example() {
	serve := func() int { return 0 } // sdk.Entry makes entries that really serve
	reg, err := registry.New(
		registry.Entry{Key: "forkexec", Summary: "the shortest plan", Serve: serve},
		registry.Entry{Key: "isolate", Summary: "namespaces", Serve: serve},
	)
	if err != nil {
		fmt.Println(err)
		return
	}

	choice, err := registry.Selection{Flag: "isolate", Env: "forkexec"}.Resolve(reg)
	fmt.Println(choice.Entry.Key, choice.Source, err)
	fmt.Println(choice.Warnings)

	_, err = reg.Lookup("ForkExec")
	fmt.Println(err)
	// Output:
	// isolate --spawn-backend <nil>
	// [--spawn-backend=isolate overrides $HATCHERY_SPAWN_BACKEND=forkexec]
	// ForkExec: select: unknown spawn method: did you mean forkexec? valid keys are forkexec, isolate
}
