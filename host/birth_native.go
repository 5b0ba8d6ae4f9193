//go:build linux && (amd64 || arm64)

package host

import (
	"os"
	"sync/atomic"
	"syscall"

	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// cgroupFile lists the control groups of this process, one for each hierarchy.
const cgroupFile = "/proc/self/cgroup"

// birth is what a child has from its parent's birth and no step can give it. A
// keeper whose host has another one now is succeeded by a new keeper.
type birth struct {
	cgroup         string // the contents of cgroupFile
	session, group int
	scheduling     linux.Scheduling
	caps           linux.Capabilities
}

// sameBirth reports whether a keeper that was started when the host had then
// can give its children what in says, by steps. What a change of user takes
// away of capabilities, the steps of that change take away. What somebody with
// more rights has given to an ordinary user's host since, its keeper cannot
// give.
func sameBirth(in, then inherited) bool {
	if in.uid != then.uid {
		in.birth.caps = then.birth.caps
	}
	return in.birth == then.birth && in.permitted(then) == in
}

// A cgroupReader reads cgroupFile. It costs about a microsecond where there is
// one hierarchy, and five where there are ten.
type cgroupReader struct {
	fd   int // -1 when there is no /proc
	last atomic.Pointer[string]
}

// maxCgroup bounds what is read: twelve hierarchies and deep paths.
const maxCgroup = 4096

// read returns the contents, as the same string for as long as they are equal.
func (r *cgroupReader) read() string {
	var b [maxCgroup]byte
	n := linux.ReadAtOnce(r.fd, b[:])
	if last := r.last.Load(); last != nil && *last == string(b[:n]) {
		return *last
	}
	s := string(b[:n])
	r.last.Store(&s)
	return s
}

// birth returns what a keeper would be born with now.
func (g *gatherer) birth() birth {
	pid := os.Getpid()
	return birth{
		cgroup: g.cgroup.read(), session: linux.SessionID(), group: syscall.Getpgrp(),
		scheduling: linux.SchedulingOf(pid), caps: linux.CapabilitiesOf(pid),
	}
}
