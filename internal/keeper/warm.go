//go:build linux

package keeper

import (
	"errors"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/launch"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/zygote"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// warm has the templates of a keeper: processes that were made ready ahead, for
// plans that begin with a handoff. They are in the table from their birth, but
// the host is not told of them before one is handed over.
//
// The lock may be taken while the table's is held, never the other way round.
type warm struct {
	k *keeper

	mu        sync.Mutex
	templates map[string]*template
	queue     []*template // of which a process is to be started, one for each time
	queued    chan struct{}
	closed    bool // everything is being ended: nothing is started any more
}

// A template is what processes are alike in. What is below the line belongs to
// whoever holds the lock of warm.
type template struct {
	warm *warm
	conf spawn.Template
	boot bootstrap

	ready   []*standby    // each of which becomes one child
	zygote  *standby      // of the kind fork: the one that makes them; nil when there is none
	booting int           // started, or to be started
	waiting []chan booted // room for one in each; of the kind fork they wait for the zygote
	lost    int           // of the kind fork: how often in a row one that was to be made ahead has vanished
	goal    int           // how many are to be ready without anybody waiting
	least   int           // what it does not fall below
	uses    int           // since nobody had wanted any for a while
	served  uint64        // children handed over
	size    int64         // what one takes of memory; 0 while that is not known
	base    int64         // what the zygote takes, likewise
	used    time.Time
	refill  *time.Timer
	idle    *time.Timer

	broken   error // what came of the last process, if it did not become ready
	brokenAt time.Time

	prepared []prepared // who waits for several
}

// A booted is what somebody who waits for a process is told.
type booted struct {
	p   *standby
	err error
}

// A standby is a process that was made ready, until it is handed over.
type standby struct {
	template *template
	channel  *zygote.Channel
	pidfd    int // or -1
	child    *child
	gone     chan struct{} // closed when it has been reaped
	report   *report       // of the child that it is to be; nil when it is not made yet

	// What the lock of warm guards.
	users int  // who talk to it, or are about to
	out   bool // it is not in ready, and will not be: the last user lets it go

	parked bool // it was in ready; constant for whoever has it from there

	// Of a zygote.
	turn  chan struct{} // a place for the one who talks to it; nil for one that becomes a child
	owed  time.Time     // since when it owes an answer nobody waits for; belongs to who has the turn
	asked uint64        // how many children it was asked for; likewise

	// What the table's lock guards.
	ended  bool
	status syscall.WaitStatus
	usage  syscall.Rusage
	when   time.Time
}

const (
	// maxTemplates bounds the templates of one keeper.
	maxTemplates = 32
	// bootTime is how long a process may take to be ready.
	bootTime = 60 * time.Second
	// handTime bounds a hand-off, whatever the host's patience.
	handTime = 10 * time.Second
	// lookTime is how long a process may be silent before it is looked at whether
	// somebody has stopped it.
	lookTime = 250 * time.Millisecond
	// refillPause is how long nothing must have been handed over before another
	// process is started for the next one: whoever asks for many in a row needs
	// the processors. With 1 ms nothing is gained, with 15 ms none is ever ready for
	// a caller of short programs.
	refillPause = 5 * time.Millisecond
	// refillTries bounds that.
	refillTries = 20
	// secondUse is the use from which a template has a process ready whose
	// minimum is none: what is used once is not worth it.
	secondUse = 2
)

func newWarm(k *keeper) *warm {
	return &warm{k: k, templates: map[string]*template{}}
}

// template returns the template of that key, which is made if there is none.
func (w *warm) template(key string, conf spawn.Template, boot func() bootstrap) (*template, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, errEnding()
	}
	if t := w.templates[key]; t != nil {
		return t, nil
	}
	if w.queued == nil { // the first one
		b, err := newLauncher(w.k)
		if err != nil {
			return nil, &spawn.Error{Phase: spawn.PhaseSetup, Op: handoff, Errno: errnoOf(err)}
		}
		w.queued = make(chan struct{}, 1)
		go w.bootAll(b)
	}
	if len(w.templates) >= maxTemplates {
		w.evict()
	}
	t := &template{warm: w, conf: conf, boot: boot(), goal: conf.Min, least: conf.Min}
	w.templates[key] = t
	return t, nil
}

// evict drops the template that was not used for the longest time and that
// nobody waits for. The caller holds mu.
func (w *warm) evict() {
	oldest := ""
	for key, t := range w.templates {
		if len(t.waiting)+len(t.prepared)+t.booting == 0 && (oldest == "" || t.used.Before(w.templates[oldest].used)) {
			oldest = key
		}
	}
	if t := w.templates[oldest]; t != nil {
		t.shrink(0)
		t.boot.close()
		delete(w.templates, oldest)
	}
}

// fork reports whether one process makes all the others.
func (t *template) fork() bool { return t.conf.Kind == spawn.ForkTemplate }

// take returns a process that is ready, which nobody else will get, or the zygote
// if there is none. It waits for one until aborted is closed.
//
// A template that was of no use is not tried again for a while when the child can
// be started in another way: what is started for it runs the program.
func (t *template) take(required bool, aborted <-chan struct{}) (*standby, error) {
	w := t.warm
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil, errEnding()
	}
	if !required && t.broken != nil && time.Since(t.brokenAt) < brokenTime {
		w.mu.Unlock()
		return nil, t.broken
	}
	t.uses++
	t.used = time.Now()
	t.touch()
	if p := t.pop(); p != nil {
		w.mu.Unlock()
		return p, nil
	}
	if t.uses >= secondUse {
		t.goal = max(min(t.goal+1, t.conf.Max), t.least)
	}
	if z := t.zygote; z != nil {
		z.users++
		w.mu.Unlock()
		return z, nil
	}
	ch := make(chan booted, 1)
	t.waiting = append(t.waiting, ch)
	t.want()
	w.mu.Unlock()
	select {
	case b := <-ch:
		return b.p, b.err
	case <-aborted:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(c chan booted) bool { return c == ch })
	select { // it may have come just now
	case b := <-ch:
		switch {
		case b.p == nil:
		case t.fork():
			b.p.release()
		default:
			t.give(b.p)
		}
	default:
	}
	return nil, errAborted()
}

// pop returns one that is ready, or nil. The caller holds mu.
func (t *template) pop() *standby {
	if len(t.ready) == 0 {
		return nil
	}
	last := len(t.ready) - 1 // the one that is most likely in the caches
	p := t.ready[last]
	p.users, p.out = 1, true
	t.ready = t.ready[:last]
	return p
}

// done is release for whoever does not hold the lock.
func (p *standby) done() {
	w := p.template.warm
	w.mu.Lock()
	defer w.mu.Unlock()
	p.release()
}

// release gives up the use of p. The caller holds mu.
func (p *standby) release() {
	p.users--
	p.drop()
}

// drop lets go of p if nobody else will. The caller holds mu.
func (p *standby) drop() {
	if p.out && p.users == 0 {
		p.letGo()
	}
}

// want has as many started as are missing. The caller holds mu.
func (t *template) want() {
	if t.fork() {
		t.wantForks()
		return
	}
	for missing := len(t.waiting) + t.within(t.goal) - len(t.ready) - t.booting; missing > 0; missing-- {
		t.enqueue()
	}
}

// enqueue has one process started. The caller holds mu.
func (t *template) enqueue() {
	w := t.warm
	if w.closed {
		return
	}
	t.booting++
	w.queue = append(w.queue, t)
	select {
	case w.queued <- struct{}{}:
	default:
	}
}

// give gives p, which is ready, to whoever has waited for the longest time, or
// keeps it. The caller holds mu.
func (t *template) give(p *standby) {
	if t.fork() {
		t.giveZygote(p)
		return
	}
	if len(t.waiting) > 0 {
		p.users, p.out = 1, true
		t.waiting[0] <- booted{p: p}
		t.waiting = t.waiting[1:]
		return
	}
	t.park(p)
	t.tell(nil)
}

// brokenTime is how long a template that was of no use is not tried again.
const brokenTime = time.Minute

// fail tells those who wait that there is no process: of the kind pool one of them,
// as there is one process for each. The caller holds mu.
func (t *template) fail(err error) {
	n := len(t.waiting)
	if !t.fork() {
		n = min(n, 1)
	}
	for _, ch := range t.waiting[:n] {
		ch <- booted{err: err}
	}
	t.waiting = t.waiting[n:]
	if errors.Is(err, errVanished) { // it was killed: it is replaced
		t.later()
		return
	}
	t.broken, t.brokenAt = err, time.Now()
	t.goal = 0 // nothing is started in vain: somebody has to ask again
	t.tell(err)
}

// ended is told that p has been reaped. The caller holds the table's lock.
func (w *warm) ended(p *standby) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(p.gone)
	if t := p.template; t.remove(p) {
		p.drop()
		t.later()
	}
}

// remove takes p from those that are ready, and reports whether it was one. The
// caller holds mu.
func (t *template) remove(p *standby) bool {
	i := slices.Index(t.ready, p)
	switch {
	case i >= 0:
		t.ready = slices.Delete(t.ready, i, i+1)
	case t.zygote == p:
		t.zygote = nil
	default:
		return false
	}
	p.out = true
	return true
}

// letGo closes what this process has of one that is not handed over.
func (p *standby) letGo() {
	if p.report != nil {
		p.report.close()
		p.report = nil
	}
	if p.channel != nil {
		p.channel.Close()
	}
	if p.pidfd >= 0 {
		syscall.Close(p.pidfd)
		p.pidfd = -1
	}
}

// touch starts the time anew after which nobody is known to want anything. The
// caller holds mu.
func (t *template) touch() {
	switch {
	case t.conf.Idle <= 0:
	case t.idle == nil:
		t.idle = time.AfterFunc(t.conf.Idle, func() {
			t.warm.mu.Lock()
			defer t.warm.mu.Unlock()
			t.goal, t.uses = t.least, 0
			t.shrink(t.least)
		})
	default:
		t.idle.Reset(t.conf.Idle)
	}
}

// shrink ends those that are ready but n, and the zygote if there are to be none.
// The caller holds mu.
func (t *template) shrink(n int) {
	for len(t.ready) > n {
		t.end(t.ready[len(t.ready)-1])
	}
	if t.zygote != nil && n == 0 {
		t.end(t.zygote)
	}
}

// end ends a process that is ready. The caller holds mu.
func (t *template) end(p *standby) {
	t.remove(p)
	if p.pidfd >= 0 {
		linux.PidfdSignal(p.pidfd, syscall.SIGKILL)
	}
	p.drop()
}

// later starts what is missing when nothing has been handed over for a while. The
// caller holds mu.
func (t *template) later() {
	if t.refill != nil {
		return
	}
	seen, tries := t.uses, 0
	t.refill = time.AfterFunc(refillPause, func() {
		t.warm.mu.Lock()
		defer t.warm.mu.Unlock()
		if tries++; t.uses != seen && tries < refillTries {
			seen = t.uses
			t.refill.Reset(refillPause)
			return
		}
		t.refill = nil
		t.want()
	})
}

// handed is told that a child has been made from t.
func (t *template) handed() {
	t.warm.mu.Lock()
	defer t.warm.mu.Unlock()
	t.served++
	t.goal = max(t.goal, t.least) // after a failure it is none
	if t.uses >= secondUse {
		t.goal = max(t.goal, min(1, t.conf.Max))
	}
	t.later()
}

// close ends all templates: nothing is started any more, and those that are ready
// are killed. Those under way end by themselves, or with everything else.
func (w *warm) close() {
	w.mu.Lock()
	w.closed = true
	for _, t := range w.templates {
		t.shrink(0)
		for _, ch := range t.waiting {
			ch <- booted{err: errEnding()}
		}
		t.waiting = nil
		t.tell(errEnding())
		for _, timer := range []*time.Timer{t.refill, t.idle} {
			if timer != nil {
				timer.Stop()
			}
		}
	}
	w.mu.Unlock()
	w.k.table.killStandbys()
}

func errEnding() error {
	return &spawn.Error{Kind: spawn.ErrProtocol, Phase: spawn.PhaseSetup, Msg: "the keeper is ending, or the launch was given up"}
}

func errAborted() error {
	return &spawn.Error{Kind: spawn.ErrCanceled, Phase: spawn.PhaseSetup, Op: handoff, Msg: "it was given up"}
}

// A bootstrap is how a process of a template is started.
type bootstrap struct {
	plan  *spawn.Plan
	path  string
	here  int // the directory to start it in, which is the root's if it is -1
	args  []string
	env   []string
	words int // a memfd, which is its standard error
}

func (b *bootstrap) close() {
	syscall.Close(b.words)
	if b.here >= 0 {
		syscall.Close(b.here)
	}
}

// request returns the launch of a process that has theirs as its channel.
func (b *bootstrap) request(k *keeper, kind string, theirs int) launch.Request {
	first := 3
	r := launch.Request{Plan: b.plan, Path: b.path, Args: b.args, Null: k.null, NullOut: k.nullOut, Self: k.self}
	r.Files = append(r.Files, launch.File{Number: 2, FD: b.words})
	if b.here >= 0 {
		r.FDs = []int{b.here}
	}
	if kind == spawn.PoolTemplate {
		for ; first < poolChannel; first++ {
			r.Files = append(r.Files, launch.File{Number: first, FD: k.null})
		}
	}
	r.Files = append(r.Files, launch.File{Number: first, FD: theirs})
	r.Env = append(slices.Clone(b.env), zygote.Variable+"="+itoa(first))
	return r
}

// poolChannel is the number of the channel of a process of the kind pool. What
// its runtime opens for itself has higher numbers, out of the way of the child's.
const poolChannel = 16
