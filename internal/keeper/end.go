//go:build unix

package keeper

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

const (
	// endGrace is what the descendants of a host that is gone have between
	// SIGTERM and SIGKILL.
	endGrace = time.Second
	// endLimit is how long the keeper goes on killing when its host is gone.
	// What has not ended by then cannot be killed: it runs as another user,
	// or waits for a device.
	endLimit = 5 * time.Second
	// endPause is the time between two rounds of SIGKILL. There is no event
	// for "a descendant was born".
	endPause = 20 * time.Millisecond
)

// names is names, seen from the keeper's own root.
func (k *keeper) names(pids []int) (s string) {
	k.rooted.do(func() { s = names(pids) })
	return s
}

// endOnRequest ends everything with the host's grace, tells it who is left,
// and exits.
func (k *keeper) endOnRequest(id uint64, payload []byte) {
	grace, limit := endGrace, endLimit
	if len(payload) == 16 {
		grace = time.Duration(binary.LittleEndian.Uint64(payload))
		limit = time.Duration(binary.LittleEndian.Uint64(payload[8:]))
	}
	left := k.end(grace, limit)
	var err error
	if len(left) > 0 {
		err = &spawn.Error{Phase: spawn.PhaseStop, Kind: spawn.ErrTimeout, Op: "end", Msg: "still there: " + k.names(left)}
	}
	k.conn.Send(&lane.Frame{Type: frameDone, ID: id, Payload: appendError(nil, err)})
	failpoint.Pass(failpoint.KeeperEndAnswered)
	syscall.Exit(0)
}

// end ends every descendant: SIGTERM and SIGCONT, and after the grace SIGKILL
// to a fixpoint, for as long as limit. It removes the host's folder and returns
// who is left. Whoever comes second waits for ever: the first ends the process.
func (k *keeper) end(grace, limit time.Duration) (left []int) {
	if !k.table.close() {
		select {}
	}
	failpoint.Pass(failpoint.KeeperEndBegin)
	k.warm.close()
	left = k.endBelow(grace, limit)
	failpoint.Pass(failpoint.KeeperEndFolder)
	if k.folder != "" {
		k.recording.Lock() // for good: what is begun now finds the table closed
		k.rooted.do(k.removeFolder)
	} else {
		k.removeNotes()
	}
	failpoint.Pass(failpoint.KeeperEndRemoved)
	return left
}

// removeFolder removes the host's folder, and that of all hosts if it was the
// last. A host that did not wait for the end of its keeper has removed the folder
// itself, and another one may have the name by now.
func (k *keeper) removeFolder() {
	var then, now syscall.Stat_t
	if k.folderFD >= 0 && syscall.Fstat(k.folderFD, &then) == nil && syscall.Lstat(k.folder, &now) == nil && (then.Dev != now.Dev || then.Ino != now.Ino) {
		return
	}
	k.removeNotes()
	if recorded(k.folder) {
		return
	}
	os.RemoveAll(k.folder)
	os.Remove(parentFolder(k.folder))
}

// removeTime is how long a keeper that is ending waits for control groups to be
// empty.
const removeTime = 500 * time.Millisecond

// removeNotes removes the record, and the notes of where folders were made unless
// one of them is still there.
func (k *keeper) removeNotes() {
	removed := k.remover.wait(removeTime)
	if k.folder == "" {
		return
	}
	if removed {
		os.Remove(PlacesPath(k.folder, os.Getpid()))
	}
	os.Remove(RecordPath(k.folder, os.Getpid()))
}

// recorded reports whether a folder has the record of a keeper: one that will
// remove the folder itself, or that was killed, and what it has left is found by its
// record alone. Notes of where folders were made are as good.
func recorded(folder string) bool {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), RecordPrefix) || strings.HasPrefix(e.Name(), PlacesPrefix) {
			return true
		}
	}
	return false
}

// endBelow is end for what is below the keeper alone. The table is closed.
func (k *keeper) endBelow(grace, limit time.Duration) (left []int) {
	if k.childless() {
		return nil
	}
	if grace > 0 {
		k.rooted.do(k.termAll)
		failpoint.Pass(failpoint.KeeperEndAsked)
	}
	if !k.waitEmpty(grace) {
		left = k.killAll(limit)
	}
	return left
}

// parentFolder is filepath.Dir for a clean absolute path. Every import that
// is initialised late makes the keeper's entry late.
func parentFolder(path string) string {
	return path[:max(1, strings.LastIndexByte(path, '/'))]
}

// childless reports whether there is nobody left already, as is usual for a
// host that was closed in order.
func (k *keeper) childless() bool {
	if !k.table.deserted() {
		return false
	}
	_, err := new(linux.Waiter).Peek(true)
	return errors.Is(err, syscall.ECHILD)
}

// termAll asks every descendant to end. A stopped one is woken to hear it.
func (k *keeper) termAll() {
	self := os.Getpid()
	k.table.mu.Lock()
	direct := linux.Children(self)
	for _, pid := range direct { // none is reaped while the lock is held
		syscall.Kill(pid, syscall.SIGTERM)
		syscall.Kill(pid, syscall.SIGCONT)
	}
	k.table.mu.Unlock()
	for _, pid := range direct {
		termBelow(pid)
	}
}

// termBelow asks the descendants of pid to end.
func termBelow(pid int) {
	for _, c := range linux.Children(pid) {
		if fd, ok := openDescendant(c, pid); ok {
			linux.PidfdSignal(fd, syscall.SIGTERM)
			linux.PidfdSignal(fd, syscall.SIGCONT)
			syscall.Close(fd)
		}
		termBelow(c) // also of one that has just lost its parent
	}
}

// vainTime is how long the keeper goes on when it may signal nobody of those who
// are left.
const vainTime = 250 * time.Millisecond

// killAll sends SIGKILL until nobody is left, or until the limit.
func (k *keeper) killAll(limit time.Duration) (left []int) {
	self := os.Getpid()
	begin := time.Now()
	for useful := begin; ; {
		vain := false
		k.rooted.do(func() { vain = k.killRound(self) })
		if k.waitEmpty(endPause) {
			return nil
		}
		if !vain {
			useful = time.Now()
		}
		if time.Since(begin) > limit || time.Since(useful) > vainTime {
			k.rooted.do(func() { left = living(linux.Children(self)) })
			return left
		}
	}
}

// living returns those of pids that have not ended: the others are about to be
// reaped, on a machine that is busy perhaps not yet.
func living(pids []int) []int {
	return slices.DeleteFunc(pids, func(pid int) bool {
		s, err := linux.ReadStat(pid)
		return err != nil || s.State == 'Z' || s.State == 'X'
	})
}

// killRound reports whether all that is left is processes that may not be
// signalled. It is not when nobody was found but those who are about to be reaped.
func (k *keeper) killRound(self int) (vain bool) {
	failpoint.Pass(failpoint.KeeperEndKill)
	tree := newTree(k.table)
	defer tree.close()
	k.table.mu.Lock()
	for _, c := range k.table.byPid {
		tree.addChild(c)
	}
	k.table.endPool()
	for _, l := range k.table.launches {
		if pid := l.thread.Pid(); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	tree.addOrphans(self)
	k.table.mu.Unlock()
	tree.kill()
	return len(tree.left) > 0 && len(tree.members) == len(tree.left)
}

// waitEmpty waits until the reaper finds no children, at most for d.
func (k *keeper) waitEmpty(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-k.empty:
		return true
	case <-timer.C:
		return false
	}
}
