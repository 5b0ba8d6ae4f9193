package isolate

import (
	"os"
	"runtime"
	"strings"

	"github.com/hatchery-spawn/hatchery/backends/isolate/plan"
	"github.com/hatchery-spawn/hatchery/internal/seccomp"
	"github.com/hatchery-spawn/hatchery/internal/seccomp/oci"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// readProfile makes a program of a profile of system calls in JSON. What no
// program can start without must be allowed: the filter is there when the child
// becomes its program.
func readProfile(path string, text []byte) (plan.Program, error) {
	arch := seccomp.Arch(runtime.GOARCH)
	p, err := oci.Read(path, text, oci.Machine{Arch: arch, Kernel: kernel()})
	if err != nil {
		return plan.Program{}, keyed(err)
	}
	if names := p.Filter.Refused([]string{"rt_sigprocmask", "execve"}, arch); len(names) > 0 {
		return plan.Program{}, plan.Refused(path, names)
	}
	code, err := seccomp.Assemble(p.Filter, arch)
	if err != nil {
		return plan.Program{}, keyed(err)
	}
	out := plan.Program{Code: code, Flags: p.Flags}
	for _, n := range p.Notes {
		out.Notes = append(out.Notes, "seccomp: "+n)
	}
	return out, nil
}

// kernel returns the version of this kernel, "" if that cannot be told.
func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(b))
}

// keyed returns an error as one of this method.
func keyed(err error) error {
	e := *spawn.AsError(err)
	e.Key = Key
	return &e
}
