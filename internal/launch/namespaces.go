package launch

import (
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Namespaces that were made ahead, of the kinds that cost most: a network
// namespace, the user namespace that owns it, and one for ipc if the plan has it.
// They are those of nobody yet.
type Namespaces struct {
	user, net, ipc int // descriptors, close-on-exec; 0 when there is none
}

// Ready reports whether there are any.
func (n *Namespaces) Ready() bool { return n.user != 0 }

// Linux's names of the kinds.
const (
	newUser = 0x10000000
	newNet  = 0x40000000
	newIPC  = 0x08000000

	// aheadFlags are the kinds that are made ahead.
	aheadFlags = newUser | newNet | newIPC
)

// Ahead returns how many of the first steps of a plan, the clone included, concern
// nothing of the child but namespaces that can be made ahead of it, by [Thread.Prepare]
// with the same plan or one of the same key. It is 0 when the plan has none that are
// worth it: a user and a network namespace of the child's own.
func Ahead(p *spawn.Plan) (steps int, key string) {
	if len(p.Steps) < 2 || len(p.Steps[0].Args) != 1 || p.Steps[0].Args[0].Num&(newUser|newNet) != newUser|newNet {
		return 0, ""
	}
	steps = 1
	for steps < len(p.Steps) && ofNamespaces(p, p.Steps[steps]) {
		steps++
	}
	var b strings.Builder
	for i, s := range p.Steps {
		if i < steps {
			b.WriteString(s.String())
			b.WriteByte('\n')
			continue
		}
		if s.Op == spawn.OpUIDMap || s.Op == spawn.OpGIDMap {
			return 0, "" // it stops there until somebody else has done it
		}
		for _, a := range s.Args {
			if a.Kind == spawn.ArgResult && a.Num < int64(steps) {
				return 0, "" // it needs what only a child of its own has opened
			}
		}
	}
	if steps == 1 {
		return 0, ""
	}
	return steps, b.String()
}

// ofNamespaces reports whether a step in the beginning of a plan, where all before
// it are such, gives ids to the user namespace or brings up an interface.
func ofNamespaces(p *spawn.Plan, s spawn.Step) bool {
	switch s.Op {
	case spawn.OpOpen:
		switch s.Args[0] {
		case spawn.Str("/proc/self/setgroups"), spawn.Str("/proc/self/uid_map"), spawn.Str("/proc/self/gid_map"):
			return true
		}
	case spawn.OpWrite, spawn.OpClose:
		return s.Args[0].Kind == spawn.ArgResult
	case spawn.OpLinkUp:
		return true
	}
	return false
}
