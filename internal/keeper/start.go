//go:build unix

package keeper

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
	"github.com/hatchery-spawn/hatchery/spawn"
)

// Start starts a keeper: this very program, executed again. It does not wait
// until the keeper is up; what is sent meanwhile waits on the lane.
func Start(cfg Config) (*Client, error) {
	c, err := start(cfg)
	if err != nil {
		e := &spawn.Error{Phase: spawn.PhaseStart, Op: "keeper", Err: err}
		e.Msg = shortage(e.Op, errnoOf(err))
		if errors.Is(err, fs.ErrNotExist) {
			e.Msg = "is /proc mounted?"
		}
		return nil, e
	}
	go c.read()
	go func() { // ends with the keeper
		// It fails when the embedding program took the status: no matter.
		c.proc.Wait()
		close(c.ended)
		// Its death alone may not close the lane: a child that had not come to
		// its exec, and was stopped to be killed, still has it open.
		c.conn.Shutdown()
	}()
	return c, nil
}

func start(cfg Config) (*Client, error) {
	var open []*os.File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	ours, theirs, err := lane.Pair()
	if err != nil {
		return nil, err
	}
	open = append(open, os.NewFile(uintptr(theirs), "lane"))
	null, err := os.Open(os.DevNull)
	if err != nil {
		syscall.Close(ours)
		return nil, err
	}
	open = append(open, null)
	nullOut, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		syscall.Close(ours)
		return nil, err
	}
	open = append(open, nullOut)
	host := null
	if fd, err := linux.PidfdOpen(os.Getpid()); err == nil {
		host = os.NewFile(uintptr(fd), "pidfd")
		open = append(open, host)
	}
	words, err := wordsFile()
	if err != nil {
		syscall.Close(ours)
		return nil, err
	}
	exe := null
	if f, err := openExe(); err == nil {
		exe, open = f, append(open, f)
	}
	files := []*os.File{null, nullOut, words, open[0], host, exe}
	var nods *os.File
	drop := func() {
		syscall.Close(ours)
		words.Close()
		nods.Close()
	}
	if !cfg.detached {
		r, w, err := os.Pipe()
		if err != nil {
			drop()
			return nil, err
		}
		open, files, nods = append(open, r), append(files, r), w
	}
	if err := failpoint.Fail(failpoint.HostOpenStart); err != nil {
		drop()
		return nil, err
	}
	proc, err := startSelf(cfg.argv(), &os.ProcAttr{
		Dir:   cfg.dir(),
		Env:   keeperEnv(),
		Files: files,
		Sys:   cfg.sys(),
	})
	if err != nil {
		drop()
		return nil, err
	}
	failpoint.Pass(failpoint.HostOpenStarted)
	conn, err := lane.Open(ours, lane.Gated)
	if err != nil { // the keeper ends when its lane does
		drop()
		proc.Wait()
		return nil, err
	}
	c := clientOf(conn)
	c.proc, c.words, c.nods, c.onGone = proc, words, nods, cfg.Gone
	return c, nil
}

func clientOf(conn *lane.Conn) *Client {
	return &Client{
		conn:   conn,
		opened: time.Now(),
		window: make(chan struct{}, window), turn: make(chan struct{}, 1), answered: make(chan struct{}, 1), gone: make(chan struct{}),
		ended: make(chan struct{}),
		calls: map[uint64]*call{}, exits: map[uint64]func(Exit){},
	}
}

// startSelf starts this program once more, on a thread that is no caller's: one that is
// locked may have a working directory or namespaces of its own, which would be
// the keeper's, and every child's, for ever.
func startSelf(args []string, attr *os.ProcAttr) (proc *os.Process, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		slack := linux.TimerSlack()
		linux.SetTimerSlack(slack + lateness)
		defer linux.SetTimerSlack(slack)
		path, started := sealedSelf()
		defer started()
		proc, err = os.StartProcess(path, args, attr)
	}()
	<-done
	return proc, err
}

// lateness is how late a keeper may notice that a time is over. The runtime's
// monitor looks every 20 microseconds at threads that are in a system call, as
// all of a keeper's are, all the time: this makes it every few milliseconds. The
// kernel knows it as timer slack, which is inherited, by children too: a thread
// that makes children takes it back (punctual).
const lateness = 4 * time.Millisecond

// punctual gives the calling thread, and the children that it will have, the
// timer slack that the host had.
func punctual() {
	if slack := linux.TimerSlack(); slack > lateness {
		linux.SetTimerSlack(slack - lateness)
	}
}

// keeperEnv is the whole environment of a keeper; children never see it. With a number of processors
// given the Go runtime neither opens nor watches the cgroup's files, which
// would be among the descriptors that the keeper closes. Its heap is small: it
// is collected seldom, until a request of many megabytes has made it large.
func keeperEnv() []string {
	procs := crewSize() + 2
	env := append([]string{"GOMAXPROCS=" + strconv.Itoa(procs), "GOGC=400", "GOMEMLIMIT=48MiB"}, failpoint.Environ()...)
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "LD_") { // a program with cgo may not start without
			env = append(env, kv)
		}
	}
	return env
}

// Close ends everything the keeper has: SIGTERM, and SIGKILL after the grace
// for as long as limit. It returns when the keeper has ended, or a little
// after grace plus limit. The error names what could not be ended. A keeper that
// is late goes on without the host: were it killed, nobody would know any more
// what is below its children. Calls after the first, and concurrent ones, return
// when the first has.
func (c *Client) Close(grace, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace+limit+answerTime)
	defer cancel()
	wake := time.AfterFunc((grace+limit)/2, c.Wake) // should it stand still
	defer wake.Stop()
	le := binary.LittleEndian
	err := c.ask(ctx, frameEnd, le.AppendUint64(le.AppendUint64(nil, uint64(grace)), uint64(limit)))
	failpoint.Pass(failpoint.HostCloseEnded)
	if err != nil {
		c.conn.Shutdown() // it ends everything for that, too
	}
	if errors.Is(err, spawn.ErrKeeperGone) {
		err = nil // it was gone before, or ended before its answer was read
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		if lerr := c.leave(); err == nil {
			err = lerr
		}
	}
	c.letGo()
	return err
}

// leave leaves a keeper to itself that is late, because the machine is busy or
// it was stopped. It bounds what it does by itself. One that is there after
// that is killed, if the host is: its children have PR_SET_PDEATHSIG.
func (c *Client) leave() error {
	c.Wake()
	c.conn.Shutdown()
	timer := time.NewTimer(wakeTime)
	defer timer.Stop()
	select {
	case <-c.ended:
		return nil
	case <-timer.C:
	}
	time.AfterFunc(lateTime, func() { c.proc.Kill() }) // it knows whether the process has ended
	return &spawn.Error{Kind: spawn.ErrTimeout, Phase: spawn.PhaseStop, Op: "keeper", Msg: "process " + strconv.Itoa(c.Pid()) + " has not ended everything yet, and goes on"}
}

// letGo gives up what the client has of its keeper.
func (c *Client) letGo() {
	c.conn.Shutdown()
	<-c.gone
	c.conn.Close()
	c.words.Close()
	c.nods.Close()
}

const (
	// answerTime is what a keeper has to say that it is done.
	answerTime = 200 * time.Millisecond
	// wakeTime is what one has to end that stood still, and was woken.
	wakeTime = 100 * time.Millisecond
	// killTime is what one has to end that was killed.
	killTime = 500 * time.Millisecond
	// lateTime is more than a keeper takes that has lost its host.
	lateTime = endGrace + endLimit + time.Second
)

// Dismiss asks a keeper that is asked to launch nothing more to end when its
// children and their descendants have ended; then Gone is closed, and Discard
// due. It does not wait for that. Close still ends it at once.
func (c *Client) Dismiss(ctx context.Context) error {
	return c.send(ctx, &lane.Frame{Type: frameDismiss, ID: c.ids.Add(1)})
}

// Discard lets go of a keeper that is gone. One whose lane broke while it lives
// is killed: what it would remove now belongs to its successor.
func (c *Client) Discard() {
	c.proc.Kill()
	timer := time.NewTimer(killTime)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C: // it waits for a device
	}
	c.letGo()
}

// Wake continues a keeper that was stopped, by SIGSTOP or a debugger: it is
// needed to end what it has.
func (c *Client) Wake() { c.proc.Signal(syscall.SIGCONT) }
