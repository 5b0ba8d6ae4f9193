package launch

import "github.com/hatchery-spawn/hatchery/spawn"

// kinds is a set of argument kinds that a parameter accepts.
type kinds uint16

const (
	number kinds = 1 << iota // an integer
	path                     // a path, or the holes {path}, {dir} and {cwd}
	data                     // bytes
	desc                     // an attached descriptor or an earlier result
	folder                   // as desc, or the working directory
	text                     // bytes but NUL
	argv                     // the hole {argv}
	envp                     // the hole {envp}
)

// params returns the parameters of a step, how many of them are required, and
// whether the last may be repeated.
func params(op spawn.Op) (ps []kinds, required int, repeat, ok bool) {
	fixed := func(ps ...kinds) ([]kinds, int, bool, bool) { return ps, len(ps), false, true }
	switch op {
	case spawn.OpClone:
		return []kinds{number, desc}, 1, false, true
	case spawn.OpSetgroups:
		return []kinds{number}, 0, true, true
	case spawn.OpSetsid, spawn.OpNoNewPrivs, spawn.OpFiles:
		return fixed()
	case spawn.OpSetpgid, spawn.OpTerminal, spawn.OpUmask, spawn.OpPriority,
		spawn.OpSetresgid, spawn.OpSetresuid, spawn.OpPdeathsig, spawn.OpIgnore:
		return fixed(number)
	case spawn.OpForeground:
		return fixed(number, number)
	case spawn.OpLimit:
		return fixed(number, number, number)
	case spawn.OpAffinity:
		return fixed(data)
	case spawn.OpChdir, spawn.OpChroot:
		return fixed(path)
	case spawn.OpFchdir, spawn.OpClose:
		return fixed(desc)
	case spawn.OpOpen:
		return fixed(path, number, number)
	case spawn.OpWrite:
		return fixed(desc, data)
	case spawn.OpDup:
		return fixed(desc, number)
	case spawn.OpExec:
		return fixed(path, argv, envp|data) // with data the host has made the environment of it
	case spawn.OpExecFD:
		return fixed(desc, argv, envp)
	}
	ps = confineParams(op)
	return ps, len(ps), false, ps != nil
}

// confineParams is params of the steps that put a child into surroundings of
// its own.
func confineParams(op spawn.Op) []kinds {
	switch op {
	case spawn.OpSetns:
		return []kinds{desc, number}
	case spawn.OpUnshare, spawn.OpBound, spawn.OpSecurebits:
		return []kinds{number}
	case spawn.OpSethostname, spawn.OpSetdomainname, spawn.OpLinkUp, spawn.OpUIDMap, spawn.OpGIDMap:
		return []kinds{text}
	case spawn.OpMount:
		return []kinds{path, path, text, number, text}
	case spawn.OpUmount:
		return []kinds{path, number}
	case spawn.OpPivotRoot:
		return []kinds{path, path}
	case spawn.OpMountSetattr:
		return []kinds{folder, path, number, number, number, number}
	case spawn.OpOpenTree:
		return []kinds{folder, path, number}
	case spawn.OpMoveMount:
		return []kinds{desc, folder, path, number}
	case spawn.OpFsopen:
		return []kinds{text, number}
	case spawn.OpFsconfig:
		return []kinds{desc, number, text, text}
	case spawn.OpFsmount:
		return []kinds{desc, number, number}
	case spawn.OpOpenAt:
		return []kinds{folder, path, number, number, number}
	case spawn.OpMkdir:
		return []kinds{folder, path, number}
	case spawn.OpMknod:
		return []kinds{folder, path, number, number}
	case spawn.OpSymlink:
		return []kinds{text, folder, path}
	case spawn.OpCapset, spawn.OpLandlock:
		return []kinds{number, number, number}
	case spawn.OpAmbientClear, spawn.OpKeyring, spawn.OpInit, spawn.OpPark:
		return []kinds{}
	case spawn.OpSeccomp:
		return []kinds{number, data}
	case spawn.OpLandlockPath:
		return []kinds{desc, desc, number}
	case spawn.OpLandlockPort:
		return []kinds{desc, number, number}
	case spawn.OpLandlockRestrict:
		return []kinds{desc}
	case spawn.OpFolder:
		return []kinds{text}
	case spawn.OpWatch:
		return []kinds{number, desc, text, text, number, number}
	case spawn.OpWall:
		return []kinds{number}
	}
	return nil
}

func kindOf(a spawn.Arg) kinds {
	switch a.Kind {
	case spawn.ArgInt:
		if a == spawn.CWD() {
			return number | folder
		}
		return number
	case spawn.ArgStr:
		return path | data | text
	case spawn.ArgFD, spawn.ArgResult:
		return desc | folder
	case spawn.ArgHole:
		switch spawn.Hole(a.Num) {
		case spawn.HolePath, spawn.HoleDir, spawn.HoleCwd:
			return path
		case spawn.HoleArgs:
			return argv
		case spawn.HoleEnv:
			return envp
		}
	}
	return 0
}
