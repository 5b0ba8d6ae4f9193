package host

import (
	"context"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/keeper"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/internal/pluginlog"
	"github.com/hatchery-spawn/hatchery/internal/tail"
	"github.com/hatchery-spawn/hatchery/internal/wire"
	"github.com/hatchery-spawn/hatchery/registry"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// tailSize is how much of each output of a plugin is kept, in bytes.
const tailSize = 64 << 10

// pluginProcess is a plugin's process, a child of the keeper like any other.
type pluginProcess struct {
	host     *Host
	path     string // the binary; empty for a built-in method
	keeper   *keeper.Client
	child    keeper.Started
	launched time.Time     // when the keeper said so
	done     chan struct{} // closed once it has been reaped and its output read
	status   spawn.ExitStatus
	tails    [2]*tail.Tail  // of its descriptors 1 and 2
	log      *pluginlog.Log // of both; nil when there is no logger

	mu    sync.Mutex
	pidfd int // to see its end before it is told; -1 when there is none
	ended bool
}

// startPluginProcess starts the program of an entry. It has a process group
// of its own, so that what a terminal sends to the host's passes it by; its
// standard descriptors are never the terminal.
func startPluginProcess(ctx context.Context, h *Host, e registry.Entry, env []string, handshake, laneEnd *os.File) (*pluginProcess, error) {
	program, err := openPlugin(ctx, e)
	if err != nil {
		return nil, err
	}
	defer program.close()
	p := &pluginProcess{host: h, path: e.Path, done: make(chan struct{}), pidfd: -1}
	p.log = p.newLog(h.method(e))
	err = p.start(ctx, program, e, env, handshake, laneEnd)
	p.beginLog(e.Key)
	if err != nil {
		p.closeTails()
		go p.endLog() // waited for by logs.wait
		return nil, err
	}
	failpoint.Pass(failpoint.HostPluginLaunched)
	p.watchable(p.child.Pidfd)
	return p, nil
}

// start has the keeper start the process, and reads what it writes.
func (p *pluginProcess) start(ctx context.Context, program *pluginProgram, e registry.Entry, env []string, handshake, laneEnd *os.File) error {
	var outputs [2]*os.File
	for i := range outputs {
		r, w, err := os.Pipe()
		if err != nil {
			return &spawn.Error{Phase: spawn.PhaseStart, Op: "pipe", Err: err}
		}
		defer w.Close()
		outputs[i], p.tails[i] = w, tail.New(r, tailSize, p.log.Stream())
	}
	if _, given := os.LookupEnv("GOMAXPROCS"); e.Early && !given {
		env = append(env, "GOMAXPROCS=1") // it does one thing at a time, and starts faster
	}
	launch := &keeper.Launch{
		Env: pluginEnv(env), Dir: "/",
		Files: []int{1, 2, wire.HandshakeFD, wire.LaneFD},
		FDs:   []int{int(outputs[0].Fd()), int(outputs[1].Fd()), int(handshake.Fd()), int(laneEnd.Fd())},
	}
	if err := program.fill(launch); err != nil {
		return err
	}
	k, err := p.host.keeping.use(p.host.gather.now())
	if err != nil {
		return err
	}
	defer p.host.keeping.done(k)
	p.keeper = k.Client
	failpoint.Pass(failpoint.HostPluginStart)
	p.child, err = p.keeper.Launch(ctx, launch, p.exited)
	p.launched = time.Now()
	if err != nil {
		return startError(program.explain(err, e))
	}
	return nil
}

// startError puts a failure into the phase of starting a plugin.
func startError(err error) error {
	e := *spawn.AsError(err)
	e.Phase, e.Msg = spawn.PhaseStart, strings.TrimPrefix(e.Msg+" (starting the plugin)", " ")
	return &e
}

// exited is called by the reader of the keeper's lane, once.
func (p *pluginProcess) exited(e keeper.Exit) {
	p.status = e.Status
	p.mu.Lock()
	p.ended = true
	if p.pidfd >= 0 {
		closeFD(p.pidfd)
		p.pidfd = -1
	}
	p.mu.Unlock()
	if e.Left {
		go p.endOrphans(e.ID)
	}
	go func() {
		var wg sync.WaitGroup
		for _, t := range p.tails {
			wg.Go(func() { t.Finish(time.Now().Add(p.host.limits.Drain)) })
		}
		wg.Wait()
		close(p.done)
		p.endLog()
	}()
}

// watchable takes over the pidfd of a process that may have ended already.
func (p *pluginProcess) watchable(pidfd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended && pidfd >= 0 {
		closeFD(pidfd)
		return
	}
	p.pidfd = pidfd
}

// endOrphans ends what the plugin has left behind, which nobody has a use for:
// at once. What is not found, or cannot be ended, goes with the host.
func (p *pluginProcess) endOrphans(id uint64) {
	limit := p.host.limits.Call
	ctx, cancel := context.WithTimeout(context.Background(), limit+answerTime)
	defer cancel()
	p.keeper.Clear(ctx, id, 0, limit)
}

// look notes what is below the plugin, which is about to be asked to end: some
// of it may have left its group. When the host is being closed everything ends
// anyway.
func (p *pluginProcess) look(ctx context.Context) {
	if p.host.life.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, p.host.limits.Call)
	defer cancel()
	p.keeper.Ask(ctx, p.child.ID, 0, false)
}

// gone reports whether the process has ended, even if nobody has said so yet:
// what it is asked from then on it has never seen.
func (p *pluginProcess) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended || p.pidfd >= 0 && linux.Exited(p.pidfd)
}

// reaped reports whether the process has been reaped, which nobody knows of one
// whose keeper is gone.
func (p *pluginProcess) reaped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended && p.status.Source == spawn.FromKernel
}

func (p *pluginProcess) closeTails() {
	for _, t := range p.tails {
		t.Finish(time.Now())
	}
}

// Pid, Done, Kill and Diagnose are what wire.Process asks for.

func (p *pluginProcess) Pid() int { return p.child.Pid }

func (p *pluginProcess) Done() <-chan struct{} { return p.done }

func (p *pluginProcess) Kill() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.host.limits.Call)
	go func() {
		defer cancel()
		p.keeper.Kill(ctx, p.child.ID)
	}()
	return nil
}

func (p *pluginProcess) Diagnose() error {
	e := &PluginError{Path: p.path, Pid: p.child.Pid, Stdout: p.tails[0].Last(), Stderr: p.tails[1].Last()}
	select {
	case <-p.done:
		e.Ended, e.Status = true, p.status
	default:
	}
	return e
}

var _ wire.Process = (*pluginProcess)(nil)

func closeFD(fd int) { syscall.Close(sysFD(fd)) }
