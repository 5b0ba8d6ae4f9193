//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// Prepare makes the namespaces of the request's plan, of which [Ahead] says that it can be done,
// by a process that does the plan's first steps and ends. That process is a child,
// which can be seen as Progress.Helper until Done; the caller's waiter reaps it.
// What is returned is good for one child; the caller closes it.
//
// The process shares the table of descriptors, so that what it opens is here.
func (t *Thread) Prepare(of *Request) (Namespaces, error) {
	p := of.Plan
	steps, _ := Ahead(p)
	flags := uint64(p.Steps[0].Args[0].Num) & aheadFlags
	names := []string{"user", "net"}
	if flags&newIPC != 0 {
		names = append(names, "ipc")
	}
	ahead := &spawn.Plan{Steps: append([]spawn.Step{spawn.Clone(flags)}, p.Steps[1:steps]...)}
	for _, name := range names {
		ahead.Steps = append(ahead.Steps, spawn.Open(spawn.Str("/proc/self/ns/"+name), unix.O_RDONLY, 0))
	}
	r := &Request{Plan: ahead, Null: of.Null}
	defer t.build.drop()
	if err := t.build.lower(r, t.parent, flags, true); err != nil {
		return Namespaces{}, err
	}
	t.state.reset(t.build.ops, &t.Progress)
	args := t.cloneArgs(flags | unix.CLONE_VFORK | unix.CLONE_FILES)
	args.parentTID = uint64(uintptr(unsafe.Pointer(&t.helper)))
	args.exitSignal = uint64(unix.SIGCHLD)
	t.args = args
	res := vfork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&t.args)), unsafe.Sizeof(t.args), 0, t.state)
	if res > ^uintptr(4095) {
		return Namespaces{}, stepError(r, 0, syscall.Errno(-res))
	}
	if t.state.did < uintptr(len(t.build.ops)) {
		t.closeOpened()
		return Namespaces{}, stepError(r, min(t.Step(), len(ahead.Steps)-1), syscall.Errno(t.state.errno))
	}
	var fds [3]int
	for i := range names {
		fds[i] = int(t.state.res[len(t.build.ops)-len(names)+i])
	}
	return Namespaces{user: fds[0], net: fds[1], ipc: fds[2]}, nil
}

// closeOpened closes what a process has left open that shared the table of
// descriptors and did not come to its end.
func (t *Thread) closeOpened() {
	open := map[uintptr]bool{}
	for i, o := range t.build.ops[:t.state.did] {
		switch o.nr {
		case unix.SYS_OPENAT, unix.SYS_SOCKET:
			open[t.state.res[i]] = true
		case unix.SYS_CLOSE:
			delete(open, t.state.res[o.args[0]])
		}
	}
	for fd := range open {
		unix.Close(int(fd))
	}
}

// Close lets go of the namespaces: the kernel takes them apart when nobody is in
// them.
func (n *Namespaces) Close() {
	for _, fd := range [...]int{n.user, n.net, n.ipc} {
		if fd != 0 {
			unix.Close(fd)
		}
	}
	*n = Namespaces{}
}

// join emits what a process does to enter namespaces before it clones the child. It
// returns the flags that are left for that.
func (b *builder) join(n Namespaces, parent int, flags uint64) uint64 {
	b.tether(0, parent, 0)
	for _, ns := range [...]struct {
		fd   int
		kind uintptr
	}{{n.user, newUser}, {n.net, newNet}, {n.ipc, newIPC}} {
		if ns.fd != 0 {
			b.call(0, unix.SYS_SETNS, uintptr(ns.fd), ns.kind)
			flags &^= uint64(ns.kind)
		}
	}
	b.enter = len(b.ops)
	return flags
}

// launchInto is launchPlan for a child in the request's namespaces. It reports false
// when there is no child, for whatever reason: then one with namespaces of its own
// can still be had.
func (t *Thread) launchInto(r *Request) (Child, bool, error) {
	none := Child{Pidfd: -1}
	defer t.build.drop()
	flags := uint64(r.Plan.Steps[0].Args[0].Num)
	if err := t.build.lower(r, t.parent, flags, true); err != nil {
		return none, true, err
	}
	t.state.reset(t.build.ops, &t.Progress)
	t.splitState()
	t.pidfd = -1
	// The child, which is cloned by the process that has entered.
	t.args = t.cloneArgs(t.build.flags | unix.CLONE_PARENT | unix.CLONE_CHILD_CLEARTID | unix.CLONE_PIDFD)
	t.args.childTID = uint64(uintptr(unsafe.Pointer(&t.state.childTid)))
	t.args.stack = t.stackOf(2)
	t.state.joins(t.build.enter, &t.args)
	// That process: it shares the table, for in it is the child's pidfd.
	t.enterArgs = t.cloneArgs(unix.CLONE_VFORK | unix.CLONE_FILES)
	t.enterArgs.parentTID = uint64(uintptr(unsafe.Pointer(&t.helper)))
	t.enterArgs.exitSignal = uint64(unix.SIGCHLD)
	vfork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&t.enterArgs)), unsafe.Sizeof(t.enterArgs), 0, t.state)
	helper := int(t.helper.Load())
	pid := int(t.pid.Load())
	if pid == 0 {
		return Child{Pidfd: -1, Helper: helper}, false, nil
	}
	child, err := t.born(r, pid, int(t.pidfd))
	child.Helper = helper
	return child, true, err
}
