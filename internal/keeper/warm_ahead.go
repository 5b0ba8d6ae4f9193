//go:build linux

package keeper

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// handleWarm has processes made ready for children like the one in the frame. The
// answer may take long: it comes from elsewhere.
func (l *launcher) handleWarm(f *lane.Frame) {
	defer closeAll(f.FDs)
	t, n, err := l.order(f)
	if err != nil {
		l.answer(f.ID, err)
		return
	}
	done := t.prepare(n)
	k, id := l.k, f.ID
	go func() {
		k.send(&lane.Frame{Type: frameDone, ID: id, Payload: appendError(nil, <-done)})
	}()
}

// order returns the template that a frame asks for, and how many are to be ready.
func (l *launcher) order(f *lane.Frame) (t *template, n int, err error) {
	if len(f.Payload) < 8 || l.launch.parse(f.Payload[8:]) != nil {
		return nil, 0, &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Err: errShort}
	}
	p, err := l.plan(l.launch.Plan)
	switch {
	case err != nil:
		return nil, 0, err
	case p.template == nil:
		return nil, 0, &spawn.Error{Kind: spawn.ErrBadPlan, Phase: spawn.PhaseSetup, Op: handoff, Msg: "the plan has none"}
	}
	l.req = launch.Request{Plan: p.plan, Null: l.k.null, NullOut: l.k.nullOut, Path: l.launch.Path, Dir: l.launch.Dir, Args: l.launch.Args, Env: l.launch.Env}
	o, err := l.newOrder(p.template, &l.req)
	if err != nil {
		return nil, 0, err
	}
	defer o.close()
	t, err = l.k.warm.template(o.key, *p.template, o.bootstrap)
	return t, int(min(binary.LittleEndian.Uint64(f.Payload), maxReady)), err
}

// maxReady bounds what is made ready of one template.
const maxReady = 1000

// A prepared is told when n are ready, or that it will not be.
type prepared struct {
	n    int
	done chan error // room for one
}

// prepare has n made ready, and has as many stay so.
func (t *template) prepare(n int) <-chan error {
	w := t.warm
	w.mu.Lock()
	defer w.mu.Unlock()
	p := prepared{n, make(chan error, 1)}
	if w.closed {
		p.done <- errEnding()
		return p.done
	}
	t.least = max(t.least, n)
	t.goal = max(t.goal, n)
	t.prepared = append(t.prepared, p)
	t.touch()
	t.want()
	t.tell(nil)
	return p.done
}

// tell tells those who wait for several what has become of it: that there are as
// many, or why there will not be. The caller holds mu.
func (t *template) tell(err error) {
	kept := t.prepared[:0]
	for _, p := range t.prepared {
		if err != nil || len(t.ready) >= p.n {
			p.done <- err
		} else {
			kept = append(kept, p)
		}
	}
	t.prepared = kept
}

// park keeps p for whoever comes. The caller holds mu.
func (t *template) park(p *standby) {
	p.users, p.out, p.parked = 0, false, true
	t.ready = append(t.ready, p)
}

// within returns how many of goal there is memory for. The caller holds mu.
func (t *template) within(goal int) int {
	if t.conf.Memory <= 0 || t.size <= 0 {
		return goal
	}
	return min(goal, int(max(0, t.conf.Memory-t.base)/t.size))
}

// measure returns what a process takes of memory: its proportional set size in
// bytes, or 0 when that cannot be known. smaps_rollup in proc(5), Linux 4.14.
func (k *keeper) measure(pid int) (size int64) {
	k.rooted.do(func() {
		text, err := linux.ReadProc("/proc/" + itoa(pid) + "/smaps_rollup")
		if err != nil {
			return
		}
		if _, after, ok := bytes.Cut(text, []byte("\nPss:")); ok {
			line, _, _ := bytes.Cut(after, []byte("\n"))
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(line)), " kB"), 10, 64)
			size = kb << 10
		}
	})
	return size
}

// stopped reports whether somebody has stopped the process, which is of no use then:
// nobody knows when it goes on. proc_pid_stat(5).
func (p *standby) stopped() (stopped bool) {
	p.template.warm.k.rooted.do(func() {
		s, err := linux.ReadStat(p.child.pid)
		stopped = err == nil && (s.State == 'T' || s.State == 't')
	})
	return stopped
}

// templates answers what there is.
func (w *warm) list() []TemplateState {
	type found struct {
		TemplateState
		pids []int
	}
	w.k.table.mu.Lock()
	w.mu.Lock()
	var all []found
	for _, t := range w.templates {
		f := found{TemplateState: TemplateState{Kind: t.conf.Kind, Path: t.boot.path, Ready: len(t.ready), Booting: t.booting, Served: t.served}}
		for _, p := range t.processes() {
			f.pids = append(f.pids, p.child.pid)
		}
		all = append(all, f)
	}
	w.mu.Unlock()
	w.k.table.mu.Unlock()
	var states []TemplateState
	for _, f := range all {
		for _, pid := range f.pids { // which may be somebody else's by now: it is a number to look at
			f.Memory += w.k.measure(pid)
		}
		states = append(states, f.TemplateState)
	}
	return states
}

// processes returns those that are there. The caller holds mu.
func (t *template) processes() []*standby {
	if t.zygote == nil {
		return t.ready
	}
	return append([]*standby{t.zygote}, t.ready...)
}

// maker says for people whether there is a zygote.
func (t *template) maker() string {
	switch {
	case !t.fork():
		return ""
	case t.zygote == nil:
		return " (and none that makes them)"
	}
	return " (made by process " + itoa(t.zygote.child.pid) + ")"
}

// describe appends what there is, for people. It waits for no lock.
func (w *warm) describe(b []byte) []byte {
	if !w.mu.TryLock() {
		return append(b, "  its templates are locked\n"...)
	}
	defer w.mu.Unlock()
	for _, t := range w.templates {
		b = append(b, "  template of "+t.boot.path+" ("+t.conf.Kind+"): ready "+itoa(len(t.ready))+t.maker()+", starting "+itoa(t.booting)+", wanted by "+itoa(len(t.waiting))+", handed over "+strconv.FormatUint(t.served, 10)+t.takes()+"\n"...)
	}
	return b
}

// takes says what memory is taken, as far as that is known. The caller holds mu.
func (t *template) takes() (text string) {
	if t.size > 0 {
		text = ", each takes " + strconv.FormatInt(t.size>>10, 10) + " KB"
	}
	if t.base > 0 {
		text += ", the one that makes them " + strconv.FormatInt(t.base>>10, 10) + " KB"
	}
	return text
}
