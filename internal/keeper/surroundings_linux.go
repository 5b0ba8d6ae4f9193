package keeper

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// surroundings are what of the host's goes into what is done ahead for a plan.
type surroundings struct {
	mounts uint64 // counts the changes of the host's mounts
	name   syscall.Utsname
	files  []file
}

// A file is known by its device and number.
type file struct{ dev, ino uint64 }

func (s *surroundings) equal(o surroundings) bool {
	return s.mounts == o.mounts && s.name == o.name && slices.Equal(s.files, o.files)
}

// surroundings returns those of now. The calling thread shares the host's root. It
// reports false when they cannot be had.
func (k *keeper) surroundings(p *spawn.Plan) (s surroundings, ok bool) {
	if s.mounts, ok = k.mounts.changes(); !ok || syscall.Uname(&s.name) != nil {
		return s, false
	}
	look := func(path string) {
		var st syscall.Stat_t
		if syscall.Stat(path, &st) != nil {
			st = syscall.Stat_t{}
		}
		s.files = append(s.files, file{st.Dev, st.Ino})
	}
	look("/")
	for _, step := range p.Steps[:launch.ParkStep(p)] {
		if step.Op == spawn.OpOpenTree && len(step.Args) > 1 && strings.HasPrefix(step.Args[1].Str, "/") {
			look(step.Args[1].Str)
		}
	}
	return s, true
}

// A mountWatch tells whether the host's mounts have changed.
type mountWatch struct {
	mu    sync.Mutex
	fd    int // of /proc/self/mountinfo; 0 before it is needed, -1 when it cannot be had
	count uint64
}

// changes returns a number that is another one after each change.
func (w *mountWatch) changes() (count uint64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd == 0 {
		w.fd = linux.OpenMounts()
	}
	if w.fd < 0 {
		return 0, false
	}
	if linux.MountsChanged(w.fd) {
		w.count++
	}
	return w.count, true
}

// umask returns the host's umask, which this thread shares. The system call that returns
// it sets it as well.
func (l *launcher) umask() (mask int, ok bool) {
	if l.status == 0 {
		fd, err := syscall.Open("/proc/thread-self/status", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return 0, false
		}
		l.status = fd
	}
	var b [256]byte // it stands in the first lines
	n, err := syscall.Pread(l.status, b[:], 0)
	_, rest, found := strings.Cut(string(b[:max(n, 0)]), "\nUmask:\t")
	octal, _, complete := strings.Cut(rest, "\n")
	if err != nil || !found || !complete {
		return 0, false
	}
	v, err := strconv.ParseUint(octal, 8, 9)
	return int(v), err == nil
}
