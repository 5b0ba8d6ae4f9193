package keeper

import (
	"errors"
	"syscall"

	"github.com/hatchery-spawn/hatchery/spawn"
)

// explain adds to an error that comes from a shortage which limit it is and
// what helps. What it does not know it returns as it is.
func explain(err error) error {
	var e *spawn.Error
	if !errors.As(err, &e) {
		return err
	}
	text := shortage(e.Op, e.Errno)
	if text == "" {
		return err
	}
	out := *e
	if out.Msg != "" {
		text = out.Msg + "; " + text
	}
	out.Msg = text
	return &out
}

// shortage says what the kernel was short of at a step of a launch. The steps
// that the child makes for itself are missing: its limits are its own.
func shortage(op string, errno syscall.Errno) string {
	switch {
	case errno == syscall.EAGAIN && (op == "clone" || op == "keeper"):
		return "the user has as many processes and threads as RLIMIT_NPROC allows, or the cgroup as many as its pids.max: " +
			"raise the limit, or try again when some have ended"
	case errno == syscall.EAGAIN && op == "exec":
		return "the child's user has more processes than RLIMIT_NPROC allows: raise the limit, or try again when some have ended"
	case errno == syscall.ENOMEM && (op == "clone" || op == "keeper" || op == "exec" || op == "send"):
		return "the machine, the cgroup (memory.max) or RLIMIT_AS has no memory left for it"
	case errno == syscall.ENOSPC && op == "clone":
		return "there are as many namespaces as /proc/sys/user/max_*_namespaces allows"
	case errno == syscall.EMFILE && op == "receive", errno == syscall.EMFILE && (op == "keeper" || op == "send"):
		return "RLIMIT_NOFILE: raise it (ulimit -n), or try again when some descriptors are closed"
	case errno == syscall.EMFILE && (op == "clone" || op == "files" || op == "dup"):
		return "the keeper has as many descriptors as RLIMIT_NOFILE allows: raise it (ulimit -n) before the host is opened, or start fewer children at once"
	case errno == syscall.ENFILE:
		return "the machine has as many open files as /proc/sys/fs/file-max allows"
	case errno == syscall.ETOOMANYREFS && op == "send":
		return "an ordinary user can have no more descriptors in flight than RLIMIT_NOFILE: raise it (ulimit -n), or try again"
	}
	return ""
}
