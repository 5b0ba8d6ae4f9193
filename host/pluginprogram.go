package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// scriptFD is the descriptor on which a plugin that is a script finds itself
// open: its interpreter reads it from there.
const scriptFD = wire.LaneFD + 1

// scriptName is the path by which an interpreter opens scriptFD. It is the one
// that the kernel uses for a script that is executed by its descriptor.
const scriptName = "/dev/fd/5"

// byDescriptor says that the keeper can execute an open file here. Elsewhere
// the file is executed by its name, after the same checks.
const byDescriptor = runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")

// A pluginProgram is what is executed for a plugin. That of a plugin binary has
// passed every check, on the very descriptor that is executed: what happens to
// the file's name from then on changes nothing. Close it when the process has
// been started, or was not.
type pluginProgram struct {
	path   string   // what is executed if file is not: for a script, its interpreter
	args   []string // the argument list
	file   *os.File // what is executed; nil where names are
	script bool     // file is for the interpreter to read
}

// openPlugin returns the program of an entry. A plugin binary is opened and
// checked: see Discover for the rules. The error of one that is refused is of
// kind spawn.ErrUntrusted.
func openPlugin(ctx context.Context, e registry.Entry) (*pluginProgram, error) {
	if e.Builtin() {
		return openSelf(e)
	}
	f, err := openTrusted(e.Path, executable)
	if err != nil {
		return nil, err
	}
	p := &pluginProgram{path: e.Path, args: []string{e.Path}, file: f}
	if err := p.check(ctx, e); err != nil {
		p.close()
		return nil, err
	}
	if !byDescriptor {
		p.close()
		*p = pluginProgram{path: e.Path, args: []string{e.Path}}
	}
	return p, nil
}

// check looks into the file: at its checksum if it has to have a certain one,
// and at what the kernel would execute for it.
func (p *pluginProgram) check(ctx context.Context, e registry.Entry) error {
	head := make([]byte, shebangSize)
	n, err := io.ReadFull(p.file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return readError(e.Path, err)
	}
	p.script = bytes.HasPrefix(head[:n], []byte("#!"))
	if e.Pin != "" {
		if err := p.checkPin(ctx, e); err != nil {
			return err
		}
		if p.script { // what was compared may be another text than head
			n, _ = p.file.ReadAt(head, 0)
		}
	}
	if p.script {
		p.path, p.args, err = scriptCommand(e.Path, head[:n])
		return err
	}
	return checkBinary(p.file, e.Path, head[:n])
}

// plan is the plan of the process.
func (p *pluginProgram) plan() *spawn.Plan {
	plan := spawn.Standard(&spawn.Spec{Group: spawn.NewGroup, Dir: "/"})
	if p.file != nil && !p.script {
		plan.Steps[len(plan.Steps)-1] = spawn.ExecFD(spawn.FD(0))
	}
	return plan
}

// fill puts what is executed into a launch, which has everything else.
func (p *pluginProgram) fill(l *keeper.Launch) error {
	plan, err := p.plan().AppendBinary(nil)
	if err != nil {
		return err
	}
	l.Plan, l.Path, l.Args = plan, p.path, p.args
	switch {
	case p.file == nil:
	case p.script:
		l.Files, l.FDs = append(l.Files, scriptFD), append(l.FDs, int(p.file.Fd()))
	default: // the descriptors of the plan come first
		l.FDs = append([]int{int(p.file.Fd())}, l.FDs...)
	}
	return nil
}

// close closes the file. The process has a descriptor of its own by then.
func (p *pluginProgram) close() {
	if p.file != nil {
		p.file.Close()
	}
}

// explain says of a failed exec what the kernel's number does not.
func (p *pluginProgram) explain(err error, e registry.Entry) error {
	se := spawn.AsError(err)
	if e.Builtin() || se.Phase != spawn.PhaseExec {
		return err
	}
	out := *se
	out.Path = e.Path
	switch se.Errno {
	case syscall.EACCES, syscall.EPERM:
		out.Msg = "the kernel does not let this user execute it: look at its mode, and at how its file system is mounted (noexec)"
	case syscall.ENOEXEC:
		out.Msg = "it is no program of this machine: want one that was built for " + runtime.GOOS + "/" + runtime.GOARCH
	case syscall.ENOSYS:
		out.Msg = "the kernel, or a filter of system calls, refuses execveat(2), by which the file that was checked is executed"
	case syscall.ETXTBSY:
		out.Msg = "somebody has it open for writing: wait until it is complete"
	}
	return &out
}

func readError(path string, err error) error {
	return &spawn.Error{Phase: spawn.PhaseStart, Op: "read", Path: path, Err: err, Msg: "a plugin has to be readable to be checked"}
}
