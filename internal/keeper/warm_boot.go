//go:build linux

package keeper

import (
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

func itoa(n int) string { return strconv.Itoa(n) }

// bootAll is the life of the thread that starts the processes of all templates. It
// ends with the keeper: they are bound to it.
func (w *warm) bootAll(l *launcher) {
	punctual()
	runtime.LockOSThread() // never unlocked
	punctual()
	for range w.queued {
		for {
			w.mu.Lock()
			if len(w.queue) == 0 {
				w.mu.Unlock()
				break
			}
			t := w.queue[0]
			w.queue = w.queue[1:]
			closed := w.closed
			w.mu.Unlock()
			err := errEnding()
			if !closed {
				err = t.start(l)
			}
			if err != nil {
				t.booted(nil, err)
			}
		}
	}
}

// start starts a process of t. Whether it becomes ready is waited for elsewhere.
func (t *template) start(l *launcher) error {
	k := t.warm.k
	ours, theirs, err := zygote.Pair()
	if err != nil {
		return &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errnoOf(err)}
	}
	p := &standby{template: t, channel: zygote.Open(ours), pidfd: -1, gone: make(chan struct{})}
	if t.fork() {
		p.turn = make(chan struct{}, 1)
	}
	l.req = t.boot.request(k, t.conf.Kind, theirs)
	if !k.table.beginBoot(l) {
		syscall.Close(theirs)
		p.letGo()
		return errEnding()
	}
	stuck := time.AfterFunc(bootTime, func() { k.table.killMaker(l) })
	child, err := l.thread.Launch(&l.req)
	stuck.Stop()
	p.pidfd = child.Pidfd
	k.table.endBoot(l, child, p, err != nil)
	syscall.Close(theirs)
	if err != nil {
		p.letGo()
		if errors.Is(err, spawn.ErrCanceled) { // somebody has killed it before its exec
			e := *spawn.AsError(err)
			e.Err = errVanished
			return &e
		}
		return err
	}
	go t.await(p)
	return nil
}

// await waits until p, which was started, is ready.
func (t *template) await(p *standby) {
	if err := t.check(p, t.conf.Kind); err != nil {
		t.warm.k.table.kill(p)
		<-p.gone
		p.letGo()
		t.booted(nil, err)
		return
	}
	if t.fork() {
		t.weigh(p, &t.base)
	} else {
		t.weigh(p, &t.size)
	}
	t.booted(p, nil)
}

// check waits until p says that it is ready, of that kind.
func (t *template) check(p *standby, kind string) error {
	for until := time.Now().Add(bootTime); !p.channel.Await(nil, lookTime) && time.Now().Before(until); {
		if p.stopped() {
			e := t.bad("it was stopped before it was ready")
			e.Err = errVanished
			return e
		}
	}
	p.channel.Deadline(lookTime)
	fields, fds, err := p.channel.Recv()
	closeAll(fds)
	switch {
	case err != nil:
		return t.notReady(p, err)
	case len(fields) < 3 || fields[0] != zygote.Ready:
		return t.bad("it said something else than that it was ready")
	case fields[1] != kind:
		return t.bad("it is of the kind " + strconv.Quote(fields[1]))
	case fields[2] != zygote.Version:
		return t.bad("it speaks version " + strconv.Quote(fields[2]) + " of the protocol, not " + zygote.Version)
	}
	if kind == zygote.Pool { // so that there is as little as can be to do when it is wanted
		p.channel.Deadline(handTime)
		p.report, _ = newReport() // or else it is tried again then
	}
	return nil
}

// weigh notes in what the memory that p takes: of each one if that is bounded, or
// else of the first one.
func (t *template) weigh(p *standby, what *int64) {
	t.warm.mu.Lock()
	known := *what > 0
	t.warm.mu.Unlock()
	if known && t.conf.Memory <= 0 {
		return
	}
	size := t.warm.k.measure(p.child.pid)
	t.warm.mu.Lock()
	defer t.warm.mu.Unlock()
	*what = max(*what, size)
}

// booted notes that a process is ready, or that there will be none.
func (t *template) booted(p *standby, err error) {
	table, w := t.warm.k.table, t.warm
	table.mu.Lock()
	defer table.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	t.booting--
	switch {
	case err != nil:
		t.fail(err)
	case w.closed || p.ended:
		p.letGo()
		e := t.bad("it ended when it was ready")
		e.Err = errVanished // as if it had been ready for longer: the next one may do
		t.fail(e)
	default:
		t.broken = nil
		t.give(p)
	}
}

// bad returns the error of a template whose processes do not do what they should.
func (t *template) bad(msg string) *spawn.Error {
	return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Op: handoff, Path: t.boot.path,
		Msg: "the process that was to be ready for it (" + t.conf.Kind + "): " + msg}
}

// wordsTime is how long the end of a process is waited for that has closed its
// channel.
const wordsTime = time.Second

// notReady says why p did not become ready.
func (t *template) notReady(p *standby, err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		e := t.bad("it was not ready within " + bootTime.String())
		e.Kind = spawn.ErrTimeout
		return e
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		return t.bad("its channel: " + err.Error())
	}
	msg := "it closed its channel instead of being ready"
	timer := time.NewTimer(wordsTime)
	defer timer.Stop()
	select {
	case <-p.gone:
		words := t.boot.lastWords()
		e := t.bad("it ended before it was ready: " + p.end() + words)
		if p.killed() {
			e.Err = errVanished
		}
		if e.Err != nil || words != "" { // it says itself what is wrong
			return e
		}
		msg = "it ended before it was ready: " + p.end()
	case <-timer.C:
	}
	return t.bad(msg + "; does the program support this, and is that the first thing it does?")
}

// killed reports whether somebody has killed a process that has been reaped: the
// next one may be luckier.
func (p *standby) killed() bool {
	t := p.template.warm.k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.status.Signaled() && p.status.Signal() == syscall.SIGKILL
}

// end says how a process ended that has been reaped.
func (p *standby) end() string {
	t := p.template.warm.k.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.status.Signaled() {
		return p.status.Signal().String()
	}
	return "exit status " + itoa(p.status.ExitStatus())
}

// lastWords returns the end of what processes of the template have written to
// their standard error.
func (b *bootstrap) lastWords() string {
	var st syscall.Stat_t
	if syscall.Fstat(b.words, &st) != nil || st.Size == 0 {
		return ""
	}
	text := make([]byte, min(st.Size, 1000))
	n, err := syscall.Pread(b.words, text, st.Size-int64(len(text)))
	if err != nil {
		return ""
	}
	return "; the last it said: " + strings.ToValidUTF8(strings.TrimSpace(string(text[:n])), "?")
}

// beginBoot notes that l is about to start a process that is not the host's. It
// reports whether it may.
func (t *table) beginBoot(l *launcher) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.free {
		return false
	}
	l.thread.Rearm()
	t.makers[l.thread] = t.notes.clock.now()
	return true
}

// endBoot enters a process that l has started for a template. One that failed to
// become its program is reaped and forgotten.
func (t *table) endBoot(l *launcher, made launch.Child, p *standby, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	began := t.makers[l.thread]
	delete(t.makers, l.thread)
	if made.Pid != 0 {
		t.enter(made.Pid, p, began, failed)
	}
	l.thread.Done()
	t.born++
	t.changed.Broadcast()
}

// enter enters a child that is not the host's yet. The caller holds mu.
func (t *table) enter(pid int, p *standby, began time.Duration, failed bool) {
	c := &child{pid: pid, failed: failed, noted: noted{slot: noSlot}}
	t.byPid[pid] = c
	t.reused(pid)
	if !failed {
		c.standby, p.child = p, c
		t.notes.birth(c, began)
	}
}

// kill kills a process that is not the host's, if it is there.
func (t *table) kill(p *standby) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := p.child; c != nil && t.byPid[c.pid] == c {
		syscall.Kill(c.pid, syscall.SIGKILL)
	}
}

// killStandbys kills all processes that are not the host's.
func (t *table) killStandbys() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.byPid {
		if c.standby != nil {
			syscall.Kill(c.pid, syscall.SIGKILL)
		}
	}
}

// killMaker ends a launch that does not get to its exec.
func (t *table) killMaker(l *launcher) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.thread.Abort()
	if pid := l.thread.Pid(); pid > 0 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// standbyEnded notes the end of a process that is not the host's. The caller holds
// mu.
func (t *table) standbyEnded(c *child, ws syscall.WaitStatus, usage syscall.Rusage) {
	p := c.standby
	p.ended, p.status, p.usage, p.when = true, ws, usage, time.Now()
	p.template.warm.ended(p)
}
