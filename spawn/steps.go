package spawn

import (
	"strings"
	"syscall"
)

// Clone is the first step of every plan: clone3(2) with CLONE_VM, CLONE_VFORK
// and CLONE_PIDFD, to which flags (CLONE_NEW*) are added.
func Clone(flags uint64) Step { return step(OpClone, Int(int64(flags))) }

// CloneInto is Clone into the cgroup whose directory is open as an attached
// descriptor, or was made by the step [Folder]; CLONE_INTO_CGROUP, Linux 5.7.
func CloneInto(flags uint64, cgroup Arg) Step { return step(OpClone, Int(int64(flags)), cgroup) }

// Setsid makes the child the leader of a new session, setsid(2).
func Setsid() Step { return step(OpSetsid) }

// Setpgid puts the child into the process group pgid, or into one of its own
// when pgid is 0; setpgid(2).
func Setpgid(pgid int) Step { return step(OpSetpgid, Int(int64(pgid))) }

// Terminal makes the child's descriptor fd the controlling terminal of its
// session, TIOCSCTTY. It goes behind Setsid and Files.
func Terminal(fd int) Step { return step(OpTerminal, Int(int64(fd))) }

// Foreground makes the process group pgid, or the child's own when pgid is 0,
// the foreground group of the terminal that is the child's descriptor fd,
// TIOCSPGRP. It goes behind Setpgid and Files.
func Foreground(fd, pgid int) Step { return step(OpForeground, Int(int64(fd)), Int(int64(pgid))) }

// Umask sets the file mode creation mask, umask(2).
func Umask(mask uint32) Step { return step(OpUmask, Int(int64(mask))) }

// Priority sets the nice value, setpriority(2).
func Priority(nice int) Step { return step(OpPriority, Int(int64(nice))) }

// Affinity sets the processors the child may run on, sched_setaffinity(2).
// The mask is in the kernel's form: bit n of the whole is processor n, in
// words of the machine.
func Affinity(mask string) Step { return step(OpAffinity, Str(mask)) }

// SetLimit sets a resource limit, prlimit(2).
func SetLimit(l Limit) Step {
	return step(OpLimit, Int(int64(l.Resource)), Int(int64(l.Soft)), Int(int64(l.Hard)))
}

// Setgroups sets the supplementary groups, setgroups(2); none clears them.
func Setgroups(gids ...uint32) Step {
	s := Step{Op: OpSetgroups}
	for _, g := range gids {
		s.Args = append(s.Args, Int(int64(g)))
	}
	return s
}

// Setresgid sets the real, effective and saved group id, setresgid(2).
func Setresgid(gid uint32) Step { return step(OpSetresgid, Int(int64(gid))) }

// Setresuid sets the real, effective and saved user id, setresuid(2).
func Setresuid(uid uint32) Step { return step(OpSetresuid, Int(int64(uid))) }

// NoNewPrivs sets PR_SET_NO_NEW_PRIVS, prctl(2), Linux 3.5.
func NoNewPrivs() Step { return step(OpNoNewPrivs) }

// Pdeathsig asks the kernel to send sig to the child when the keeper dies,
// PR_SET_PDEATHSIG in prctl(2). The kernel forgets it at a change of user and
// at the exec of a setuid program, so it goes behind the uid steps and is an
// accelerator, not a promise. On its way to this step, or to its exec, a child is
// killed with its keeper whatever the plan says.
func Pdeathsig(sig syscall.Signal) Step { return step(OpPdeathsig, Int(int64(sig))) }

// IgnoreSignal makes the child ignore sig, sigaction(2). Every signal that is
// not named so has its default action.
func IgnoreSignal(sig syscall.Signal) Step { return step(OpIgnore, Int(int64(sig))) }

// Chdir changes the working directory, chdir(2).
func Chdir(path Arg) Step { return step(OpChdir, path) }

// Fchdir changes the working directory to an open one, fchdir(2).
func Fchdir(fd Arg) Step { return step(OpFchdir, fd) }

// Chroot changes the root directory, chroot(2).
func Chroot(path Arg) Step { return step(OpChroot, path) }

// Open opens a file for later steps, openat(2); its result is the descriptor,
// which is close-on-exec.
func Open(path Arg, flags int, mode uint32) Step {
	return step(OpOpen, path, Int(int64(flags)), Int(int64(mode)))
}

// Write writes data in a single write(2). A short write is an error (EIO).
func Write(fd, data Arg) Step { return step(OpWrite, fd, data) }

// Close closes a descriptor, close(2).
func Close(fd Arg) Step { return step(OpClose, fd) }

// Dup makes the descriptor fd the child's descriptor number, dup3(2).
func Dup(fd Arg, number int) Step { return step(OpDup, fd, Int(int64(number))) }

// Files puts the descriptors of the Spec in place: Spec.Files[i] becomes the
// child's descriptor i. Every other descriptor is closed by the exec, and, in a
// child whose plan changes mounts or has a step chroot, behind the last step that names or
// hands out one: what comes behind that cannot be led out of the root by the keeper's
// descriptors, which are in /proc/self/fd until then.
func Files() Step { return step(OpFiles) }

// Exec is the last step: the signal mask is cleared and path replaces the
// process, execve(2). The usual arguments are the holes [HolePath], [HoleArgs]
// and [HoleEnv].
func Exec(path Arg) Step { return step(OpExec, path, HoleArgs.Arg(), HoleEnv.Arg()) }

// ExecEnv is Exec for a child that does not have the host's environment when its
// Spec has none, but env: "key=value", or the name alone of a variable that it
// has from the host, if there is one. Entries have no NUL byte.
func ExecEnv(path Arg, env []string) Step {
	return step(OpExec, path, HoleArgs.Arg(), Str(strings.Join(env, "\x00")))
}

// ExecFD is Exec of an open descriptor, execveat(2) with AT_EMPTY_PATH, Linux
// 3.19. A script cannot be started so: its interpreter would find the
// descriptor closed.
func ExecFD(fd Arg) Step { return step(OpExecFD, fd, HoleArgs.Arg(), HoleEnv.Arg()) }

func step(op Op, args ...Arg) Step { return Step{Op: op, Args: args} }

// Standard returns the plan of an ordinary child that follows s in every
// field but Options: what a backend for local processes starts from, and all
// that the method forkexec does. It is reusable.
//
// The order matters: the group first, so that no signal misses the child; the
// descriptors before a limit that may lie below their numbers; the identity
// behind limits that only the host's may raise; the death signal behind the
// identity, which clears it; the directory behind the identity, whose
// permissions count, as os/exec has it; the terminal last, so that it is not
// given to a child that fails before.
func Standard(s *Spec) *Plan {
	p := &Plan{Reusable: true}
	add := func(steps ...Step) { p.Steps = append(p.Steps, steps...) }
	add(Clone(0))
	switch {
	case s.Session:
		add(Setsid())
	case s.Group == NewGroup:
		add(Setpgid(0))
	case s.Group != HostGroup:
		add(Setpgid(s.Group))
	}
	add(Files())
	for _, l := range s.Limits {
		add(SetLimit(l))
	}
	if s.Umask != nil {
		add(Umask(*s.Umask))
	}
	if c := s.Credential; c != nil {
		if !c.KeepGroups {
			add(Setgroups(c.Groups...))
		}
		add(Setresgid(c.GID), Setresuid(c.UID))
	}
	if s.NoNewPrivs {
		add(NoNewPrivs())
	}
	add(Pdeathsig(syscall.SIGKILL))
	for _, sig := range s.Ignore {
		add(IgnoreSignal(sig))
	}
	if s.Dir != "" {
		add(Chdir(HoleDir.Arg()))
	}
	if s.Terminal != nil {
		add(Terminal(*s.Terminal))
	}
	if s.Foreground != nil {
		add(Foreground(*s.Foreground, max(s.Group, 0))) // NewGroup is -1
	}
	add(Exec(HolePath.Arg()))
	return p
}
