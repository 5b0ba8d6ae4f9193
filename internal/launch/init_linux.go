//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// initOps is room for what is emitted besides the steps: by becomeInit and park.
const initOps = 24

// init begins the part of the nested child.
func (b *builder) init(i int) {
	o := b.call(i, unix.SYS_GETPID)
	o.chk, o.want, o.fail = true, 1, uintptr(syscall.ESRCH)
	b.nest = len(b.ops)
}

// awaitInit emits the wait of the nested child for process 1: what it says first
// is that it is ready.
func (b *builder) awaitInit(step int) {
	o := b.call(step, unix.SYS_READ, uintptr(b.told), pointer(b.bytes(1)), 1)
	o.chk, o.want, o.fail = true, 1, uintptr(syscall.ESRCH)
}

// becomeInit emits what process 1 does once it has cloned its child: it gives up
// every descriptor but the pipe, and becomes the program of package pid1.
func (b *builder) becomeInit(step int) {
	b.call(step, unix.SYS_DUP3, uintptr(b.record), 0, 0)
	b.call(step, unix.SYS_CLOSE_RANGE, 1, uintptr(b.top), 0)
	argv, envp := b.vector([]string{"init"}), b.vector(nil)
	b.call(step, unix.SYS_EXECVEAT, uintptr(b.program), b.str(""), argv, envp, unix.AT_EMPTY_PATH)
}

// hasInit returns the index of the step init, or 0.
func hasInit(p *spawn.Plan) int {
	for i, s := range p.Steps {
		if s.Op == spawn.OpInit {
			return i
		}
	}
	return 0
}

// prepareInit makes what a plan with a step init needs: the program of process
// 1, once for the thread, and a pipe for its records, of which it returns the
// end to read. release gives up the other end.
func (t *Thread) prepareInit() (record int, release func(), err error) {
	if t.program == 0 {
		fd, err := linux.ProgramMemfd("init", pid1.Image())
		if err != nil {
			return -1, nil, err
		}
		t.program = fd
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, err
	}
	t.build.program, t.build.told, t.build.record = t.program, p[0], p[1]
	return p[0], func() { unix.Close(p[1]) }, nil
}
