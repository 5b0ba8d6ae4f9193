//go:build unix

package keeper

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A detachment is what makes a keeper outlive its host. Such a keeper has one
// child, and a folder of its own. It begins as any other: when its host goes, it
// ends everything and removes the folder. The host asks it to prepare, has it
// launch the child, writes down who the two are, and then asks it to commit:
// from there on the child is detached, and the end of the host is nothing to
// this keeper. So there is no moment at which a child runs that nobody can find.
//
// When the child has ended, its exit is written into the folder; then what the
// child left behind is ended, or waited for; and then the keeper exits. The folder
// stays for whoever adopts the child.
type detachment struct {
	k *keeper

	mu        sync.Mutex
	nonce     string // empty before it is prepared
	keep      bool   // what the child leaves behind lives on as it likes
	note      *exitNote
	committed bool
	answered  bool   // the host has been told so
	hostless  bool   // the host went before it had committed
	record    []byte // the child's exit, once it has ended
	adopters  map[*adopter]bool
	telling   sync.WaitGroup // adopters being told of the exit
	over      chan struct{}  // closed when the child has ended and is detached
	ends      chan endRequest
}

// An endRequest asks to end what a child has left that may leave something.
type endRequest struct {
	grace, limit time.Duration
	answer       func(error)
}

// Phases of a frameDetach: the first byte of its payload.
const (
	detachPrepare = iota + 1 // then: whether to keep what the child leaves, nonce
	detachCommit
)

// What a keeper that outlives its host gets as its second argument.
const (
	argFork     = "fork"     // to the process in between: see fork
	argDetached = "detached" // to the keeper
)

// enter is the life of a process that was started under the name of a keeper.
func enter(args []string) error {
	switch {
	case len(args) == 1:
		return run(args[0], nil)
	case args[1] == argFork:
		return fork(args[0])
	case args[1] == argDetached:
		return run(args[0], &detachment{adopters: map[*adopter]bool{}, over: make(chan struct{}), ends: make(chan endRequest, 1)})
	}
	return &spawn.Error{Phase: spawn.PhaseStart, Op: "keeper", Msg: "started by hand: it is no command"}
}

// fork starts the keeper and goes: so that is nobody's child but init's, or the
// next subreaper's, and its end is no affair of the host's.
func fork(folder string) error {
	_, err := syscall.ForkExec(selfExe, []string{Name, folder, argDetached}, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2, laneFD, hostFD, exeFD},
	})
	return err
}

// of makes d the detachment of a keeper.
func (d *detachment) of(k *keeper) *detachment {
	if d != nil {
		d.k = k
	}
	return d
}

// request handles a frameDetach. The answer has this process's pid.
func (d *detachment) request(k *keeper, id uint64, payload []byte) {
	err := d.advance(payload)
	pid := os.Getpid()
	answer := appendError([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)}, err)
	k.send(&lane.Frame{Type: frameLaunched, ID: id, Payload: answer})
	if d != nil {
		d.told()
	}
}

// told is called when the host has an answer. This process ends no sooner than it
// has the one to the commit: a child may have ended before that.
func (d *detachment) told() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.committed && !d.answered {
		d.answered = true
		if d.record != nil {
			close(d.over)
		}
	}
}

func (d *detachment) advance(payload []byte) error {
	switch {
	case d == nil || len(payload) == 0:
	case payload[0] == detachPrepare && len(payload) == 2+nonceSize:
		return d.prepare(payload[1] != 0, string(payload[2:]))
	case payload[0] == detachCommit:
		return d.commit()
	}
	return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: "detach", Msg: "malformed request, or not a keeper that can outlive its host"}
}

// prepare makes the folder, and in it everything that could fail later. Were the
// folder the host's to make, a host killed at that moment would leave it behind.
func (d *detachment) prepare(keep bool, nonce string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := func(err error) error {
		return &spawn.Error{Phase: spawn.PhaseStart, Op: "detach", Path: d.k.folder, Err: err, Errno: errnoOf(err)}
	}
	if d.hostless { // the end, which removes the folder, may be over already
		return failed(syscall.ESRCH)
	}
	if err := failpoint.Fail(failpoint.DetachedPrepare); err != nil {
		return failed(err)
	}
	if err := os.Mkdir(d.k.folder, 0o700); err != nil {
		return failed(err)
	}
	if err := os.Chmod(d.k.folder, 0o700); err != nil { // the umask may have taken more away
		return failed(err)
	}
	note, err := newExitNote(d.k.folder, nonce)
	if err != nil {
		return failed(err)
	}
	fd, err := listenAt(controlPath(d.k.folder))
	if err != nil {
		note.close()
		return failed(err)
	}
	d.nonce, d.keep, d.note = nonce, keep, note
	go d.accept(fd)
	go d.live()
	failpoint.Pass(failpoint.DetachedPrepared)
	return nil
}

// commit detaches the child.
func (d *detachment) commit() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.note == nil || d.hostless || d.committed {
		return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: "detach", Msg: "not prepared, or too late"}
	}
	failpoint.Pass(failpoint.DetachedCommit)
	d.committed = true
	d.k.forgetExe() // its one child is there
	failpoint.Pass(failpoint.DetachedCommitted)
	return nil
}

// hostGone is called when the host is gone. It does not return when there is a
// child that is to outlive it.
func (d *detachment) hostGone() {
	if d == nil {
		return
	}
	d.mu.Lock()
	committed := d.committed
	d.hostless = true
	d.mu.Unlock()
	if committed {
		select {} // live ends the process
	}
}

// exited is called by the reaper with the child's exit: first it is written down,
// then told.
func (d *detachment) exited(records []byte) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.record != nil || d.note == nil {
		return
	}
	d.record = slices.Clone(records[:exitSize])
	d.record[exitSize-1] &^= exitLeft // what is left is this keeper's affair
	failpoint.Pass(failpoint.DetachedExited)
	d.note.write(d.record)
	failpoint.Pass(failpoint.DetachedNoted)
	for a := range d.adopters {
		d.telling.Go(func() { a.tell(d.record) })
	}
	if d.answered {
		close(d.over)
	}
}

// live ends the process when there is nothing left of a child that is detached.
func (d *detachment) live() {
	<-d.over
	k := d.k
	k.table.close() // this makes the reaper say when nobody is left
	end := endRequest{endGrace, endLimit, func(error) {}}
	if d.keep {
		select {
		case end = <-d.ends:
		case <-k.empty:
		}
	}
	var err error
	if left := k.endBelow(end.grace, end.limit); len(left) > 0 {
		err = &spawn.Error{Phase: spawn.PhaseStop, Op: "end", Msg: "still there: " + k.names(left)}
	}
	end.answer(err)
	d.telling.Wait() // each is bounded
	failpoint.Pass(failpoint.DetachedEnd)
	k.recording.Lock() // for good, as in end
	k.rooted.do(func() {
		os.Remove(controlPath(k.folder))
		k.removeNotes()
	})
	syscall.Exit(0)
}
