package landlock

import "github.com/hatchery-spawn/hatchery/spawn"

// A Policy says what is restricted, and what is allowed nevertheless. The zero
// Policy restricts nothing.
type Policy struct {
	// Files are the accesses that are refused but where Paths allow them. If it
	// is not 0, moving between folders is among them: the kernel will have it.
	Files Access
	Paths []Path

	// TCP has the accesses that are refused but where Ports allow them.
	TCP   Net
	Ports []Port

	// Scope has what ends at the processes under this policy.
	Scope Scope
}

// A Path allows accesses to a file, or to a folder and all below it.
type Path struct {
	Path   string
	Access Access
	// File says that it is no folder: accesses that folders alone have are left
	// out, as the kernel would not take them.
	File bool
}

// A Port allows accesses to a TCP port. Bind of port 0 allows those that the
// kernel chooses.
type Port struct {
	Port   uint16
	Access Net
}

// Restricts reports whether the policy restricts anything: Steps makes none for
// one that does not.
func (p Policy) Restricts() bool { return p.Files != 0 || p.TCP != 0 || p.Scope != 0 }

// Steps returns the steps of the policy, to stand in a plan from the index first
// on, behind NoNewPrivs and mounts and before the exec. Paths are those that the
// child sees there. The policy must be one that On returned.
func (p Policy) Steps(first int) []spawn.Step {
	if !p.Restricts() {
		return nil
	}
	const pathOnly = 0x200000 // O_PATH, on every architecture that is supported
	ruleset := spawn.Result(first)
	steps := []spawn.Step{spawn.Landlock(uint64(p.Files), uint64(p.TCP), uint64(p.Scope))}
	for _, path := range p.Paths {
		file := spawn.Result(first + len(steps))
		steps = append(steps,
			spawn.OpenAt(spawn.CWD(), spawn.Str(path.Path), pathOnly, 0, 0).Noted("Landlock is to allow access to "+path.Path),
			spawn.LandlockPath(ruleset, file, uint64(path.Access)))
	}
	for _, port := range p.Ports {
		steps = append(steps, spawn.LandlockPort(ruleset, port.Port, uint64(port.Access)))
	}
	return append(steps, spawn.LandlockRestrict(ruleset))
}
