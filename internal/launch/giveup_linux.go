//go:build linux && (amd64 || arm64)

package launch

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// A child has a copy of the keeper's table of descriptors until its exec, which closes
// them. To one with mounts or a root of its own that table is a way out: a path that is
// looked up meanwhile may lie in a folder that somebody untrusted can write, and a link there
// to /proc/self/fd/N leads to wherever the keeper has N open; a working directory that
// was found like that outlives the exec. The way by /proc/1/fd is the same, for as long
// as process 1 is on its way to its own program.
//
// So such a child closes them itself, behind the last step that has to do with
// descriptors: before the step chdir and the exec, in the plans of the method isolate.

// lastFD returns the last step of a plan that names a descriptor or hands one out.
func lastFD(p *spawn.Plan) int {
	for i, s := range slices.Backward(p.Steps) {
		if s.Op == spawn.OpFiles || s.Op == spawn.OpDup || slices.ContainsFunc(s.Args, namesFD) {
			return i
		}
	}
	return 0
}

func namesFD(a spawn.Arg) bool { return a.Kind == spawn.ArgFD || a.Kind == spawn.ArgResult }

// ownFiles reports whether a plan changes what is mounted, or what is the root directory.
func ownFiles(p *spawn.Plan) bool {
	return OwnMounts(p) || slices.ContainsFunc(p.Steps, func(s spawn.Step) bool { return s.Op == spawn.OpChroot })
}

// giveUp emits that the child, behind step i, closes every descriptor but its own. What
// it still needed one for comes before: process 1 is its program then. Whether the
// keeper lives, which a pidfd tells, is not asked any more; the tie to it remains.
func (b *builder) giveUp(r *Request, i int) {
	if b.nest > 0 && b.told >= 0 {
		b.awaitInit(hasInit(r.Plan))
		b.told = -1
	}
	b.self = 0
	next := 0
	for _, n := range b.own(r.Plan) {
		if n > next {
			b.call(i, unix.SYS_CLOSE_RANGE, uintptr(next), uintptr(n-1), 0)
		}
		next = n + 1
	}
	b.call(i, unix.SYS_CLOSE_RANGE, uintptr(next), uintptr(^uint32(0)), 0)
}

// own returns the numbers that a child has, in their order and each once.
func (b *builder) own(p *spawn.Plan) []int {
	own := []int{0, 1, 2}
	for _, s := range p.Steps {
		switch s.Op {
		case spawn.OpFiles:
			for _, f := range b.files {
				own = append(own, f.Number)
			}
		case spawn.OpDup:
			own = append(own, int(s.Args[1].Num))
		}
	}
	slices.Sort(own)
	return slices.Compact(own)
}
