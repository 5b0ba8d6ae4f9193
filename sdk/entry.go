package sdk

import "github.com/hatchery-spawn/hatchery/registry"

// Entry returns the registry entry of a backend that is built into the program:
// the host serves it by executing the program once more. Give it to host.Init.
func Entry(b Backend) registry.Entry {
	d := b.Describe()
	return registry.Entry{
		Key: registry.SpawnMethodKey(d.Key), Status: registry.Status(d.Status), Summary: d.Summary, Schema: d.Schema, Claims: d.Claims,
		Reason: d.Reason, Alternative: d.Alternative, Analysis: d.Analysis, Scenario: d.Scenario,
		Serve: func() int { return Main(b) },
	}
}
