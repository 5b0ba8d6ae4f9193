//go:build linux && (amd64 || arm64)

package launch

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/pid1"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// initOps is room for what becomeInit emits.
const initOps = 8

// init begins the part of the nested child.
func (b *builder) init(i int) {
	o := b.call(i, unix.SYS_GETPID)
	o.chk, o.want, o.fail = true, 1, uintptr(syscall.ESRCH)
	b.nest = len(b.ops)
}

// becomeInit emits what process 1 does when its child has become the program:
// it gives up every descriptor but the pipe, and becomes the program of package
// pid1. It belongs to a step behind the last.
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
	// Whoever reads it when process 1 has ended waits for nothing.
	if err := unix.SetNonblock(p[0], true); err != nil {
		panic(err) // it has just been opened
	}
	t.build.program, t.build.record = t.program, p[1]
	return p[0], func() { unix.Close(p[1]) }, nil
}
