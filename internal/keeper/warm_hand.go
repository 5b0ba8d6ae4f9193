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
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// A handing is a hand-off under way.
type handing struct {
	aborted chan struct{}

	mu     sync.Mutex
	over   bool            // aborted is closed
	report *zygote.Channel // nil when there is none
	other  *zygote.Channel // somebody else's, or nil: ends as well
}

func newHanding() *handing { return &handing{aborted: make(chan struct{})} }

// abort gives the hand-off up: what it waits for ends.
func (h *handing) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		close(h.aborted)
	}
	for _, ch := range []*zygote.Channel{h.report, h.other} {
		if ch != nil {
			ch.Shutdown()
		}
	}
}

// watch has ch end when the hand-off is given up. It is to be called with nil
// before ch is closed.
func (h *handing) watch(ch *zygote.Channel) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.other = ch; ch != nil && h.over {
		ch.Shutdown()
	}
}

// begin makes r the report, or a new one if there is none: ours, until end is
// called, and theirs, which is the caller's to close.
func (h *handing) begin(r *report) (ours *zygote.Channel, theirs int, err error) {
	if r == nil {
		if r, err = newReport(); err != nil {
			return nil, -1, err
		}
	}
	h.end() // that of the first try
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report = r.ours
	if h.over {
		r.ours.Shutdown()
	}
	return r.ours, r.theirs, nil
}

// A report is the two ends of the socket on which a child says that it has begun.
type report struct {
	ours   *zygote.Channel
	theirs int
}

func newReport() (*report, error) {
	a, b, err := zygote.Pair()
	if err != nil {
		return nil, &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errnoOf(err)}
	}
	ours := zygote.Open(a)
	ours.Deadline(lookTime)
	return &report{ours, b}, nil
}

func (r *report) close() {
	r.ours.Close()
	syscall.Close(r.theirs)
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

// A deadError is errVanished of a process that was ready for a while and had ended before
// it was told anything, which says nothing of those that come after it.
type deadError struct{}

func (deadError) Error() string        { return errVanished.Error() }
func (deadError) Is(target error) bool { return target == errVanished }

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
	if err := l.nodded(); err != nil { // first: a template that nobody takes from may be given up for another
		return none, err
	}
	t, err := w.template(o.key, *conf, o.bootstrap)
	if err != nil {
		return none, err
	}
	h := newHanding()
	l.handing = h // before anybody can want to abort it
	if _, ok := l.k.table.begin(id, l, nil); !ok {
		l.handing = nil
		return none, errEnding()
	}
	failpoint.Pass(failpoint.KeeperHandBegin)
	c, err := l.hand(t, o, h)
	child, record, err := l.k.table.handOn(id, c, err)
	if err != nil {
		h.end()
		return none, err
	}
	c.pidfd = -1 // it is the answer's now
	l.given = given{c, h}
	if record != nil { // it has ended already
		l.k.send(&lane.Frame{Type: frameExited, Payload: record})
	}
	return child, nil
}

// A given is a child that was handed over, and the hand-off.
type given struct {
	child *standby
	*handing
}

// settle does what is left to do of a hand-off when the host has its answer.
func (l *launcher) settle() {
	g := l.given
	if g.child == nil {
		return
	}
	l.given = given{}
	g.end()
	g.child.done()
	g.child.template.handed()
}

// hand hands o to a process of t. A process that has just ended, or that turns out
// to be no good, costs a second try; those that were killed while they waited cost none.
func (l *launcher) hand(t *template, o *order, h *handing) (*standby, error) {
	var killed *spawn.Error // which it was before it was ready
	for again := false; ; {
		p, err := t.take(o.conf.Required, h.aborted)
		if z := p; err == nil && z.turn != nil { // none is ready: it is made now
			p, err = l.k.fork(z, zygote.Now, h)
			z.done()
		}
		if err == nil {
			if err = l.become(p, o, h); err != nil {
				l.k.table.kill(p)
				p.done()
			}
		}
		switch {
		case err == nil:
			return p, nil
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
		again = again || !errors.Is(err, deadError{})
	}
}

// become tells p what to be, and waits until it is.
func (l *launcher) become(p *standby, o *order, h *handing) error {
	report, theirs, err := h.begin(p.report)
	if err != nil {
		return err
	}
	if p.report == nil {
		p.channel.Deadline(handTime)
	}
	p.report = nil
	err = p.channel.Send(slices.Concat([]int{theirs}, o.fds), o.run.Fields()...)
	syscall.Close(theirs)
	if err != nil {
		return p.notTold(err, p.parked)
	}
	failpoint.Pass(failpoint.KeeperHandSent)
	if err = o.started(p, report); errors.Is(err, errVanished) {
		return p.lost(nil)
	}
	return err
}

// notTold is lost for what could not be sent to p, and whether that had waited before.
func (p *standby) notTold(err error, waited bool) error {
	if err = p.lost(err); waited && errors.Is(err, errVanished) {
		return deadError{}
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
func (o *order) started(p *standby, report *zygote.Channel) error {
	until := time.Now().Add(handTime)
	fields, fds, err := report.RecvLast()
	for errors.Is(err, syscall.EAGAIN) && time.Now().Before(until) {
		closeAll(fds)
		if p.stopped() {
			return errVanished
		}
		fields, fds, err = report.RecvLast()
	}
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
	if p.ended {
		return made, appendExit(nil, id, c.pid, p.status, &p.usage, p.when, false, 0), nil
	}
	c.id, c.standby = id, nil
	t.byID[id] = c
	return made, nil, nil
}
