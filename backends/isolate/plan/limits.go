package plan

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/cgroup"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A limiter plans the limits of a child: in a control group where one can be made,
// and else by resource limits, as far as they do.
type limiter struct {
	*list
	o       *Options
	u       *identity
	machine *cgroup.Machine
	places  map[string]cgroup.Place // by controller
	why     map[string]error        // there is none
	unified []string                // controllers in version 2
	groups  []group
}

// A group is a control group of the child's own.
type group struct {
	place cgroup.Place
	fd    spawn.Arg
}

// limits adds the steps that limit the child. They come first, so that whatever
// it costs to make the sandbox is the child's own.
func (l *list) limits(o *Options, u *identity, machine func() *cgroup.Machine) error {
	m := &limiter{list: l, o: o, u: u, places: map[string]cgroup.Place{}, why: map[string]error{}}
	if o.Wall > 0 {
		l.add(spawn.Wall(o.Wall))
	}
	if o.Memory == 0 && o.CPUs == 0 && o.Pids == 0 && o.CPUTime == 0 && len(o.IO) == 0 && o.IOWeight == 0 {
		return nil
	}
	m.machine = machine()
	disks := "io"
	if m.machine.Mounted("blkio") { // its name in version 1
		disks = "blkio"
	}
	limits := []struct {
		asked      bool
		controller string
		add        func(p cgroup.Place, why error) error
	}{
		{o.Memory > 0, "memory", m.memory}, {o.Pids > 0, "pids", m.pids},
		{o.CPUs > 0, "cpu", m.cpus}, {len(o.IO) > 0, disks, m.io}, {o.IOWeight > 0, disks, m.ioWeight}, {o.CPUTime > 0, cgroup.Unified, m.cpuTime},
	}
	for _, limit := range limits {
		if limit.asked {
			m.find(limit.controller)
		}
	}
	for _, limit := range limits {
		if !limit.asked {
			continue
		}
		if err := limit.add(m.place(limit.controller)); err != nil {
			return err
		}
	}
	m.join()
	return nil
}

// find looks for a place for a controller. One of version 2 is for all controllers
// that were found there.
func (m *limiter) find(controller string) {
	p, err := m.machine.Place(controller, m.unified...)
	if controller == cgroup.Unified && err != nil { // in version 1 a controller counts it
		controller = "cpuacct"
		p, err = m.machine.Place(controller)
	}
	if err != nil {
		m.why[controller] = err
		return
	}
	if p.Version == 2 {
		m.unified = append(m.unified, controller)
		for c, old := range m.places {
			if old.Version == 2 {
				m.places[c] = p
			}
		}
	}
	m.places[controller] = p
}

// place returns what was found for a controller.
func (m *limiter) place(controller string) (cgroup.Place, error) {
	p, ok := m.places[controller]
	if !ok && controller == cgroup.Unified {
		return m.place("cpuacct")
	}
	return p, m.why[controller]
}

// group returns the control group of a place, which is made for all limits that
// are there.
func (m *limiter) group(option string, p cgroup.Place) group {
	m.note("%s: a control group of version %d in %s", option, p.Version, p.Path)
	for _, g := range m.groups {
		if g.place == p {
			return g
		}
	}
	g := group{p, m.add(spawn.Folder(p.Path).Noted("a control group in " + p.Path))}
	m.groups = append(m.groups, g)
	return g
}

// set adds the steps that write to a file of a group.
func (m *limiter) set(g group, file, text, note string) {
	f := m.add(spawn.OpenAt(g.fd, spawn.Str(file), oWronly, 0, 0).Noted(note + " (" + file + ")"))
	m.add(spawn.Write(f, spawn.Str(text)).Noted(note + " (" + file + ")"))
	m.add(spawn.Close(f))
}

// join adds the steps by which the child comes into its groups: that of version 2
// with the clone, others by itself. Seen from inside, they are at the root.
func (m *limiter) join() {
	if len(m.groups) == 0 {
		return
	}
	clone := &m.steps[0]
	flags := uint64(clone.Args[0].Num) &^ cloneNewCgroup
	for _, g := range m.groups {
		if g.place.Version == 1 {
			m.set(g, "cgroup.procs", "0", "to come into its control group")
		}
	}
	clone.Args[0] = spawn.Int(int64(flags))
	for _, g := range m.groups {
		if g.place.Version == 2 {
			*clone = spawn.CloneInto(flags, g.fd).Noted(clone.Note)
		}
	}
	m.add(spawn.Unshare(cloneNewCgroup).Noted("a cgroup namespace"))
}

const (
	noteMemory = "the limit of memory"
	notePids   = "the limit of processes"
	noteCPUs   = "the limit of processors: it cannot be higher than that of the groups above"
)

func (m *limiter) memory(p cgroup.Place, err error) error {
	if err != nil {
		m.late = append(m.late, limit(rlimitData, uint64(m.o.Memory)))
		m.note("memory: RLIMIT_DATA, for each process by itself, without memory that is shared and files in memory: %v", err)
		return nil
	}
	g, bytes := m.group("memory", p), strconv.FormatInt(m.o.Memory, 10)
	if p.Version == 1 {
		m.set(g, "memory.limit_in_bytes", bytes, noteMemory)
		if swap := "memory.memsw.limit_in_bytes"; m.machine.HasFile(p, swap) {
			m.set(g, swap, bytes, noteMemory)
		}
		m.add(spawn.Watch(spawn.ExceededMemory, g.fd, "memory.oom_control", "oom_kill", 1, 0))
		return nil
	}
	m.set(g, "memory.max", bytes, noteMemory)
	if swap := "memory.swap.max"; m.machine.HasFile(p, swap) {
		m.set(g, swap, "0", noteMemory)
	}
	m.add(spawn.Watch(spawn.ExceededMemory, g.fd, "memory.events", "oom_kill", 1, 0))
	return nil
}

// pids counts one more than what is asked for: process 1.
func (m *limiter) pids(p cgroup.Place, err error) error {
	switch {
	case err == nil:
		g := m.group("pids", p)
		m.set(g, "pids.max", strconv.Itoa(m.o.Pids+1), notePids)
		m.add(spawn.Watch(spawn.ExceededPids, g.fd, "pids.events", "max", 1, 0))
		return nil
	case m.u.ownNamespace && m.u.uid != 0:
		m.early = append(m.early, limit(rlimitNproc, uint64(m.o.Pids)+1))
		m.note("pids: RLIMIT_NPROC, which counts the processes of the child's user namespace: %v", err)
		return nil
	}
	return m.lack("pids", fmt.Sprintf("%v; and RLIMIT_NPROC does not hold for root", err))
}

func (m *limiter) cpus(p cgroup.Place, err error) error {
	if err != nil {
		return m.lack("cpus", err.Error())
	}
	const period = 100_000 // microseconds
	g, quota := m.group("cpus", p), strconv.FormatInt(int64(math.Round(m.o.CPUs*period)), 10)
	if p.Version == 1 {
		m.set(g, "cpu.cfs_period_us", strconv.Itoa(period), noteCPUs)
		m.set(g, "cpu.cfs_quota_us", quota, noteCPUs)
		return nil
	}
	m.set(g, "cpu.max", quota+" "+strconv.Itoa(period), noteCPUs)
	return nil
}

// cpuTime needs a group that counts, which one of version 2 does without any
// controller.
func (m *limiter) cpuTime(p cgroup.Place, err error) error {
	if err == nil {
		file, key, unit := "cpu.stat", "usage_usec", time.Microsecond
		if p.Version == 1 {
			file, key, unit = "cpuacct.usage", "", time.Nanosecond
		}
		rate := processors() * int64(time.Second/unit)
		m.add(spawn.Watch(spawn.ExceededCPU, m.group("cpu_time", p).fd, file, key, int64(m.o.CPUTime/unit), rate))
		return nil
	}
	seconds := uint64((m.o.CPUTime + time.Second - 1) / time.Second)
	m.late = append(m.late, spawn.Limit{Resource: rlimitCPU, Soft: seconds, Hard: seconds + 1})
	m.note("cpu_time: RLIMIT_CPU, for each process by itself, in whole seconds: %v", err)
	return nil
}

// lack says that a limit is not to be had, which only BestEffort allows.
func (m *limiter) lack(option, why string) error {
	if m.o.mayLack(LayerCgroup) {
		m.note("%s: missing: %s", option, why)
		return nil
	}
	return &spawn.Error{Key: Key, Phase: spawn.PhasePlan, Kind: spawn.ErrUnavailable, Op: option, Msg: why + "; best_effort=cgroup goes without"}
}

// resource adds the steps that set resource limits.
func (l *list) resource(limits []spawn.Limit) {
	for _, r := range limits {
		l.add(spawn.SetLimit(r).Noted("a resource limit: the host's own may be lower"))
	}
}

func limit(resource int, value uint64) spawn.Limit {
	return spawn.Limit{Resource: resource, Soft: value, Hard: value}
}

// processors returns how many processors there can be, at least.
func processors() int64 {
	b, _ := os.ReadFile("/sys/devices/system/cpu/possible")
	last := strings.TrimSpace(string(b)) // 0-7
	if n, err := strconv.ParseInt(last[strings.LastIndexAny(last, "-,")+1:], 10, 32); err == nil {
		return n + 1
	}
	return int64(runtime.NumCPU())
}
