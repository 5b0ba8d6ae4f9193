//go:build unix

package keeper

import (
	"os"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// askGroup, in the number of the signal of a frameAsk, has it sent to the whole
// group of a child that leads one.
const askGroup = 1 << 16

// ask asks a child to end, after a look at what is below it: when the child
// obeys, that is an orphan of which nothing else tells where it came from. The
// child stands still meanwhile, so that it leaves nobody out; a signal of 0 is
// a look alone, and lets it run.
func (k *keeper) ask(id uint64, arg uint32) error {
	t := k.table
	sig := syscall.Signal(arg &^ askGroup)
	t.mu.Lock()
	c := t.byID[id]
	t.mu.Unlock()
	if c == nil {
		return notThere("ask")
	}
	below := k.below(c, sig != 0)
	failpoint.Pass(failpoint.KeeperAsk)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[id] != c { // it has ended meanwhile
		if l := t.left[id]; l != nil && !l.busy {
			l.kin = append(l.kin, below...)
		} else if len(below) > 0 {
			t.leave(&left{id: id, pidfd: -1, kin: below})
		}
		return notThere("ask")
	}
	c.kin = below
	if sig == 0 {
		return nil
	}
	to := c.pid
	if group, _ := linux.GroupOf(c.pid); arg&askGroup != 0 && group == c.pid {
		to = -c.pid // made for it, and there as long as it is
	}
	err := syscall.Kill(to, sig)
	syscall.Kill(to, syscall.SIGCONT)
	if errno, _ := err.(syscall.Errno); errno != 0 {
		return &spawn.Error{Phase: spawn.PhaseStop, Op: "kill", Errno: errno}
	}
	return nil
}

func notThere(op string) error {
	return &spawn.Error{Phase: spawn.PhaseStop, Op: op, Errno: syscall.ESRCH}
}

// below returns what is below a child, which is stopped before that if still is
// set and there is anything.
func (k *keeper) below(c *child, still bool) (found []kin) {
	alone := false
	k.rooted.do(func() { alone = len(linux.Children(c.pid)) == 0 })
	if alone {
		return nil
	}
	if still {
		k.settle(c)
	}
	k.rooted.do(func() { found = descendants(c.pid) })
	return found
}

// maxSettle bounds the wait for a child to stand still. One that waits for a
// device does so later.
const maxSettle = 20

// settle stops a child and waits until it stands still.
func (k *keeper) settle(c *child) {
	t := k.table
	for range maxSettle {
		t.mu.Lock()
		there := t.byID[c.id] == c
		if there {
			syscall.Kill(c.pid, syscall.SIGSTOP)
		}
		t.mu.Unlock()
		still := !there
		k.rooted.do(func() {
			s, err := linux.ReadStat(c.pid)
			still = still || err != nil || s.State == 'T' || s.State == 't' || s.State == 'Z'
		})
		if still {
			return
		}
		<-time.After(settlePause)
	}
}

// descendants returns everything below a process, found by looking until a look
// finds nobody new.
func descendants(root int) []kin {
	var list []kin
	known := map[int]uint64{os.Getpid(): 0}
	for range maxPasses {
		before := len(list)
		for i := -1; i < len(list); i++ { // the list grows meanwhile
			parent := root
			if i >= 0 {
				parent = list[i].pid
			}
			for _, pid := range linux.Children(parent) {
				if _, ok := known[pid]; ok {
					continue
				}
				if s, err := linux.ReadStat(pid); err == nil && s.Parent == parent && s.State != 'Z' {
					known[pid] = s.StartTime
					list = append(list, kin{pid, s.StartTime})
				}
			}
		}
		if len(list) == before {
			break
		}
	}
	return list
}
