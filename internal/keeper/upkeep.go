//go:build unix

package keeper

import (
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// An upkeep is what the keeper does for one child by those steps of its plan that
// are the keeper's own: it makes folders before the clone, watches numbers and the
// time while the child lives, and when it has ended says which limits it ran into
// and removes the folders. Most children have none, a nil *upkeep.
type upkeep struct {
	k       *keeper
	id      uint64 // the child's
	folders []folder
	watches []watch
	wall    time.Duration // 0: none
	cpu     spawn.Limit   // RLIMIT_CPU, if the plan has it

	mu       sync.Mutex // never held while the table's is waited for
	over     bool       // the child has ended
	timers   []*time.Timer
	exceeded spawn.Exceeded
}

// A folder is one that was made for a child.
type folder struct {
	step int
	fd   int
	name string
}

// upkeep begins what a plan asks the keeper for. The caller has it ended or given
// up.
func (l *launcher) upkeep(id uint64, r *launch.Request) (*upkeep, error) {
	var u *upkeep
	for i, s := range r.Plan.Steps {
		switch s.Op {
		case spawn.OpFolder, spawn.OpWatch, spawn.OpWall:
		case spawn.OpLimit:
			if len(s.Args) != 3 || s.Args[0].Num != rlimitCPU {
				continue
			}
		default:
			continue
		}
		if u == nil {
			if err := launch.Check(r.Plan, len(r.FDs)); err != nil {
				return nil, err
			}
			u = &upkeep{k: l.k, id: id, cpu: spawn.Limit{Soft: spawn.Unlimited, Hard: spawn.Unlimited}}
		}
		if err := u.step(i, s); err != nil {
			u.close()
			e := launch.StepError(r, i, errnoOf(err))
			if e.Errno == 0 {
				e.Err = err
			}
			return nil, e
		}
	}
	return u, nil
}

// rlimitCPU is RLIMIT_CPU.
const rlimitCPU = 0

func (u *upkeep) step(i int, s spawn.Step) error {
	num := func(n int) int64 { return s.Args[n].Num }
	switch s.Op {
	case spawn.OpLimit:
		u.cpu = spawn.Limit{Soft: uint64(num(1)), Hard: uint64(num(2))}
	case spawn.OpWall:
		u.wall = time.Duration(num(0))
	case spawn.OpFolder:
		f, err := u.k.sites.make(u.k, s.Args[0].Str, u.id, len(u.folders))
		if err != nil {
			return err
		}
		f.step = i
		u.folders = append(u.folders, f)
	case spawn.OpWatch:
		at := slices.IndexFunc(u.folders, func(f folder) bool { return f.step == int(num(1)) })
		if at < 0 {
			return syscall.EINVAL // it stands before its folder
		}
		w := watch{exceeded: spawn.Exceeded(num(0)), folder: u.folders[at].fd, file: s.Args[2].Str, key: s.Args[3].Str, limit: num(4), rate: num(5)}
		if _, err := w.read(); err != nil {
			return err // never: it would hold nothing
		}
		u.watches = append(u.watches, w)
	}
	return nil
}

// fds returns the descriptors of the folders.
func (u *upkeep) fds() (fds []int) {
	if u != nil {
		for _, f := range u.folders {
			fds = append(fds, f.fd)
		}
	}
	return fds
}

// begin is called when the child is there.
func (u *upkeep) begin() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over { // and reaped already
		return
	}
	if u.wall > 0 {
		u.timers = append(u.timers, time.AfterFunc(u.wall, u.wallOver))
	}
	for i := range u.watches {
		if w := &u.watches[i]; w.rate > 0 {
			w.timer = time.AfterFunc(w.pause(0), func() { u.look(w) })
			u.timers = append(u.timers, w.timer)
		}
	}
}

func (u *upkeep) wallOver() {
	u.mu.Lock()
	over := u.over
	u.exceeded |= spawn.ExceededWall
	u.mu.Unlock()
	if !over {
		u.k.killTree(u.id)
	}
}

// look looks at a number that must not reach its limit while the child lives.
func (u *upkeep) look(w *watch) {
	u.mu.Lock()
	if u.over {
		u.mu.Unlock()
		return
	}
	if value, err := w.read(); err == nil && value < w.limit {
		w.timer.Reset(w.pause(value))
		u.mu.Unlock()
		return
	}
	u.exceeded |= w.exceeded
	u.timers = append(u.timers, time.AfterFunc(cpuGrace, func() { u.k.killTree(u.id) }))
	u.mu.Unlock()
	u.k.signal(u.id, syscall.SIGXCPU)
}

// cpuGrace is what a child has that was sent SIGXCPU before it is killed.
const cpuGrace = time.Second

// end is called when the child has ended, but has not been reaped. It returns the
// limits that the child ran into, as far as its status does not say it.
func (u *upkeep) end() spawn.Exceeded {
	if u == nil {
		return 0
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	for _, t := range u.timers {
		t.Stop()
	}
	for i := range u.watches {
		w := &u.watches[i]
		if value, err := w.read(); err == nil && value >= w.limit {
			u.exceeded |= w.exceeded
		}
	}
	return u.exceeded
}

// explain adds to the error of a launch the limits that it ran into.
func (u *upkeep) explain(err error) error {
	e, ok := err.(*spawn.Error)
	if exceeded := u.end(); ok && exceeded != 0 {
		with := *e
		with.Msg = strings.TrimPrefix(with.Msg+"; exceeded: "+exceeded.String(), "; ")
		return &with
	}
	return err
}

// spent reports whether the child's end is that of RLIMIT_CPU, which the kernel
// tells by the signal alone. It counts by ticks there, and the usage exactly: so the
// two may differ by a good deal.
func (u *upkeep) spent(ws syscall.WaitStatus, usage *syscall.Rusage) bool {
	if u == nil || !ws.Signaled() {
		return false
	}
	used := time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	switch ws.Signal() {
	case syscall.SIGXCPU:
		return used >= float64(u.cpu.Soft)/2
	case syscall.SIGKILL:
		return used >= float64(u.cpu.Hard)*3/4
	}
	return false
}

// close has the folders removed, once nobody is in them. No process of the child's
// is left then, unless it had no process 1.
func (u *upkeep) close() {
	if u != nil && len(u.folders) > 0 {
		u.k.remover.add(u.folders)
	}
}
