//go:build unix && !(linux && (amd64 || arm64))

package launch

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// cloneFlags are the flags that a plan may ask for: none here.
const cloneFlags = 0

// A Thread launches children, one at a time, by syscall.ForkExec. A step that
// it cannot express is an error that names the step.
type Thread struct{ Progress }

// NewThread returns a Thread.
func NewThread() (*Thread, error) { return new(Thread), nil }

// Close does nothing.
func (t *Thread) Close() error { return nil }

// Done ends what Progress says of the last launch.
func (t *Thread) Done() { t.pid.Store(0) }

// Probe does nothing: what it would find is not known here.
func (t *Thread) Probe() (pid int, err error) { return 0, nil }

// Launch starts a child and returns when it has become the program, or has
// failed to. Child.Pidfd is always -1.
func (t *Thread) Launch(r *Request) (Child, error) {
	none := Child{Pidfd: -1}
	if err := checkRequest(r); err != nil {
		return none, err
	}
	attr := &syscall.ProcAttr{Env: r.Env, Sys: &syscall.SysProcAttr{}}
	for i := range r.Plan.Steps {
		if err := express(attr, r, i); err != nil {
			return none, err
		}
	}
	last := len(r.Plan.Steps) - 1
	t.pid.Store(^uint32(0)) // Unknown
	pid, err := syscall.ForkExec(r.text(r.Plan.Steps[last].Args[0]), r.Args, attr)
	if err != nil {
		return none, forkError(r, attr, err)
	}
	t.pid.Store(uint32(pid))
	return Child{Pid: pid, Pidfd: -1}, nil
}

// express puts the step with index i into attr.
func express(attr *syscall.ProcAttr, r *Request, i int) error {
	s := r.Plan.Steps[i]
	num := func(n int) int { return int(s.Args[n].Num) }
	switch s.Op {
	case spawn.OpClone:
		if len(s.Args) > 1 {
			return inexpressible(r, i)
		}
	case spawn.OpExec, spawn.OpPdeathsig:
		// The death signal is an accelerator: the keeper's own end of
		// everything is the promise.
	case spawn.OpSetsid:
		attr.Sys.Setsid = true
	case spawn.OpSetpgid:
		attr.Sys.Setpgid, attr.Sys.Pgid = true, num(0)
	case spawn.OpTerminal:
		attr.Sys.Setctty, attr.Sys.Ctty = true, num(0)
	case spawn.OpForeground:
		// Here it is the number in the parent that is asked for.
		table := fileTable(r)
		attr.Sys.Foreground, attr.Sys.Pgid = true, num(1)
		attr.Sys.Ctty = int(table[min(num(0), len(table)-1)])
	case spawn.OpSetgroups:
		c := credential(attr)
		c.NoSetGroups = false
		for n := range s.Args {
			c.Groups = append(c.Groups, uint32(num(n)))
		}
	case spawn.OpSetresgid:
		credential(attr).Gid = uint32(num(0))
	case spawn.OpSetresuid:
		credential(attr).Uid = uint32(num(0))
	case spawn.OpChdir:
		attr.Dir = r.text(s.Args[0])
	case spawn.OpChroot:
		attr.Sys.Chroot = r.text(s.Args[0])
	case spawn.OpFiles:
		attr.Files = fileTable(r)
	default:
		return inexpressible(r, i)
	}
	return nil
}

func inexpressible(r *Request, i int) error {
	e := stepError(r, i, 0)
	e.Kind, e.Msg = spawn.ErrUnavailable, "this system's fork and exec cannot express the step"
	return e
}

func credential(attr *syscall.ProcAttr) *syscall.Credential {
	if attr.Sys.Credential == nil {
		attr.Sys.Credential = &syscall.Credential{
			Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid()), NoSetGroups: true,
		}
	}
	return attr.Sys.Credential
}

// fileTable returns the table of ForkExec: ^uintptr(0) is a closed number.
func fileTable(r *Request) []uintptr {
	table := []uintptr{uintptr(r.Null), uintptr(r.NullOut), uintptr(r.NullOut)}
	if r.NullOut == 0 {
		table[1], table[2] = table[0], table[0]
	}
	for _, f := range r.Files {
		for len(table) <= f.Number {
			table = append(table, ^uintptr(0))
		}
		table[f.Number] = uintptr(f.FD)
	}
	return table
}

// forkError names the step that an errno of ForkExec belongs to, which does
// not say.
func forkError(r *Request, attr *syscall.ProcAttr, err error) error {
	var errno syscall.Errno
	errors.As(err, &errno)
	last := len(r.Plan.Steps) - 1
	if attr.Dir != "" && (errno == syscall.ENOENT || errno == syscall.ENOTDIR || errno == syscall.EACCES) {
		if _, serr := os.Stat(attr.Dir); errors.Is(serr, fs.ErrNotExist) || errors.Is(serr, fs.ErrPermission) {
			for i, s := range r.Plan.Steps {
				if s.Op == spawn.OpChdir {
					last = i
				}
			}
		}
	}
	return stepError(r, last, errno)
}
