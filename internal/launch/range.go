package launch

import (
	"slices"
	"strings"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// checkRange checks the numbers that would be cut or misread by the kernel.
func checkRange(p *spawn.Plan, i int) error {
	s := p.Steps[i]
	num := func(n int) int64 { return s.Args[n].Num }
	in := func(v, lo, hi int64) bool { return lo <= v && v <= hi }
	ok := true
	switch s.Op {
	case spawn.OpPdeathsig, spawn.OpIgnore:
		ok = in(num(0), 1, 64)
	case spawn.OpTerminal:
		ok = in(num(0), 0, maxNumber)
	case spawn.OpForeground:
		ok = in(num(0), 0, maxNumber) && in(num(1), 0, 1<<31-1)
	case spawn.OpDup:
		ok = in(num(1), 0, maxNumber)
	case spawn.OpUmask:
		ok = in(num(0), 0, 0o777)
	case spawn.OpSetpgid:
		ok = in(num(0), 0, 1<<31-1)
	case spawn.OpSetresgid, spawn.OpSetresuid:
		ok = in(num(0), 0, 1<<32-2)
	case spawn.OpSetgroups:
		for n := range s.Args {
			ok = ok && in(num(n), 0, 1<<32-2)
		}
	case spawn.OpClone, spawn.OpUnshare:
		ok = num(0)&^cloneFlags == 0
	case spawn.OpSetns:
		ok = num(1)&^cloneFlags == 0 && num(1) != 0 && num(1)&(num(1)-1) == 0
	case spawn.OpLandlockPort:
		ok = in(num(1), 0, 1<<16-1)
	case spawn.OpMkdir, spawn.OpMknod, spawn.OpOpenAt:
		// The mode, and openat2(2) is strict about its flags.
		ok = in(num(map[spawn.Op]int{spawn.OpMkdir: 2, spawn.OpMknod: 2, spawn.OpOpenAt: 3}[s.Op]), 0, 1<<17-1)
	case spawn.OpSeccomp:
		ok = checkFilter(num(0), s.Args[1].Str)
	}
	if !ok {
		return badPlan(p, i, "an argument is out of range")
	}
	return nil
}

// maxFolders bounds the folders of one child, and the numbers that are watched.
const maxFolders = 16

// checkKeepers checks the steps that the keeper does itself.
func checkKeepers(p *spawn.Plan) error {
	folders, watches, walls := 0, 0, 0
	for i, s := range p.Steps {
		num := func(n int) int64 { return s.Args[n].Num }
		ok := true
		switch s.Op {
		case spawn.OpFolder:
			folders++
			ok = strings.HasPrefix(s.Args[0].Str, "/")
		case spawn.OpWatch:
			watches++
			name := s.Args[2].Str
			ok = num(0) == int64(spawn.ExceededMemory) || num(0) == int64(spawn.ExceededPids) || num(0) == int64(spawn.ExceededCPU)
			ok = ok && isFolder(p, s.Args[1]) && name != "" && name != ".." && !strings.Contains(name, "/") && num(4) > 0 && num(5) >= 0
		case spawn.OpWall:
			walls++
			ok = num(0) > 0
		}
		switch {
		case !ok:
			return badPlan(p, i, "an argument is out of range")
		case folders > maxFolders || watches > maxFolders || walls > 1:
			return badPlan(p, i, "there are too many of its kind")
		}
	}
	return nil
}

// isFolder reports whether an argument is the result of a folder step.
func isFolder(p *spawn.Plan, a spawn.Arg) bool {
	return a.Kind == spawn.ArgResult && 0 < a.Num && a.Num < int64(len(p.Steps)) && p.Steps[a.Num].Op == spawn.OpFolder
}

// checkFilter reports whether a filter is one for seccomp(2). Flags that make
// it return a descriptor, or concern the threads of the keeper's memory, are
// refused: 1 is SECCOMP_FILTER_FLAG_TSYNC, 8 NEW_LISTENER.
func checkFilter(flags int64, filter string) bool {
	const instruction, most = 8, 4096 // bytes; BPF_MAXINSNS
	n := len(filter) / instruction
	return flags&^(2|4) == 0 && len(filter)%instruction == 0 && 0 < n && n <= most
}

// checkNamespaces refuses steps whose effect would be everybody's, because the
// child shares with the keeper what they change.
func checkNamespaces(p *spawn.Plan) error {
	var own uint64
	inits := 0
	const newUser = 0x10000000
	for i, s := range p.Steps {
		switch s.Op {
		case spawn.OpInit:
			if inits++; inits > 1 || p.Steps[0].Args[0].Num&newPID == 0 {
				return badPlan(p, i, "it is for the first process of a pid namespace made by the clone, once")
			}
		case spawn.OpUIDMap, spawn.OpGIDMap:
			if inits > 0 || p.Steps[0].Args[0].Num&newUser == 0 {
				return badPlan(p, i, "it is for the user namespace made by the clone, before any process 1")
			}
		case spawn.OpClone, spawn.OpUnshare:
			own |= uint64(s.Args[0].Num)
		case spawn.OpSetns:
			own |= uint64(s.Args[1].Num)
		}
		if need, what := needs(s.Op); own&need != need {
			return badPlan(p, i, "it would change the host's: the child must have %s of its own first", what)
		}
	}
	return nil
}

const newPID = 0x20000000

const newNS = 0x20000

// OwnMounts reports whether a plan's child makes mounts of its own: where a path leads to
// is another place for it than for this process.
func OwnMounts(p *spawn.Plan) bool {
	return slices.ContainsFunc(p.Steps, func(s spawn.Step) bool {
		flag, _ := needs(s.Op)
		return flag == newNS
	})
}

// needs returns the flag of the namespace that a step changes.
func needs(op spawn.Op) (flag uint64, what string) {
	const newUTS, newNet = 0x4000000, 0x40000000
	switch op {
	case spawn.OpMount, spawn.OpUmount, spawn.OpPivotRoot, spawn.OpMountSetattr, spawn.OpMoveMount:
		return newNS, "a mount namespace"
	case spawn.OpSethostname, spawn.OpSetdomainname:
		return newUTS, "a UTS namespace"
	case spawn.OpLinkUp:
		return newNet, "a network namespace"
	}
	return 0, ""
}
