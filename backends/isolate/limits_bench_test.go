package isolate_test

import (
	"testing"

	"github.com/hatchery-spawn/hatchery/backends/isolate"
	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/sdk"
)

// BenchmarkLimits is what limits add to a sandbox, from the start of a small
// program to its end.
func BenchmarkLimits(b *testing.B) {
	reg, err := registry.New(sdk.Entry(isolate.New()))
	if err != nil {
		b.Fatal(err)
	}
	h, err := host.Open(host.Config{Registry: reg, Method: isolate.Key})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	for _, bb := range []struct {
		name string
		opts []string
	}{
		{"none", nil},
		{"wall", []string{"wall=1h"}},
		{"cpu_time", []string{"cpu_time=1h"}},
		{"pids", []string{"pids=50", "best_effort=cgroup"}},
		{"all", allLimits()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				c := shell(h, "", bb.opts...)
				c.Path, c.Args = "/bin/true", []string{"true"}
				if err := c.Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
