//go:build linux

package host_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hatchery-spawn/hatchery/host"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// BenchmarkStartAll starts many children by one StartAll and waits for all, in
// turn with as many by os/exec, from as many callers as are best for it: eight.
func BenchmarkStartAll(b *testing.B) {
	for _, n := range []int{16, 256, 1024} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := open(b, host.Config{})
			path := tiny(b)
			specs := make([]spawn.Spec, n)
			for i := range specs {
				specs[i] = spawn.Spec{Path: path, Env: []string{}}
			}
			ours := rival{name: "hatchery", all: func() error {
				procs, err := h.StartAll(context.Background(), specs)
				if err != nil {
					return err
				}
				for _, p := range procs {
					p.Wait()
				}
				return nil
			}}
			theirs := rival{name: "osexec", run: func() error { return execRun(path) }}
			against(b, 8, n, ours, theirs)
		})
	}
}
