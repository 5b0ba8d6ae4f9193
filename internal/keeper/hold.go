//go:build unix

package keeper

import (
	"encoding/binary"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A launch can be held: the host sends it before it knows whether all that it says of
// what the child inherits is still true, and nods when it has found out. Meanwhile this
// process wakes up, and does of the launch what can be undone. Nods come by a pipe of
// their own, for which nobody else waits: by the lane one would wake another launcher.

const (
	// nodSize is that of a nod: twice the id of the launch, and 1 more when it is
	// to be given up.
	nodSize = 8

	// nodLook is for how long a launcher looks for a nod without sleeping. The host
	// is about to say it, and is at work on another processor.
	nodLook = 200 * time.Microsecond

	// nodTime bounds the wait for a nod. A host that was stopped meanwhile asks
	// again when it goes on.
	nodTime = time.Second
)

// opHold is the Op of the error of a held launch that has not been nodded to.
const opHold = "hold"

func errNoNod() error {
	return &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseSetup, Op: opHold, Msg: "the host did not say that the child may be made"}
}

// nodded waits, if the launch is held, until the host has said that it may be finished.
func (l *launcher) nodded() error {
	if l.held == 0 {
		return nil
	}
	if !l.refused {
		l.refused = !l.k.nods.await(l.held)
	}
	if l.refused {
		return errNoNod()
	}
	l.held = 0
	return nil
}

// A nodding is where the host's nods come from. One launcher reads them at a time: the
// others' nods it leaves there for them.
type nodding struct {
	fd int // a pipe, or -1

	mu   sync.Mutex // held by who reads
	left map[uint64]bool
}

// maxNods bounds those that nobody has come for, as the launch was over.
const maxNods = 2 * window

// await reports whether the host nods to a launch. It does not when the host gives it
// up, or is gone, or does not say anything for nodTime.
func (n *nodding) await(id uint64) bool {
	begin := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if yes, ok := n.left[id]; ok {
		delete(n.left, id)
		return yes
	}
	var b [nodSize]byte
	for n.fd >= 0 {
		got, err := linux.TryRead(n.fd, b[:])
		nod, waited := binary.LittleEndian.Uint64(b[:]), time.Since(begin)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN && waited < nodLook && runtime.NumCPU() > 1:
			linux.Yield()
		case err == syscall.EAGAIN && waited < nodTime:
			linux.AwaitInput(n.fd, nodTime-waited)
		case err != nil || got != nodSize: // the end of the pipe is that of the host
			return false
		case nod>>1 == id:
			return nod&1 == 0
		default:
			n.leave(nod)
		}
	}
	return false
}

// leave keeps another launch's nod.
func (n *nodding) leave(nod uint64) {
	if n.left == nil || len(n.left) >= maxNods {
		n.left = map[uint64]bool{}
	}
	n.left[nod>>1] = nod&1 == 0
}
