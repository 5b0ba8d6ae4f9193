package host

import (
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/linux/startlimit"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// numLimits is RLIM_NLIMITS.
const numLimits = 16

// inherited is what a child gets from its parent without being told, as far
// as it is not shared with the keeper anyway (working directory, umask and
// root are: see internal/keeper).
type inherited struct {
	limits [numLimits]syscall.Rlimit
	nice   int
}

// inheritedNow returns what a child of this process would inherit now.
func inheritedNow() inherited {
	var in inherited
	for i := range in.limits {
		syscall.Getrlimit(i, &in.limits[i])
	}
	in.limits[syscall.RLIMIT_NOFILE] = startFiles(in.limits[syscall.RLIMIT_NOFILE])
	in.nice = linux.Nice()
	return in
}

// startFiles undoes what the Go runtime did to the limit of open files when
// the program started: it raised the soft one to the hard one less one. Any
// other value is one that the program has set since.
func startFiles(now syscall.Rlimit) syscall.Rlimit {
	soft, hard, ok := startlimit.Files()
	if ok && now.Max == hard && now.Cur == hard-1 && soft < hard {
		now.Cur = soft
	}
	return now
}

// steps returns what makes a child of the keeper inherit in instead of base.
// The limit of open files is always among them: the keeper's runtime raised
// its own too.
func (in inherited) steps(base inherited) []spawn.Step {
	var steps []spawn.Step
	for i, l := range in.limits {
		if l != base.limits[i] || i == syscall.RLIMIT_NOFILE {
			steps = append(steps, spawn.SetLimit(spawn.Limit{Resource: i, Soft: l.Cur, Hard: l.Max}))
		}
	}
	if in.nice != base.nice {
		steps = append(steps, spawn.Priority(in.nice))
	}
	return steps
}
