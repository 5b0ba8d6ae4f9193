//go:build unix

package keeper

import (
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A launcher is a thread that takes frames from the lane and handles each of
// them to its end.
type launcher struct {
	k      *keeper
	thread *launch.Thread
	frame  lane.Frame
	reply  []byte
	launch Launch
	req    launch.Request
	plans  map[string]*known // plans seen, by their encoding
	known  *known            // that of the request
	told   *linux.Bell       // rung when the host knows of its child's end; nil for none
	status int               // /proc/thread-self/status, once it is needed

	planSize int // of all encodings in plans

	childFDs []int  // of one child of a batch
	batch    *batch // what a parked launcher is to go on with

	handing *handing // the hand-off under way; nil when it is none
	handed  bool     // the last child was handed over
	given   given    // that child, until it is settled
	cold    error    // why it was not handed over as its plan has it; nil if nothing is wrong

	held    uint64 // the launch that is to wait for the host's nod; 0 when there is none
	refused bool   // there was none

	begin chan struct{} // closed when a parked launcher is to run
	began time.Duration // the launch under way, by the table's clock
}

// What a launcher remembers: this many plans, of this many bytes in all, and none of
// more than a quarter of that, which has room for the text of an interpreter's adapter. A
// plan can be large, by mistake or by malice, and takes a multiple of that decoded.
const (
	maxPlans    = 32
	maxPlanSize = 128 << 10
)

// park gives a launcher its thread, on which it waits for begin to be closed.
func (l *launcher) park() {
	l.begin = make(chan struct{})
	there := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked, as in run
		close(there)
		<-l.begin
		l.run()
	}()
	<-there
}

// run is the life of a launcher. It ends with the process.
func (l *launcher) run() {
	punctual()             // first: what makes threads for the runtime is made by the first thread that is locked
	runtime.LockOSThread() // never unlocked: children are bound to this thread
	punctual()
	if l.batch != nil {
		l.work(l.batch)
		l.batch = nil
		l.tidy()
	}
	for {
		l.k.crew.rest()
		err := l.k.conn.Recv(&l.frame)
		l.k.crew.work()
		switch {
		case errors.Is(err, lane.ErrFrame):
			l.refuse(&l.frame, err)
			continue
		case err != nil:
			l.k.hangUp()
			select {} // the end of this thread would be that of its children
		}
		l.handle(&l.frame)
		l.tidy()
	}
}

// refuse answers a frame that could not be received whole: this process may
// have had no room for its descriptors, which are closed already.
func (l *launcher) refuse(f *lane.Frame, err error) {
	if f.Type != frameLaunch && f.Type != frameHeld && f.Type != frameLaunchAll {
		return
	}
	l.answerLaunch(f, &spawn.Error{Phase: spawn.PhaseSetup, Op: "receive", Err: err, Errno: errnoOf(err)})
}

// answerLaunch answers that a request, of one child or of several, has failed.
func (l *launcher) answerLaunch(f *lane.Frame, err error) {
	l.reply = appendError(append(l.reply[:0], 0, 0, 0, 0), err)
	l.k.send(&lane.Frame{Type: frameLaunched, ID: f.ID, Payload: l.reply})
}

func errnoOf(err error) (errno syscall.Errno) {
	errors.As(err, &errno)
	return errno
}

// bigRequest is the size from which a request's memory is not kept.
const bigRequest = 1 << 20

// tidy lets go of what the last request needed.
func (l *launcher) tidy() {
	if cap(l.frame.Payload) > bigRequest {
		l.frame.Payload = nil
		defer freeOSMemory() // a keeper is small, most of the time idle, and lives long
	}
	clear(l.launch.Args)
	clear(l.launch.Env)
	l.launch = Launch{Args: l.launch.Args[:0], Env: l.launch.Env[:0], Files: l.launch.Files[:0]}
	l.req = launch.Request{Files: l.req.Files[:0]}
	l.known, l.told = nil, nil
	l.thread.Unpark()
	if cap(l.launch.Args)+cap(l.launch.Env) > bigRequest/16 {
		l.launch.Args, l.launch.Env = nil, nil
	}
}

func (l *launcher) handle(f *lane.Frame) {
	failpoint.Pass(failpoint.KeeperReceived)
	switch f.Type {
	case frameLaunch:
		l.handleLaunch(f)
	case frameHeld:
		l.held, l.refused = f.ID, false
		l.handleLaunch(f)
		l.nodded() // of a launch that has failed before: the pipe is not to fill up
		l.held = 0
	case frameLaunchAll:
		l.handleBatch(f)
	case frameSignal, frameKill, frameAbort, frameAsk:
		closeAll(f.FDs)
		l.answer(f.ID, l.k.control(f.Type, f.Payload))
	case frameClear:
		closeAll(f.FDs)
		l.k.clear(f.ID, f.Payload)
	case frameEnd:
		closeAll(f.FDs)
		l.k.endOnRequest(f.ID, f.Payload)
	case frameDescribe:
		closeAll(f.FDs)
		l.k.send(&lane.Frame{Type: frameDescribed, ID: f.ID, Payload: l.k.describe()})
	case frameWarm:
		l.handleWarm(f)
	case frameTemplates:
		closeAll(f.FDs)
		l.k.send(&lane.Frame{Type: frameTemplatesAre, ID: f.ID, Payload: appendTemplates(nil, l.k.warm.list())})
	case frameDetach:
		closeAll(f.FDs)
		l.k.detach.request(l.k, f.ID, f.Payload)
	case frameDismiss:
		closeAll(f.FDs)
		failpoint.Pass(failpoint.KeeperDismiss)
		l.k.table.dismiss()
		l.k.warm.close()
	default:
		closeAll(f.FDs)
	}
}

func (l *launcher) answer(id uint64, err error) {
	l.reply = appendError(l.reply[:0], err)
	l.k.send(&lane.Frame{Type: frameDone, ID: id, Payload: l.reply})
}

func (l *launcher) handleLaunch(f *lane.Frame) {
	child, err := l.launchFrame(f)
	closeAll(f.FDs)
	reply := lane.Frame{Type: frameLaunched, ID: f.ID}
	pid, said := l.answerOf(child.Pid, err)
	l.reply = append(l.reply[:0], byte(pid), byte(pid>>8), byte(pid>>16), byte(pid>>24))
	reply.Payload = appendError(l.reply, said)
	if err == nil && child.Pidfd >= 0 {
		reply.FDs = []int{child.Pidfd}
	}
	// A host that is gone learns nothing, and needs nothing: the watcher
	// ends the child. ETOOMANYREFS and its kin only cost the host its pidfd.
	var errno syscall.Errno
	if serr := l.k.conn.Send(&reply); errors.As(serr, &errno) && errno != syscall.EPIPE && reply.FDs != nil {
		reply.FDs = nil
		l.k.send(&reply)
	}
	failpoint.Pass(failpoint.KeeperLaunchAnswered)
	l.settle()
	if err == nil {
		l.ahead()
	}
	if child.Pidfd >= 0 {
		syscall.Close(child.Pidfd)
	}
}

func (l *launcher) launchFrame(f *lane.Frame) (launch.Child, error) {
	if err := l.launch.parse(f.Payload); err != nil {
		return launch.Child{Pidfd: -1}, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Err: err}
	}
	return l.launchChild(f.ID, f.FDs)
}

// launchChild makes the child of l.launch, which has the given descriptors of
// this process. They stay the caller's.
func (l *launcher) launchChild(id uint64, fds []int) (launch.Child, error) {
	none := launch.Child{Pidfd: -1}
	l.handed, l.cold = false, nil
	n, err := l.plan(l.launch.Plan)
	if err != nil {
		return none, err
	}
	l.known, l.told = n, nil
	if n.key != "" {
		l.told = new(linux.Bell)
	}
	files := len(fds) - len(l.launch.Files)
	if files < 0 {
		return none, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Msg: "fewer descriptors than the request names"}
	}
	if err := l.k.refuseExposed(n); err != nil {
		return none, err
	}
	l.req = launch.Request{
		Plan: n.plan, FDs: fds[:files], Checked: n.checked == files+1, Null: l.k.null, NullOut: l.k.nullOut, Self: l.k.self,
		Path: l.k.path(n, l.launch.Path), Dir: l.launch.Dir, Args: l.launch.Args, Env: l.launch.Env,
		Files: l.req.Files[:0],
	}
	for i, n := range l.launch.Files {
		l.req.Files = append(l.req.Files, launch.File{Number: n, FD: fds[files+i]})
	}
	if !l.k.crew.mayLaunch() {
		return none, &spawn.Error{Phase: spawn.PhaseSetup, Op: "clone", Errno: syscall.EAGAIN, Msg: "the keeper can have no more threads"}
	}
	if n.template != nil && !l.k.startsCold(n.template) {
		child, err := l.handOff(id, n.template)
		if err == nil || n.template.Required || !useless(err) {
			l.handed = err == nil
			return child, err
		}
		l.cold = err
	}
	u, err := l.upkeep(id, &l.req)
	if err != nil {
		return none, err
	}
	l.req.Folders = u.fds()
	parked := l.takeParked(n)
	ready, ok := l.k.table.begin(id, l, parked)
	if !ok {
		u.close()
		return none, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Msg: "the keeper is ending, or the launch was given up"}
	}
	if err := failpoint.Fail(failpoint.KeeperLaunchBegin); err != nil {
		l.k.table.finish(id, l, none, nil, true)
		u.close()
		return none, &spawn.Error{Phase: spawn.PhaseSetup, Op: "clone", Errno: errnoOf(err)}
	}
	child, err := l.start(parked, ready)
	failpoint.Pass(failpoint.KeeperLaunchCloned)
	l.k.table.finish(id, l, child, u, err != nil)
	if err == nil {
		n.checked = files + 1
		u.begin()
	} else {
		err = u.explain(err)
	}
	if err != nil && child.Pid == 0 {
		u.close() // or else when it has been reaped
	}
	failpoint.Pass(failpoint.KeeperLaunchEntered)
	if err != nil && child.Pid == 0 && errnoOf(err) == syscall.EAGAIN {
		l.k.crew.noteRefusal()
	}
	return child, err
}

// start makes the child of l.req, which the table knows, of what was parked for it
// or anew.
func (l *launcher) start(parked *child, ready bool) (launch.Child, error) {
	if ready {
		child, there, err := l.thread.Become(&l.req, func() bool { return l.still(parked) && l.nodded() == nil })
		if there {
			return child, err
		}
		l.k.table.gone(l, parked)
	}
	if err := l.nodded(); err != nil {
		return launch.Child{Pidfd: -1}, err
	}
	return l.thread.Launch(&l.req)
}

// plan decodes a plan, or finds it decoded: most children of a host come from
// few plans.
func (l *launcher) plan(encoded []byte) (*known, error) {
	if p := l.plans[string(encoded)]; p != nil {
		return p, nil
	}
	p, err := newKnown(encoded)
	if err != nil {
		return nil, &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhasePlan, Err: err}
	}
	if len(encoded) > maxPlanSize/4 {
		return p, nil
	}
	if len(l.plans) >= maxPlans || l.planSize+len(encoded) > maxPlanSize {
		clear(l.plans)
		l.planSize = 0
	}
	l.plans[string(encoded)] = p
	l.planSize += len(encoded)
	return p, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

// newLauncher returns a launcher that is ready to run.
func newLauncher(k *keeper) (*launcher, error) {
	th, err := launch.NewThread()
	if err != nil {
		return nil, err
	}
	return &launcher{k: k, thread: th, plans: map[string]*known{}}, nil
}
