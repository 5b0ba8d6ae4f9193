package landlock

import "strings"

// Newest is the ABI number up to which this package knows what is new, that of
// Linux 6.15. A later one is taken for it.
const Newest = 7

// A Missing is a part of a policy that a kernel cannot do.
type Missing struct {
	What  string // "truncating files cannot be restricted"
	Since string // "Linux 6.2"
	// Weaker says that the child may do more than the policy allows. Otherwise it
	// may do less.
	Weaker bool
}

// String returns what is missing and since when it is there.
func (m Missing) String() string { return m.What + " before " + m.Since }

// On returns the policy that a kernel with an ABI number can do, and what of the
// policy is missing in it. 0 stands for a kernel that has no Landlock.
//
// What a path or a port allows beyond what is restricted is left out, and those
// that allow nothing else: the kernel refuses rules without effect.
func (p Policy) On(abi int) (Policy, []Missing) {
	if !p.Restricts() {
		return Policy{}, nil
	}
	if abi < 1 {
		return Policy{}, []Missing{{"nothing can be restricted by Landlock", "Linux 5.13, or with the kernel's option lsm= without landlock", true}}
	}
	if p.Files != 0 {
		p.Files |= Move
	}
	var missing []Missing
	lost := func(since string, weaker bool, what ...string) {
		missing = append(missing, Missing{strings.Join(what, " "), since, weaker})
	}
	without := func(a Access) (had bool) { had, p.Files = p.Files&a != 0, p.Files&^a; return had }
	if abi < 2 && without(Move) && p.allows(Move) {
		lost("Linux 5.19", false, "linking and renaming between folders cannot be allowed")
	}
	if abi < 3 && without(Truncate) {
		lost("Linux 6.2", true, "truncating files cannot be restricted")
	}
	if abi < 4 && p.TCP != 0 {
		lost("Linux 6.7", true, "TCP ports cannot be restricted:", p.TCP.String())
		p.TCP = 0
	}
	if abi < 5 && without(Ioctl) {
		lost("Linux 6.10", true, "ioctl of devices cannot be restricted")
	}
	if abi < 6 && p.Scope != 0 {
		lost("Linux 6.12", true, "what goes to other processes cannot be restricted:", p.Scope.String())
		p.Scope = 0
	}
	return p.effective(), missing
}

func (p Policy) allows(a Access) bool {
	for _, path := range p.Paths {
		if path.Access&a != 0 {
			return true
		}
	}
	return false
}

// effective returns the policy without rules that have no effect.
func (p Policy) effective() Policy {
	paths, ports := p.Paths, p.Ports
	p.Paths, p.Ports = nil, nil
	for _, path := range paths {
		path.Access &= p.Files
		if path.File {
			path.Access &= ofFile
		}
		if path.Access != 0 {
			p.Paths = append(p.Paths, path)
		}
	}
	for _, port := range ports {
		if port.Access &= p.TCP; port.Access != 0 {
			p.Ports = append(p.Ports, port)
		}
	}
	return p
}
