//go:build linux && (amd64 || arm64)

package host

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/linux/startlimit"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	numLimits    = 16 // RLIM_NLIMITS
	oomScoreFile = "/proc/self/oom_score_adj"
)

// inherited is what a child gets from its parent without being told, as far
// as it is not shared with the keeper anyway (working directory, umask and
// root are: see internal/keeper). What differs from thread to thread is that
// of the main thread. It is compared with ==, at each spawn: no pointers.
type inherited struct {
	limits     [numLimits]syscall.Rlimit
	nice       int
	affinity   linux.CPUSet
	oomScore   int
	uid, gid   linux.IDs
	noNewPrivs bool
}

// A gatherer finds out what a child would inherit. It keeps open what would
// take long to open at each spawn.
type gatherer struct {
	oomScore *os.File // nil when there is no /proc
}

func newGatherer() *gatherer {
	f, err := os.OpenFile(oomScoreFile, os.O_RDONLY, 0)
	if err != nil {
		return &gatherer{}
	}
	return &gatherer{oomScore: f}
}

func (g *gatherer) close() { g.oomScore.Close() }

// now returns what a child of this process would inherit now. It takes some
// microseconds, most of them for the limits.
func (g *gatherer) now() inherited {
	in := inherited{
		nice: linux.Nice(), affinity: linux.Affinity(), noNewPrivs: linux.NoNewPrivs(),
		oomScore: g.score(), uid: linux.UserIDs(), gid: linux.GroupIDs(),
	}
	for i := range in.limits {
		syscall.Getrlimit(i, &in.limits[i])
	}
	in.limits[syscall.RLIMIT_NOFILE] = startFiles(in.limits[syscall.RLIMIT_NOFILE])
	return in
}

// score returns the adjustment of the score by which the kernel chooses what
// to end when memory runs out, or 0 when there is no /proc.
func (g *gatherer) score() int {
	var b [16]byte
	n, err := g.oomScore.ReadAt(b[:], 0)
	if n == 0 && err != nil {
		return 0
	}
	score, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return score
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
// at is the index that the first of them will have in the plan. The limit of
// open files is always among them: the keeper's runtime raised its own too. The
// change of identity is the last that needs the keeper's rights.
func (in inherited) steps(base inherited, at int) []spawn.Step {
	in = in.permitted(base)
	var steps []spawn.Step
	add := func(s ...spawn.Step) { steps = append(steps, s...) }
	for i, l := range in.limits {
		if l != base.limits[i] || i == syscall.RLIMIT_NOFILE {
			add(spawn.SetLimit(spawn.Limit{Resource: i, Soft: l.Cur, Hard: l.Max}))
		}
	}
	if in.nice != base.nice {
		add(spawn.Priority(in.nice))
	}
	if in.affinity != base.affinity {
		add(spawn.Affinity(cpuMask(in.affinity)))
	}
	if in.oomScore != base.oomScore {
		file := spawn.Result(at + len(steps))
		add(spawn.Open(spawn.Str(oomScoreFile), os.O_WRONLY, 0),
			spawn.Write(file, spawn.Str(strconv.Itoa(in.oomScore))), spawn.Close(file))
	}
	if in.uid != base.uid || in.gid != base.gid {
		add(identity(in)...)
	}
	if in.noNewPrivs && !base.noNewPrivs {
		add(spawn.NoNewPrivs())
	}
	return steps
}

// permitted returns in without what only root can give. Such a thing was given
// to an ordinary user's host from outside, after it was opened, and did not
// reach its keeper: its children go without, as a shell's would that had been
// started before.
func (in inherited) permitted(base inherited) inherited {
	if base.uid.Effective == 0 {
		return in
	}
	in.nice = max(in.nice, base.nice)
	in.oomScore = max(in.oomScore, base.oomScore)
	for i := range in.limits {
		l, hard := &in.limits[i], base.limits[i].Max
		l.Max = min(l.Max, hard)
		l.Cur = min(l.Cur, l.Max)
	}
	return in
}

// identity makes a child the user that the host has become since it was
// opened. What an exec makes of real, effective and saved ids that differ is
// not expressed: the child gets the effective one for all.
func identity(in inherited) []spawn.Step {
	var groups []uint32
	if list, err := syscall.Getgroups(); err == nil {
		for _, g := range list {
			groups = append(groups, uint32(g))
		}
	}
	return []spawn.Step{spawn.Setgroups(groups...), spawn.Setresgid(in.gid.Effective), spawn.Setresuid(in.uid.Effective)}
}

// cpuMask returns a set of processors as sched_setaffinity takes it.
func cpuMask(set linux.CPUSet) string {
	b := make([]byte, 0, 8*len(set))
	for _, word := range set {
		b = binary.NativeEndian.AppendUint64(b, word)
	}
	return string(b)
}
