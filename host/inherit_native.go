//go:build linux && (amd64 || arm64)

package host

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"sync"
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
	groups     linux.GroupSet
	noNewPrivs bool
	birth      birth
}

// A gatherer finds out what a child would inherit. It keeps open what would
// take long to open at each spawn.
type gatherer struct {
	mu       sync.RWMutex // held for reading while the descriptors are used
	oomScore int          // descriptor, -1 when there is no /proc
	cgroup   cgroupReader
}

func newGatherer() *gatherer {
	return &gatherer{oomScore: openOrNone(oomScoreFile), cgroup: cgroupReader{fd: openOrNone(cgroupFile)}}
}

func openOrNone(path string) int {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

func (g *gatherer) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	syscall.Close(g.oomScore)
	syscall.Close(g.cgroup.fd)
	g.oomScore, g.cgroup.fd = -1, -1
}

// now returns what a child of this process would inherit now. It takes some
// microseconds, most of them for the limits.
func (g *gatherer) now() inherited {
	g.mu.RLock()
	defer g.mu.RUnlock()
	pid := os.Getpid()
	in := inherited{
		nice: linux.Nice(pid), affinity: linux.Affinity(pid), noNewPrivs: linux.NoNewPrivs(),
		oomScore: g.score(), uid: linux.UserIDs(), gid: linux.GroupIDs(), groups: linux.Groups(),
		birth: g.birth(),
	}
	for i := range in.limits {
		syscall.Getrlimit(i, &in.limits[i])
	}
	in.limits[syscall.RLIMIT_NOFILE] = startFiles(in.limits[syscall.RLIMIT_NOFILE])
	return in
}

// keeperBase returns what the keeper with the given pid passes on, which was
// started when the host had in. What differs from thread to thread of the host
// it has from the one that happened to start it.
func keeperBase(in inherited, pid int) inherited {
	in.nice, in.affinity = linux.Nice(pid), linux.Affinity(pid)
	return in
}

// score returns the adjustment of the score by which the kernel chooses what
// to end when memory runs out, or 0 when there is no /proc.
func (g *gatherer) score() int {
	var b [16]byte
	n := linux.ReadAtOnce(g.oomScore, b[:])
	score, _ := strconv.Atoi(strings.TrimSpace(string(b[:n]))) // 0 of nothing
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
	if in.uid != base.uid || in.gid != base.gid || in.groups != base.groups {
		add(identity(in)...)
	}
	if in.noNewPrivs && !base.noNewPrivs {
		add(spawn.NoNewPrivs())
	}
	return steps
}

// permitted returns in without what only root can give. As far as it matters
// that is no more than what differs from thread to thread of the host: for
// everything else there is another keeper (see sameBirth).
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
