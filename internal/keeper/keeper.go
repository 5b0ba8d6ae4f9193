//go:build unix

package keeper

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hatchery-spawn/hatchery/internal/failpoint"
	"github.com/hatchery-spawn/hatchery/internal/lane"
	"github.com/hatchery-spawn/hatchery/internal/linux"
)

// keeper is the state of a keeper process.
type keeper struct {
	conn    *lane.Conn
	table   *table
	crew    crew
	mounts  mountWatch
	warm    *warm
	held    []int         // namespaces of children that have ended; the reaper's
	told    []*linux.Bell // of children that have ended; the reaper's
	closing chan []int    // such that somebody else is to close
	sweeper sweeper
	null    int // /dev/null to read, out of the way of children's numbers
	nullOut int // /dev/null to write
	nods    nodding
	self    int    // a pidfd of this process, or 0
	exe     int    // what the host executes, or -1
	folder  string // the host's runtime folder
	// folderFD is the folder itself, or -1: it tells it from another one of
	// the same name, and keeps its number from being used again.
	folderFD int
	detach   *detachment // nil in the keeper of a host
	rooted   *rooted
	sites    sites
	remover  remover
	exposed  func() bool // whether a child could change this program
	others   int         // where the notes on descendants end in the record: see lookout.go

	// recording is held while the record is made, and while the folder is
	// removed: one that is made in between would keep it there.
	recording sync.Mutex

	hangUp func()        // closes hungUp, once
	hungUp chan struct{} // the host is gone
	empty  chan struct{} // the reaper found no children, and none can come
}

// What the host hands to a keeper.
const (
	laneFD = 3 // the lane
	hostFD = 4 // a pidfd of the host, or /dev/null where there are none
	exeFD  = 5 // the host's program: see self_linux.go; /dev/null where it is not known
	nodsFD = 6 // a pipe: see hold.go; a keeper that outlives its host has none

	// highFD is where the keeper keeps its own descriptors: above the
	// numbers that children usually get, and below 64, where the table of
	// descriptors that the kernel gives a process at first ends.
	highFD = 48

	// tableSize is the number of descriptors the table is made large enough
	// for: a window of launches with a few descriptors each.
	tableSize = 1000
)

// run is the life of a keeper. It returns when everything has ended.
func run(folder string, d *detachment) error {
	failpoint.Pass(failpoint.KeeperStart)
	linux.SetName(Name)
	punctual()
	last := nodsFD
	if d != nil {
		last = exeFD
	}
	if err := linux.CloseInherited(last + 1); err != nil {
		return err
	}
	syscall.CloseOnExec(2) // a plan that gives its child no descriptors does not give it these words
	if err := setSignals(); err != nil {
		return err
	}
	if err := linux.BecomeSubreaper(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	k := &keeper{table: newTable(), folder: folder, folderFD: -1, nods: nodding{fd: -1}, rooted: newRooted(), closing: make(chan []int, poolSize), hungUp: make(chan struct{}), empty: make(chan struct{}, 1)}
	k.crew.k, k.sweeper.k, k.warm = k, k, newWarm(k)
	k.detach = d.of(k)
	k.hangUp = sync.OnceFunc(func() { close(k.hungUp) })
	k.exposed = sync.OnceValue(linux.ProgramWritable)
	host, err := k.takeDescriptors()
	if err != nil {
		return err
	}
	k.table.notes.clock = newClock()
	failpoint.Pass(failpoint.KeeperReady)
	if err := k.crew.recruit(); err != nil {
		return err
	}
	go k.reap()
	go k.closeHeld()
	go k.watch(host)
	look := newRooted() // now: later the host may have changed its root
	time.AfterFunc(completeTime, func() { k.complete(look) })
	time.AfterFunc(prepareTime, k.crew.prepare)
	<-k.hungUp
	k.detach.hostGone()
	k.end(endGrace, endLimit)
	return nil
}

// closeHeld is the life of the goroutine that closes what the reaper has no time for.
func (k *keeper) closeHeld() {
	for fds := range k.closing {
		closeAll(fds)
	}
}

// completeTime is when a keeper becomes ready for more than one launch at a time.
// The first one in a host's life is that of a plugin, which wants the processors.
const completeTime = 3 * time.Millisecond

// complete gets the keeper what it can do without while the first plugin starts. A
// launcher that cannot be had is one less.
func (k *keeper) complete(look *rooted) {
	for range crewSize() - 1 {
		if k.crew.recruit() != nil {
			break
		}
	}
	if k.folder != "" {
		go k.lookOut(look)
	}
	for born := k.table.births(); born < fewBirths; born = k.table.births() {
		k.table.waitBirth(born)
	}
	if !k.table.isClosed() { // which counts as a birth
		growTable(k.null)
	}
}

// fewBirths is how many children a keeper has that does not need a larger table:
// a plugin, and what it was started for. The process could not end while the
// table grows.
const fewBirths = 3

// takeDescriptors moves what the host handed over out of the children's way.
func (k *keeper) takeDescriptors() (host int, err error) {
	high := func(fd int) int {
		n, herr := linux.DupAbove(fd, highFD)
		if errors.Is(herr, syscall.EINVAL) { // beyond RLIMIT_NOFILE
			n, herr = linux.DupAbove(fd, 3)
		}
		err = errors.Join(err, herr)
		return n
	}
	conn, host := high(laneFD), high(hostFD)
	k.exe = high(exeFD)
	k.null, k.nullOut = high(0), high(1)
	if k.detach == nil {
		k.nods.fd = high(nodsFD)
		syscall.Close(nodsFD)
		syscall.SetNonblock(k.nods.fd, true)
	}
	if err != nil {
		return -1, err
	}
	if fd, ferr := syscall.Open(k.folder, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0); ferr == nil {
		k.folderFD = high(fd)
		syscall.Close(fd)
	}
	if fd, serr := linux.PidfdOpen(os.Getpid()); serr == nil {
		k.self = high(fd)
		syscall.Close(fd)
	}
	if !isPidfd(hostFD) {
		host = -1
	}
	if !isProgram(k.exe) {
		k.forgetExe()
	}
	syscall.Close(laneFD)
	syscall.Close(hostFD)
	syscall.Close(exeFD)
	k.conn, err = lane.Open(conn, lane.Blocking)
	return host, err
}

// growTable makes the kernel enlarge this process's table of descriptors. In a
// process with threads that takes ten milliseconds and more (expand_fdtable
// waits for an RCU grace period), which would otherwise be those of the first
// launch that finds the table full.
func growTable(fd int) {
	if n, err := linux.DupAbove(fd, tableSize); err == nil {
		syscall.Close(n)
	}
}

// forgetExe lets go of the host's program, which is of use no longer.
func (k *keeper) forgetExe() {
	if k.exe >= 0 {
		syscall.Close(k.exe)
		k.exe = -1
	}
}

// isProgram tells a program from /dev/null.
func isProgram(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG
}

// isPidfd tells a pidfd from /dev/null, a character device.
func isPidfd(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT != syscall.S_IFCHR
}

// setSignals makes the keeper deaf to what a terminal, or a kill of the whole
// group, sends to the host's group: the host decides what it means, and the
// end of the host is what ends the keeper. The signals are caught, not
// ignored, so that they have their default action in children. The handler
// does nothing.
//
// What was ignored when the program started would be ignored in children too:
// it gets its default action back, as os/exec has it. SIGCHLD gets it to save
// a wake-up for each exit; the reaper waits in waitid.
func setSignals() error {
	deaf := []syscall.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGTERM,
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
		syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2,
		syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGXCPU, syscall.SIGXFSZ,
	}
	const firstRealtime, last = syscall.Signal(34), syscall.Signal(64)
	for sig := firstRealtime; sig <= last; sig++ {
		deaf = append(deaf, sig)
	}
	for _, sig := range deaf {
		if err := linux.DeafTo(sig); errors.Is(err, errors.ErrUnsupported) {
			signal.Notify(make(chan os.Signal, 1), sig)
		} else if err != nil {
			return err
		}
	}
	for sig := syscall.Signal(1); sig <= last; sig++ {
		if linux.Ignored(sig) {
			if err := linux.DefaultSignal(sig); err != nil {
				return err
			}
		}
	}
	if err := linux.DefaultSignal(syscall.SIGCHLD); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
