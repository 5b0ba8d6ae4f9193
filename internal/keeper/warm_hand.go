//go:build linux

package keeper

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A handing is a hand-off under way.
type handing struct {
	aborted chan struct{}

	mu     sync.Mutex
	over   bool            // aborted is closed
	report *zygote.Channel // nil when there is none
}

// abort gives the hand-off up: what it waits for ends.
func (h *handing) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		close(h.aborted)
	}
	if h.report != nil {
		h.report.Shutdown()
	}
}

// begin makes the report of a child: ours, until end is called, and theirs, which
// is the caller's to close.
func (h *handing) begin() (ours *zygote.Channel, theirs int, err error) {
	a, b, err := zygote.Pair()
	if err != nil {
		return nil, -1, &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errnoOf(err)}
	}
	ours = zygote.Open(a)
	ours.Deadline(handTime)
	h.end() // that of the first try
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report = ours
	if h.over {
		ours.Shutdown()
	}
	return ours, b, nil
}

func (h *handing) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.report != nil {
		h.report.Close()
		h.report = nil
	}
}

func (h *handing) isAborted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// errVanished says that a process which was ready is gone, or was no good: another
// one may do.
var errVanished = errors.New("the process that was ready has gone")

// handOff has a process that is ready become the child of l.req, whose plan
// begins with a handoff that is no longer there.
func (l *launcher) handOff(id uint64, conf *spawn.Template) (launch.Child, error) {
	none := launch.Child{Pidfd: -1}
	w := l.k.warm
	o, err := l.newOrder(conf, &l.req)
	if err != nil {
		return none, err
	}
	defer o.close()
	o.run.ID = strconv.FormatUint(id, 10)
	t, err := w.template(o.key, *conf, o.bootstrap)
	if err != nil {
		return none, err
	}
	h := &handing{aborted: make(chan struct{})}
	l.handing = h // before anybody can want to abort it
	if _, ok := l.k.table.begin(id, l, nil); !ok {
		return none, errEnding()
	}
	failpoint.Pass(failpoint.KeeperHandBegin)
	c, err := l.hand(t, o, h)
	child, record, err := l.k.table.handOn(id, c, err)
	h.end()
	if err != nil {
		return none, err
	}
	c.pidfd = -1 // it is the answer's now
	if c.channel != nil {
		c.done()
	}
	t.handed()
	if record != nil { // it has ended already
		l.k.send(&lane.Frame{Type: frameExited, Payload: record})
	}
	return child, nil
}

// hand hands o to a process of t. A process that has just ended, or that turns out
// to be no good, costs a second try.
func (l *launcher) hand(t *template, o *order, h *handing) (*standby, error) {
	var killed *spawn.Error // which it was before it was ready
	for again := false; ; again = true {
		p, err := t.take(h.aborted)
		var c *standby
		switch {
		case err != nil:
		case t.fork():
			c, err = l.fork(p, o, h)
			p.done()
		default:
			if c, err = p, l.become(p, o, h); err != nil {
				t.warm.k.table.kill(p)
				p.done()
			}
		}
		switch {
		case err == nil:
			return c, nil
		case h.isAborted():
			return nil, errAborted()
		case !errors.Is(err, errVanished):
			return nil, err
		case again && errors.As(err, &killed):
			with := *killed
			with.Err = nil
			return nil, &with
		case again:
			return nil, t.bad("one after the other ended or fell silent when it was told what to be")
		}
	}
}

// become tells p what to be, and waits until it is.
func (l *launcher) become(p *standby, o *order, h *handing) error {
	report, theirs, err := h.begin()
	if err != nil {
		return err
	}
	p.channel.Deadline(handTime)
	err = p.channel.Send(slices.Concat([]int{theirs}, o.fds), o.run.Fields()...)
	syscall.Close(theirs)
	if err != nil {
		return p.lost(err)
	}
	failpoint.Pass(failpoint.KeeperHandSent)
	if err = o.started(report); errors.Is(err, errVanished) {
		return p.lost(nil)
	}
	return err
}

// lost says what it means that p does not answer: err is what came of sending.
func (p *standby) lost(err error) error {
	switch errno := errnoOf(err); errno {
	case 0, syscall.EPIPE, syscall.ECONNRESET:
		return errVanished
	case syscall.EAGAIN:
		return p.template.bad("it did not answer within " + handTime.String())
	default: // it was not sent: no room for descriptors, say
		return &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errno}
	}
}

// started waits for the child to say that it is what it was told to be.
func (o *order) started(report *zygote.Channel) error {
	fields, fds, err := report.Recv()
	closeAll(fds)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseSetup, Op: handoff, Path: o.path, Msg: "the child did not say within " + handTime.String() + " that it has begun"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errVanished
	case err != nil:
		return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: handoff, Path: o.path, Err: err}
	case fields[0] == zygote.Started:
		return nil
	case fields[0] == zygote.Failed && len(fields) >= 3:
		return o.failed(fields[1:])
	}
	return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: handoff, Path: o.path, Msg: "the child said neither that it has begun nor why not"}
}

// failed returns the error of a setting that the child could not have: what, errno,
// text.
func (o *order) failed(fields []string) error {
	errno, _ := strconv.Atoi(fields[1])
	text := strings.Join(fields[2:], " ")
	if i := slices.Index(o.run.Settings, fields[0]); i > 0 && errno > 0 {
		e := launch.StepError(o.req, o.steps[i], syscall.Errno(errno))
		if o.steps[i] == 0 {
			e.Op = fields[0]
		}
		if text != "" {
			e.Msg = text
		}
		return e
	}
	return &spawn.Error{Phase: spawn.PhaseSetup, Op: fields[0], Path: o.path, Errno: syscall.Errno(max(errno, 0)), Msg: text}
}

// oweTime is how long a process may owe an answer that nobody waits for before it
// is taken for one that will not give it.
const oweTime = time.Second

// abortPause is the time between two looks at whether a hand-off has been given up
// for which there is no event.
const abortPause = 20 * time.Millisecond

// fork has p make a child.
func (l *launcher) fork(p *standby, o *order, h *handing) (*standby, error) {
	select {
	case p.turn <- struct{}{}:
	case <-h.aborted:
		return nil, errAborted()
	}
	child, report, err := l.forkInTurn(p, o, h)
	<-p.turn
	if err != nil {
		return nil, err
	}
	if err := o.started(report); err != nil {
		l.k.table.kill(child)
		if errors.Is(err, errVanished) {
			err = p.template.bad("the child that it made ended before it had begun")
		}
		return nil, err
	}
	return child, nil
}

// forkInTurn is fork up to the birth of the child.
func (l *launcher) forkInTurn(p *standby, o *order, h *handing) (*standby, *zygote.Channel, error) {
	if !p.owed.IsZero() && time.Since(p.owed) > oweTime {
		return nil, nil, p.dismiss()
	}
	report, theirs, err := h.begin()
	if err != nil {
		return nil, nil, err
	}
	t := l.k.table
	began := t.beginFork()
	defer t.endFork()
	p.channel.Deadline(handTime)
	err = p.channel.Send(slices.Concat([]int{theirs}, o.fds), o.run.Fields()...)
	syscall.Close(theirs)
	if err != nil {
		err = p.lost(err)
		if errors.Is(err, errVanished) || errors.Is(err, spawn.ErrProtocol) {
			p.dismiss()
		}
		return nil, nil, err
	}
	pid, err := p.born(o.run.ID, report, h)
	if err != nil {
		return nil, nil, err
	}
	c := &standby{template: p.template, pidfd: -1, gone: make(chan struct{}), out: true}
	if !t.adopt(pid, c, began) {
		p.dismiss()
		return nil, nil, p.template.bad("it said that it had made process " + itoa(pid) + ", which is no new child")
	}
	return c, report, nil
}

// dismiss kills a process that is of no use any more, and returns errVanished. A
// new one is started for whoever comes next.
func (p *standby) dismiss() error {
	w := p.template.warm
	w.mu.Lock()
	if i := slices.Index(p.template.ready, p); i >= 0 {
		p.template.ready = slices.Delete(p.template.ready, i, i+1)
		p.out = true
	}
	w.mu.Unlock()
	w.k.table.kill(p)
	return errVanished
}

// born waits for the answer to the run with this id.
func (p *standby) born(id string, report *zygote.Channel, h *handing) (pid int, err error) {
	for until := time.Now().Add(handTime); ; {
		said := p.channel.Await(report, handTime)
		for !said && !h.isAborted() && time.Now().Before(until) {
			said = p.channel.Await(nil, abortPause) // the child has ended already
		}
		if !said && h.isAborted() {
			if p.owed.IsZero() {
				p.owed = time.Now()
			}
			return 0, errAborted()
		}
		p.channel.Deadline(oweTime)
		fields, fds, err := p.channel.Recv()
		closeAll(fds)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			p.dismiss()
			return 0, p.template.bad("it did not answer within " + handTime.String())
		case err != nil:
			return 0, p.dismiss()
		case len(fields) >= 3 && fields[1] != id && (fields[0] == zygote.Born || fields[0] == zygote.Refused):
			continue // of one that was given up: its report was shut down
		case len(fields) == 3 && fields[0] == zygote.Born:
			p.owed = time.Time{}
			if pid, err := strconv.Atoi(fields[2]); err == nil && pid > 1 {
				return pid, nil
			}
		case len(fields) >= 3 && fields[0] == zygote.Refused:
			p.owed = time.Time{}
			errno, _ := strconv.Atoi(fields[2])
			return 0, &spawn.Error{Phase: spawn.PhaseSetup, Op: "fork", Path: p.template.boot.path, Errno: syscall.Errno(max(errno, 0)), Msg: strings.Join(fields[3:], " ")}
		}
		p.dismiss()
		return 0, p.template.bad("what it said is no answer: " + strconv.Quote(strings.Join(fields, " ")))
	}
}

// A stray is a child that nobody knew when it was reaped.
type stray struct {
	status syscall.WaitStatus
	usage  syscall.Rusage
	when   time.Time
}

// beginFork notes that a child may appear which this process has not made, and
// returns the time.
func (t *table) beginFork() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forks++
	return t.notes.clock.now()
}

func (t *table) endFork() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forks--; t.forks == 0 {
		t.strays = nil
	}
}

// noteStray notes the end of a child that nobody knows. The caller holds mu.
func (t *table) noteStray(pid int, ws syscall.WaitStatus, usage syscall.Rusage) {
	if t.forks == 0 {
		return
	}
	if t.strays == nil {
		t.strays = map[int]stray{}
	}
	t.strays[pid] = stray{ws, usage, time.Now()}
}

// adopt enters a child that another process has made for this one. It reports false
// when there is no such child.
func (t *table) adopt(pid int, p *standby, began time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own(pid) || t.closed {
		return false
	}
	if linux.IsChild(pid) {
		t.enter(pid, p, began, false)
		return true
	}
	s, ok := t.strays[pid]
	if ok {
		p.child = &child{pid: pid, standby: p, noted: noted{slot: noSlot}}
		p.ended, p.status, p.usage, p.when = true, s.status, s.usage, s.when
	}
	return ok
}

// handOn ends a hand-off, and makes p the host's child if there is no error. A
// child that has ended already comes with the record of that.
func (t *table) handOn(id uint64, p *standby, failed error) (made launch.Child, record []byte, err error) {
	made.Pidfd = -1
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.launches[id]; l != nil {
		l.handing = nil
	}
	delete(t.launches, id)
	t.born++
	t.changed.Broadcast()
	if failed != nil {
		return made, nil, failed
	}
	c := p.child
	made.Pid, made.Pidfd = c.pid, p.pidfd
	if made.Pidfd < 0 && !p.ended {
		if fd, err := linux.PidfdOpen(c.pid); err == nil {
			made.Pidfd = fd
		}
	}
	if p.ended {
		return made, appendExit(nil, id, c.pid, p.status, &p.usage, p.when, false, 0), nil
	}
	c.id, c.standby = id, nil
	t.byID[id] = c
	return made, nil, nil
}
